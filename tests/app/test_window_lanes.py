"""One to four models in the window: added, removed, exchanged, compared two by two, and remembered."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from PySide6.QtCore import Qt

from engine.core.errors import ModelError
from engine.live.settings import MOST_LANES
from engine.render.scene import Layout
from tests.fakes.window_fakes import BROKEN

NAMES = ("a", "b", "c", "d", "e")
DEAD = ModelError("The model failed on a frame (invoke failed)", "the model is faulty", "choose another model")


@pytest.fixture
def lanes(playing, engine, qtbot):
    """Return the window with a library of five models, the first of them in the one lane on screen."""
    usable = next(entry for entry in engine.api.list_models() if entry.error is None)
    playing.live._on_models([replace(usable, name=name) for name in NAMES])
    playing.player.use_model("a")
    return playing


def models(window):
    return window.store.settings.lanes.models


def rows(window):
    """Return the numbers of the lanes whose lists are seen in the side panel."""
    return [number for number, row in enumerate(window.panel.lanes.rows_of_lanes) if row.isVisible()]


def test_models_are_added_up_to_four_by_the_button_or_the_key(lanes, engine, qtbot):
    section = lanes.panel.lanes
    assert (models(lanes), rows(lanes)) == (("a",), [0])
    section.add.click()
    assert (models(lanes), rows(lanes)) == (("a", "b"), [0, 1])
    assert lanes.store.settings.live.layout is Layout.SIDE_BY_SIDE
    qtbot.keyClick(lanes.view, Qt.Key.Key_A)
    section.add.click()
    assert models(lanes) == NAMES[:MOST_LANES]
    assert rows(lanes) == [0, 1, 2, 3]
    assert not section.add.isVisible()
    qtbot.keyClick(lanes.view, Qt.Key.Key_A)
    assert len(models(lanes)) == MOST_LANES
    session = engine.sessions[-1]
    assert session.settings.lanes == MOST_LANES
    qtbot.waitUntil(
        lambda: {lane: names[-1] for lane, names in session.further_models.items()} == {1: "b", 2: "c", 3: "d"}
    )
    session.give()
    qtbot.waitUntil(lambda: len(lanes.view.pane_areas()) == MOST_LANES)
    assert [picker.currentText() for picker in section.pickers] == list(NAMES[:MOST_LANES])


def test_a_model_is_removed_by_its_button_and_the_later_ones_move_up(lanes, engine, qtbot):
    section = lanes.panel.lanes
    for _ in range(3):
        section.add.click()
    section.rows_of_lanes[1].remove.click()
    assert (models(lanes), rows(lanes)) == (("a", "c", "d"), [0, 1, 2])
    session = engine.sessions[-1]
    qtbot.waitUntil(lambda: [session.further_models[lane][-1] for lane in (1, 2)] == ["c", "d"])
    section.rows_of_lanes[0].remove.click()
    assert models(lanes) == ("c", "d")
    assert session.settings.lanes == 2
    qtbot.waitUntil(lambda: (session._model, session.further_models[1][-1]) == ("c", "d"))
    qtbot.waitUntil(lambda: lanes.player.at_work[:2] == ["c", "d"])
    qtbot.keyClick(lanes.view, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert (models(lanes), rows(lanes)) == (("c",), [0])
    assert lanes.store.settings.live.layout is Layout.SINGLE
    qtbot.keyClick(lanes.view, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    assert models(lanes) == ("c",), "the last one stays"


def test_while_one_model_is_shown_adding_shows_those_that_were_chosen_before(lanes, qtbot):
    lanes.panel.lanes.add.click()
    lanes.panel.lanes.add.click()
    lanes.store.update("live.layout", Layout.SINGLE)
    assert rows(lanes) == [0]
    lanes.panel.lanes.add.click()
    assert (models(lanes), rows(lanes)) == (("a", "b", "c"), [0, 1, 2])


def test_the_same_model_may_be_in_several_lanes(lanes, engine, qtbot):
    lanes.panel.lanes.add.click()
    lanes.player.use_model("a", 1)
    lanes.player.use_model("a", 2)
    assert models(lanes) == ("a", "a", "a")
    session = engine.sessions[-1]
    qtbot.waitUntil(lambda: [session.further_models.get(lane, [""])[-1] for lane in (1, 2)] == ["a", "a"])


def test_dots_in_the_name_of_a_model_begin_no_ending(lanes):
    section = lanes.panel.lanes
    lanes.player.use_model("pfld.v2")
    section.add.click()
    assert section.pair.itemText(0) == "1 and 2: pfld.v2, a"
    assert section.first.currentText() == "pfld.v2"
    lanes.player.use_model("models/pfld.v2.onnx", 1)
    assert section.pair.itemText(0) == "1 and 2: pfld.v2, pfld.v2"


def test_a_layout_of_two_shows_any_two_of_the_lanes(lanes, engine, qtbot):
    section, session = lanes.panel.lanes, engine.sessions[-1]
    for _ in range(3):
        section.add.click()
    assert not section.pair.isVisible()
    lanes.store.update("live.layout", Layout.DIFFERENCE)
    assert section.pair.isVisible()
    assert section.pair.currentText() == "1 and 2: a, b"
    pairs = list(combinations(range(4), 2))
    assert [section.pair.itemData(row) for row in range(section.pair.count())] == pairs
    for pair in [*pairs[1:], pairs[0]]:
        qtbot.keyClick(lanes.view, Qt.Key.Key_N)
        assert session.settings.two == session.settings.on_screen == pair
        assert section.pair.currentIndex() == pairs.index(pair)
    section.pair.setCurrentIndex(5)
    section.pair.activated.emit(5)
    assert session.settings.two == (2, 3)
    qtbot.keyClick(lanes.view, Qt.Key.Key_X)
    assert models(lanes) == ("a", "b", "d", "c"), "the two on screen are exchanged"
    section.rows_of_lanes[3].remove.click()
    assert session.settings.two == (0, 1)
    section.rows_of_lanes[2].remove.click()
    assert not section.pair.isVisible(), "there is no choice"


def test_the_list_of_a_lane_that_rests_shows_its_model_too(lanes, engine, qtbot):
    for _ in range(2):
        lanes.panel.lanes.add.click()
    qtbot.waitUntil(lambda: lanes.player.at_work[2] == "c")
    lanes.store.update("live.layout", Layout.DIFFERENCE)
    lanes.store.update("live.pair", (0, 2))
    lanes.player.use_model("e", 1)
    assert lanes.panel.lanes.pickers[1].currentText() == "e"
    lanes.live.swap_models()
    assert [picker.currentText() for picker in lanes.panel.lanes.pickers[:3]] == ["c", "e", "a"]


def test_the_chart_names_a_model_that_was_exchanged_in_a_pause(lanes, engine, qtbot):
    lanes.panel.lanes.add.click()
    qtbot.waitUntil(lambda: lanes.player.at_work[1] == "b")
    lanes.store.update("live.paused", True)
    lanes.player.use_model("e", 1)
    qtbot.waitUntil(lambda: lanes.player.at_work[1] == "e")
    assert [name for name, _, _ in lanes.live.chart.plots()[0].traces] == ["a", "e"]


def test_fault_90_a_lane_whose_model_dies_says_so_in_its_pane_and_the_others_go_on(lanes, engine, qtbot):
    for _ in range(3):
        lanes.panel.lanes.add.click()
    session = engine.sessions[-1]
    qtbot.waitUntil(lambda: len(session.further_models) == 3)
    session.further_errors[2] = DEAD
    session.further_models[2].append("")  # a frame that no model processed
    session.give()
    qtbot.waitUntil(lambda: lanes.view._error_of(2) is DEAD)
    assert [lanes.view._error_of(lane) for lane in (0, 1, 3)] == [None] * 3
    assert "The model failed on a frame" in lanes.banner.text
    session.further_errors[2] = None
    session.further_models[2].append("c")
    session.give()
    qtbot.waitUntil(lambda: lanes.view._error_of(2) is None)


def test_a_broken_model_of_a_further_lane_is_reported_and_the_former_one_stays(lanes, engine, qtbot):
    for _ in range(2):
        lanes.panel.lanes.add.click()
    session = engine.sessions[-1]
    qtbot.waitUntil(lambda: lanes.player.at_work[2] == "c")
    engine.broken_models.add("e")
    lanes.player.use_model("e", 2)
    qtbot.waitUntil(lanes.banner.isVisible)
    assert str(BROKEN).split(":")[0] in lanes.banner.text
    qtbot.waitUntil(lambda: models(lanes) == ("a", "b", "c"))
    assert lanes.view._error_of(2) is None, "its lane goes on with the former model"
    assert session.further_models[2][-1] == "c"


def test_a_model_that_loads_in_another_lane_does_not_hide_what_is_wrong_with_this_one(lanes, engine, qtbot):
    lanes.panel.lanes.add.click()
    qtbot.waitUntil(lambda: lanes.player.at_work[1] == "b")
    engine.broken_models.add("e")
    lanes.player.use_model("e", 0)
    qtbot.waitUntil(lanes.banner.isVisible)
    lanes.player.use_model("d", 1)
    qtbot.waitUntil(lambda: lanes.player.at_work[1] == "d")
    assert lanes.banner.isVisible()
    lanes.player.use_model("c", 0)
    qtbot.waitUntil(lambda: lanes.player.at_work[0] == "c")
    assert not lanes.banner.isVisible()


def test_the_lanes_are_there_again_at_the_next_start_and_for_the_next_source(lanes, engine, qtbot):
    for _ in range(2):
        lanes.panel.lanes.add.click()
    lanes.player.open("/clip.mp4")
    qtbot.waitUntil(lambda: len(engine.sessions) == 2 and len(engine.sessions[-1].further_models) == 2)
    assert engine.sessions[-1].settings.lanes == 3
    text = lanes.store._path
    lanes.store._write()
    assert "models = [" in text.read_text()
    assert engine.sessions[-1].further_models == {1: ["b"], 2: ["c"]}
