"""A `cv2.VideoCapture` that does what a test's script says: works, fails, hangs, lies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import numpy as np

from engine.sources.camera import CameraSource
from engine.sources.discovery import Camera

# What one `read` does: gets the number of the read, returns what OpenCV would.
Step = Callable[[int], tuple[bool, object]]

WIDTH, HEIGHT = 64, 48
LONGEST_HANG = 20.0  # so that a broken test ends too


def noisy(width: int = WIDTH, height: int = HEIGHT, level: int = 120) -> Step:
    """A scene at rest with the noise of a sensor, different in each picture."""

    def step(number: int) -> tuple[bool, object]:
        noise = np.random.default_rng(number).integers(0, 12, (height, width, 3), np.uint8)
        return True, noise + np.uint8(level)

    return step


def gives(picture: np.ndarray) -> Step:
    """The very same picture, each time."""
    return lambda number: (True, picture.copy())


def black(number: int) -> tuple[bool, object]:
    """The picture of a covered lens: a little noise around nothing."""
    return True, np.random.default_rng(number).integers(0, 3, (HEIGHT, WIDTH, 3), np.uint8)


def fails(number: int) -> tuple[bool, object]:
    """What an unplugged camera says."""
    return False, None


def empty(number: int) -> tuple[bool, object]:
    """Success without a picture."""
    return True, (None if number % 2 else np.empty((0, 0, 3), np.uint8))


def raises(error: Exception) -> Step:
    """A driver that throws."""

    def step(number: int) -> tuple[bool, object]:
        raise error

    return step


def hangs(until: threading.Event) -> Step:
    """A driver that does not return."""

    def step(number: int) -> tuple[bool, object]:
        until.wait(LONGEST_HANG)
        return noisy(level=200)(number)  # a late picture, brighter than the others

    return step


class FaultyCamera:
    """Follows a script, one step per read; the last step goes on for ever.

    Args:
        script: the steps.
        opens: what `isOpened` says.
        period: seconds per read, as a camera waits for its sensor.
        refuses: properties that cannot be set.
        answers: what `get` says, by property.
    """

    def __init__(
        self,
        script: Iterable[Step] = (),
        opens: bool = True,
        period: float = 0.005,
        refuses: Iterable[int] = (),
        answers: dict[int, float] | None = None,
    ) -> None:
        self._script = list(script) or [noisy()]
        self._opens, self._period, self._refuses = opens, period, set(refuses)
        self._answers = answers or {}
        self.properties: dict[int, float] = {}
        self.reads = 0
        self.inside = 0  # reads that are inside the driver at this moment
        self.released = 0
        self.released_during_read = self.asked_after_release = False

    def isOpened(self) -> bool:
        return self._opens

    def read(self) -> tuple[bool, object]:
        step = self._script[min(self.reads, len(self._script) - 1)]
        self.reads += 1
        self.inside += 1
        try:
            time.sleep(self._period)
            return step(self.reads)
        finally:
            self.inside -= 1

    def grab(self) -> bool:
        self._grabbed = self.read()
        return self._grabbed[0]

    def retrieve(self) -> tuple[bool, object]:
        return self._grabbed

    def set(self, prop: int, value: float) -> bool:
        if prop in self._refuses:
            return False
        self.properties[prop] = value
        return True

    def get(self, prop: int) -> float:
        self.asked_after_release |= self.released > 0
        return self._answers.get(prop, 0.0)

    def release(self) -> None:
        self.released_during_read |= self.inside > 0
        self.released += 1


def camera_source(driver: FaultyCamera, name: str = "Fake Cam") -> CameraSource:
    """Return the real camera source on a faulty driver."""
    return CameraSource(Camera(0, 0, name, ""), open_capture=lambda index, backend: driver)
