"""Steps by epochs, and runs that go on after their end."""

import json
from dataclasses import replace

import pytest

from app.cli.main import main
from engine.core.errors import UsageError
from tests.fakes.tiny_training import tiny
from trainer.checkpoint import LAST, read_checkpoint, read_header
from trainer.recipes import RECIPES
from trainer.recipes.names import STAGES
from trainer.recipes.overrides import trainings_by_name
from trainer.recipes.schema import steps_of
from trainer.run import run
from trainer.run_recorder import Intervals

OFTEN = Intervals(3, 1)


@pytest.fixture
def recipe_tiny(monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny", tiny())
    monkeypatch.setitem(STAGES, "tiny", ("only",))


def arguments(data, folder, *more):
    return ["train", "tiny", "--data", str(data), "--out", str(folder), "--device", "cpu", *more]


def test_steps_follow_from_faces_and_batch():
    assert steps_of(750, 3148, 70) == 33729
    assert steps_of(2.5, 4, 10) == 1
    assert steps_of(0.001, 1, 70) == 1


def test_the_epochs_of_a_run_become_steps_when_it_begins_and_stay_so(data, recipe, tmp_path, monkeypatch):
    by_epochs = replace(recipe, epochs=1.5)
    last = run(by_epochs, data, tmp_path / "run", "cpu", False, OFTEN)
    state = read_checkpoint(last)
    assert (state.step, state.recipe["steps"], state.recipe["epochs"]) == (8, 8, 1.5)  # 21 faces in batches of 4
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["recipe"]["steps"] == 8
    whole = {name: tensor.clone() for name, tensor in state.model.items()}

    from trainer import run_recorder

    def killed(folder, checkpoint, write=run_recorder.write_checkpoint):
        write(folder, checkpoint)
        if checkpoint.step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_recorder, "write_checkpoint", killed)
        with pytest.raises(KeyboardInterrupt):
            run(by_epochs, data, tmp_path / "killed", "cpu", False, OFTEN)
    again = read_checkpoint(run(by_epochs, data, tmp_path / "killed", "cpu", True, OFTEN))
    assert (again.step, again.recipe["steps"]) == (8, 8)
    assert all((whole[name] == tensor).all() for name, tensor in again.model.items())
    with pytest.raises(UsageError, match="epochs: 1.5 -> 2.5"):
        run(replace(recipe, epochs=2.5), data, tmp_path / "killed", "cpu", True, OFTEN)


def test_steps_that_are_set_count_not_the_epochs(recipe_tiny):
    (training,) = trainings_by_name("tiny", ["epochs=3"])
    assert (training.epochs, training.steps) == (3, 6)
    (training,) = trainings_by_name("tiny", ["epochs=3", "steps=7"])
    assert (training.epochs, training.steps) == (None, 7)
    for wrong in ("epochs=0", "epochs=many"):
        with pytest.raises(UsageError):
            trainings_by_name("tiny", [wrong])


def test_a_finished_run_is_gone_on_with_and_so_again(data, tmp_path, recipe_tiny, capsys):
    folder = tmp_path / "run"
    assert main(arguments(data, folder)) == 0
    assert read_header(folder / LAST).step == 6
    assert main(["train", "--resume", str(folder), "--device", "cpu", "--steps", "9"]) == 0
    header = read_header(folder / LAST)
    assert (header.step, header.recipe["steps"]) == (9, 9)
    rows = (folder / "validation.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == [6, 9]
    assert main(["train", "--resume", str(folder), "--device", "cpu", "--set", "steps=10"]) == 0
    assert read_header(folder / LAST).step == 10
    capsys.readouterr()
    assert main(["train", "--resume", str(folder), "--steps", "10"]) == 1
    assert "has 10 steps already" in capsys.readouterr().err
    assert main(["train", "--resume", str(folder), "--device", "cpu", "--steps", "12", "--set", "seed=3"]) == 1
    assert "seed: 0 -> 3" in capsys.readouterr().err
    assert main(["train", "--resume", str(folder), "--device", "cpu"]) == 0
    assert read_header(folder / LAST).step == 10, "what was refused changed nothing"


def test_steps_alone_are_refused(recipe_tiny, capsys):
    assert main(["train", "tiny", "--steps", "9"]) == 1
    assert "Write --resume DIR --steps N" in capsys.readouterr().err


def test_a_run_that_was_killed_after_it_was_prolonged_goes_on_to_its_new_end(data, tmp_path, recipe_tiny, monkeypatch):
    folder = tmp_path / "run"
    assert main(arguments(data, folder)) == 0
    with monkeypatch.context() as patch:
        patch.setattr("trainer.run.train", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main(["train", "--resume", str(folder), "--device", "cpu", "--steps", "8"]) == 130
    assert read_header(folder / LAST).step == 6
    assert main(["train", "--resume", str(folder), "--device", "cpu"]) == 0
    assert read_header(folder / LAST).step == 8
