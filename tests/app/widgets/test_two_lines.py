"""Lists whose rows have two lines."""

import pytest

from app.widgets.two_lines import KIND, TwoLineList

RUNS = [(f"run {number}", "stopped", f"/runs/{number}") for number in range(30)]


@pytest.fixture
def runs(qtbot, themed):
    """A list that shows few of its rows."""
    runs = TwoLineList("Runs", "Some of them")
    qtbot.addWidget(runs)
    runs.resize(200, 160)
    runs.show()
    qtbot.waitExposed(runs)
    runs.fill(RUNS, 0)
    return runs


def test_filled_again_with_the_same_things_it_stays_where_it_was_scrolled_to(runs):
    runs.verticalScrollBar().setValue(300)
    runs.fill([(name, "training", hint) for name, _, hint in reversed(RUNS)], 29)
    assert runs.verticalScrollBar().value() == 300
    assert runs.item(0).data(KIND) == "training"


def test_filled_with_other_things_it_shows_the_chosen_one(runs):
    runs.verticalScrollBar().setValue(0)
    runs.fill([*RUNS, ("another", "training", "/runs/another")], 30)
    assert runs.visualItemRect(runs.currentItem()).bottom() <= runs.viewport().height()
