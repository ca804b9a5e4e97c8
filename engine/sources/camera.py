"""A camera as a source of frames."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import cv2
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.core.platforms import camera_place
from engine.sources.base import CameraFormat, SourceKind, to_rgb, turned
from engine.sources.discovery import Camera

log = logging.getLogger(__name__)

FORMATS = (CameraFormat(640, 480, 30), CameraFormat(1280, 720, 30), CameraFormat(1920, 1080, 30))
DEFAULT_FORMAT = FORMATS[0]
# Failed reads in a row after which the camera counts as disconnected; a single one may be a glitch of the cable.
MOST_BAD_READS = 5
BAD_READ_PAUSE = 0.02  # seconds; a disconnected camera fails at once, and a glitch needs a moment to pass


class VideoCapture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def isOpened(self) -> bool: ...
    def read(self) -> tuple[bool, Any]: ...
    def grab(self) -> bool: ...
    def set(self, propId: int, value: float) -> bool: ...
    def get(self, propId: int) -> float: ...
    def release(self) -> None: ...


OpenCapture = Callable[[int, int], VideoCapture]


class CameraRefused(SourceError):
    """The camera is there but cannot be used: another program uses it, or the system does not allow it."""


class CameraDenied(CameraRefused):
    """The system does not let this program use the camera."""


class CameraSource:
    """Frames of a camera. Its rate is measured by the reader, and the reported one is ignored.

    Opening may take many seconds with some drivers, and reading may block for ever when a camera is unplugged; both
    belong on a thread that can be abandoned.

    Args:
        camera: which one, as listed by `engine.sources.discovery`.
        wanted: what to ask for, and how the pictures are turned; the camera may deliver something else.
        open_capture: opens a device by its index and backend.
        fallbacks: the same device on other backends, tried in turn when the first one fails.
        known: by the names of cameras, the backend that opened them. That of this camera is tried first, because a
            failing backend may be slow; the one that works is stored here.

    Raises:
        CameraDenied: permission is missing.
        CameraRefused: another program uses the camera, or it delivers no picture.
    """

    kind = SourceKind.CAMERA
    remark = ""

    def __init__(
        self,
        camera: Camera,
        wanted: CameraFormat = DEFAULT_FORMAT,
        open_capture: OpenCapture = cv2.VideoCapture,
        fallbacks: Sequence[Camera] = (),
        known: dict[str, int] | None = None,
    ) -> None:
        self.name = camera.name
        self.rate: float | None = None
        self.frame_count: int | None = None
        self._next_id = 0
        self._closed = False
        # A device must not be released while a read is inside the driver: some crash the whole program.
        self._device = threading.Lock()
        self._wanted = self._asked = wanted
        known = {} if known is None else known
        listed = sorted([camera, *fallbacks], key=lambda listed: listed.backend != known.get(camera.name))
        self._capture, known[camera.name] = _open_any(listed, wanted, open_capture)

    def ask(self, wanted: CameraFormat) -> None:
        """Ask for something else before the next picture; returns at once, from any thread."""
        self._wanted = wanted

    def read(self) -> Frame | None:
        """Return the next frame; None once the camera was closed.

        Raises:
            SourceError: the camera was disconnected, or delivers pictures of an unknown kind.
        """
        for attempt in range(MOST_BAD_READS):
            if attempt:
                time.sleep(BAD_READ_PAUSE)
            with self._device:
                if self._closed:
                    return None
                wanted = self._wanted
                if replace(wanted, turn=0) != replace(self._asked, turn=0):  # turning is not the camera's work
                    _configure(self._capture, wanted)
                self._asked = wanted
                picture = _read_picture(self._capture)
            captured = time.monotonic()
            if picture is not None:
                image = to_rgb(turned(picture, wanted.turn), self.name)
                frame = Frame(self._next_id, captured, image, self.name)
                self._next_id += 1
                return frame
        raise SourceError(
            f"The camera “{self.name}” was disconnected",
            "it was unplugged, went to sleep, or another program took it over",
            "plug it in again",
        )

    def close(self) -> None:
        """Release the device as soon as no read is inside the driver; blocks as long as the driver does."""
        self._closed = True
        with self._device:
            self._capture.release()


def _open_any(cameras: Sequence[Camera], wanted: CameraFormat, open_capture: OpenCapture) -> tuple[VideoCapture, int]:
    """Open the first of the cameras that delivers a picture; return its backend too.

    Raises:
        SourceError: none does; the error is that of the first.
    """
    errors: list[SourceError] = []
    for camera in cameras:
        try:
            return _open(camera, wanted, open_capture), camera.backend
        except SourceError as error:
            log.info("%s (backend %d): %s", camera.name, camera.backend, error)
            errors.append(error)
    raise errors[0]


def _open(camera: Camera, wanted: CameraFormat, open_capture: OpenCapture) -> VideoCapture:
    _check_permission(camera)
    try:
        capture = open_capture(camera.index, camera.backend)
    except Exception as error:  # drivers fail in many ways, all with the same meaning here
        raise _unusable(camera, "cannot be opened") from error
    if not capture.isOpened():
        capture.release()
        raise _unusable(camera, "cannot be opened")
    _configure(capture, wanted)
    # A camera in use by another program often opens and then stays silent, so only a picture proves that it works.
    # The first one is discarded: it is often dark or torn.
    for attempt in range(MOST_BAD_READS):
        if attempt:
            time.sleep(BAD_READ_PAUSE)
        if _read_picture(capture) is not None:
            return capture
    capture.release()
    raise _unusable(camera, "opens but gives no picture")


def _configure(capture: VideoCapture, wanted: CameraFormat) -> None:
    """Ask for pixels, size, rate and no queue of old frames; a camera that refuses is used as it is."""
    wishes = (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.pixels)),
        (cv2.CAP_PROP_FRAME_WIDTH, wanted.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, wanted.height),
        (cv2.CAP_PROP_FPS, wanted.rate),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    )
    for prop, value in wishes:
        if not capture.set(prop, value):
            log.debug("The camera ignores property %d = %s", prop, value)


def _read_picture(capture: VideoCapture) -> NDArray[Any] | None:
    """Read once; None for every way in which drivers say that there is no picture."""
    try:
        done, picture = capture.read()
    except Exception as error:  # noqa: BLE001  drivers fail in many ways, all with the same meaning here
        log.debug("The driver failed: %s", error)
        return None
    return picture if done and picture is not None and picture.size else None


def _check_permission(camera: Camera) -> None:
    """Raise `CameraDenied` where the device's file says so, which is on Linux only."""
    path = camera.path
    if path.startswith("/dev/") and Path(path).exists() and not os.access(path, os.R_OK | os.W_OK):
        raise CameraDenied(
            f"The camera “{camera.name}” may not be used",
            f"this user has no permission to read {path}",
            "add your user to the group video (sudo usermod -aG video $USER), then log out and in again",
        )


def _unusable(camera: Camera, what: str) -> CameraRefused:
    why, fix = "another program probably uses it", "close the other program and try again, or choose another camera"
    if (place := camera_place()) is not None:
        why += ", or the system keeps this program from using the camera"
        fix = f"close the other program, and allow the camera in {place}"
    return CameraRefused(f"The camera “{camera.name}” {what}", why, fix)
