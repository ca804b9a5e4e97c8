"""A virtual camera for other programs, fed through a process of its own, and what it needs on this machine.

The library that talks to the drivers, pyvirtualcam, is GPL-2.0: it is not shipped and never imported here. The user's
own Python runs `assets/virtual_camera/send_frames.py`, which gets frames through a pipe.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import OutputError, SourceError
from engine.core.paths import asset_path
from engine.core.platforms import NO_TERMINAL, shell_line, virtual_camera_driver
from engine.core.processes import foreign_environment, is_bundled
from engine.output.letterbox import Letterbox
from engine.output.worker import OnError, OutputWorker
from engine.sources.discovery import Camera

OPEN_LIMIT = 15.0  # seconds
# A picture is repeated after this time without another: programs take a silent camera for a broken one.
REPEAT_AFTER = 0.5
RATE = 30.0  # frames per second that the camera announces
GOODBYE = 0.5  # seconds for the process to release the device


class VirtualCamera(OutputWorker[NDArray[np.uint8]]):
    """Shows pictures in a virtual camera. Of pictures that come faster than they can be shown, the newest counts.

    Pictures of another size than `size` are fitted in with black bars, so that other programs see one size.

    Args:
        size: width and height in pixels; odd ones lose a pixel, because drivers halve the colours.
        source: the camera whose picture is shown; refused if it is this virtual camera.
        on_error: called with the error that ended it, see `OutputWorker`.
        command: the program that shows frames; None for ours.

    Attributes:
        device: name or path of the virtual camera, "" until it is open.
        sent: pictures that were sent, without repetitions.

    Raises:
        OutputError: no Python was found that could run the program.
    """

    late = "its driver does not answer"

    def __init__(
        self,
        size: tuple[int, int],
        source: Camera | None = None,
        on_error: OnError | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__("The virtual camera", None, on_error)
        self.size = max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)
        self.device, self.sent = "", 0
        self._source = source
        self._command = [*(command or child_command()), str(self.size[0]), str(self.size[1]), str(RATE)]
        self._process: subprocess.Popen[bytes] | None = None
        self._thread.start()

    def send(self, picture: NDArray[np.uint8]) -> None:
        """Queue a picture to be shown, `[H, W, 4]` BGRA or `[H, W, 3]` RGB, uint8; it may not be changed afterwards."""
        self._give(picture)

    def stop(self, timeout: float = 1.0) -> bool:
        """End within `timeout` seconds; return whether everything did. A process that does not end is killed."""
        if not self._join(timeout - GOODBYE) and self._process is not None:
            self._process.kill()  # it may not be reading, and then our writing never returns
        return self._join(GOODBYE)

    def _write(self) -> None:
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a bundled application may have none to pass on
                env=foreign_environment(),
                creationflags=NO_TERMINAL,
            )
        except OSError as error:
            raise problem_error("package", str(error), self._command[0]) from error
        assert process.stdin is not None
        self._process = process
        listener = threading.Thread(target=self._listen, args=(process,), name="virtual camera listener", daemon=True)
        listener.start()
        try:
            if self._opened.wait(OPEN_LIMIT):
                self._pump(process)
            else:
                self._fail(
                    OutputError("The virtual camera did not start in time", "its driver hangs", "restart the computer")
                )
        finally:
            # Closing the pipe ends the program; it is killed if it does not end.
            with suppress(OSError, ValueError):
                process.stdin.close()
            try:
                process.wait(GOODBYE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(GOODBYE)
            listener.join(GOODBYE)

    def _pump(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        letterbox = Letterbox(self.size)
        shown: bytes | memoryview = b""
        while self._goes_on:
            picture = self._take(REPEAT_AFTER)
            if picture is not None:
                bgr = letterbox.fit(picture)
                shown = (bgr if picture.shape[2] == 4 else cv2.cvtColor(bgr, cv2.COLOR_RGB2BGR)).data
            elif not shown or not self._goes_on:
                continue
            try:
                process.stdin.write(shown)
                process.stdin.flush()
            except OSError:  # the process is gone; the listener reports why
                return
            self.sent += picture is not None

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Read what the process reports until it ends."""
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with suppress(ValueError, TypeError, AttributeError):  # libraries may print other things
                    self._on_message(json.loads(line))
        if not self._ending:
            self._fail(problem_error("lost", f"exit code {process.wait()}", self._command[0]))

    def _on_message(self, said: dict[str, str]) -> None:
        if "problem" in said:
            self._fail(problem_error(said["problem"], said.get("detail", ""), self._command[0]))
        elif "device" in said:
            if self._source is not None and is_same(self._source, said["device"]):
                self._fail(feedback_error(self._source))
            self.device = said["device"]
            self._opened.set()


def is_same(camera: Camera, device: str) -> bool:
    """Return whether a camera is the virtual camera `device`: by its path, or where devices have none, by its name."""
    name, own = camera.name.casefold(), device.casefold()
    return bool(device) and (camera.path == device or name == own or name.startswith(f"{own} ("))


def feedback_error(camera: Camera) -> SourceError:
    """Return the error of a virtual camera of ours that is its own source."""
    return SourceError(
        f"The camera “{camera.name}” is the virtual camera that this program feeds",
        "its picture would show itself, over and over",
        "choose another camera, or switch the virtual camera off",
    )


def child_command(frozen: bool | None = None, which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Return the command that shows frames in a virtual camera, without its arguments.

    The bundled, `frozen` application has no Python: that on the path is used. None detects which it is.

    Raises:
        OutputError: the application is bundled and there is no Python on the path.
    """
    python: str | None = sys.executable
    if is_bundled() if frozen is None else frozen:
        python = which("python3") or which("python")
    if not python:
        raise OutputError(
            "The virtual camera needs Python, and none was found",
            "the application does not bring the package pyvirtualcam, because of its licence",
            "install Python 3 from python.org, then run: python3 -m pip install pyvirtualcam numpy",
        )
    return [python, os.fspath(asset_path("virtual_camera", "send_frames.py"))]


def problem_error(problem: str, detail: str, python: str) -> OutputError:
    """Return the error for a problem that the program names, “package”, “device” or “lost”, see `send_frames.py`.

    Its detail is what the library said, and `python` ran it.
    """
    if problem == "package":
        return OutputError(
            f"The virtual camera needs a package that is not installed ({detail})",
            "pyvirtualcam is not shipped, because of its licence (GPL-2.0)",
            f"run: {shell_line([python, '-m', 'pip', 'install', 'pyvirtualcam', 'numpy'])}",
        )
    driver = virtual_camera_driver()
    if problem == "device":
        return OutputError(
            f"No virtual camera can be opened ({detail.strip()})",
            "its driver is not installed, or another program feeds it",
            driver,
        )
    return OutputError(
        f"The virtual camera stopped ({detail.strip()})",
        "its driver was removed, or its process was ended",
        "switch it on again",
    )
