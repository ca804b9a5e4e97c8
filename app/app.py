"""Starting the window: the Qt application, the real engine, and quitting."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from PySide6.QtCore import QDeadlineTimer, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.live.engine_api import EngineApi
from app.live.screenshot import save_window_screenshot
from app.settings.file import settings_path
from app.settings.store import SettingsStore
from app.shell.crash import RunMark
from app.shell.log import CrashWatch, start_log
from app.shell.main_window import MainWindow
from app.shell.report import log_path
from app.theme.theme import Theme, ThemeChoice
from app.translation import install_translations
from engine.core.errors import UnderstudyError
from engine.core.interruption import interruption_watch
from engine.filters import hook
from engine.filters.library import FilterLibrary
from engine.inference.detector import DEFAULT_DETECTOR, make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.live.session import Session
from engine.render.scene import Layout
from engine.sources.base import CameraFormat
from engine.sources.camera import DEFAULT_FORMAT
from engine.sources.discovery import CameraList
from engine.sources.opening import SAMPLE, open_source

SIGNAL_CHECK_MS = 200  # Python sees a signal only when some of its own code runs
EVENTS_MS = 50  # that `try_window` lets Qt work before it looks again


@dataclass(frozen=True)
class WindowOptions:
    """What the window starts with.

    Attributes:
        source: as `open_source` takes it; None for the remembered one, or the first camera, or else the sample.
        model: landmark model by name or path; None for the remembered one.
        flip: whether teachers average with the mirror image; False for what is remembered.
        detector: what finds the faces, one of `engine.inference.detector.DETECTORS`.
        max_faces: as of `Pipeline`.
        stream: where landmarks are sent, as `engine.output.streaming.address` writes it; None for nowhere.
        screenshot: if given, a picture of the window is written there and the window closes by itself.
        screenshot_after: how many seconds the window has run when that picture is taken, or shown the review.
        camera: what cameras are asked for unless the user chooses something else.
        turn: by how many degrees all cameras are turned; None as is remembered for each.
        models: of all lanes, by name or path, which are shown; empty for those remembered.
        report: folder for a report of the session; None for none.
        review: a log to review in place of a source, and its clip, None to look for it; None for no review.
    """

    source: str | None
    model: str | None
    flip: bool = False
    detector: str = DEFAULT_DETECTOR
    max_faces: int | None = None
    stream: str | None = None
    screenshot: Path | None = None
    screenshot_after: float = 0.0
    camera: CameraFormat = DEFAULT_FORMAT
    turn: int | None = None
    models: tuple[str, ...] = ()
    report: Path | None = None
    review: tuple[Path, Path | None] | None = None


def run_window(options: WindowOptions) -> int:
    """Show the window, and return the exit code once it was closed.

    Where the last run did not end properly, the start is a safe one: only the source, if it is given, is heeded.

    Raises:
        RecordingError: the screenshot cannot be written.
        UsageError: the log to review could not be read, and no other one was opened.
    """
    mark = RunMark(log_path().parent)
    try:
        code = _show_window(options, mark)
    except (UnderstudyError, KeyboardInterrupt):
        mark.end()
        raise
    mark.end()  # and not after an unexpected error: what led to it may do so at every start
    return code


def _show_window(options: WindowOptions, mark: RunMark) -> int:
    """Do what `run_window` says, and begin the mark of the run."""
    crash = mark.begin()  # before the log gets the lines of this run
    hook.report_work = mark.note_hook
    start_log(log_path())
    application = _application()
    install_translations(application)
    store = SettingsStore(settings_path())
    if crash is not None:
        store.start_safely()
        safe = WindowOptions(options.source or SAMPLE, None)
        options = replace(safe, screenshot=options.screenshot, screenshot_after=options.screenshot_after)
    if options.models:
        store.update("lanes.models", options.models)
        if store.settings.live.layout is Layout.SINGLE:
            store.update("live.layout", Layout.SIDE_BY_SIDE)
    if options.flip:
        store.update("live.flip", True)
    if options.stream is not None:
        store.update("stream", options.stream)
    theme = Theme(application, store.settings.theme)
    watch = CrashWatch()
    api = engine_api(options.detector, options.max_faces, options.camera, options.turn)
    window = MainWindow(api, options.model, store, theme)
    watch.caught.connect(window.report_crash)
    watch.install()
    window.gone.connect(application.quit)
    _wake_for_signals(window)
    failures: list[Exception] = []
    if options.screenshot is not None:
        save = partial(_save_screenshot, window, options.screenshot, failures)
        take = partial(QTimer.singleShot, round(options.screenshot_after * 1000), save)
        if options.review is None:
            take()
        else:
            window.review.opened.connect(take)  # however long it takes to read the log
    # The first signal closes the window, which finishes recordings; a second one ends the program at once.
    with interruption_watch(lambda _: window.close(), partial(_end_at_once, mark)) as interrupted:
        window.show()
        if options.review is not None:
            window.start_review(*options.review)
        else:
            window.start(options.source, options.stream, options.report)
        if crash is not None:
            window.report_former_crash(crash, log_path().parent, mark.former_hook)
        try:
            code = application.exec()
        finally:
            watch.remove()
    problem = _problem(options, window, failures)
    if problem is not None:
        raise problem
    return interrupted.exit_code or code


def _problem(options: WindowOptions, window: MainWindow, failures: Sequence[Exception]) -> Exception | None:
    """Return why the window did not do what the command line asked for; None if it did."""
    if failures:
        return failures[0]
    return None if options.review is None else window.review.problem


def try_window(settings: Path, picture_limit: float, end_limit: float) -> tuple[bool, bool]:
    """Open the window on the sample and close it once it shows a picture, for the self-test.

    Args:
        settings: the settings file to use.
        picture_limit: seconds that the first picture may take.
        end_limit: seconds that the end may take.

    Returns:
        Whether it showed a picture, and whether its threads ended.
    """
    application = _application()
    window = MainWindow(engine_api(), DEFAULT_MODEL, SettingsStore(settings), Theme(application, ThemeChoice.LIGHT))
    gone: list[bool] = []
    window.gone.connect(lambda: gone.append(True))
    window.show()
    window.start(SAMPLE)
    shown = _within(picture_limit, lambda: window.view.pixels is not None)
    window.close()
    return shown, _within(end_limit, lambda: bool(gone))


def _within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Let Qt work until something has happened; return whether it did in time."""
    deadline = QDeadlineTimer(round(seconds * 1000))
    while not happened() and not deadline.hasExpired():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, EVENTS_MS)
    return happened()


def engine_api(
    detector: str = DEFAULT_DETECTOR,
    max_faces: int | None = None,
    camera_format: CameraFormat = DEFAULT_FORMAT,
    turn: int | None = None,
) -> EngineApi:
    """Return the real engine for the window."""
    library, cameras = ModelLibrary(), CameraList()
    return EngineApi(
        list_cameras=cameras,
        open_source=lambda spec, format_of: open_source(spec, cameras, format_of=format_of),
        list_models=library.live_entries,
        list_filters=FilterLibrary().entries,
        make_pipeline=lambda model: Pipeline(make_detector(detector), library.load_live(model), max_faces=max_faces),
        load_landmarker=library.load_live,
        new_session=Session,
        camera_format=camera_format,
        turn=turn,
        library=library,
        detector=detector,
    )


def _application() -> QApplication:
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("understudy")
    application.setApplicationDisplayName("Understudy")
    application.setDesktopFileName("understudy")
    # The program ends when its threads have ended, not when the window disappears.
    application.setQuitOnLastWindowClosed(False)
    return application


def _wake_for_signals(window: MainWindow) -> None:
    waker = QTimer(window)
    waker.timeout.connect(lambda: None)
    waker.start(SIGNAL_CHECK_MS)


def _end_at_once(mark: RunMark, number: int) -> NoReturn:
    mark.end()
    os._exit(128 + number)


def _save_screenshot(window: MainWindow, path: Path, failures: list[Exception]) -> None:
    try:
        save_window_screenshot(window, path)
    except Exception as error:  # noqa: BLE001 - raised again once the window is closed
        failures.append(error)
    window.close()
