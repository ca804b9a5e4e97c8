"""What the player opens, and when."""

from __future__ import annotations

import pytest

from app.live import player
from app.live.active_source import ActiveSource
from engine.render.scene import Layout


@pytest.fixture
def questions(monkeypatch):
    """Return what waits for the user to answer the system's question whether cameras may be used."""
    waiting = []
    monkeypatch.setattr(player, "when_cameras_are_decided", lambda application, context, then: waiting.append(then))
    return waiting


@pytest.mark.parametrize("first", [None, "sample"], ids=["at the start", "chosen later"])
def test_a_camera_is_opened_once_the_system_was_asked(window, engine, qtbot, questions, first):
    if first is not None:
        window.start(first)
        qtbot.waitUntil(lambda: window.player.current is not None)
    before = list(engine.opened)
    window.player.open("Cam")
    qtbot.wait(50)
    assert engine.opened == before
    (answered,) = questions
    answered()
    qtbot.waitUntil(lambda: engine.opened == [*before, "Cam"])


def test_an_answer_opens_nothing_that_is_no_longer_wanted(window, engine, qtbot, questions):
    window.player.open("Cam")
    window.player.open("sample")
    qtbot.waitUntil(lambda: window.player.current is not None)
    (answered,) = questions
    answered()
    qtbot.wait(50)
    assert engine.opened == ["sample"]


@pytest.mark.parametrize(
    ("spec", "may_be"), [(None, True), ("Cam", True), ("0", True), ("sample", False), ("rtsp://cam/live", False)]
)
def test_only_what_may_be_a_camera_of_this_machine_asks(spec, may_be):
    assert ActiveSource(spec).may_be_camera is may_be


def test_no_file_asks(tmp_path):
    assert not ActiveSource(str(tmp_path / "clip.mp4")).may_be_camera


def test_where_the_first_other_model_is_damaged_too_a_further_one_plays(window, engine, qtbot):
    engine.broken_models.add("student-68")
    engine.damaged_models.add("broken")
    engine.broken_models.discard("broken")  # it is the first of the list
    window.start("sample")
    qtbot.waitUntil(lambda: window.player.at_work[0] == "student-68-lite")


def test_where_no_model_loads_that_is_reported(window, engine, qtbot):
    engine.damaged_models |= {"student-68", "student-68-lite"}
    window.start("sample")
    qtbot.waitUntil(window.banner.isVisible)
    assert window.player.current is None


@pytest.mark.parametrize("meanwhile", ["taken away", "another in its place"])
def test_trying_again_leaves_the_lanes_alone_once_its_lane_is_gone(playing, engine, qtbot, meanwhile):
    playing.store.update("live.layout", Layout.SIDE_BY_SIDE)
    playing.player.use_model("student-68-lite", 1)
    if meanwhile != "taken away":
        playing.player.use_model("student-68", 2)
    retries = []
    playing.player.failed.connect(lambda error, retry: retries.append(retry))
    qtbot.waitUntil(lambda: playing.player.at_work[1] == "student-68-lite")
    playing.player.use_model("broken", 1)
    qtbot.waitUntil(lambda: len(retries) == 1 and playing.player.models[1] == "student-68-lite")
    playing.player.remove_model(1)
    before = playing.player.models
    retries[0]()
    assert playing.player.models == before
