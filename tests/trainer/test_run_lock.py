"""A run is trained by one command at a time."""

import errno
import subprocess
import sys

import pytest

from engine.core.errors import UsageError
from tests.conftest import ROOT
from trainer.devices import launch
from trainer.run import Place, carry_out
from trainer.run_lock import LOCK, only_training

HOLDING = """
import sys
from pathlib import Path
from trainer.run_lock import only_training
with only_training(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that trains in the folder `run`."""
    command = [sys.executable, "-c", HOLDING, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_run_that_is_started_twice_is_refused_in_a_sentence_and_not_touched(other, recipe, data, tmp_path):
    place = Place(data, launch("cpu", None, "auto"), "auto", tmp_path / "runs")
    with pytest.raises(UsageError, match="is being trained already") as caught:
        carry_out(recipe, tmp_path / "run", place)
    assert "started twice" in caught.value.why
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]


def test_the_death_of_the_other_frees_the_run(other, tmp_path):
    other.kill()
    other.wait()
    with only_training(tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists(), "nothing is left of a run that never began"


def test_a_lock_that_its_owner_removes_while_it_is_waited_for_is_taken_again(tmp_path, monkeypatch):
    taken = []

    def owner_ends(file):
        taken.append(file)
        if len(taken) == 1:
            (tmp_path / "run" / LOCK).unlink()

    monkeypatch.setattr("trainer.run_lock.lock_alone", owner_ends)
    with only_training(tmp_path / "run"):
        assert (tmp_path / "run" / LOCK).exists()
    assert len(taken) == 2


def test_a_window_that_just_looks_whether_the_run_is_trained_hinders_nobody(tmp_path, monkeypatch):
    looks = iter([BlockingIOError(errno.EAGAIN, "locked"), None])

    def looked_at(file):
        if (error := next(looks)) is not None:
            raise error

    monkeypatch.setattr("trainer.run_lock.lock_alone", looked_at)
    with only_training(tmp_path / "run"):
        assert list(looks) == []


def test_nothing_is_left_in_the_folder_of_a_run_that_has_ended(tmp_path):
    with only_training(tmp_path / "run"):
        (tmp_path / "run" / "recipe.json").touch()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["recipe.json"]


def test_other_runs_are_free(other, tmp_path):
    with only_training(tmp_path / "another"):
        assert (tmp_path / "another" / LOCK).exists()


def test_a_disk_without_locks_hinders_nothing(tmp_path, monkeypatch):
    def unknown(file):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("trainer.run_lock.lock_alone", unknown)
    with only_training(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()
