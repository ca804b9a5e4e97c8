"""What the player opens, and when."""

from __future__ import annotations

import pytest

from app.live import player
from app.live.active_source import ActiveSource


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
