"""A page Train on a stand-in for the trainer that runs in a process as the real one does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.settings.schema import TrainChoices
from app.train.controller import TrainingKit
from app.train.train_page import TrainPage

FAKE = Path(__file__).resolve().parents[2] / "fakes" / "fake_trainer.py"
TINY = FAKE.with_name("tiny_understudy.py")
PATIENCE = 20_000  # ms, for a process on a busy machine
REAL_PATIENCE = 150_000  # ms, for one that loads torch


@pytest.fixture
def kit(tmp_path):
    (tmp_path / "data" / "faces").mkdir(parents=True)
    return TrainingKit((sys.executable, str(FAKE)), tmp_path / "runs", (tmp_path / "shipped", tmp_path / "models"))


@pytest.fixture
def open_page(qtbot, themed, kit, tmp_path, monkeypatch):
    """Return a function that shows a page for a recipe; every page's processes end with the test."""
    monkeypatch.setattr("app.train.controller.WATCH_MS", 50)
    pages = []

    def open_it(recipe="quick", kit=kit, data=tmp_path / "data") -> TrainPage:
        page = TrainPage(TrainChoices(recipe, data), kit)
        pages.append(page)
        page.resize(1280, 760)
        page.show()
        qtbot.waitExposed(page)
        if kit.program is not None:
            qtbot.waitUntil(
                lambda: page.form.recipe is not None or not page.form.recipes.isEnabled(), timeout=REAL_PATIENCE
            )
        return page

    yield open_it
    for page in pages:
        page.controller.kill()
        qtbot.waitUntil(lambda page=page: not page.controller.busy, timeout=PATIENCE)
        page.controller.close_down()
        page.deleteLater()


def choose(page, recipe):
    """Choose a recipe as a click does."""
    row = page.form.recipes.findText(recipe)
    page.form.recipes.setCurrentIndex(row)
    page.form.recipes.activated.emit(row)


def train(page, qtbot):
    """Press “Start training” and wait for the end."""
    page.form.start.click()
    assert page.busy
    qtbot.waitUntil(lambda: not page.controller.busy, timeout=PATIENCE)
