"""Training runs: they learn, they stop on nonsense, and a killed run resumes to the same bits."""

from dataclasses import replace

import pytest
import torch

from engine.errors import UsageError
from trainer import loop
from trainer.checkpoint import LAST, read_checkpoint
from trainer.loop import Schedule, learning_rate
from trainer.losses.landmarks import LossTerms
from trainer.recipes import Recipe
from trainer.run import run

OFTEN = Schedule(validate_every=3, checkpoint_every=1)


def weights(path):
    state = read_checkpoint(path)
    return {**{f"m{k}": v for k, v in state.model.items()}, **{f"e{k}": v for k, v in state.ema.items()}}


class Killed(Exception):
    """The process ends here."""


def run_killed_at(step, monkeypatch, *arguments):
    """Run until `step` begins, then die as a killed process would: without a word."""

    def draw(crops, augment, recipe, number, device):
        if number == step:
            raise Killed
        return original(crops, augment, recipe, number, device)

    original = loop.draw_batch
    with monkeypatch.context() as patch:
        patch.setattr(loop, "draw_batch", draw)
        with pytest.raises(Killed):
            run(*arguments, "cpu", False, OFTEN)


@pytest.mark.parametrize("step", [1, 4])
def test_fault_18_a_killed_run_resumes_to_the_same_bits(data, recipe, tmp_path, monkeypatch, step):
    run(recipe, data, tmp_path / "whole", "cpu", False, OFTEN)
    run_killed_at(step, monkeypatch, recipe, data, tmp_path / "killed")
    run(recipe, data, tmp_path / "killed", "cpu", True, OFTEN)
    whole, killed = weights(tmp_path / "whole" / LAST), weights(tmp_path / "killed" / LAST)
    assert whole.keys() == killed.keys()
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    rows = [(tmp_path / name / "validation.csv").read_text() for name in ("whole", "killed")]
    assert rows[0] == rows[1]


def test_it_learns(data, recipe, tmp_path):
    longer = replace(recipe, steps=60, batch=8, learning_rate=4e-3, ema=0.9)
    run(longer, data, tmp_path / "run", "cpu", False, Schedule(validate_every=20, checkpoint_every=60))
    rows = (tmp_path / "run" / "validation.csv").read_text().splitlines()[1:]
    first, last = (float(rows[index].split(",")[1]) for index in (0, -1))
    assert last < 0.8 * first


def test_fault_20_a_loss_that_is_no_number_stops_before_the_step(data, recipe, tmp_path, monkeypatch):
    def nonsense(output, batch, settings):
        bad = output.points.sum() * float("nan")
        return LossTerms(bad, bad, bad, bad)

    monkeypatch.setattr(loop, "landmark_loss", nonsense)
    with pytest.raises(UsageError, match="loss of step 0 is not a number"):
        run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    assert not (tmp_path / "run" / LAST).exists()


def test_fault_62_another_recipe_does_not_resume_and_the_differences_are_named(data, recipe, tmp_path):
    run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    with pytest.raises(UsageError, match="These fields differ: batch, seed"):
        run(replace(recipe, batch=2, seed=5), data, tmp_path / "run", "cpu", True, OFTEN)


def test_a_finished_run_is_not_overwritten_and_nothing_is_not_resumed(data, recipe, tmp_path):
    run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    with pytest.raises(UsageError, match="already holds a run"):
        run(recipe, data, tmp_path / "run", "cpu", False, OFTEN)
    with pytest.raises(UsageError, match="cannot be read"):
        run(recipe, data, tmp_path / "none", "cpu", True, OFTEN)


def test_the_learning_rate_rises_then_falls_to_nothing():
    recipe = Recipe("x", steps=100, learning_rate=1.0, warmup=0.1)
    rates = [learning_rate(recipe, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    assert rates[54] == pytest.approx(0.5, abs=0.01)
