"""What leaves the program while frames run: recordings, the landmark log, the stream and the virtual camera."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QStandardPaths, Signal

from app.shell.background import Background
from engine.core.errors import UnderstudyError
from engine.core.faces import Result
from engine.inference.signals import FaceSignals
from engine.live.view import View
from engine.output.landmark_log import LandmarkLog, Logged
from engine.output.recorder import LiveRecorder, Recorded
from engine.output.streaming.streamer import Streamer
from engine.output.virtual_camera.camera import VirtualCamera, is_same
from engine.sources.discovery import Camera

log = logging.getLogger(__name__)

FINISH_SECONDS = 2.0  # what files get for being finished when the window closes


class Recording(Enum):
    """What is recorded."""

    VIEW = "view"  # what is on screen, overlays included
    FRAMES = "frames"  # the frames as the source gave them
    BOTH = "both"


def recordings_folder() -> Path:
    """Return where recordings and logs go unless the user chose a folder: `Understudy` in the folder of videos."""
    videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    return Path(videos or Path.home()) / "Understudy"


class Outputs(QObject):
    """Owns everything that is written or sent. Lives on the GUI thread; only `on_result` is called from another one.

    Args:
        folder: where files go; `recordings_folder()` if None.
    """

    troubled = Signal(object)  # UnderstudyError
    told = Signal(str)  # a sentence for the status line
    recording_changed = Signal(bool)
    log_changed = Signal(bool)
    stream_changed = Signal(bool)
    virtual_changed = Signal(bool)
    closed = Signal()
    _failed = Signal(object)  # UnderstudyError, from the threads of what failed

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder or recordings_folder()
        self._view_recorder: LiveRecorder | None = None
        self._frame_recorder: LiveRecorder | None = None
        self._log: LandmarkLog | None = None
        self._streamer: Streamer | None = None
        self._virtual: VirtualCamera | None = None
        self._virtual_source: Camera | None = None
        self._virtual_wanted = False
        self._last_frame = -1
        self._names: set[str] = set()  # that were given
        self._background = Background(self)
        self._failed.connect(self._on_failed)

    @property
    def is_recording(self) -> bool:
        """Whether pictures are being recorded."""
        return self._view_recorder is not None or self._frame_recorder is not None

    @property
    def is_logging(self) -> bool:
        """Whether landmarks are being logged."""
        return self._log is not None

    def on_result(self, result: Result, signals: tuple[FaceSignals | None, ...]) -> None:
        """Take a result of the first lane; called on the inference thread, returns at once."""
        landmark_log, streamer = self._log, self._streamer
        if landmark_log is not None:
            landmark_log.add(result, signals)
        if streamer is not None:
            streamer.send(result, signals)

    def show(self, view: View, compose: Callable[[], NDArray[np.uint8] | None]) -> None:
        """Record a view; `compose` returns what is on screen, `[H, W, 4]` uint8 BGRA."""
        frame = view.first.result.frame
        if (self._view_recorder is not None or self._virtual_wanted) and (pixels := compose()) is not None:
            self._show_pixels(pixels, frame.captured)
        if self._frame_recorder is not None and frame.id != self._last_frame:
            self._frame_recorder.add(frame.image, frame.captured)
        self._last_frame = frame.id

    def record(self, what: Recording) -> None:
        """Begin to record into new files of the folder."""
        stem = self._stem()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if what in (Recording.VIEW, Recording.BOTH):
                self._view_recorder = self._make_recorder(stem.with_name(f"{stem.name}.mp4"))
            if what in (Recording.FRAMES, Recording.BOTH):
                self._frame_recorder = self._make_recorder(stem.with_name(f"{stem.name} clean.mp4"))
        except (UnderstudyError, OSError) as error:
            self.troubled.emit(_sentence(error, self._folder))
            self.stop_recording()
        self.recording_changed.emit(self.is_recording)

    def stop_recording(self) -> None:
        """Finish the files; what became of them is told when they are whole."""
        recorders = [recorder for recorder in (self._view_recorder, self._frame_recorder) if recorder is not None]
        self._view_recorder = self._frame_recorder = None
        for recorder in recorders:
            recorder.end()
            self._finish(recorder.stop, self._tell_recorded)
        self.recording_changed.emit(False)

    def start_log(self, ending: str) -> None:
        """Begin to log landmarks; `ending` is `.jsonl`, `.csv`, or `` for a folder of `.pts` files."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            stem = self._stem()
            path = stem.with_name(f"{stem.name} landmarks{ending}")
            self._log = LandmarkLog(path, self._failed.emit)
        except (UnderstudyError, OSError) as error:
            self.troubled.emit(_sentence(error, self._folder))
        self.log_changed.emit(self.is_logging)

    def stop_log(self) -> None:
        """Finish the log."""
        landmark_log, self._log = self._log, None
        if landmark_log is not None:
            self._finish(landmark_log.stop, self._tell_logged)
        self.log_changed.emit(False)

    def start_stream(self, address: str) -> None:
        """Send landmarks to an address, see `engine.output.streaming.address`."""
        self.stop_stream()
        try:
            self._streamer = Streamer(address, self._failed.emit)
            self.told.emit(self.tr("Landmarks go to {0}").format(self._streamer.address))
        except UnderstudyError as error:
            self.troubled.emit(error)
        self.stream_changed.emit(self._streamer is not None)

    def stop_stream(self) -> None:
        """Send no more."""
        streamer, self._streamer = self._streamer, None
        if streamer is not None:
            self._background.run(streamer.stop, lambda _: None)
            self.stream_changed.emit(False)

    def start_virtual_camera(self, source: Camera | None) -> None:
        """Show the view in a virtual camera from the next picture on; `source` is the camera it comes from, if any."""
        self._virtual_wanted, self._virtual_source = True, source
        self.virtual_changed.emit(True)

    def stop_virtual_camera(self) -> None:
        """Take the virtual camera away."""
        virtual, self._virtual, self._virtual_wanted = self._virtual, None, False
        if virtual is not None:
            self._background.run(virtual.stop, lambda _: None)
        self.virtual_changed.emit(False)

    def feeds(self, camera: Camera) -> bool:
        """Tell whether a camera is the virtual one that this program feeds."""
        return self._virtual is not None and is_same(camera, self._virtual.device)

    def close(self) -> None:
        """Finish everything; `closed` tells when, after `FINISH_SECONDS` at the latest."""
        enders: list[Callable[[float], object]] = []
        for recorder in (self._view_recorder, self._frame_recorder):
            if recorder is not None:
                recorder.end()
                enders.append(recorder.stop)
        enders += [part.stop for part in (self._log, self._streamer, self._virtual) if part is not None]
        self._view_recorder = self._frame_recorder = None
        self._log = self._streamer = self._virtual = None
        self._virtual_wanted = False
        if not enders:
            self.closed.emit()
            return

        def finish() -> None:
            for end in enders:
                try:
                    end(FINISH_SECONDS / len(enders))
                except UnderstudyError as error:  # the window is gone: only the log can still tell
                    log.warning("%s", error)

        self._background.run(finish, lambda _: self.closed.emit())

    def _show_pixels(self, pixels: NDArray[np.uint8], moment: float) -> None:
        if self._view_recorder is not None:
            self._view_recorder.add(pixels, moment)
        if self._virtual_wanted and self._virtual is None:
            self._open_virtual_camera((pixels.shape[1], pixels.shape[0]))
        if self._virtual is not None:
            self._virtual.send(pixels)

    def _open_virtual_camera(self, size: tuple[int, int]) -> None:
        try:
            self._virtual = VirtualCamera(size, source=self._virtual_source, tell=self._failed.emit)
        except UnderstudyError as error:
            self.stop_virtual_camera()
            self.troubled.emit(error)

    def _stem(self) -> Path:
        """Return a path of date and time with which no file begins, be it there or still to be made."""
        stem = name = f"{datetime.now():%Y-%m-%d %H.%M.%S}"
        count = 1
        while name in self._names or any(self._folder.glob(f"*{name}[. ]*")):
            count += 1
            name = f"{stem} ({count})"
        self._names.add(name)
        return self._folder / name

    def _make_recorder(self, path: Path) -> LiveRecorder:
        return LiveRecorder(path, tell=self._failed.emit)

    def _finish(self, stop: Callable[[], object], tell: Callable[[object], None]) -> None:
        def finish() -> object:
            try:
                return stop()
            except UnderstudyError as error:
                return error

        self._background.run(finish, tell)

    def _tell_recorded(self, outcome: object) -> None:
        if isinstance(outcome, UnderstudyError):
            self.troubled.emit(outcome)
        elif isinstance(outcome, Recorded) and outcome.frames:
            words = self.tr("Recorded {0:.0f} s: {1}").format(outcome.seconds, outcome.path)
            if outcome.dropped:
                words += self.tr(" ({0} frames are missing: the disk was too slow)").format(outcome.dropped)
            self.told.emit(words)

    def _tell_logged(self, outcome: object) -> None:
        if isinstance(outcome, UnderstudyError):
            self.troubled.emit(outcome)
        elif isinstance(outcome, Logged) and outcome.paths:
            self.told.emit(self.tr("Landmarks of {0} frames: {1}").format(outcome.frames, outcome.paths[0]))

    def _on_failed(self, error: UnderstudyError) -> None:
        """Tell of an output that ended by itself; the others go on. A stream that was open tries on."""
        self.troubled.emit(error)
        if any(part is not None and part.error is error for part in (self._view_recorder, self._frame_recorder)):
            self.stop_recording()
        elif self._log is not None and self._log.error is error:
            self.stop_log()
        elif self._virtual is not None and self._virtual.error is error:
            self.stop_virtual_camera()
        elif self._streamer is not None and self._streamer.error is error and not self._streamer.is_open:
            self.stop_stream()


def _sentence(error: Exception, folder: Path) -> UnderstudyError:
    if isinstance(error, UnderstudyError):
        return error
    return UnderstudyError(
        f"Nothing can be written into {folder}", str(error), "choose another folder in the settings file"
    )
