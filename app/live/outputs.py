"""The live outputs: recordings, the landmark log, the session report, the stream and the virtual camera."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QStandardPaths, Signal, SignalInstance

from app.live.active_source import FIRST
from app.live.screenshot import new_name, own_folder
from app.shell.background import Background
from engine.core.errors import UnderstudyError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.texts import reason
from engine.evaluation.session_report.report import Setting
from engine.live.session_reporter import WRITING_SECONDS, LaneFacts, Reported, SessionReporter
from engine.live.view import View
from engine.output.landmark_log import LandmarkLog, Logged
from engine.output.recorder import LiveRecorder, Recorded
from engine.output.rescue import rescue_recordings
from engine.output.streaming.streamer import Streamer
from engine.output.virtual_camera import VirtualCamera, is_same
from engine.output.worker import OutputWorker
from engine.sources.discovery import Camera

log = logging.getLogger(__name__)

FINISH_SECONDS = 2.0  # time for finishing files when the window closes; a report has its own


class Recording(Enum):
    """What is recorded."""

    VIEW = "view"  # what is on screen, overlays included
    FRAMES = "frames"  # the frames as the source gave them
    BOTH = "both"


def recordings_folder() -> Path:
    """Return the default folder of recordings and logs: `Understudy` in the folder of videos."""
    return own_folder(QStandardPaths.StandardLocation.MoviesLocation)


class Outputs(QObject):
    """Owns everything that is written or sent. Lives on the GUI thread; only `on_result` is called from another one.

    Args:
        folder: where files go; `recordings_folder()` if None.
        is_fed: returns whether pictures come, or soon may; without any, nothing is begun that would stay empty.
        measured: returns how the lanes run, and how many they are; None while nothing plays.
        lane_facts: returns what is known of a lane besides its results; may be called on any thread.

    Attributes:
        refusal: why the last output that would have stayed empty was not begun; None before there was one.
    """

    failed = Signal(object)  # UnderstudyError
    reported = Signal(str)  # a sentence for the status line
    recording_changed = Signal(bool)
    log_changed = Signal(bool)
    report_changed = Signal(bool)
    stream_changed = Signal(bool)
    virtual_changed = Signal(bool)
    log_written = Signal(object)  # Path of its first file
    closed = Signal()
    _worker_failed = Signal(object, object)  # OutputWorker, UnderstudyError; from the thread of the output that failed

    def __init__(
        self,
        folder: Path | None,
        is_fed: Callable[[], bool],
        measured: Callable[[], tuple[Setting, int] | None],
        lane_facts: Callable[[int], LaneFacts],
    ) -> None:
        super().__init__()
        self._folder = folder or recordings_folder()
        self._is_fed, self._measured, self._lane_facts = is_fed, measured, lane_facts
        self._view_recorder: LiveRecorder | None = None
        self._frame_recorder: LiveRecorder | None = None
        self._log: LandmarkLog | None = None
        self._reporter: SessionReporter | None = None
        self._streamer: Streamer | None = None
        self._virtual: VirtualCamera | None = None
        self._virtual_source: Camera | None = None
        self._virtual_wanted = False
        self._finishing: list[OutputWorker[Any]] = []  # ended before, and still at work on their files
        self.refusal: UnderstudyError | None = None
        self._last_frame: Frame | None = None  # that was recorded or could have been
        self._names: set[str] = set()  # file names that are in use
        self._background = Background(self)
        self._worker_failed.connect(self._on_failed)

    def rescue(self) -> None:
        """Mend what a program that was killed was recording in the folder, and report it; returns at once."""
        self._background.run(lambda: rescue_recordings(self._folder), self._on_rescued)

    @property
    def active(self) -> bool:
        """Whether anything is recorded, logged or sent."""
        outputs = (self._view_recorder, self._frame_recorder, self._log, self._reporter, self._streamer)
        return self._virtual_wanted or any(output is not None for output in outputs)

    @property
    def reports(self) -> bool:
        """Whether the session is measured for a report."""
        return self._reporter is not None

    def on_result(self, lane: int, result: Result, signals: tuple[FaceSignals | None, ...]) -> None:
        """Pass a result of a lane on; called on the finder's thread, returns at once. Streams get the first lane's."""
        landmark_log, reporter, streamer = self._log, self._reporter, self._streamer
        if landmark_log is not None:
            landmark_log.add(result, signals, lane)
        if reporter is not None:
            reporter.add(lane, result)
        if streamer is not None and lane == FIRST:
            streamer.send(result, signals)

    def show(self, view: View, compose: Callable[[], NDArray[np.uint8] | None]) -> None:
        """Record a view; `compose` returns what is on screen, `[H, W, 4]` uint8 BGRA."""
        frame = view.first.result.frame
        if (self._view_recorder is not None or self._virtual_wanted) and (pixels := compose()) is not None:
            if self._view_recorder is not None:
                self._view_recorder.add(pixels, frame.captured)
            if self._virtual_wanted:
                self._send_to_virtual_camera(pixels)
        if self._frame_recorder is not None and frame is not self._last_frame:
            self._frame_recorder.add(frame.image, frame.captured)
        self._last_frame = frame

    def record(self, what: Recording) -> None:
        """Begin to record into new files in the folder."""
        if self._refuses(self.recording_changed):
            return
        stem, failed = self._stem(), self._worker_failed.emit

        def open_files() -> None:
            if what in (Recording.VIEW, Recording.BOTH):
                self._view_recorder = LiveRecorder(stem.with_name(f"{stem.name}.mp4"), on_error=failed)
            if what in (Recording.FRAMES, Recording.BOTH):
                clean = stem.with_name(f"{stem.name} clean.mp4")
                self._frame_recorder = LiveRecorder(clean, on_error=failed)

        if self._opens(open_files):
            self.recording_changed.emit(True)
        else:
            self.stop_recording()

    def stop_recording(self) -> None:
        """Finish the files; the outcome is reported when they are complete."""
        self._finish(self._view_recorder, self._frame_recorder)
        self._view_recorder = self._frame_recorder = None
        self.recording_changed.emit(False)

    def start_log(self, ending: str) -> None:
        """Begin to log landmarks; `ending` is `.jsonl`, `.csv`, or `` for a folder of `.pts` files."""
        if self._refuses(self.log_changed):
            return
        stem = self._stem()

        def open_log() -> None:
            self._log = LandmarkLog(stem.with_name(f"{stem.name} landmarks{ending}"), self._worker_failed.emit)

        self.log_changed.emit(self._opens(open_log))

    def stop_log(self) -> None:
        """Finish the log."""
        self._finish(self._log)
        self._log = None
        self.log_changed.emit(False)

    def start_report(self, folder: Path | None = None, replays: bool = False) -> None:
        """Begin to measure the session for a report.

        Args:
            folder: for its files; None for a new one beside the recordings.
            replays: whether a file is about to be sought in; it is measured from there.
        """
        measured = self._measured()
        if self._reporter is not None or measured is None or (not replays and self._refuses(self.report_changed)):
            return
        if folder is None:
            stem = self._stem()
            folder = stem.with_name(f"{stem.name} report")
        self._reporter = SessionReporter(folder, *measured, self._lane_facts, self._worker_failed.emit, replays)
        self.report_changed.emit(True)

    def note_setting(self) -> None:
        """Let the report know how the lanes run now."""
        measured = self._measured()
        if self._reporter is not None and measured is not None:
            self._reporter.setting, _ = measured

    def stop_report(self) -> None:
        """Write the report; the outcome is reported when it is complete."""
        self._finish(self._reporter)
        self._reporter = None
        self.report_changed.emit(False)

    def start_stream(self, address: str) -> None:
        """Send landmarks to an address, see `engine.output.streaming.address`."""
        self.stop_stream()
        try:
            self._streamer = Streamer(address, self._worker_failed.emit)
            self.reported.emit(self.tr("Landmarks go to {0}").format(self._streamer.address))
        except UnderstudyError as error:
            self.failed.emit(error)
        self.stream_changed.emit(self._streamer is not None)

    def stop_stream(self) -> None:
        """Stop sending."""
        if self._streamer is not None:
            self._finish(self._streamer)
            self._streamer = None
            self.stream_changed.emit(False)

    def start_virtual_camera(self, source: Camera | None) -> None:
        """Show the view in a virtual camera from the next picture on; `source` is the camera it comes from, if any."""
        self._virtual_wanted, self._virtual_source = True, source
        self.virtual_changed.emit(True)

    def stop_virtual_camera(self) -> None:
        """Close the virtual camera."""
        self._finish(self._virtual)
        self._virtual, self._virtual_wanted = None, False
        self.virtual_changed.emit(False)

    def feeds(self, camera: Camera) -> bool:
        """Return whether a camera is the virtual one that this program feeds."""
        return self._virtual is not None and is_same(camera, self._virtual.device)

    def close(self) -> None:
        """Finish everything; `closed` is emitted when that is done, or those that hang have had their time.

        A report has `WRITING_SECONDS`: nothing of a session is on the disk before its end. All else is written as it
        comes, and has `FINISH_SECONDS`.
        """
        outputs = (
            self._view_recorder, self._frame_recorder, self._log, self._reporter, self._streamer, self._virtual
        )  # fmt: skip
        workers: list[OutputWorker[Any]] = [*self._finishing, *(worker for worker in outputs if worker is not None)]
        self._view_recorder = self._frame_recorder = self._log = None
        self._reporter = self._streamer = self._virtual = None
        self._virtual_wanted = False
        if not workers:
            self.closed.emit()
            return
        for worker in workers:
            worker.end()
        began = time.monotonic()

        def wait() -> None:
            for worker in workers:
                limit = WRITING_SECONDS if isinstance(worker, SessionReporter) else FINISH_SECONDS
                _outcome(worker, max(0.0, began + limit - time.monotonic()))

        self._background.run(wait, lambda _: self.closed.emit())

    def _send_to_virtual_camera(self, pixels: NDArray[np.uint8]) -> None:
        try:
            if self._virtual is None:
                size = pixels.shape[1], pixels.shape[0]
                self._virtual = VirtualCamera(size, source=self._virtual_source, on_error=self._worker_failed.emit)
            self._virtual.send(pixels)
        except UnderstudyError as error:
            self.stop_virtual_camera()
            self.failed.emit(error)

    def _opens(self, open_files: Callable[[], None]) -> bool:
        """Make the folder, open files in it, and return whether that went well; report it if not."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            open_files()
            return True
        except UnderstudyError as error:
            self.failed.emit(error)
        except OSError as error:
            self.failed.emit(
                UnderstudyError(
                    f"Nothing can be written into {self._folder}",
                    reason(error),
                    "choose another folder in the settings file",
                )
            )
        return False

    def _refuses(self, changed: SignalInstance) -> bool:
        """Return whether no picture is arriving, and report it."""
        if self._is_fed():
            return False
        what, why = self.tr("There is nothing to record"), self.tr("the source has ended, so no picture is arriving")
        self.refusal = UnderstudyError(what, why, self.tr("play it again, then record"))
        self.failed.emit(self.refusal)
        changed.emit(False)
        return True

    def _stem(self) -> Path:
        """Return a path of date and time with which no file begins, not even one still to be made."""
        name = new_name(lambda name: name in self._names or any(self._folder.glob(f"*{name}[. ]*")))
        self._names.add(name)
        return self._folder / name

    def _finish(self, *workers: OutputWorker[Any] | None) -> None:
        """Let outputs end at the same time, without waiting, and report the outcome of each."""
        for worker in workers:
            if worker is not None:
                worker.end()
                self._finishing.append(worker)
                self._background.run(partial(_outcome, worker), partial(self._on_finished, worker))

    def _on_rescued(self, rescued: list[Path]) -> None:
        for path in rescued:
            self.reported.emit(self.tr("A recording that was broken off is saved: {0}").format(path))

    def _on_finished(self, worker: OutputWorker[Any], outcome: object) -> None:
        self._finishing.remove(worker)
        self._report(outcome)

    def _report(self, outcome: object) -> None:
        if isinstance(outcome, UnderstudyError):
            self.failed.emit(outcome)
        elif isinstance(outcome, Recorded) and outcome.frames:
            words = self.tr("Recorded {0:.0f} s, without sound: {1}").format(outcome.seconds, outcome.path)
            if outcome.dropped:
                words += self.tr(" ({0} frames are missing: the disk was too slow)").format(outcome.dropped)
            self.reported.emit(words)
        elif isinstance(outcome, Logged) and outcome.paths:
            self.reported.emit(self.tr("Landmarks of {0} frames: {1}").format(outcome.frames, outcome.paths[0]))
            self.log_written.emit(outcome.paths[0])
        elif isinstance(outcome, Reported) and outcome.frames:
            self.reported.emit(self.tr("Report of {0} frames: {1}").format(outcome.frames, outcome.path))

    def _on_failed(self, worker: OutputWorker[Any], error: UnderstudyError) -> None:
        """Report an error, and switch off the output that it ended; the others go on."""
        self.failed.emit(error)
        for running, stop in (
            (self._view_recorder, self.stop_recording),
            (self._frame_recorder, self.stop_recording),
            (self._log, self.stop_log),
            (self._reporter, self.stop_report),
            (self._streamer, self.stop_stream),
            (self._virtual, self.stop_virtual_camera),
        ):
            if worker is running and worker.has_ended:
                stop()
                return


def _outcome(worker: OutputWorker[Any], timeout: float | None = None) -> object:
    try:
        return worker.stop() if timeout is None else worker.stop(timeout)
    except UnderstudyError as error:
        log.warning("%s", error)  # once the window is gone, only the log can report it
        return error
