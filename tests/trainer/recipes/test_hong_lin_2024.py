"""The heatmap method in miniature: a teacher with attention, then a student of its heatmaps."""

import csv
import math
from dataclasses import replace

import pytest

from trainer.init.initialise import load_network
from trainer.losses.heatmap_distillation import HeatmapKD
from trainer.networks.heatmap import HeatmapShape
from trainer.networks.star import StarShape
from trainer.recipes.overrides import trainings_by_name
from trainer.run import run
from trainer.run_recorder import Intervals

TEACHER = StarShape(encoder="mobilenetv2", encoder_width=0.25, neck="pyramid", channels=16, input_size=64)
PUBLISHED = StarShape(encoder="mobilevitv2", encoder_width=0.25, neck="repeat", channels=16, input_size=64)
OURS = HeatmapShape(encoder="mobilevitv2", encoder_width=0.25, decoder_width=16, input_size=64)


def small(name, recipe, shape):
    """A named recipe, as small as the test's own."""
    return replace(
        trainings_by_name(name)[-1],
        network=shape,
        init="random",
        packs=recipe.packs,
        steps=2,
        epochs=None,
        batch=4,
        hold_out=recipe.hold_out,
    )


def terms_of(folder):
    with (folder / "train.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture
def teacher(data, recipe, tmp_path):
    return run(small("hong-lin/teacher", recipe, TEACHER), data, tmp_path / "teacher", "cpu", False, Intervals(2, 2, 1))


def test_a_teacher_with_attention_trains_and_a_published_student_learns_its_maps(data, recipe, teacher, tmp_path):
    for row in terms_of(teacher.parent):
        assert row["attention"] > 0
        assert row["heatmaps"] == row["heatmap_kd"] == 0
        assert row["total"] == pytest.approx(row["points"] + row["attention"] + 0.02 * row["confidence"], rel=1e-4)
    student = small("hong-lin/student-kd", recipe, PUBLISHED)
    student = replace(student, init=str(teacher), teachers=(str(teacher),), live=True)
    last = run(student, data, tmp_path / "student", "cpu", False, Intervals(2, 2, 1))
    assert all(math.isfinite(row["total"]) and row["heatmap_kd"] > 0 for row in terms_of(last.parent))
    assert load_network(last).shape == PUBLISHED


def test_our_student_learns_the_form_of_maps_of_another_kind(data, recipe, teacher, tmp_path):
    student = small("student-mvit2-68:taught", recipe, OURS)
    loss = replace(student.loss, heatmap_kd=HeatmapKD("paper", 0.1, normalised=True))
    student = replace(student, loss=loss, teachers=(str(teacher),), live=True)
    last = run(student, data, tmp_path / "student", "cpu", False, Intervals(2, 2, 1))
    assert all(math.isfinite(row["total"]) and row["heatmap_kd"] > 0 for row in terms_of(last.parent))
