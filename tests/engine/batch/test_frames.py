"""The frame loop of everything that runs without a window."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from engine.batch.frames import ENDLESS_FRAMES, process_frames, require_end
from engine.core.errors import ModelError, SourceError, UsageError
from engine.core.frame import Frame
from engine.sources.base import SourceKind
from tests.fakes.live_fakes import FakePipeline


class Blanks:
    """Gives black pictures, as many as it has."""

    name, rate, remark = "blanks", 30.0, ""

    def __init__(self, kind=SourceKind.VIDEO, frame_count=None, delay=0.0) -> None:
        self.kind, self.frame_count, self.given, self._delay = kind, frame_count, 0, delay

    def read(self):
        if self.given == self.frame_count:
            return None
        time.sleep(self._delay)
        self.given += 1
        return Frame(self.given - 1, time.monotonic(), np.zeros((48, 64, 3), np.uint8), self.name)

    def close(self) -> None:
        pass


def ids(source, limit=None) -> list[int]:
    return [result.frame.id for result, _ in process_frames(source, FakePipeline("model"), limit)]


@pytest.mark.parametrize(("limit", "count"), [(None, 7), (3, 3), (9, 7)])
def test_a_source_that_ends_is_read_to_its_end_or_to_the_limit_and_no_further(limit, count):
    source = Blanks(frame_count=7)
    assert ids(source, limit) == list(range(count))
    assert source.given == count


@pytest.mark.parametrize("kind", [SourceKind.CAMERA, SourceKind.SAMPLE])
def test_what_never_ends_stops_after_a_while_and_is_refused_where_an_end_is_needed(kind):
    assert len(ids(Blanks(kind))) == ENDLESS_FRAMES
    assert len(ids(Blanks(kind), 5)) == 5
    with pytest.raises(UsageError, match="“blanks” never ends, so its landmarks cannot be written as a file"):
        require_end(Blanks(kind), "its landmarks")
    require_end(Blanks(SourceKind.PICTURES), "it")


def test_a_source_without_a_frame_says_so():
    with pytest.raises(SourceError, match="blanks gave no picture. It is empty or ended at once"):
        ids(Blanks(frame_count=0))


def test_numbers_that_are_not_finite_end_the_loop():
    class Sick(FakePipeline):
        def process(self, frame, capture_ms=0.0):
            return replace(super().process(frame, capture_ms), not_finite=True)

    with pytest.raises(ModelError, match="not finite"):
        next(process_frames(Blanks(), Sick("sick")))


def test_the_time_for_which_a_frame_was_waited_is_its_first_stage():
    result, signals = next(process_frames(Blanks(delay=0.02), FakePipeline("model")))
    assert result.stages["capture"] >= 20
    assert len(signals) == len(result.faces) == 1
