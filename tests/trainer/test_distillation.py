"""Teachers: frozen, asked once or live, and never part of the student."""

import csv
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from engine.core.errors import RecordingError, UsageError
from engine.core.schemes import IBUG_68
from trainer import devices, distillation
from trainer.augment import Augmentation, Augmenter, central_window
from trainer.checkpoint import LAST, read_checkpoint
from trainer.data.crops import CROP_SCALE, load_crops
from trainer.devices import launch
from trainer.distillation import LiveTeachers, check_loss, relabelled, with_predictions
from trainer.init.initialise import load_network
from trainer.losses.fard_mahoor import Assistive, KDLoss
from trainer.losses.heatmap_distillation import HeatmapKD
from trainer.losses.star import moments_of
from trainer.losses.total import LandmarkLoss
from trainer.recipes.schema import PackChoice, TeacherMean
from trainer.run import Place, load_faces, run
from trainer.run_folder import RUNS
from trainer.run_recorder import Intervals

OFTEN = Intervals(1, 1, 1)
CPU = torch.device("cpu")
RATIO = 1.3 / CROP_SCALE


@pytest.fixture(scope="module")
def teachers(data, tmp_path_factory):
    """Two tiny teachers, a few steps old."""
    from trainer.networks.heatmap import HeatmapShape
    from trainer.recipes.schema import PackChoice, Training

    shape = HeatmapShape(encoder_width=0.25, expansions=(1, 2, 2, 2, 2, 2), decoder_width=16, input_size=64)
    tiny = Training("tiny", network=shape, init="random", packs=(PackChoice("faces", split=None, validation=True),))
    paths = []
    for seed in (0, 1):
        recipe = replace(tiny, steps=2, batch=4, hold_out=8, seed=seed, ema=0.0)
        paths.append(run(recipe, data, tmp_path_factory.mktemp("teacher") / f"t{seed}", "cpu", False, Intervals(2, 2)))
    return tuple(map(str, paths))


@pytest.fixture
def crops(data, recipe):
    return load_crops(data, recipe.packs)


def test_predictions_are_the_mean_over_a_picture_and_its_mirror_image(teachers, crops):
    faces = with_predictions(crops, files(teachers), CPU, RUNS).faces
    assert faces.teachers.shape == (24, 2, 68, 2)
    assert faces.teacher_confidence.shape == (24, 2, 68)
    network = load_network(Path(teachers[1]))
    images = central_window(crops.faces, RATIO, 64).images
    with torch.no_grad():
        seen, mirrored = network(images).points, network(images.flip(3)).points
    mirrored = torch.stack([1 - mirrored[..., 0], mirrored[..., 1]], -1)[:, torch.tensor(IBUG_68.mirror)]
    expected = ((seen + mirrored) / 2 - 0.5) * RATIO + 0.5
    assert torch.allclose(faces.teachers[:, 1], expected, atol=1e-5)


def test_several_teachers_become_their_mean_which_counts_less_where_they_differ(teachers, crops):
    each = with_predictions(crops, files(teachers), CPU, RUNS).faces
    mean = with_predictions(crops, files(teachers), CPU, RUNS, TeacherMean((3.0, 1.0), doubtful=0.01)).faces
    expected = 0.75 * each.teachers[:, 0] + 0.25 * each.teachers[:, 1]
    assert torch.allclose(mean.teachers, expected[:, None], atol=1e-6)
    surest = 0.75 * each.teacher_confidence[:, 0] + 0.25 * each.teacher_confidence[:, 1]
    between = 0.75 * 0.25 * (each.teachers[:, 0] - each.teachers[:, 1]).square().sum(-1)
    assert (mean.teacher_confidence[:, 0] <= surest / (1 + between / 0.01**2) + 1e-6).all(), "the views differ too"
    lenient = with_predictions(crops, files(teachers), CPU, RUNS, TeacherMean((3.0, 1.0), doubtful=1e3)).faces
    said = lenient.teacher_confidence[:, 0] > 0  # not of eyes that the sample closes
    assert said.float().mean() > 0.9
    assert torch.allclose(lenient.teacher_confidence[:, 0][said], surest[said], atol=1e-6)


def test_the_side_on_which_labels_lie_is_no_spread(teachers, crops):
    def confidence(shift):
        moved = replace(crops, faces=replace(crops.faces, label_shift=torch.full((24,), shift)))
        return with_predictions(moved, files(teachers[:1]), CPU, RUNS, TeacherMean()).faces

    here, there = confidence(0.0), confidence(0.05)
    assert torch.allclose(there.teachers, here.teachers + torch.tensor([0.05, 0]), atol=1e-5)
    assert torch.allclose(there.teacher_confidence, here.teacher_confidence, atol=1e-5)


def test_teachers_say_nothing_of_eyes_that_are_closed(teachers, crops):
    shut = torch.where(torch.arange(24) < 3, 0.0, math.nan)
    some = replace(
        crops, faces=replace(crops.faces, eyes_open=shut, points=torch.full_like(crops.faces.points, math.nan))
    )
    confidence = with_predictions(some, files(teachers), CPU, RUNS, TeacherMean()).faces.teacher_confidence
    eyes = [*IBUG_68.right_eye, *IBUG_68.left_eye]
    assert (confidence[:3, 0][:, eyes] == 0).all()
    assert (confidence[3:] > 0).all()
    assert (confidence[:3, 0].gt(0).sum(1) == 68 - len(eyes)).all()


def test_packs_are_relabelled_by_the_mean_of_the_teachers(teachers, crops, recipe):
    asked = with_predictions(crops, files(teachers), CPU, RUNS, TeacherMean())
    assert torch.equal(relabelled(asked, recipe.packs).faces.points, crops.faces.points)
    again = relabelled(asked, (replace(recipe.packs[0], relabel=True),))
    said = asked.faces.teacher_confidence[:, 0] > 0  # not of eyes that the sample closes
    assert torch.equal(again.faces.points[said], asked.faces.teachers[:, 0][said])


def test_relabelled_faces_keep_their_own_lids_where_their_eyes_are_closed(teachers, crops, recipe):
    points = crops.faces.points.clone()
    eyes = torch.tensor([*IBUG_68.right_eye, *IBUG_68.left_eye])
    points[0] = math.nan
    shut = torch.where(torch.arange(24) < 2, 0.0, math.nan)
    some = replace(crops, faces=replace(crops.faces, points=points, eyes_open=shut))
    asked = with_predictions(some, files(teachers), CPU, RUNS, TeacherMean())
    again = relabelled(asked, (replace(recipe.packs[0], relabel=True),)).faces.points
    assert again[0, eyes].isnan().all(), "nobody knows them"
    assert torch.equal(again[1, eyes], points[1, eyes])
    others = torch.ones(68, dtype=torch.bool)
    others[eyes] = False
    assert torch.equal(again[:2, others], asked.faces.teachers[:2, 0][:, others])


def test_a_student_learns_from_the_mean_of_its_teachers_on_faces_that_they_labelled(teachers, data, recipe, tmp_path):
    for name in ("faces", "labelled"):
        shutil.copytree(data / "faces", tmp_path / "data" / name)
    packs = (recipe.packs[0], PackChoice("labelled", split=recipe.packs[0].split, relabel=True))
    loss = LandmarkLoss(kd=KDLoss(point_distillation_weight=1.0))
    taught = replace(recipe, packs=packs, loss=loss, teachers=teachers, teacher_mean=TeacherMean(), turned_draws=3.0)
    assert run(taught, tmp_path / "data", tmp_path / "run", "cpu", False, OFTEN).is_file()


def test_faces_for_validation_keep_their_own_labels(teachers, data, recipe):
    relabel = replace(recipe, packs=(replace(recipe.packs[0], relabel=True),), teachers=teachers)
    size, place = 192, Place(data, launch("cpu", None, "auto"))
    (plain, plain_held), (again, held) = (load_faces(one, by_name(teachers), place, size) for one in (recipe, relabel))
    assert torch.equal(held.faces.faces.points, plain_held.faces.faces.points)
    assert not torch.equal(again.faces.points, plain.faces.points)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"teacher_mean": TeacherMean((1.0,))}, "2 teachers have 1 weights"),
        ({"teacher_mean": TeacherMean(), "live": True}, "cannot become one"),
        ({"packs": (PackChoice("faces", relabel=True),), "teachers": ()}, "nobody to relabel faces"),
        ({"packs": (PackChoice("faces", relabel=True),), "live": True}, "nobody to relabel faces"),
    ],
)
def test_teachers_that_cannot_be_one_or_relabel_are_refused(teachers, recipe, change, match):
    loss = LandmarkLoss(kd=KDLoss(point_distillation_weight=1.0))
    with pytest.raises(UsageError, match=match):
        check_loss(replace(recipe, **{"teachers": teachers, "loss": loss, **change}))


def test_weights_of_teachers_are_above_0():
    with pytest.raises(UsageError, match=r"cannot have the weights 0\.6, 0\.0"):
        TeacherMean((0.6, 0.0))


def test_where_the_first_process_cannot_ask_the_teachers_the_others_end_too(teachers, data, recipe, monkeypatch):
    def full(*_):
        raise RecordingError("The teacher's predictions cannot be written", "the disk is full", "make room")

    heard = []
    monkeypatch.setattr("lightning_fabric.Fabric.world_size", property(lambda self: 2))
    monkeypatch.setattr(devices.distributed, "broadcast", lambda failed, source: heard.append(failed.item()))
    monkeypatch.setattr(distillation, "_predictions", full)
    place = Place(data, launch("cpu", None, "auto"))
    with pytest.raises(RecordingError, match="cannot be written"):
        load_faces(replace(recipe, teachers=teachers), by_name(teachers), place, 192)
    assert heard == [1.0]


def test_predictions_are_kept_and_only_new_faces_are_asked_about(teachers, crops, monkeypatch):
    asked = []
    predict = distillation._predict
    monkeypatch.setattr(
        distillation, "_predict", lambda faces, *rest: asked.append(len(faces.images)) or predict(faces, *rest)
    )
    for file in kept(teachers):
        file.unlink()
    some = crops.subset(torch.arange(0, 24, 2))
    first = with_predictions(some, files(teachers), CPU, RUNS).faces
    whole = with_predictions(crops, files(teachers), CPU, RUNS).faces
    again = with_predictions(some, files(teachers), CPU, RUNS).faces
    assert asked == [12, 12, 12, 12], "two teachers, twice the half"
    assert torch.equal(first.teachers, again.teachers)
    assert torch.equal(first.teachers, whole.teachers[::2])


def test_a_damaged_file_of_predictions_is_made_again(teachers, crops):
    first = with_predictions(crops, files(teachers), CPU, RUNS).faces
    for file in kept(teachers):
        file.write_bytes(file.read_bytes()[:40])
    again = with_predictions(crops, files(teachers), CPU, RUNS).faces
    assert torch.allclose(first.teachers, again.teachers, atol=1e-6)


def test_a_full_disk_while_predictions_are_kept_gets_a_sentence(teachers, crops, monkeypatch):
    def full(tensors, path):
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(distillation, "save_tensors", full)
    for file in kept(teachers):
        file.unlink()
    with pytest.raises(RecordingError, match="predictions .* cannot be written"):
        with_predictions(crops, files(teachers), CPU, RUNS)
    assert kept(teachers) == []


def by_name(teachers):
    return {path: Path(path) for path in teachers}


def files(teachers):
    return [Path(path) for path in teachers]


def kept(teachers):
    return [file for path in teachers for file in (Path(path).parent / "predictions").glob("*")]


def test_kept_predictions_follow_the_pixels_as_labels_do(teachers, crops):
    faces = with_predictions(crops, files(teachers), CPU, RUNS).faces
    faces = replace(faces, teachers=torch.stack([faces.points, faces.points], 1))
    batch = Augmenter(Augmentation(no_face_share=0), IBUG_68.mirror, RATIO, 64)(faces, torch.Generator().manual_seed(0))
    here = batch.labelled.bool()
    assert torch.allclose(batch.teachers[:, 0][here], batch.points[here], atol=1e-6)


def test_live_teachers_look_at_the_augmented_picture_and_say_nothing_where_no_face_is(teachers, crops):
    augment = Augmenter(Augmentation(no_face_share=0.5), IBUG_68.mirror, RATIO, 96)
    crops.faces.points[::2] = math.nan  # these are seen too, as by teachers that are asked once
    batch = LiveTeachers(files(teachers), CPU).look(augment(crops.faces, torch.Generator().manual_seed(0)))
    assert batch.teachers.shape == (24, 2, 68, 2)
    empty = batch.no_face
    assert 0 < empty[::2].sum() < 12
    assert 0 < empty.sum() < 24
    assert batch.teachers[empty].isnan().all()
    assert batch.teachers[~empty].isfinite().all()
    assert [tuple(maps.shape) for maps in batch.teacher_maps] == 2 * [(24, 68, 16, 16)]
    assert batch.teacher_maps[1][empty].isnan().all()
    assert torch.allclose(batch.teacher_maps[1][~empty].sum((2, 3)), torch.tensor(1.0))
    found = (moments_of(batch.teacher_maps[1][~empty]).mean + 1) / 2
    assert torch.allclose(found, batch.teachers[~empty, 1], atol=1e-5), "the maps that the points are the means of"


@pytest.mark.parametrize("live", [False, True])
def test_a_student_learns_from_two_teachers_and_holds_nothing_of_them(teachers, data, recipe, tmp_path, live):
    loss = LandmarkLoss(points="kd", kd=KDLoss(point_distillation_weight=1.0))
    student = replace(recipe, loss=loss, teachers=teachers, live=live)
    last = run(student, data, tmp_path / "run", "cpu", False, Intervals(3, 3))
    assert last.name == LAST
    assert read_checkpoint(last).model.keys() == load_network(last).state_dict().keys()


@pytest.mark.parametrize("live", [False, True])
def test_teachers_that_no_term_of_the_loss_looks_at_are_refused(teachers, recipe, live):
    for loss in (LandmarkLoss(), LandmarkLoss(points="kd", kd=KDLoss(tough=Assistive(0), tolerant=Assistive(0)))):
        with pytest.raises(UsageError, match="Nothing would be learned from .*t0.* and .*t1"):
            check_loss(replace(recipe, loss=loss, teachers=teachers, live=live))


def test_heatmaps_of_teachers_that_do_not_look_at_each_batch_are_missed_before_any_face_is_read(teachers, recipe):
    loss = LandmarkLoss(heatmap_kd=HeatmapKD("paper"))
    for taught, reason in (
        (teachers, "Only teachers that look"),
        ((), "recipe has no teacher"),
    ):
        with pytest.raises(UsageError, match=reason):
            check_loss(replace(recipe, loss=loss, teachers=taught))


def test_a_run_without_teachers_has_none_that_look(data, recipe, tmp_path):
    alone = replace(recipe, steps=1, live=True)
    assert run(alone, data, tmp_path / "run", "cpu", False, OFTEN).is_file()


def test_a_student_learns_its_teachers_heatmaps(teachers, data, recipe, tmp_path):
    loss = LandmarkLoss(
        points="star", kd=KDLoss(point_distillation_weight=1.0), heatmap_kd=HeatmapKD("paper", normalised=True)
    )
    student = replace(recipe, steps=2, loss=loss, teachers=teachers, live=True)
    run(student, data, tmp_path / "run", "cpu", False, Intervals(2, 2, 1))
    with (tmp_path / "run" / "train.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        parts = float(row["points"]) + 0.02 * (float(row["heatmaps"]) + float(row["confidence"]))
        assert float(row["heatmap_kd"]) > 0
        assert float(row["total"]) == pytest.approx(parts + float(row["heatmap_kd"]), rel=1e-4)


@pytest.mark.parametrize(("precision", "halved"), [("32-true", False), ("bf16-mixed", True)])
def test_live_teachers_compute_in_the_precision_of_the_run(
    teachers, data, recipe, tmp_path, monkeypatch, precision, halved
):
    look, seen = LiveTeachers.look, []

    def watched(self, batch):
        seen.append(torch.is_autocast_enabled("cpu"))
        return look(self, batch)

    monkeypatch.setattr(LiveTeachers, "look", watched)
    loss = LandmarkLoss(heatmap_kd=HeatmapKD("paper", normalised=True))
    student = replace(recipe, steps=2, loss=loss, teachers=teachers, live=True)
    last = run(student, data, tmp_path / "run", "cpu", False, Intervals(2, 2), precision=precision)
    assert seen == [halved, halved]
    assert all(tensor.isfinite().all() for tensor in read_checkpoint(last).model.values())


def test_a_teacher_of_another_markup_is_refused(teachers, data, recipe, tmp_path):
    student = replace(recipe, network=replace(recipe.network, points=98), teachers=teachers[:1])
    with pytest.raises(UsageError, match="has 68 points and the student 98"):
        run(student, data, tmp_path / "run", "cpu")


def test_a_live_teacher_of_other_crops_is_refused(teachers, data, recipe, tmp_path):
    student = replace(recipe, crop_scale=1.5, teachers=teachers[:1], live=True)
    with pytest.raises(UsageError, match=r"used to crops of 1\.3 times the landmark box, not of 1\.5"):
        run(student, data, tmp_path / "run", "cpu")


def test_faces_of_another_markup_are_refused(data, recipe, tmp_path):
    with pytest.raises(UsageError, match="98 points of the network: faces has 68"):
        run(replace(recipe, network=replace(recipe.network, points=98)), data, tmp_path / "run", "cpu")


def test_a_teacher_that_is_not_there_is_named(data, recipe, tmp_path):
    student = replace(recipe, teachers=(str(tmp_path / "none.safetensors"),))
    with pytest.raises(UsageError, match=r"none\.safetensors are not there"):
        run(student, data, tmp_path / "run", "cpu", False)
