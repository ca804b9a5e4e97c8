"""Reading the folder of a run while it is being written, and the list of recipes."""

from __future__ import annotations

import errno
import json
import os
import shutil
from unittest.mock import patch

import pytest

from app.train.log_reader import find_runs, free_name, read_recipes, read_run, read_tail, run_label, saved_step
from app.train.process import reported_error
from engine.core.errors import UsageError
from engine.core.platforms import is_locked, lock_alone


@pytest.fixture
def folder(tmp_path):
    """Return the folder of a run of 100 steps."""
    run = tmp_path / "runs" / "student"
    run.mkdir(parents=True)
    (run / "recipe.json").write_text(json.dumps({"recipe": {"name": "student-68", "steps": 100}}))
    return run


def write_checkpoint(folder, step):
    header = json.dumps({"__metadata__": {"step": str(step)}}).encode()
    (folder / "last.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"tensors")


def test_curves_leave_out_what_is_half_written_or_no_number(folder):
    (folder / "train.csv").write_text("step,points,total\n20,1,0.5\n40,1,nan\n60,1,0.25\n80,1")
    (folder / "validation.csv").write_text("step,nme\n50,4.5\n75,4.75\n")
    run = read_run(folder)
    assert run.losses == ((20, 0.5), (60, 0.25))
    assert run.errors == ((50, 4.5), (75, 4.75))
    assert (run.step, run.saved_step, run.finished, run.best_error) == (75, None, False, 4.5)


def test_a_run_is_finished_when_its_checkpoint_holds_every_step(folder):
    write_checkpoint(folder, 99)
    assert not read_run(folder).finished
    write_checkpoint(folder, 100)
    assert read_run(folder).finished


def test_a_run_is_being_trained_while_its_lock_is_held_and_not_where_one_was_left_behind(folder):
    assert not read_run(folder).trained
    with (folder / ".lock").open("ab") as file:
        lock_alone(file)
        assert read_run(folder).trained
    assert not read_run(folder).trained
    with patch("pathlib.Path.open", side_effect=PermissionError(errno.EACCES, "of another user")):
        assert not is_locked(folder / ".lock")


def test_of_known_runs_only_those_are_read_again_that_have_changed(folder):
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    known = find_runs(folder.parent)
    (folder / "validation.csv").write_text("step,nme\n50,4.5\n")
    again = find_runs(folder.parent, known)
    assert {run.folder: any(run is its for its in known) for run in again} == {folder: False, other: True}
    assert next(run for run in again if run.folder == folder).best_error == 4.5
    shutil.rmtree(other)
    assert [run.folder for run in find_runs(folder.parent, again)] == [folder]


def test_a_run_that_ends_while_it_is_read_is_read_again(folder, monkeypatch):
    """Else it would stay what it was a moment before its end."""
    with (folder / ".lock").open("ab") as file:
        lock_alone(file)

        def ends(path, real=saved_step):
            found = real(path)
            write_checkpoint(folder, 100)
            file.close()
            return found

        monkeypatch.setattr("app.train.log_reader.saved_step", ends)
        seen = read_run(folder)
    assert (seen.trained, seen.finished) == (True, False)
    monkeypatch.undo()
    assert [run.finished for run in find_runs(folder.parent, [seen])] == [True]


@pytest.mark.parametrize("content", [b"", b"\xff" * 16, b"\x05\0\0\0\0\0\0\0{}", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_checkpoint_holds_no_step(folder, content):
    (folder / "last.safetensors").write_bytes(content)
    assert saved_step(folder / "last.safetensors") is None


@pytest.mark.parametrize("step", ["1e999", "-1", "1" + "0" * 30, '"five"', "[]", "null"])
def test_steps_that_make_no_sense_count_nothing(folder, step):
    header = f'{{"__metadata__": {{"step": {step}}}}}'.encode()
    (folder / "last.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    (folder / "recipe.json").write_text(f'{{"recipe": {{"name": "student-68", "steps": {step}}}}}')
    (folder / "train.csv").write_text(f"step,total\n20,0.5\n{step},0.25\n")
    run = read_run(folder)
    assert (run.steps, run.step, run.saved_step, run.losses) == (0, 20, None, ((20, 0.5),))


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", '{"recipe": 3}', '{"other": {}}', '{"stages": []}', '{"stages": [1]}',
        '{"stages": [{"name": "a\\u0000b"}, {}]}', '{"stages": [{"name": "\\ud800"}, {}]}',
    ],
)  # fmt: skip
def test_a_folder_with_a_broken_recipe_is_no_run(folder, content):
    (folder / "recipe.json").write_text(content)
    assert read_run(folder) is None
    assert find_runs(folder.parent) == []


def test_runs_are_found_latest_first(folder):
    other = folder.with_name("teacher")
    other.mkdir()
    (other / "recipe.json").write_text(json.dumps({"recipe": {"name": "teacher-68", "steps": 3}}))
    os.utime(folder / "recipe.json", (1000, 1000))
    assert [run.folder.name for run in find_runs(folder.parent)] == ["teacher", "student"]
    os.utime(other / "recipe.json", (500, 500))
    assert [run.folder.name for run in find_runs(folder.parent)] == ["student", "teacher"]
    assert find_runs(folder / "nothing") == []


def test_a_new_run_or_model_never_takes_a_name_that_is_there():
    taken = {"student"}
    assert free_name("teacher", taken.__contains__) == "teacher"
    assert free_name("student", taken.__contains__) == "student-2"
    taken.add("student-2")
    assert free_name("student", taken.__contains__) == "student-3"


def test_tail_keeps_what_a_progress_bar_said_last(tmp_path):
    file = tmp_path / "output.txt"
    file.write_bytes(b"before\nreading: 1\rreading: 2\rreading: 3 \n" + b"\xff step 1\r\n")
    assert read_tail(file) == "before\nreading: 3\n\ufffd step 1"
    assert read_tail(file, len(b"before\n")) == "reading: 3\n\ufffd step 1"
    assert read_tail(tmp_path / "none") == ""


def test_reported_error_is_the_sentence_of_the_command_line():
    reported = reported_error(
        "UserWarning: x\nThe pack is gone.\n  Likely cause: It was moved.\n  What to do: Copy it.\n"
    )
    assert (reported.what, reported.why, reported.fix) == ("The pack is gone", "It was moved.", "Copy it.")
    assert reported_error("Traceback\nMemoryError: What to do: nothing") is None
    assert reported_error("") is None


def test_the_stages_of_a_run_are_read_as_one(tmp_path):
    stages = [{"name": "a/b:base", "steps": 10}, {"name": "a/b:gentle", "steps": 20}]
    folder = tmp_path / "runs" / "a" / "b"
    for name, content in (("1-base", "step,total\n5,1\n10,0.5\n"), ("2-gentle", "step,total\n5,0.25\n")):
        (folder / name).mkdir(parents=True)
        (folder / name / "train.csv").write_text(content)
        (folder / name / "recipe.json").write_text("{}")
    (folder / "recipe.json").write_text(json.dumps({"stages": stages, "data_folder": "/packs"}))
    write_checkpoint(folder / "1-base", 10)
    (run,) = find_runs(tmp_path / "runs")
    assert (run.folder, run_label(run.folder, tmp_path / "runs")) == (folder, "a/b")
    assert run.losses == ((5, 1), (10, 0.5), (15, 0.25))
    assert (run.steps, run.step, run.saved_step, run.finished) == (30, 15, 10, False)
    assert (run.stage, run.stage_name) == (1, "gentle")
    assert (run.checkpoint, str(run.data)) == (folder / "1-base" / "last.safetensors", os.sep + "packs")
    write_checkpoint(folder / "2-gentle", 20)
    run = read_run(folder)
    assert run.finished
    assert run.checkpoint == folder / "2-gentle" / "last.safetensors"


@pytest.mark.parametrize("content", ["", "{}", '{"recipes": [{"name": "a"}]}', '{"recipes": 3}'])
def test_a_list_of_recipes_of_another_version_is_refused(tmp_path, content):
    file = tmp_path / "recipes.json"
    file.write_text(content)
    with pytest.raises(UsageError, match="list of recipes cannot be read"):
        read_recipes(file)
