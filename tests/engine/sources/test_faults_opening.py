"""Backends of a camera that fail, after a long time or at once.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import cv2

from engine.sources.camera import CameraSource
from engine.sources.discovery import Camera
from tests.fakes.faulty_camera import FaultyCamera, fails

FIRST = Camera(0, cv2.CAP_DSHOW, "Fake Cam", "")
SECOND = Camera(1, cv2.CAP_MSMF, "Fake Cam", "")


class Machine:
    """Opens cameras; of some backends none gives a picture. `tried` holds the backends in order."""

    def __init__(self, *broken: int) -> None:
        self.broken = set(broken)
        self.tried: list[int] = []

    def open(self, known: dict[str, int], first: Camera = FIRST, second: Camera = SECOND) -> list[int]:
        """Open a camera and return the backends that were tried for it."""
        self.tried = []
        CameraSource(first, open_capture=self._capture, fallbacks=[second], known=known).close()
        return self.tried

    def _capture(self, index: int, backend: int) -> FaultyCamera:
        self.tried.append(backend)
        return FaultyCamera([fails] if backend in self.broken else [], period=0.001)


def test_fault_39_the_backend_that_worked_is_tried_first_from_then_on():
    machine, known = Machine(cv2.CAP_DSHOW), {}
    assert machine.open(known) == [cv2.CAP_DSHOW, cv2.CAP_MSMF]
    assert machine.open(known) == [cv2.CAP_MSMF], "the slow one is spared"
    machine.broken = {cv2.CAP_MSMF}
    assert machine.open(known) == [cv2.CAP_MSMF, cv2.CAP_DSHOW], "and is the second choice now"
    assert machine.open(known) == [cv2.CAP_DSHOW]


def test_fault_39_another_camera_has_a_choice_of_its_own():
    machine, known = Machine(cv2.CAP_DSHOW), {}
    machine.open(known)
    other = [Camera(camera.index + 2, camera.backend, "Other", "") for camera in (FIRST, SECOND)]
    assert machine.open(known, *other) == [cv2.CAP_DSHOW, cv2.CAP_MSMF]
