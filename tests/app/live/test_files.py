"""Seeking in the file on screen, from the window, and what can be opened of the clipboard."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from app.live.files import PastedPictures, copied_file, copied_picture, local_path
from engine.core.errors import SourceError
from engine.live.file_reader import Playback
from engine.live.state import SourceState
from engine.sources.base import SourceKind
from engine.sources.opening import open_source
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
    session.report(SourceState.ENDED)
    qtbot.waitUntil(lambda: window.live.files.transport.play.sign == "play")
    qtbot.mouseClick(window.live.files.transport.play, Qt.MouseButton.LeftButton)
    assert session.asked == [("seek", 0.0)]
    assert len(engine.sessions) == 1


def test_the_large_button_plays_an_ended_film_again_too_and_says_so(film, engine, qtbot):
    window, session = film
    pause = window.panel.pause
    session.report(SourceState.ENDED)
    qtbot.waitUntil(lambda: pause.text() == "Play again")
    qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    assert session.asked == [("seek", 0.0)]
    assert not session.settings.paused
    session.report(SourceState.LIVE)
    qtbot.waitUntil(lambda: pause.text() == "Pause")
    qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    assert (pause.text(), session.settings.paused) == ("Resume", True)


def test_looping_goes_on_with_the_next_film(film, engine, qtbot):
    window, session = film
    qtbot.mouseClick(window.live.files.transport.loop, Qt.MouseButton.LeftButton)
    assert session.loop
    window.player.open("other.mp4")
    assert engine.sessions[-1].loop
    qtbot.mouseClick(window.live.files.transport.loop, Qt.MouseButton.LeftButton)
    assert not session.loop
    assert not engine.sessions[-1].loop


@pytest.fixture(autouse=True)
def emptied_clipboard(qapp):
    """Empty the clipboard in time: data of Python's that outlives the application crashes the end of the process."""
    yield
    qapp.clipboard().clear()


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
    assert playing.store.settings.source != engine.opened[-1], "it will be gone the next time"


def test_a_copied_file_is_opened(playing, engine, qtbot, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    paste(playing, qtbot, url=str(path))
    qtbot.waitUntil(lambda: engine.opened[-1] == str(path))


def test_words_in_the_clipboard_are_no_picture(playing, engine, qtbot):
    paste(playing, qtbot, text="hello")
    assert playing.status_line.toolTip() == "The clipboard holds no picture, no file and no address of a camera."
    assert engine.opened == ["sample"]


def red(width: int = 20, height: int = 10) -> QImage:
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(QColor(200, 0, 0))
    return image


def mime(text: str = "", urls=(), image: QImage | None = None) -> QMimeData:
    data = QMimeData()
    if text:
        data.setText(text)
    if urls:
        data.setUrls(list(urls))
    if image is not None:
        data.setImageData(image)
    return data


def test_a_pasted_picture_plays_under_its_name():
    pasted = PastedPictures("Pasted picture")
    spec = pasted.keep(copied_picture(mime(image=red())))
    source = open_source(spec)
    frame = source.read()
    assert (source.name, source.frame_count) == ("Pasted picture", 1)
    assert frame.image.shape == (10, 20, 3)
    assert frame.image[0, 0].tolist() == [200, 0, 0]
    assert pasted.owns(spec)
    assert not pasted.owns("clip.mp4")
    assert not pasted.owns(None)


def test_two_pasted_pictures_are_two_sources():
    pasted = PastedPictures("Pasted picture")
    first, second = pasted.keep(red()), pasted.keep(red(30, 30))
    assert first != second
    assert open_source(first).read().image.shape == (10, 20, 3)
    assert open_source(second).read().image.shape == (30, 30, 3)


def test_pasted_pictures_do_not_stay_on_the_disk():
    pasted = PastedPictures("Pasted picture")
    spec = Path(pasted.keep(red()))
    assert spec.is_dir()
    del pasted
    assert not spec.exists()


def test_fault_55_a_picture_that_cannot_be_kept_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="pasted picture"):
        PastedPictures("Pasted picture").keep(red())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems allow no such names")
def test_fault_45_a_link_to_a_name_that_is_no_utf8_is_its_path(tmp_path):
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 100%.png"))
    file.touch()
    link = "file://" + quote_from_bytes(os.fsencode(file))
    assert local_path(QUrl(link)) == str(file)
    mime = QMimeData()
    mime.setData("text/uri-list", f"{link}\r\n".encode())
    assert copied_file(mime) == str(file)
    for name in ("a\nb.png", "100%25.png", "\ufffd.png", "é#?.png"):
        assert local_path(QUrl.fromLocalFile(f"/{name}")) == f"/{name}"
    assert local_path(QUrl("https://example.org/a.png")) == ""


def test_copied_files_and_paths_are_found(tmp_path):
    path = tmp_path / "größe clip.mp4"
    path.write_bytes(b"x")
    url = QUrl.fromLocalFile(str(path))
    assert copied_file(mime(urls=[url])) == str(path)
    for text in (str(path), f"  {path}\n", f'"{path}"', url.toString(), f"{path}\n/other/file"):
        assert copied_file(mime(text)) == str(path)


@pytest.mark.parametrize(
    "text", ["", "hello", "https://example.org/a.mp4", "/no/such/file", "clip.mp4", "a" * 5000, "\0"]
)
def test_fault_46_other_text_is_no_file(text):
    assert copied_file(mime(text)) is None
    assert copied_picture(mime(text)) is None
