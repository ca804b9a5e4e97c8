"""A camera in the network, by its address: MJPEG over HTTP and RTSP, as the FFmpeg inside OpenCV reads them."""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import cv2
from numpy.typing import NDArray

from engine.core.addresses import redacted
from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.core.texts import reason
from engine.sources.base import CameraFormat, SourceKind, to_rgb, turned
from engine.sources.camera import DEFAULT_FORMAT

# Seconds. FFmpeg looks at a stream for up to five of them before it opens; a picture is awaited for less than a reader
# waits for a driver (`engine.live.camera_reader.READ_LIMIT`), so that the sentence is ours.
OPEN_LIMIT, READ_LIMIT, CONNECT_LIMIT = 10.0, 4.0, 3.0
LONGEST_STATUS = 64  # bytes that are read of an answer
_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}


class NetworkCamera:
    """Frames of a stream. Its name is its address without what may be a password.

    A stream that changes the size of its pictures goes on in the first size. As with `CameraSource`, opening and
    reading belong on a thread that can be abandoned.

    Args:
        address: of the stream, with user name and password where it needs them.
        wanted: how its pictures are turned; what else is in it cannot be asked for.
        open_limit, read_limit: seconds that opening and each picture may take.

    Raises:
        SourceError: nothing answers, or not with a stream.
    """

    kind = SourceKind.CAMERA
    remark = ""

    def __init__(
        self,
        address: str,
        wanted: CameraFormat = DEFAULT_FORMAT,
        open_limit: float = OPEN_LIMIT,
        read_limit: float = READ_LIMIT,
    ) -> None:
        self.name = redacted(address)
        self.rate: float | None = None
        self.frame_count: int | None = None
        self._next_id = 0
        self._wanted = wanted
        self._closed = False
        self._device = threading.Lock()  # FFmpeg must not be closed while it reads
        self._capture = _open(address, open_limit, read_limit)
        if _read(self._capture) is None:
            raise self._failed(_unusable(address))
        if _read(self._capture) is None:
            what, why = f"“{self.name}” gave one picture only", "it is a snapshot, or the stream ends at once"
            raise self._failed(SourceError(what, why, "give the address of the camera's stream"))

    def ask(self, wanted: CameraFormat) -> None:
        """Turn the pictures from the next one on; returns at once, from any thread."""
        self._wanted = wanted

    def read(self) -> Frame | None:
        """Return the next frame; None once the camera was closed.

        Raises:
            SourceError: no picture came in time, or the stream has ended.
        """
        with self._device:
            if self._closed:
                return None
            picture = _read(self._capture)
        captured = time.monotonic()
        if picture is None:
            raise SourceError(
                f"The camera “{self.name}” stopped sending pictures",
                "it was switched off, it ended the stream, or the network is down",
                "switch it on, or look whether its address still answers",
            )
        image = to_rgb(turned(picture, self._wanted.turn), self.name)
        frame = Frame(self._next_id, captured, image, self.name)
        self._next_id += 1
        return frame

    def close(self) -> None:
        """Leave the stream as soon as no read is inside FFmpeg."""
        self._closed = True
        with self._device:
            self._capture.release()

    def _failed(self, error: SourceError) -> SourceError:
        self.close()
        return error


def _open(address: str, open_limit: float, read_limit: float) -> cv2.VideoCapture:
    # FFmpeg would write to the terminal what is said in a sentence here, and might name the address.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    limits = {cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: open_limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC: read_limit}
    parameters = [number for limit, seconds in limits.items() for number in (limit, round(seconds * 1000))]
    begun = time.monotonic()
    capture = _guarded(lambda: cv2.VideoCapture(address.strip(), cv2.CAP_FFMPEG, parameters))
    if capture is None or not capture.isOpened():
        raise _unusable(address, time.monotonic() - begun >= open_limit)
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    if count > 0 and not address.strip().casefold().startswith("rtsp"):  # which paces what has an end too
        capture.release()
        raise SourceError(
            f"“{redacted(address)}” is a video, not a camera",
            f"it has {count:.0f} pictures",
            "download it, and open the file",
        )
    return capture


def _read(capture: cv2.VideoCapture) -> NDArray[Any] | None:
    """Read once; None if there is no picture."""
    done, picture = _guarded(capture.read) or (False, None)
    return picture if done and picture is not None and picture.size else None


def _guarded(call: Callable[[], Any]) -> Any:
    """Return what OpenCV returns; None where it fails with words of its own, which may hold the address."""
    try:
        return call()
    except Exception:  # noqa: BLE001  as above
        return None


def _unusable(address: str, was_silent: bool = False) -> SourceError:
    """Return why a stream cannot be used, as far as a connection of our own finds out."""
    scheme = address.strip().partition("://")[0].casefold()
    login, _, bare = address.strip().partition("://")[2].rpartition("@")
    fix = "look whether the camera is on and in this network, and whether its address is right"
    try:
        parts = urlsplit(f"{scheme}://{bare}")
        host, port = parts.hostname or "", parts.port or _PORTS[scheme]
        with socket.create_connection((host, port), CONNECT_LIMIT) as connection:
            why, fix = "it answers, but sent no picture in time", "look whether the camera is busy, or start it again"
            if not was_silent:
                why, fix = _refusal(_status(connection, scheme, parts), scheme, has_login=bool(login))
    except ssl.SSLError:
        why, fix = f"it answers, but not as {scheme} needs it", f"try {scheme[:-1]}://, or another port"
    except socket.gaierror:
        why = f"no machine “{host}” is known in this network"
    except ValueError:  # of a port that is no number
        why = "the address has no host, or an impossible port"
    except OSError as error:
        why = f"nothing answers at port {port} of “{host}” ({reason(error)})"
    return SourceError(f"The camera “{redacted(address)}” cannot be opened", why, fix)


def _status(connection: socket.socket, scheme: str, parts: SplitResult) -> int:
    """Return the status with which a camera answers a request without user and password; 0 where it gives none.

    Raises:
        SSLError: it does not speak TLS, or not a version that is spoken here.
    """
    where = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    request = f"GET {where} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
    if scheme.startswith("rtsp"):
        request = f"DESCRIBE {scheme}://{parts.netloc}{where} RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    try:
        with ExitStack() as stack:
            if scheme.endswith("s"):
                # As FFmpeg does: cameras sign their certificates themselves, and no password is sent here.
                context = ssl._create_unverified_context()
                connection = stack.enter_context(context.wrap_socket(connection, server_hostname=parts.hostname))
            connection.sendall(request.encode())
            answer = connection.recv(LONGEST_STATUS)
    except ssl.SSLError:
        raise
    except OSError:
        return 0
    found = re.match(rb"(?:HTTP|RTSP)/\d\.\d (\d{3})", answer)
    return int(found[1]) if found else 0


def _refusal(status: int, scheme: str, has_login: bool) -> tuple[str, str]:
    """Return why a camera that answers with a status has given no stream, and what to do."""
    path = f"{scheme}://USER:PASSWORD@HOST/PATH"
    if status in (401, 403):
        if has_login:
            why = "it did not accept the user name and the password, or has no stream at this path"
            return why, "look at them in the settings of the camera; write @ as %40 and : as %3A"
        return "it asks for a user name and a password", f"give them in the address: {path}"
    if status == 404:
        return "it has no stream at this path", "look for the path of the stream in the manual of the camera"
    if status >= 500:
        return f"it answers that it cannot send now ({status})", "look who else watches it, or start it again"
    return "it answers, but sends no stream that can be read", f"give the path of the stream, with its login: {path}"
