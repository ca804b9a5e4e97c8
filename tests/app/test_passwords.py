"""Passwords in addresses of cameras: the window, its files and the command line show and keep none of them."""

from __future__ import annotations

import json
import logging

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QWidget

from app.cli.main import main
from app.settings.file import read_settings
from app.shell.log import start_log
from app.shell.report import end_of_log, log_path
from engine.core.addresses import redacted
from engine.live.state import SourceState
from engine.sources.network_camera import NetworkCamera
from tests.app.conftest import with_all_pages
from tests.fakes.live_fakes import wait_until
from tests.fakes.mjpeg_server import MjpegServer
from tests.fakes.stage import Stage
from tests.fakes.window_sessions import SessionEngine

pytestmark = pytest.mark.alone

NAME, PASSWORD = "annaKarenina", "pa55word"
USER = f"{NAME}:{PASSWORD}"


@pytest.fixture
def server():
    made = MjpegServer(USER)
    yield made
    made.cut()


@pytest.fixture
def engine(server):
    """Return an engine whose sessions read the real stream, also at a path and with a password that are wrong."""
    made = SessionEngine()
    for address in (server.address(user=USER), server.address("none", USER), server.address(user=USER + "x")):
        made.makers[address] = lambda address=address: NetworkCamera(address, read_limit=0.5)
    return made


@pytest.fixture
def log_file(tmp_path):
    """Let everything be logged, down to what only developers want to know."""
    root = logging.getLogger()
    level, handler = root.level, start_log(tmp_path / "log" / log_path().name)
    root.setLevel(logging.DEBUG)
    handler.setLevel(logging.DEBUG)
    yield tmp_path / "log" / log_path().name
    root.setLevel(level)
    root.removeHandler(handler)
    handler.close()


def words_in(window: QWidget) -> str:
    """Return every word that a window shows, or gives to a screen reader."""
    texts = []
    for widget in (window, *window.findChildren(QWidget)):
        texts += [widget.windowTitle(), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()]
        if isinstance(widget, QLabel | QLineEdit) or hasattr(widget, "text"):
            texts.append(str(widget.text() if callable(widget.text) else widget.text))
        if isinstance(widget, QComboBox):
            texts += [widget.itemText(row) for row in range(widget.count())]
            texts += [str(widget.itemData(row, 3)) for row in range(widget.count())]  # tool tips
    return "\n".join(texts)


def words_below(folder) -> str:
    """Return the names and the content of all files in a folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return "\n".join(f"{file}\n{file.read_bytes().decode('latin-1')}" for file in files)


def assert_clean(text: str) -> None:
    assert PASSWORD not in text
    assert NAME not in text


def test_fault_88_no_password_is_shown_or_kept(window, engine, server, log_file, qtbot, tmp_path):
    address = server.address(user=USER)
    window.store.update("source", "sample")
    window.start(address)
    assert_clean(words_in(with_all_pages(window)))
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    shown = redacted(address)
    qtbot.waitUntil(lambda: shown in window.status_line.toolTip())
    assert window.panel.sources.currentText() == shown
    assert window.store.settings.source == "sample", "one that needs a password is not remembered"
    assert_clean(words_in(with_all_pages(window)))

    window.live.outputs.start_log(".jsonl")
    session = engine.sessions[0]
    server.cut()
    qtbot.waitUntil(lambda: session.status.state is SourceState.RECONNECTING)
    assert shown in session.status.message
    assert_clean(words_in(with_all_pages(window)) + session.status.message)
    server.start()
    qtbot.waitUntil(lambda: session.status.state is SourceState.LIVE)
    assert session.status.source == shown
    window.live.outputs.stop_log()

    window.panel.source.turns.activated.emit(1)
    assert window.store.settings.turns == ((shown, 90),)
    for wrong in (server.address("none", USER), server.address(user=USER + "x")):
        window.banner.hide()
        window.player.open(wrong)
        qtbot.waitUntil(window.banner.isVisible)
        assert redacted(wrong) in window.banner.text
        assert_clean(words_in(with_all_pages(window)) + window.banner.text)

    logging.getLogger("engine").error("a camera: %r", window.player.current)
    window.store.close()
    logged = log_file.read_text(encoding="utf-8")
    assert shown in logged, "the log says what happened"
    settings = (tmp_path / "settings.toml").read_text(encoding="utf-8")
    assert shown in settings, "the turn of this camera is kept"
    assert read_settings(tmp_path / "settings.toml").settings.turns == ((shown, 90),)
    assert list(tmp_path.rglob("* landmarks.jsonl"))
    assert_clean(words_below(tmp_path))
    assert_clean(end_of_log(log_file.parent))


def test_an_address_without_a_password_is_remembered(window, engine, server, qtbot):
    server.user = ""
    address = server.address()
    engine.makers[address] = lambda: NetworkCamera(address)
    window.start(address)
    qtbot.waitUntil(lambda: window.store.settings.source == address)
    assert window.panel.source.turns.isVisible()
    assert not window.panel.source.formats.isVisible(), "its size cannot be asked for"


def test_fault_88_the_command_line_names_no_password(server, log_file, tmp_path, capfd):
    address = server.address(user=USER)
    record = str(tmp_path / "clip.avi")
    command = ["run", address, "--headless", "--frames", "3", "--rotate", "90", "--record", record, "--json", "-"]
    assert main(command) == 0
    said = capfd.readouterr()
    assert json.loads(said.out)["source"] == redacted(address)
    for words in (
        ["run", server.address("none", USER), "--headless"],
        ["run", f"ftp://{USER}@127.0.0.1/x", "--headless"],
        ["predict", address, "--out", str(tmp_path / "points.csv")],
    ):
        assert main(words) == 1
        wrong = capfd.readouterr()
        assert "127.0.0.1" in wrong.err
        assert_clean(wrong.err + wrong.out)
    assert_clean(said.err + said.out + words_below(tmp_path))


def test_fault_88_a_stream_that_is_cut_comes_back_and_frames_count_on(server):
    server.user = ""
    stage = Stage(lambda: NetworkCamera(server.address(), read_limit=0.5))
    with stage:
        wait_until(lambda: len(stage.pipeline.seen) > 5)
        server.cut()
        wait_until(lambda: stage.state is SourceState.RECONNECTING)
        server.start()
        wait_until(lambda: stage.state is SourceState.LIVE)
        before = len(stage.pipeline.seen)
        wait_until(lambda: len(stage.pipeline.seen) > before + 5)
        server.frozen.set()  # hangs without a word
        wait_until(lambda: stage.state is SourceState.RECONNECTING)
        server.frozen.clear()
        wait_until(lambda: stage.state is SourceState.LIVE)
    assert stage.pipeline.seen == sorted(set(stage.pipeline.seen))
