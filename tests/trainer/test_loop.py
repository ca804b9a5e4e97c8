"""Training runs: they learn, they stop on nonsense, and a killed run resumes to the same bits."""

import csv
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from engine.core.errors import ModelError, RecordingError, UsageError
from tests.conftest import ROOT
from tests.fakes import killed_training
from trainer import loop
from trainer import run as module
from trainer.checkpoint import BEST, LAST, read_checkpoint, write_checkpoint
from trainer.data.crops import load_crops
from trainer.init.initialise import make_network
from trainer.loop import learning_rate
from trainer.losses.total import LandmarkLoss
from trainer.networks.regression import RegressionShape
from trainer.recipes.schema import LARGEST_SEED, SoftLandmarks, Training
from trainer.run import run
from trainer.run_recorder import Intervals, RunLog
from trainer.state import TrainingInterrupted

OFTEN = Intervals(validate_every=3, checkpoint_every=1)


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(), subprocess.CalledProcessError(128, "git"), subprocess.TimeoutExpired("git", 10)],
    ids=["not there", "no repository", "too slow"],
)
def test_a_run_goes_without_its_revision_where_git_does_not_say(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(module.subprocess, "run", fail)
    assert module.revision() == "unknown"


def weights(path):
    state = read_checkpoint(path)
    return {**{f"m{k}": v for k, v in state.model.items()}, **{f"e{k}": v for k, v in state.ema.items()}}


class Killed(Exception):
    """The process ends here."""


def dying_at(step):
    """Return what draws batches until `step` begins and then dies as a killed process would: without a word."""

    def draw(crops, augment, recipe, number, *rest):
        if number == step:
            raise Killed
        return original(crops, augment, recipe, number, *rest)

    original = loop.draw_batch
    return draw


def run_killed_at(step, monkeypatch, *arguments):
    """Run until `step` begins, then die."""
    with monkeypatch.context() as patch:
        patch.setattr(loop, "draw_batch", dying_at(step))
        with pytest.raises(Killed):
            run(*arguments, "cpu", False, OFTEN)


def test_no_seed_of_a_batch_is_one_of_dropout(recipe):
    largest = replace(recipe, seed=LARGEST_SEED, steps=100_000_000)
    assert loop.batch_seed(largest, largest.steps) < loop.DROPOUT_SEED


def test_fault_18_a_run_killed_at_any_step_resumes_to_the_same_bits(data, recipe, tmp_path, monkeypatch):
    run(recipe, data, tmp_path / "whole", "cpu", False, OFTEN)
    whole = weights(tmp_path / "whole" / LAST)
    for step in (1, 3, 5):
        out = tmp_path / f"killed at {step}"
        run_killed_at(step, monkeypatch, recipe, data, out)
        run(recipe, data, out, "cpu", True, OFTEN)
        killed = weights(out / LAST)
        assert whole.keys() == killed.keys()
        assert all(torch.equal(whole[name], killed[name]) for name in whole), step
        assert (out / "validation.csv").read_text() == (tmp_path / "whole" / "validation.csv").read_text()


@pytest.mark.timeout(400)  # a dozen processes: half a minute on an idle machine
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_fault_18_killed_processes_resume_to_the_same_bits_of_last_and_best_and_to_the_same_logs(data, tmp_path):
    command = [sys.executable, "-m", killed_training.__name__, str(data), str(tmp_path), "0", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=380)
    assert done.returncode == 0, done.stderr[-2000:]
    kills = json.loads(done.stdout)
    moments = [moment for killed in kills.values() for moment in killed]
    assert len(moments) >= 8
    assert {"best", "last"} <= {moment.split()[-1] for moment in moments}
    whole = tmp_path / "whole"
    for seed in kills:
        for name in (LAST, BEST):
            expected, found = (read_checkpoint(folder / name) for folder in (whole, tmp_path / seed))
            assert (found.step, found.notes["best_nme"]) == (expected.step, expected.notes["best_nme"]), kills[seed]
            for group in ("model", "ema", "optimizer"):
                ours, theirs = getattr(expected, group), getattr(found, group)
                assert ours.keys() == theirs.keys()
                assert all(torch.equal(ours[key], theirs[key]) for key in ours), (name, group, kills[seed])
        for log in ("train.csv", "validation.csv"):
            assert (tmp_path / seed / log).read_text() == (whole / log).read_text(), kills[seed]


def test_fault_18_a_row_of_a_log_that_a_kill_cut_off_is_dropped(tmp_path):
    log = tmp_path / "train.csv"
    log.write_text("step,loss\n20,1.5\n40,1.25\n4", encoding="utf-8")
    RunLog(tmp_path, 40).close()
    assert log.read_text(encoding="utf-8") == "step,loss\n20,1.5\n40,1.25\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tensorboard", "train.csv"]


@pytest.mark.parametrize(
    "before", [b"step;nme\r\n2;64,302\r\n", b"step,nme\n\0\0\0\n", bytes(20), b"step,nme\n\xff,2\n"]
)
def test_a_log_that_another_program_changed_is_set_aside_and_the_run_goes_on(tmp_path, before, capsys):
    log = tmp_path / "validation.csv"
    log.write_bytes(before)
    made = RunLog(tmp_path, 2)
    made.write("validation", 3, {"nme": 5.0})
    made.close()
    assert (tmp_path / "validation.csv.damaged").read_bytes() == before
    assert log.read_text(encoding="utf-8").split() == ["step,nme", "3,5"]
    assert "validation.csv.damaged now" in capsys.readouterr().err


def test_tables_of_the_user_in_the_folder_of_a_run_stay_as_they_are(tmp_path):
    tables = {"mine.csv": "face,nme\n1,2\n", "steps.csv": "step,mine\n60,3\n"}
    for name, text in tables.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    RunLog(tmp_path, 40).close()
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.csv*")} == tables


def test_a_log_that_goes_on_keeps_the_step_it_was_saved_at(tmp_path):
    log = RunLog(tmp_path)
    for step in (20, 40, 60):
        log.write("train", step, {"loss": 1 / step})
    log.close()
    log = RunLog(tmp_path, 40)
    log.write("train", 60, {"loss": 0.5})
    log.close()
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [event.step for event in board.Scalars("train/loss")] == [20, 40, 60]


def test_a_resumed_run_softens_its_labels_by_the_shape_model_it_began_with(data, recipe, tmp_path, monkeypatch):
    with np.load(data / "faces" / "annotations.npz") as arrays:
        np.savez(tmp_path / "shapes.npz", landmarks=arrays["landmarks"])
    soft = replace(recipe, soft=SoftLandmarks(shapes=str(tmp_path / "shapes.npz")))
    run(soft, data, tmp_path / "whole", "cpu", False, OFTEN)
    run_killed_at(3, monkeypatch, soft, data, tmp_path / "killed")
    monkeypatch.setattr("trainer.run.fit_shape_model", None)
    run(soft, data, tmp_path / "killed", "cpu", True, OFTEN)
    whole, killed = weights(tmp_path / "whole" / LAST), weights(tmp_path / "killed" / LAST)
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    (tmp_path / "killed" / "shape_model.npz").unlink()
    with pytest.raises(ModelError, match="shape model .* cannot be read"):
        run(soft, data, tmp_path / "killed", "cpu", True, OFTEN)


def test_it_learns(data, recipe, tmp_path):
    longer = replace(recipe, steps=60, batch=8, learning_rate=4e-3, ema=0.9)
    run(longer, data, tmp_path / "run", "cpu", False, Intervals(validate_every=20, checkpoint_every=60))
    rows = (tmp_path / "run" / "validation.csv").read_text().splitlines()[1:]
    first, last = (float(rows[index].split(",")[1]) for index in (0, -1))
    assert last < 0.8 * first


@pytest.mark.parametrize("step", [4, 5], ids=["after validation", "between two checkpoints"])
def test_fault_63_a_run_in_bfloat16_resumes_in_the_middle_of_an_epoch_to_the_same_bits(
    data, recipe, tmp_path, monkeypatch, step
):
    """An epoch has 5 steps and 1 face more; the running mean of the weights is part of what is compared."""
    sparse = Intervals(validate_every=3, checkpoint_every=4)
    drawn = {"whole": [], "resumed": []}
    original = loop.draw_batch

    def noted(name):
        def draw(crops, augment, recipe, number, *rest):
            batch = original(crops, augment, recipe, number, *rest)
            drawn[name].append((number, batch.points.sum().item()))
            return batch

        monkeypatch.setattr(loop, "draw_batch", draw)

    noted("whole")
    run(recipe, data, tmp_path / "whole", "cpu", False, sparse, "bf16-mixed")
    monkeypatch.setattr(loop, "draw_batch", original)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "draw_batch", dying_at(step))
        with pytest.raises(Killed):
            run(recipe, data, tmp_path / "killed", "cpu", False, sparse, "bf16-mixed")
    noted("resumed")
    run(recipe, data, tmp_path / "killed", "cpu", True, sparse, "bf16-mixed")
    assert drawn["resumed"] == drawn["whole"][4:], "the same faces, changed in the same way"
    whole, killed = weights(tmp_path / "whole" / LAST), weights(tmp_path / "killed" / LAST)
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def test_fault_63_dropout_resumes_to_the_same_bits_too(data, recipe, tmp_path, monkeypatch):
    shape = RegressionShape(input_size=64, dropout=0.5)
    dropping = replace(recipe, network=shape, loss=LandmarkLoss(points="l2"), steps=2)
    run(dropping, data, tmp_path / "whole", "cpu", False, OFTEN)
    run_killed_at(1, monkeypatch, dropping, data, tmp_path / "killed")
    run(dropping, data, tmp_path / "killed", "cpu", True, OFTEN)
    whole, killed = weights(tmp_path / "whole" / LAST), weights(tmp_path / "killed" / LAST)
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def test_ctrl_c_finishes_the_step_and_the_run_goes_on_to_the_same_bits(data, recipe, tmp_path, monkeypatch):
    def draw(crops, augment, recipe, number, *rest):
        if number == 3:
            signal.raise_signal(signal.SIGINT)
        return original(crops, augment, recipe, number, *rest)

    original = loop.draw_batch
    run(recipe, data, tmp_path / "whole", "cpu", False, Intervals(3, 6))
    with monkeypatch.context() as patch:
        patch.setattr(loop, "draw_batch", draw)
        with pytest.raises(TrainingInterrupted, match="after step 4 of 6.* --resume"):
            run(recipe, data, tmp_path / "stopped", "cpu", False, Intervals(3, 6))
    assert read_checkpoint(tmp_path / "stopped" / LAST).step == 4
    run(recipe, data, tmp_path / "stopped", "cpu", True, Intervals(3, 6))
    whole, stopped = weights(tmp_path / "whole" / LAST), weights(tmp_path / "stopped" / LAST)
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)


def damaged(*faces):
    """Return what loads the crops with confidences that are no numbers."""

    def load(*arguments, **options):
        crops = load_crops(*arguments, **options)
        crops.faces.visible_weight[list(faces)] = float("nan")
        return crops

    return load


def test_fault_20_a_loss_that_is_no_number_stops_before_the_step_and_names_the_faces(
    data, recipe, tmp_path, monkeypatch
):
    always = replace(recipe, batch=24, augmentation=replace(recipe.augmentation, cover_share=0, no_face_share=0))
    monkeypatch.setattr(module, "load_crops", damaged(5, 11))
    with pytest.raises(UsageError, match="loss of step 0 is not a number, because of") as refusal:
        run(always, data, tmp_path / "run", "cpu", False, OFTEN)
    named = set(re.findall(r"faces/images/\d+.png", str(refusal.value)))
    assert named
    assert named <= {"faces/images/5.png", "faces/images/11.png"}
    assert not (tmp_path / "run" / LAST).exists()


def test_fault_20_a_step_that_is_looked_at_late_is_named_and_nothing_was_learned_from_it(
    data, recipe, tmp_path, monkeypatch
):
    """As on a GPU, where the loss is not looked at after each step."""
    always = replace(recipe, augmentation=replace(recipe.augmentation, cover_share=0, no_face_share=0))
    original, broken, learned = loop.draw_batch, 2, []

    def draw(crops, augment, run_recipe, step, *rest):
        batch = original(crops, augment, run_recipe, step, *rest)
        return batch if step != broken else replace(batch, visible_weight=batch.visible_weight * float("nan"))

    def average(mean, network, decay):
        learned.append(torch.cat([weight.detach().flatten() for weight in network.parameters()]))

    monkeypatch.setattr(loop, "draw_batch", draw)
    monkeypatch.setattr(loop, "update_average", average)
    monkeypatch.setattr(loop, "reading_interval", lambda device: 100)
    rare = Intervals(100, 100, 5)
    with pytest.raises(UsageError, match="loss of step 2 is not a number"):
        run(always, data, tmp_path / "run", "cpu", False, rare)
    assert len(learned) == 5, "it goes on until the loss is looked at"
    assert not torch.equal(learned[0], learned[1])
    assert all(torch.equal(weights, learned[1]) for weights in learned[2:])
    assert learned[1].isfinite().all()


def test_weights_that_ran_away_are_no_faces_fault(data, recipe, tmp_path):
    wild = replace(recipe, learning_rate=1e30, warmup=0.0)
    with pytest.raises(UsageError, match="for no face more than for the others") as refusal:
        run(wild, data, tmp_path / "run", "cpu", False, OFTEN)
    assert refusal.value.fix == "begin again in another --out, with a lower --set learning_rate", "a run keeps its own"


def test_fault_62_another_recipe_does_not_resume_and_the_differences_are_shown(data, recipe, tmp_path):
    run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    loss = replace(recipe.loss, kd=replace(recipe.loss.kd, tough=replace(recipe.loss.kd.tough, beta=0.2)))
    packs = (replace(recipe.packs[0], weight=2.0),)
    other = replace(recipe, batch=2, loss=loss, packs=packs, soft=SoftLandmarks())
    with pytest.raises(UsageError, match="made with another recipe") as refusal:
        run(other, data, tmp_path / "run", "cpu", True, OFTEN)
    for difference in (
        "batch: 4 -> 2",
        "packs[0].weight: 1.0 -> 2.0",
        "loss.kd.tough.beta: 0.4 -> 0.2",
        "soft: null ->",
    ):
        assert difference in refusal.value.why
    assert refusal.value.why.count("->") == 4
    assert refusal.value.fix.startswith("give the options that it began with"), "none of them may have been --set"


def test_other_data_does_not_resume(data, recipe, tmp_path):
    own = tmp_path / "data"
    shutil.copytree(data, own)
    run(recipe, own, tmp_path / "run", "cpu", False, OFTEN)
    with np.load(own / "faces" / "annotations.npz") as archive:
        arrays = dict(archive)
    arrays["landmarks"] = arrays["landmarks"] + 1
    np.savez(own / "faces" / "annotations.npz", **arrays)
    before = (tmp_path / "run" / LAST).read_bytes()
    with pytest.raises(UsageError, match="made with other data.*changed: the packs"):
        run(recipe, own, tmp_path / "run", "cpu", True, OFTEN)
    assert (tmp_path / "run" / LAST).read_bytes() == before


def test_fault_61_a_checkpoint_of_another_network_does_not_resume(data, recipe, tmp_path):
    last = run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    state = read_checkpoint(last)
    write_checkpoint(last, replace(state, model={"w": torch.ones(2)}))
    with pytest.raises(UsageError, match="holds another network"):
        run(recipe, data, tmp_path / "run", "cpu", True, OFTEN)


def test_a_disk_that_fills_up_ends_the_run_and_keeps_the_last_checkpoint(data, recipe, tmp_path, monkeypatch):
    def full(tensors, file, metadata):
        if metadata["step"] == "4":
            file.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save_file(tensors, file, metadata)

    monkeypatch.setattr("trainer.checkpoint.save_tensors", full)
    with pytest.raises(RecordingError, match="of step 4 cannot be written.*No space"):
        run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    assert read_checkpoint(tmp_path / "run" / LAST).step == 3
    assert not list((tmp_path / "run").glob(".*"))


def test_a_log_that_cannot_be_written_gets_a_sentence(tmp_path):
    log = RunLog(tmp_path)
    (tmp_path / "train.csv").mkdir()
    with pytest.raises(RecordingError, match="The logs in .* cannot be written.*room, then go on"):
        log.write("train", 20, {"loss": 1.0})
    log.close()
    with pytest.raises(RecordingError, match="The logs in .* cannot be written"):
        RunLog(tmp_path, 20)


def test_a_full_disk_is_no_traceback_of_the_thread_that_writes_curves(tmp_path, monkeypatch):
    def full(writer, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tracebacks = []
    monkeypatch.setattr(threading, "excepthook", tracebacks.append)
    log = RunLog(tmp_path)
    monkeypatch.setattr("tensorboard.summary.writer.record_writer.RecordWriter.write", full)
    with suppress(RecordingError):  # as soon as the thread has failed
        log.write("train", 20, {"loss": 1.0})
    for thread in threading.enumerate():
        if type(thread).__module__.startswith("tensorboard."):
            thread.join(10)
    with pytest.raises(RecordingError, match="The logs in .* cannot be written .No space left"):
        log.write("train", 40, {"loss": 1.0})
    log.close()
    assert not tracebacks
    assert threading.excepthook == tracebacks.append


def test_what_ends_a_run_on_a_full_disk_is_said_although_logs_cannot_be_closed(data, recipe, tmp_path, monkeypatch):
    class Board:
        def add_scalar(self, *values):
            pass

        def close(self):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("trainer.run_recorder.SummaryWriter", lambda *_, **__: Board())
    monkeypatch.setattr("trainer.checkpoint.save_tensors", full)
    with pytest.raises(RecordingError, match="The checkpoint .* of step 1 cannot be written"):
        run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)


@pytest.mark.parametrize(("hold_out", "missing"), [(100, "validation"), (1, "training")])
def test_without_faces_for_training_and_validation_there_is_no_run(data, recipe, tmp_path, hold_out, missing):
    with pytest.raises(UsageError, match=f"No face is left for {missing}"):
        run(replace(recipe, hold_out=hold_out), data, tmp_path / "run", "cpu", False, OFTEN)


def test_crops_too_narrow_for_the_eyes_that_errors_are_measured_by_are_refused(data, recipe, tmp_path):
    with pytest.raises(UsageError, match="error of none of the 3 faces for validation.*larger --set crop_scale"):
        run(replace(recipe, crop_scale=0.5), data, tmp_path / "run", "cpu", False, OFTEN)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_not_overwritten_and_nothing_is_not_resumed(data, recipe, tmp_path):
    run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    with pytest.raises(UsageError, match="already holds a run"):
        run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    with pytest.raises(UsageError, match="cannot be read"):
        run(recipe, data, tmp_path / "none", "cpu", True, OFTEN)


@pytest.mark.parametrize("frozen", [1, 3])
def test_frozen_parts_of_the_encoder_stay_as_they_are_and_the_run_resumes_to_the_same_bits(
    data, recipe, tmp_path, monkeypatch, frozen
):
    begun = make_network(recipe.network, "random", recipe.seed).state_dict()
    recipe = replace(recipe, steps=4, frozen=frozen)
    whole = read_checkpoint(run(recipe, data, tmp_path / "whole", "cpu", False, OFTEN))
    low = ("encoder.stem.", *(f"encoder.stages.{index}." for index in range(frozen - 1)))
    for name, tensor in whole.model.items():
        moved = not torch.equal(tensor, begun[name])
        assert moved != name.startswith(low) or tensor.numel() == 1, name
    run_killed_at(2, monkeypatch, recipe, data, tmp_path / "killed")
    run(recipe, data, tmp_path / "killed", "cpu", True, OFTEN)
    there, here = weights(tmp_path / "whole" / LAST), weights(tmp_path / "killed" / LAST)
    assert all(torch.equal(there[name], here[name]) for name in there)


def test_more_parts_than_the_encoder_has_cannot_be_frozen(data, recipe, tmp_path):
    with pytest.raises(UsageError, match="8 parts of the encoder cannot be frozen"):
        run(replace(recipe, frozen=8), data, tmp_path / "run", "cpu")


def test_each_face_is_drawn_twice_for_two_views_of_it(data, recipe, tmp_path):
    two = replace(recipe, steps=2, loss=LandmarkLoss(views_weight=0.1))
    last = run(two, data, tmp_path / "run", "cpu", False, Intervals(2, 2, 1))
    assert last.is_file()
    crops = load_crops(data, recipe.packs)
    faces = loop.draw_faces(crops, two, 0)[1]
    assert torch.equal(faces[0::2], faces[1::2])
    with (tmp_path / "run" / "train.csv").open(newline="") as file:
        assert all(float(row["views"]) > 0 for row in csv.DictReader(file))
    with pytest.raises(UsageError, match="A batch of 5 cannot hold two views"):
        replace(two, batch=5)


def test_a_batch_of_one_face_is_learned_from_unless_its_deepest_map_is_one_cell(data, recipe, tmp_path):
    one = replace(recipe, batch=1, steps=2)
    assert run(one, data, tmp_path / "run", "cpu", False, OFTEN).is_file()
    tiny = replace(one, network=replace(recipe.network, input_size=32))
    with pytest.raises(UsageError, match="batch of one face cannot be learned from at 32 pixels"):
        run(tiny, data, tmp_path / "tiny", "cpu", False, OFTEN)
    assert run(replace(tiny, batch=2), data, tmp_path / "two", "cpu", False, OFTEN).is_file()


def test_the_learning_rate_rises_then_falls_to_nothing():
    recipe = Training("x", steps=100, learning_rate=1.0, warmup=0.1)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert rates[54] == pytest.approx(0.5, abs=0.01)


def test_a_run_sees_crops_for_its_input_and_an_old_one_goes_on_with_those_it_began_with(
    data, recipe, tmp_path, monkeypatch
):
    sizes = []
    load = module.load_crops

    def noted(*arguments):
        sizes.append(arguments[-1])
        return load(*arguments)

    monkeypatch.setattr(module, "load_crops", noted)
    large = replace(recipe, steps=1, batch=2, network=replace(recipe.network, input_size=160))
    run(large, data, tmp_path / "run", "cpu", False, OFTEN)
    run(large, data, tmp_path / "run", "cpu", True, OFTEN)
    assert sizes == [222, 222]  # 160 px x 1.8 / 1.3
    state = read_checkpoint(tmp_path / "run" / LAST)
    notes = {name: note for name, note in state.notes.items() if name != "crop_size"}
    write_checkpoint(tmp_path / "run" / LAST, replace(state, notes=notes))
    run(large, data, tmp_path / "run", "cpu", True, OFTEN)
    assert sizes[-1] == 192
