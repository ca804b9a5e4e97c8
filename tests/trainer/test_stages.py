"""A recipe of several stages: one command trains them, resumes at the right one, and finds or makes what it needs."""

from __future__ import annotations

import dataclasses
import json
import signal
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

from app.cli.main import main
from engine.core.errors import PackError, RecordingError, UnderstudyError, UsageError
from engine.formats.packs import read_arrays
from engine.inference.library import ModelLibrary
from tests.conftest import ROOT
from tests.fakes.tiny_training import few_blocks, write_sample_pack
from trainer import loop, run_folder, run_recorder, stages
from trainer.checkpoint import LAST, Checkpoint, read_checkpoint, read_header, write_checkpoint
from trainer.data import cutting
from trainer.data.packing import pack_crops
from trainer.devices import launch
from trainer.loop import draw_batch
from trainer.losses.fard_mahoor import KDLoss
from trainer.losses.total import LandmarkLoss
from trainer.networks.heatmap import HeatmapShape
from trainer.networks.regression import RegressionShape
from trainer.recipes import RECIPES
from trainer.recipes.overrides import trainings_by_name
from trainer.recipes.schema import PackChoice, Recipe, Stage
from trainer.run import Place, carry_out
from trainer.run_folder import find_weights, last_checkpoint, read_run, stage_folder
from trainer.run_recorder import Intervals
from trainer.stages import find_needed, train_needed, train_stages
from trainer.state import TrainingInterrupted

FACES = (PackChoice("faces", split=None, validation=True),)
SHAPE = HeatmapShape(encoder_width=0.25, expansions=(1, 2, 2, 2, 2, 2), decoder_width=16, input_size=64)
SETTINGS = {"packs": FACES, "steps": 2, "batch": 4, "hold_out": 8}
PAIR = Recipe(
    "Two stages.", SHAPE, "random", (Stage("first", **SETTINGS), Stage("second", learning_rate=1e-4, **SETTINGS))
)
CHAIN = ("student-68", "teacher-tough-68", "teacher-68", "student-mvit2-68")


@pytest.fixture
def place(data, tmp_path):
    """Where tiny trainings take place."""
    return Place(data, launch("cpu", None, "auto"), "auto", tmp_path / "runs", Intervals(2, 2))


@pytest.fixture
def pair(monkeypatch):
    monkeypatch.setitem(RECIPES, "pair", PAIR)
    return PAIR.trainings("pair")


@pytest.fixture
def no_models(monkeypatch, tmp_path):
    """No shipped model stands in for a run."""
    monkeypatch.setattr(run_folder, "ModelLibrary", lambda: ModelLibrary((tmp_path / "models",)))


def fake_run(folder, training, step=None):
    """Write a checkpoint that says that it is of a run."""
    values = json.loads(json.dumps(asdict(training)))
    write_checkpoint(folder / LAST, Checkpoint(step or training.steps, values, {}, {}, {}, {"lineage": []}))


def test_each_stage_goes_on_where_the_one_before_ended(pair, place, tmp_path):
    last = train_stages(pair, tmp_path / "run", place)
    assert last == tmp_path / "run" / "2-second" / LAST
    first, second = (read_checkpoint(tmp_path / "run" / name / LAST) for name in ("1-first", "2-second"))
    assert (first.recipe["name"], second.recipe["name"]) == ("pair:first", "pair:second")
    assert second.notes["lineage"] == ["random weights", "pair:first, 2 steps of 4"]
    saved = read_run(tmp_path / "run")
    assert (saved.trainings, saved.data, saved.runs) == (pair, place.data.absolute(), place.runs)
    assert saved.precision == "auto"
    assert read_run(tmp_path / "run" / "2-second").trainings == pair[1:]


def test_the_folder_of_stages_that_were_trained_one_by_one_means_the_last_of_them(pair, tmp_path):
    for number, training in enumerate(pair, 1):
        fake_run(tmp_path / "pair" / f"{number}-{training.name.partition(':')[2]}", training)
        assert last_checkpoint(tmp_path / "pair") == tmp_path / "pair" / ("1-first", "2-second")[number - 1] / LAST
    with pytest.raises(UsageError, match="There is no run in"):
        last_checkpoint(tmp_path)


def test_run_again_it_resumes_at_the_right_stage_to_the_same_bits(pair, place, tmp_path, monkeypatch):
    whole = read_checkpoint(train_stages(pair, tmp_path / "whole", place))

    def interrupted(training, *arguments, **options):
        if training.name == "pair:second":
            raise TrainingInterrupted("The run was interrupted", "Ctrl-C", "go on")
        return carry_out(training, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(stages, "carry_out", interrupted)
        with pytest.raises(TrainingInterrupted, match="understudy train --resume .*stopped”"):
            train_stages(pair, tmp_path / "stopped", place)
    first = (tmp_path / "stopped" / "1-first" / LAST).read_bytes()
    again = read_checkpoint(train_stages(pair, tmp_path / "stopped", place))
    assert (tmp_path / "stopped" / "1-first" / LAST).read_bytes() == first, "a finished stage stays"
    assert all((whole.model[name] == tensor).all() for name, tensor in again.model.items())
    other = (replace(pair[0], seed=5), pair[1])
    with pytest.raises(UsageError, match="made with another recipe.*seed: 0 -> 5"):
        train_stages(other, tmp_path / "stopped", place)
    assert read_run(tmp_path / "stopped").trainings == pair, "what was refused is not written"


@pytest.mark.parametrize("moment", ["last step", "last checkpoint"])
def test_ctrl_c_at_the_end_of_a_stage_lets_no_other_begin(pair, place, tmp_path, monkeypatch, moment):
    def draw(crops, augment, recipe, step, *rest):
        if moment == "last step" and step == recipe.steps - 1:
            signal.raise_signal(signal.SIGINT)
        return draw_batch(crops, augment, recipe, step, *rest)

    def write(path, checkpoint):
        if moment == "last checkpoint" and path.name == LAST:
            signal.raise_signal(signal.SIGINT)
        write_checkpoint(path, checkpoint)

    whole = read_checkpoint(train_stages(pair, tmp_path / "whole", place))
    with monkeypatch.context() as patch:
        patch.setattr(loop, "draw_batch", draw)
        patch.setattr(run_recorder, "write_checkpoint", write)
        with pytest.raises(TrainingInterrupted, match="after step 2 of 2.*--resume .*stopped”"):
            train_stages(pair, tmp_path / "stopped", place)
    assert read_header(tmp_path / "stopped" / "1-first" / LAST).step == 2
    assert not (tmp_path / "stopped" / "2-second").exists()
    again = read_checkpoint(train_stages(pair, tmp_path / "stopped", place))
    assert all((whole.model[name] == tensor).all() for name, tensor in again.model.items())


def test_a_later_stage_may_begin_with_other_weights(pair, place, tmp_path):
    whole = read_checkpoint(train_stages(pair, tmp_path / "whole", place))
    other = (pair[0], replace(pair[1], init=str(tmp_path / "whole" / "2-second" / LAST)))
    again = read_checkpoint(train_stages(other, tmp_path / "other", place))
    assert again.notes["lineage"] == [*whole.notes["lineage"], "pair:second, 2 steps of 4"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"init": "nowhere.safetensors"}, "The weights nowhere.safetensors are not there"),
        ({"teachers": ("nowhere.tflite",)}, "Nothing would be learned from nowhere.tflite"),
        ({"crop_scale": 2.5}, "cannot be trained on crops of 2.5 times the landmark box"),
        ({"frozen": 8}, "8 parts of the encoder cannot be frozen"),
        ({"packs": (PackChoice("elsewhere"),)}, "elsewhere is not a pack"),
        ({"packs": (PackChoice("elsewhere", labels="state"),)}, "elsewhere is not a pack"),
        ({"packs": (PackChoice("faces", labels="landmarks_2d"),)}, "has no array “landmarks_2d”"),
        ({"validation": (PackChoice("elsewhere"),)}, "elsewhere is not a pack"),
        ({"loss": LandmarkLoss(points="kd")}, "number of teachers, 0, does not fit KD-Loss"),
        ({"loss": LandmarkLoss(points="star"), "network": RegressionShape()}, "STAR loss cannot be had of"),
    ],
)
def test_what_a_later_stage_cannot_do_is_said_before_the_first_step(pair, place, tmp_path, change, match):
    with pytest.raises(UnderstudyError, match=match):
        train_stages((pair[0], replace(pair[1], **change)), tmp_path / "run", place)
    assert not (tmp_path / "run").exists()


def test_a_teacher_that_does_not_fit_a_later_stage_is_refused_before_the_first_step(pair, place, tmp_path):
    fake_run(place.runs / "wide", replace(pair[0], network=replace(SHAPE, points=98)))
    loss = LandmarkLoss(kd=KDLoss(point_distillation_weight=1.0))
    with pytest.raises(UsageError, match="The teacher wide has 98 points and the student 68"):
        train_stages((pair[0], replace(pair[1], loss=loss, teachers=("wide",))), tmp_path / "run", place)
    assert not (tmp_path / "run").exists()


def test_a_batch_of_a_later_stage_that_processes_cannot_share_is_refused_before_the_first_step(pair, place, tmp_path):
    fabric = SimpleNamespace(world_size=3, device=place.fabric.device, is_global_zero=True)
    with pytest.raises(UsageError, match="batch of 2 cannot be divided among 3"):
        train_stages((pair[0], replace(pair[1], batch=2)), tmp_path / "run", replace(place, fabric=fabric))
    assert not (tmp_path / "run").exists()


def test_crops_of_another_size_than_a_later_stage_needs_are_refused_before_the_first_step(pair, place, tmp_path):
    pack_crops(place.data, tmp_path / "crops", ["faces"])
    packs = (PackChoice("faces", split=None, validation=True),)
    crops = replace(place, data=tmp_path / "crops")
    with pytest.raises(PackError, match="have 192 pixels a side, not 355"):
        train_stages(
            (pair[0], replace(pair[1], packs=packs, network=replace(SHAPE, input_size=256))), tmp_path / "run", crops
        )
    assert not (tmp_path / "run").exists()


def test_what_a_recipe_cannot_do_is_said_before_what_it_needs_is_trained(pair, place, monkeypatch, no_models):
    stage = Stage("only", **{**SETTINGS, "packs": (*FACES, PackChoice("elsewhere"))})
    monkeypatch.setitem(RECIPES, "child", Recipe("A child.", SHAPE, "pair", (stage,)))
    monkeypatch.setitem(RECIPES, "grandchild", Recipe("A grandchild.", SHAPE, "child", (Stage("only", **SETTINGS),)))
    for name in ("child", "grandchild"):
        with pytest.raises(PackError, match="elsewhere is not a pack"):
            train_needed(RECIPES[name].trainings(name), place.runs / name, place)
    assert not place.runs.exists()


def test_the_folder_of_a_former_run_is_not_mistaken_for_that_of_a_needed_recipe(place, pair, monkeypatch, no_models):
    fake_run(place.runs / "pair", pair[0])
    (place.runs / "pair" / "recipe.json").write_text("former")
    monkeypatch.setitem(RECIPES, "child", Recipe("A child.", SHAPE, "pair", (Stage("only", **SETTINGS),)))
    with pytest.raises(UsageError, match="already holds a run of one stage"):
        train_needed(RECIPES["child"].trainings("child"), place.runs / "child", place)
    assert (place.runs / "pair" / "recipe.json").read_text() == "former"


def test_the_command_line_needs_the_folder_alone_to_resume(pair, data, tmp_path, capsys):
    command = ["train", "pair", "--runs", str(tmp_path / "runs"), "--device", "cpu"]
    assert main([*command, "--stage", "first", "--data", str(data), "--set", "seed=3", "--precision", "32-true"]) == 0
    folder = tmp_path / "runs" / "pair" / "1-first"
    checkpoint = read_checkpoint(folder / LAST)
    write_checkpoint(folder / LAST, replace(checkpoint, step=1))
    assert main(["train", "--resume", str(folder), "--device", "cpu"]) == 0
    assert read_header(folder / LAST).step == 2
    values = json.loads((folder / "recipe.json").read_text())
    assert (values["recipe"]["seed"], values["precision"], values["data_folder"]) == (3, "32-true", str(data))
    assert main(["train", "--resume", str(tmp_path)]) == 1
    assert "There is no run in" in capsys.readouterr().err


def as_formerly(record):
    """The record of a training as it was before recipes had stages."""
    rest = {key: value for key, value in record.items() if key not in ("network", "init", "teachers", "live")}
    shape = {key: value for key, value in record["network"].items() if key != "kind"}
    kd = {("pull_weight" if key == "point_distillation_weight" else key): v for key, v in rest["loss"]["kd"].items()}
    taught = {"teachers": record["teachers"], "live": record["live"]}
    return {**rest, "loss": {**rest["loss"], "kd": kd}, "shape": shape, "start": record["init"], "distillation": taught}


def test_a_run_of_a_former_version_resumes_to_the_same_bits(data, recipe, tmp_path, capsys):
    recipe = replace(recipe, name="student-68:base", steps=2)
    place = Place(data, launch("cpu", None, "auto"), intervals=Intervals(2, 1))
    whole = read_checkpoint(carry_out(recipe, tmp_path / "whole", place))
    last = carry_out(replace(recipe, steps=1), tmp_path / "former", replace(place, intervals=Intervals(1, 1)))
    begun = read_checkpoint(last)
    former = as_formerly({**begun.recipe, "name": "student-68-base", "steps": 2})
    write_checkpoint(last, replace(begun, recipe=former))
    (last.parent / "recipe.json").write_text(json.dumps({"recipe": former, "data": begun.notes["data"]}))
    assert read_run(last.parent).trainings == (recipe,)
    assert main(["train", "--resume", str(last.parent), "--data", str(data), "--device", "cpu"]) == 0
    assert "student-68:base: 2 steps" in capsys.readouterr().out
    assert read_checkpoint(last).step == 2
    assert read_checkpoint(last).model.keys() == whole.model.keys()


def test_a_run_of_the_first_version_is_read(tmp_path):
    (training,) = read_run(ROOT / "tests" / "golden" / "training-run").trainings
    today = RECIPES["student-68"].trainings("student-68")[0]
    assert training.name == "student-68:base"
    assert {field for field, value in vars(training).items() if value != getattr(today, field)} == {"packs", "network"}
    assert training.network == dataclasses.replace(today.network, input_size=128), "since then its pictures are smaller"
    assert [pack.name for pack in training.packs] == [pack.name for pack in today.packs]


def test_a_run_is_found_below_the_runs_by_its_name_its_stage_and_its_former_name(tmp_path, no_models):
    runs = tmp_path / "runs"
    student = RECIPES["student-68"].trainings("student-68")
    fake_run(runs / "student-68-second", student[1])
    assert find_weights("student-68:nearer", runs) == runs / "student-68-second" / LAST
    assert find_weights("student-68-second", runs) == runs / "student-68-second" / LAST
    last = runs / "student-68" / f"{len(student)}-{student[-1].name.partition(':')[2]}"
    fake_run(last, student[-1], step=student[-1].steps - 1)
    with pytest.raises(UsageError, match="The run student-68 is not there.*understudy train student-68”"):
        find_weights("student-68", runs)
    fake_run(last, student[-1])
    assert find_weights("student-68", runs) == last / LAST
    fake_run(runs / "b-teacher", RECIPES["hong-lin/ours/teacher"].trainings("hong-lin/ours/teacher")[0])
    assert find_weights("hong-lin/ours/teacher", runs) == runs / "b-teacher" / LAST
    with pytest.raises(UsageError, match="understudy train teacher-tough-68 --stage first”"):
        find_weights("teacher-tough-68:first", runs)
    with pytest.raises(UsageError, match="Name a recipe"):
        find_weights("nothing", runs)
    # Its former name is now that of the whole recipe.
    fake_run(runs / "teacher-dense-68", RECIPES["teacher-dense-68"].trainings("teacher-dense-68")[0])
    with pytest.raises(UsageError, match="is not there"):
        find_weights("teacher-dense-68", runs)
    assert find_weights("teacher-dense-68:base", runs) == runs / "teacher-dense-68" / LAST


def test_a_file_that_is_no_weights_is_not_taken_for_a_run_that_is_missing(tmp_path):
    file = tmp_path / "weights.pth.tar"
    file.write_bytes(b"weights")
    with pytest.raises(UsageError, match=r"weights.pth.tar is neither a checkpoint nor a model.*: \.safetensors, "):
        find_weights(str(file), tmp_path / "runs")


def test_a_shipped_model_stands_for_a_run_if_training_can_begin_with_it(tmp_path):
    assert find_weights("teacher-tough-68", tmp_path).name == "teacher-tough-68.tflite"
    for name in ("teacher-star-68", "student-68:nearer"):
        with pytest.raises(UsageError, match=f"The run {name} is not there"):
            find_weights(name, tmp_path)


def test_what_a_recipe_needs_is_named_before_it_is_trained(place, no_models):
    place = replace(place, data=place.runs)

    def needed(name):
        trainings = RECIPES[name].trainings(name)
        return find_needed(
            {training: stage_folder(place.runs / name, trainings, training) for training in trainings}, place
        )

    assert needed("student-mvit2-68") == (
        ["teacher-tough-68", "teacher-68:whole", "student-68:retaught"],
        ["faces5_tough68"],
    )
    assert needed("student-mvit2-68-plain") == (["student-mvit2-68:nearer"], [])


def test_runs_that_need_each_other_are_refused(place, monkeypatch, no_models):
    for name, other in (("one", "two"), ("two", "one")):
        monkeypatch.setitem(RECIPES, name, Recipe("In a circle.", SHAPE, other, (Stage("only", **SETTINGS),)))
    with pytest.raises(UsageError, match="needs itself"):
        train_needed(RECIPES["one"].trainings("one"), place.runs / "one", place)


def test_finished_stages_need_nothing_and_one_that_was_begun_needs_its_teachers_alone(
    place, pair, monkeypatch, no_models
):
    loss = LandmarkLoss(kd=KDLoss(point_distillation_weight=1.0))
    taught = Stage("only", teachers=("pair",), loss=loss, **SETTINGS)
    monkeypatch.setitem(RECIPES, "child", Recipe("A child.", SHAPE, "pair:first", (taught,)))
    (child,) = RECIPES["child"].trainings("child")
    folders = {child: place.runs / "child"}
    assert find_needed(folders, place)[0] == ["pair:first", "pair"]
    fake_run(place.runs / "child", child, step=1)
    assert find_needed(folders, place)[0] == ["pair"]
    fake_run(place.runs / "child", child)
    assert find_needed(folders, place)[0] == []
    train_needed((child,), place.runs / "child", place)
    assert [folder.name for folder in place.runs.iterdir()] == ["child"], "nothing was trained"
    with pytest.raises(UsageError, match="made with another recipe"):
        train_needed((replace(child, seed=5),), place.runs / "child", place)


@pytest.mark.parametrize(
    "stop", [TrainingInterrupted("It was interrupted", "Ctrl-C", "", 143), RecordingError("No space", "it is full", "")]
)
def test_what_ends_before_a_recipe_that_needed_it_goes_on_with_the_command_of_the_recipe(
    place, pair, monkeypatch, no_models, stop
):
    def ended(*values, **options):
        raise stop

    monkeypatch.setattr(stages, "carry_out", ended)
    monkeypatch.setitem(RECIPES, "child", Recipe("A child.", SHAPE, "pair:first", (Stage("only", **SETTINGS),)))
    with pytest.raises(type(stop), match="o on with the same command, --with-teachers included") as raised:
        train_needed(RECIPES["child"].trainings("child"), place.runs / "child", place)
    assert raised.value.what == stop.what
    assert getattr(raised.value, "exit_code", 1) == getattr(stop, "exit_code", 1)


def test_a_stage_of_another_recipe_is_trained_with_those_before_it_and_no_further(place, pair, monkeypatch, no_models):
    monkeypatch.setitem(RECIPES, "child", Recipe("A child.", SHAPE, "pair:first", (Stage("only", **SETTINGS),)))
    child = RECIPES["child"].trainings("child")
    train_needed(child, place.runs / "child", place)
    assert sorted(path.name for path in (place.runs / "pair").iterdir()) == ["1-first", "recipe.json"]
    last = train_stages(child, place.runs / "child", place)
    assert read_checkpoint(last).notes["lineage"] == ["random weights", "pair:first, 2 steps of 4"]
    train_stages(pair, place.runs / "pair", place)
    assert find_weights("pair", place.runs) == place.runs / "pair" / "2-second" / LAST


@pytest.fixture
def needed(monkeypatch, place, no_models):
    """What is trained for the recipe `child`, which needs `parent`, which needs `root`: stages by recipe."""
    packs = (PackChoice("faces5_tough68", relabel=True), PackChoice("mine"))
    for name, init in (("child", "parent"), ("parent", "root"), ("root", "random")):
        stage = Stage("only", **{**SETTINGS, "packs": packs})
        monkeypatch.setitem(RECIPES, name, Recipe("One of three.", SHAPE, init, (stage,)))
    monkeypatch.setitem(stages.LABELLED, "faces5_tough68", ("faces5", "parent"))
    trained = {}

    def train(trainings, folder, place, count=None):
        trained[folder.name] = trainings
        fake_run(folder, trainings[-1])

    monkeypatch.setattr(stages, "train_stages", train)
    monkeypatch.setattr(stages, "missing_packs", lambda *rest: [])
    monkeypatch.setattr(stages, "check_loss", lambda training: None)
    monkeypatch.setattr(stages, "refuse_missing_packs", lambda *rest: None)

    def run_with(*changes):
        train_needed(trainings_by_name("child", changes), place.runs / "child", place, changes=changes)
        return trained

    return run_with


def test_packs_that_are_set_count_for_what_is_trained_first(needed):
    changes = ('packs=["faces5_tough68", {"name": "mine", "relabel": true}, "other"]', "hold_out=5", "seed=3")
    for (stage,) in needed(*changes, 'child.validation=["held_out"]').values():
        assert [pack.name for pack in stage.packs] == ["mine", "other"], "what its own run labels is not there yet"
        assert not any(pack.relabel for pack in stage.packs), "it asks no teacher"
        assert (stage.hold_out, stage.seed, stage.validation) == (5, 0, ())


def test_what_is_trained_first_keeps_its_own_packs_if_none_are_set(needed):
    trained = needed("seed=3")
    assert list(trained) == ["root", "parent"]
    assert all([pack.name for pack in stage.packs] == ["faces5_tough68", "mine"] for (stage,) in trained.values())


def test_packs_of_another_markup_do_not_count_for_what_is_trained_first(needed, monkeypatch):
    other = replace(RECIPES["child"], network=replace(SHAPE, points=98))
    monkeypatch.setitem(RECIPES, "child", other)
    assert [pack.name for pack in needed('packs=["wflw"]')["root"][0].packs] == ["faces5_tough68", "mine"]


@pytest.fixture
def small_chain(monkeypatch):
    """The recipes behind `student-mvit2-68` with networks, batches and steps that a test can afford."""
    for name in CHAIN:
        recipe = RECIPES[name]
        tiny = {"input_size": 64, "decoder_width": 16, "encoder_width": 0.5 if name == "student-mvit2-68" else 0.25}
        if name != "student-mvit2-68":
            tiny["expansions"] = (1, 2, 2, 2, 2, 2)
        small = tuple(replace(stage, steps=1, batch=4, hold_out=8, network=None) for stage in recipe.stages)
        init = "random" if recipe.init == "imagenet" else recipe.init
        monkeypatch.setitem(
            RECIPES, name, replace(recipe, network=replace(recipe.network, **tiny), init=init, stages=small)
        )
    with few_blocks():
        yield


def write_packs(folder):
    """Write fake packs of all that these recipes train on, and one with five points instead of the labelled one."""
    chosen = {choice.name: choice for name in CHAIN for stage in RECIPES[name].stages for choice in stage.packs}
    for choice in chosen.values():
        if choice.name == "faces5_tough68":
            continue
        write_sample_pack(folder / choice.name, frames=8, split=np.full(8, "train"))
        with np.load(folder / choice.name / "annotations.npz") as arrays:
            points = arrays["landmarks"]
            kept = {"image": arrays["image"], "split": arrays["split"]}
        if choice.labels == "state":
            boxes = np.concatenate([points.min(1), points.max(1)], 1)
            labels = {"bbox": boxes, "roll": np.zeros(8), "state": np.arange(8) % 2}
        else:
            labels = {choice.labels: points}
        np.savez(folder / choice.name / "annotations.npz", **kept, **labels)
    write_sample_pack(folder / "faces5", frames=8, split=np.full(8, "train"))
    with np.load(folder / "faces5" / "annotations.npz") as arrays:
        points = arrays["landmarks"]
        eyes = np.stack([points[:, 36:42].mean(1), points[:, 42:48].mean(1)], 1)
        five = np.concatenate([eyes, points[:, [30, 48, 54]]], 1)
        np.savez(folder / "faces5" / "annotations.npz", **{**arrays, "landmarks": five})


@pytest.mark.timeout(900)
def test_the_student_with_its_teacher_and_the_faces_that_this_labels_is_one_command(
    small_chain, no_models, tmp_path, monkeypatch, capsys
):
    write_packs(tmp_path / "packs")
    # A teacher of one step labels nothing well, and its coordinates lie where float16 moves them further.
    monkeypatch.setattr(stages, "LARGEST_DISAGREEMENT", 1e6)
    monkeypatch.setattr(cutting, "NO_FACE", 0.0)
    monkeypatch.setattr("trainer.tflite.export.LARGEST_DIFFERENCE", 0.05)
    runs = tmp_path / "runs"
    command = ["train", "student-mvit2-68", "--data", str(tmp_path / "packs"), "--runs", str(runs), "--device", "cpu"]
    assert main(command) == 1
    refusal = capsys.readouterr().err
    assert "The run teacher-tough-68 is not there" in refusal
    assert "--with-teachers" in refusal
    assert not runs.exists(), "it is said before the first step"
    assert main([*command, "--with-teachers"]) == 0
    assert sorted(str(path.parent.relative_to(runs)) for path in runs.rglob(LAST)) == [
        "student-68/1-base",
        "student-68/2-nearer",
        "student-68/3-last",
        "student-68/4-fine",
        "student-68/5-whole",
        "student-68/6-retaught",
        "student-mvit2-68/1-base",
        "student-mvit2-68/2-gentle",
        "student-mvit2-68/3-nearer",
        "student-mvit2-68/4-taught",
        "student-mvit2-68/5-fine",
        "student-mvit2-68/6-whole",
        "student-mvit2-68/7-retaught",
        "student-mvit2-68/8-turned",
        "teacher-68/1-whole",
        "teacher-tough-68/1-first",
        "teacher-tough-68/2-last",
    ]
    assert read_arrays(tmp_path / "packs" / "faces5_tough68")["landmarks"].shape[1:] == (68, 2)
    student = read_checkpoint(runs / "student-mvit2-68" / "4-taught" / LAST)
    assert student.recipe["teachers"] == ["teacher-tough-68"]
    assert [entry.partition(",")[0] for entry in student.notes["lineage"]] == [
        "random weights",
        "student-mvit2-68:base",
        "student-mvit2-68:gentle",
        "student-mvit2-68:nearer",
    ]
