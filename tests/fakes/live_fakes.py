"""Sources, a pipeline and a painter for tests of the live session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np

from engine.core.faces import Face, Result
from engine.core.frame import Frame
from engine.core.geometry import Box
from engine.core.schemes import IBUG_68
from engine.live.state import Timing
from engine.sources.base import SourceKind

# The patience of the product, some ten times shorter.
FAST = Timing(
    tick=0.005,
    stall=0.15,
    dead=0.4,
    slow_opening=0.1,
    open_limit=0.6,
    retries=(0.02, 0.04, 0.06, 0.08, 0.1),
    slow_retry=0.12,
    most_attempts=5,
    attempts_span=1.0,
    absent_retry=0.03,
    hint=0.15,
    recovery=0.05,
    refresh=0.0,
)


def picture(level: int = 100, width: int = 64, height: int = 48) -> np.ndarray:
    """Return a grey picture."""
    return np.full((height, width, 3), level, np.uint8)


class FakeClip:
    """A file of pictures: gives `pictures` at `rate`, then ends.

    Args:
        pictures: RGB pictures; an exception among them is raised, an event is waited for.
        rate: what the file says of its frames per second.
        name, kind: as of any source.
        times: of the frames in seconds, if they have any.
    """

    def __init__(
        self,
        pictures: Sequence[np.ndarray | Exception | threading.Event],
        rate: float | None = 1000.0,
        name: str = "clip.mp4",
        kind: SourceKind = SourceKind.VIDEO,
        times: Sequence[float] | None = None,
        remark: str = "",
    ) -> None:
        self.name, self.kind, self.rate, self.remark = name, kind, rate, remark
        self.frame_count = len(pictures)
        self._pictures, self._times = pictures, times
        self._place = 0
        self.closed = 0

    def read(self) -> Frame | None:
        place, self._place = self._place, self._place + 1
        if place >= len(self._pictures):
            return None
        item = self._pictures[place]
        if isinstance(item, Exception):
            raise item
        if isinstance(item, threading.Event):
            item.wait(20)
            return self.read()
        moment = self._times[place] if self._times is not None else None
        return Frame(place, time.monotonic(), item, self.name, time=moment)

    def close(self) -> None:
        self.closed += 1


class FakeFilm(FakeClip):
    """A file that can be sought in.

    Attributes:
        sought: the places it was told to go to.
    """

    def __init__(self, pictures: Sequence[np.ndarray | Exception | threading.Event], **how: object) -> None:
        super().__init__(pictures, **how)
        self.sought: list[int] = []

    @property
    def duration(self) -> float | None:
        return len(self._pictures) / self.rate

    def place_at(self, seconds: float) -> int:
        return max(0, min(int(seconds * self.rate + 1e-6), len(self._pictures) - 1))

    def seek(self, place: int) -> None:
        self.sought.append(place)
        self._place = min(place, len(self._pictures) - 1)


def landmarker(name: str) -> SimpleNamespace:
    """Return as much of a landmarker as the session and results need."""
    facts = {"sha256": "0" * 64, "bytes": 1000, "precision": "float32", "scheme": 68, "licence": ""}
    return SimpleNamespace(card=SimpleNamespace(name=name, is_teacher=False, **facts), flip=False)


class FakePipeline:
    """Finds one face in the middle of every frame.

    Attributes:
        seen: ids of the frames, in order.
        levels: the first value of each frame's picture.
        resets: how often it was told to forget.
        delay: seconds that a frame takes.
        failing: called with each frame; raises to fail.
    """

    def __init__(self, model: str = "A", delay: float = 0.0, failing: Callable[[Frame], None] | None = None) -> None:
        self.landmarker = landmarker(model)
        self.smoothing = 0.5
        self.delay, self.failing = delay, failing
        self.seen: list[int] = []
        self.levels: list[int] = []
        self.models: list[str] = []
        self.resets = 0

    def process(self, frame: Frame, capture_ms: float = 0.0) -> Result:
        name = self.landmarker.card.name
        time.sleep(self.delay)
        if self.failing is not None:
            self.failing(frame)
        self.seen.append(frame.id)
        self.levels.append(int(frame.image[0, 0, 0]))
        self.models.append(name)
        points = np.full((68, 2), 20, np.float32)
        face = Face(1, Box(10, 10, 30, 30), 1.0, IBUG_68, points, np.ones(68, np.float32), 0.0)
        return Result(frame, (face,), name, {"capture": capture_ms, "detect": 0.1, "landmark": 0.2}, detected=True)

    def reset(self) -> None:
        self.resets += 1


class FakePainter:
    """Writes the frame's first value into the picture, its number of faces into alpha."""

    def __init__(self) -> None:
        self.drawn = 0
        self.buffers: set[int] = set()

    def paint_frame(self, out, result, look, stats, signals=()) -> None:
        assert out.shape == (result.frame.height, result.frame.width, 4)
        out[..., :3] = result.frame.image[0, 0, 0]
        out[..., 3] = len(result.faces)
        out[0, 0, 0] = 255 if look.mirrored else 0
        self.drawn += 1
        self.buffers.add(out.__array_interface__["data"][0])


def wait_until(holds: Callable[[], object], timeout: float = 8.0) -> None:
    """Wait until something holds; fail the test if it does not come true."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.002)
