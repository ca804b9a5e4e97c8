"""Comparing runs: paired, repeatable, and only where the faces are the same."""

import csv
import io

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.evaluation.compare import (
    bootstrap_interval,
    compare,
    comparison_cells,
    comparison_csv,
    comparison_markdown,
    comparison_values,
)
from engine.evaluation.files import read_evaluation, write_evaluation
from tests.fakes.evaluations import evaluation, write_pack

COUNT = 60
NOISE = np.random.default_rng(1).normal(0, 0.3, COUNT)
BASE = np.random.default_rng(2).uniform(2, 12, COUNT)


@pytest.fixture
def run(tmp_path):
    """Write a run with given errors and read it again."""
    pack = write_pack(tmp_path / "pack", COUNT, pictures=False)

    def make(name, errors, folder=pack, model=None, **task):
        write_evaluation(evaluation(folder, list(errors), model or name, **task), tmp_path / name)
        return read_evaluation(tmp_path / name)

    return make


def test_interval_agrees_with_theory_and_is_the_same_each_time():
    values = np.random.default_rng(3).normal(0.2, 1, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.01)
    assert bootstrap_interval(values) == (low, high)
    assert bootstrap_interval(np.full(5, 0.7)) == pytest.approx((0.7, 0.7))


def test_a_gain_is_separated_from_noise(run):
    first, better, same = run("a", BASE), run("b", BASE - 0.3 + NOISE), run("c", BASE + NOISE)
    none, gain, noise = (row.difference for row in compare([[first], [better], [same]]))
    assert none is None
    assert gain.nme == pytest.approx(-0.3 + NOISE.mean(), abs=1e-4)
    assert gain.low < gain.nme < gain.high < 0
    assert gain.excludes_zero
    assert not noise.excludes_zero
    verdicts = [cells[-1] for cells in comparison_cells(compare([[first], [better], [same]]))]
    assert verdicts == ["-", "better", "no clear difference"]
    assert comparison_cells(compare([[better], [first]]))[1][-1] == "worse"


def test_seeds_are_averaged_face_by_face_before_the_bootstrap(run):
    first = run("a", BASE)
    seeds = [run("b1", BASE - 1 + 3 * NOISE), run("b2", BASE - 1 - 3 * NOISE)]
    row = compare([[first], seeds])[1]
    assert row.errors.shape == (2, COUNT)
    assert (row.difference.low, row.difference.high) == pytest.approx((-1, -1), abs=1e-3), "their noise cancels"
    alone = [compare([[seed]])[0].accuracy for seed in seeds]
    assert row.accuracy.faces == COUNT
    for figure in ("nme", "fr10", "auc10"):
        mean = np.mean([getattr(accuracy, figure) for accuracy in alone])
        assert getattr(row.accuracy, figure) == pytest.approx(mean)


def test_each_seed_counts_as_much_however_many_faces_it_missed(run):
    half = [None] * (COUNT // 2)
    row = compare([[run("a", [4.0] * COUNT), run("b", [8.0] * (COUNT // 2) + half)]])[0]
    assert row.accuracy.nme == pytest.approx(6)
    assert row.accuracy.fr10 == pytest.approx(25)
    row = compare([[run("c", [4.0] * COUNT), run("d", [None] * COUNT)]])[0]
    assert row.accuracy.nme == pytest.approx(4)


def test_missed_faces_are_left_out_of_the_difference_and_reported(run):
    first, other = run("a", BASE), run("b", [None, *BASE[1:] + 1])
    rows = compare([[first], [other]])
    assert rows[1].difference.faces == COUNT - 1
    assert rows[1].difference.nme == pytest.approx(1, abs=1e-4)
    assert f"b: the difference is over the {COUNT - 1} faces that both found." in comparison_markdown(rows, first)
    nothing = run("c", [None] * COUNT)
    assert compare([[first], [nothing]])[1].difference is None


def test_models_of_the_same_name_are_called_by_their_folders(run, tmp_path):
    rows = compare([[run("a", BASE, model="m")], [run("b", BASE, model="m")]])
    assert [row.name for row in rows] == [str(tmp_path / "a"), str(tmp_path / "b")]


@pytest.mark.parametrize(
    ("task", "difference"),
    [
        ({"split": "test"}, "the split is all in one, test in the other"),
        ({"normaliser": "pupils"}, "the normaliser is eyes in one, pupils in the other"),
        ({"labels": "landmarks_2d"}, "the array of labels is landmarks in one, landmarks_2d in the other"),
        ({"box": "detector"}, "the boxes come from the truth in one, from the detector in the other"),
    ],
)
def test_other_protocols_are_refused_with_the_difference(run, task, difference):
    with pytest.raises(UsageError, match=difference):
        compare([[run("a", BASE)], [run("b", BASE, **task)]])


def test_landmarks_of_another_tool_can_be_compared_with_any_boxes(run):
    rows = compare([[run("a", BASE, box="detector")], [run("b", BASE, box="predictions")]])
    assert len(rows) == 2


def test_other_faces_and_labels_are_refused_with_the_difference(run, tmp_path):
    first = run("a", BASE)
    fewer = run("b", BASE[1:], write_pack(tmp_path / "fewer" / "pack", COUNT - 1, pictures=False))
    with pytest.raises(UsageError, match="60 and 59 faces, and images/59.png is only in one"):
        compare([[first], [fewer]])
    landmarks = np.load(tmp_path / "pack" / "annotations.npz")["landmarks"] + np.float32(1)
    moved = run("c", BASE, write_pack(tmp_path / "moved" / "pack", COUNT, pictures=False, landmarks=landmarks))
    with pytest.raises(UsageError, match="the labels of the faces, or their order, differ"):
        compare([[first], [moved]])
    with pytest.raises(UsageError, match="the pack is pack in one, other in the other"):
        compare([[first], [run("d", BASE, write_pack(tmp_path / "other", COUNT, pictures=False))]])


def test_tables_and_values_agree(run):
    first = run("a", BASE)
    rows = compare([[first], [run("b", BASE - 0.5)]])
    values = comparison_values(rows, first)
    assert values["rows"][1]["difference"] == pytest.approx(-0.5, abs=1e-4)
    assert (values["resamples"], values["data"]) == (10_000, "pack")
    table = list(csv.DictReader(io.StringIO(comparison_csv(rows))))
    assert (table[0]["difference"], table[1]["difference"]) == ("", "-0.5")
    assert (table[1]["excludes_zero"], table[1]["runs"]) == ("True", "1")
    assert len({len(line) for line in comparison_markdown(rows, first).splitlines() if line.startswith("|")}) == 1
