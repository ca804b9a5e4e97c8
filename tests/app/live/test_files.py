"""Going about in the file on screen, from the window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from engine.live.playback import Playback
from engine.live.state import SourceState
from engine.sources.base import SourceKind
from tests.fakes.window_fakes import FakeSource


@pytest.fixture
def film(window, engine, qtbot):
    """Return the window while a film plays, and its session."""
    window.start("clip.mp4")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    session = engine.sessions[0]
    session.playback = Playback(10.0, 60.0, 300, 1800)
    session.give()
    qtbot.waitUntil(lambda: window.live.files.transport.isVisible())
    return window, session


def test_the_bar_shows_where_the_film_stands_and_goes_with_the_full_screen(film, qtbot):
    window, session = film
    bar = window.live.files.transport
    assert bar.time.text() == "0:10.0 of 1:00.0"
    assert bar.play.sign == "pause"
    window.toggle_full_screen()
    session.give()
    qtbot.wait(20)
    assert not bar.isVisible()
    window.toggle_full_screen()
    assert bar.isVisible()


def test_the_bar_is_not_there_for_cameras(window, engine, qtbot):
    engine.outcomes["cam"] = FakeSource("cam", SourceKind.CAMERA)
    window.start("cam")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    assert not window.live.files.transport.isVisible()


def test_keys_go_about_in_the_film(film, qtbot):
    window, session = film
    for key, modifier in (
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier),
    ):
        qtbot.keyClick(window.view, key, modifier)
    assert session.asked == [("seek", 0.0), ("seek", 15.0), ("seek", 5.0)]
    assert not session.settings.paused


def test_a_step_holds_the_picture_first(film, qtbot):
    window, session = film
    qtbot.keyClick(window.view, Qt.Key.Key_Right)
    assert session.settings.paused
    qtbot.keyClick(window.view, Qt.Key.Key_Left)
    assert session.asked == [("step", 1), ("step", -1)]
    assert window.live.files.transport.play.sign == "play"


def test_keys_do_nothing_to_a_camera(window, engine, qtbot):
    engine.outcomes["cam"] = FakeSource("cam", SourceKind.CAMERA)
    window.start("cam")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    qtbot.keyClick(window.view, Qt.Key.Key_Right)
    assert not window.panel.pause.isChecked(), "a camera has no next frame to wait for"


def test_play_plays_an_ended_film_again_without_opening_it(film, engine, qtbot):
    window, session = film
    session.tell(SourceState.ENDED)
    qtbot.waitUntil(lambda: window.live.files.transport.play.sign == "play")
    qtbot.mouseClick(window.live.files.transport.play, Qt.MouseButton.LeftButton)
    assert session.asked == [("seek", 0.0)]
    assert len(engine.sessions) == 1


def test_looping_goes_on_with_the_next_film(film, engine, qtbot):
    window, session = film
    qtbot.mouseClick(window.live.files.transport.loop, Qt.MouseButton.LeftButton)
    assert session.loop
    window.player.open("other.mp4")
    assert engine.sessions[-1].loop
    qtbot.mouseClick(window.live.files.transport.loop, Qt.MouseButton.LeftButton)
    assert not session.loop
    assert not engine.sessions[-1].loop


def paste(window, qtbot, *, text="", image=None, url=""):
    data = QMimeData()
    if image is not None:
        data.setImageData(image)
    if url:
        data.setUrls([QUrl.fromLocalFile(url)])
    if text:
        data.setText(text)
    QApplication.clipboard().setMimeData(data)
    qtbot.keyClick(window.view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def test_a_picture_is_pasted_and_not_remembered(playing, engine, qtbot):
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    paste(playing, qtbot, image=image)
    qtbot.waitUntil(lambda: playing.player.current.name == "Pasted picture")
    assert playing.live.settings().source != engine.opened[-1], "it will be gone the next time"


def test_a_copied_file_is_opened(playing, engine, qtbot, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    paste(playing, qtbot, url=str(path))
    qtbot.waitUntil(lambda: engine.opened[-1] == str(path))


def test_words_in_the_clipboard_are_no_picture(playing, engine, qtbot):
    paste(playing, qtbot, text="hello")
    assert playing.status_line.whole_text == "The clipboard holds no picture and no file."
    assert engine.opened == ["sample"]
