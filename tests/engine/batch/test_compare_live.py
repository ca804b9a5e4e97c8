"""Several models on one source: each on every frame, and what one does is nothing to the others."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine.batch.compare_live import Lane, compare_live
from engine.core.errors import ModelError, SourceError
from engine.core.frame import Frame, Truth
from engine.core.schemes import IBUG_68
from engine.evaluation.session_report.figures import lane_figures
from engine.inference.pipeline import Pipeline
from engine.sources.base import SourceKind
from tests.fakes.models import FakeDetector, FakeLandmarker, FakeScene, face_points


class Clip:
    """A video of one face, with its truth; `fails_at` is the frame that cannot be read."""

    kind, name, rate, frame_count, remark = SourceKind.VIDEO, "clip.mp4", 30.0, 12, ""

    def __init__(self, scene, frames=12, fails_at=None):
        self.scene, self.frames, self.fails_at = scene, frames, fails_at
        self.given = itertools.count()

    def read(self):
        number = next(self.given)
        if number == self.fails_at:
            raise SourceError("The drive does not answer", "it was unplugged", "plug it in again")
        if number >= self.frames:
            return None
        self.scene.faces[0] = (150 + number, 120, 100, 0)
        truth = Truth(IBUG_68, face_points(*self.scene.faces[0]))
        picture = np.full((240, 320, 3), 80, np.uint8)
        return Frame(number, 0.0, picture, self.name, time=number / 30, truth=truth)


def moved(pixels):
    """Spoil landmarks by so many pixels."""
    return lambda found: replace(found, points=found.points + np.float32(pixels))


def failing(error, after=5):
    """Let a model fail after so many runs."""
    runs = itertools.count()

    def spoil(found):
        if next(runs) < after:
            return found
        if error is None:
            return replace(found, points=np.full_like(found.points, np.nan))
        raise error

    return spoil


def compared(*spoils, **clip):
    """Compare models that are spoiled so; return the lanes, the meter and the remark."""
    scene = FakeScene((150, 120, 100, 0))
    lanes = [
        Lane(f"lane-{index}", Pipeline(FakeDetector(scene), FakeLandmarker(scene, spoil), smoothing=0.0))
        for index, spoil in enumerate(spoils)
    ]
    return lanes, *compare_live(Clip(scene, **clip), lanes)


def test_every_lane_sees_every_frame():
    _, meter, remark = compared(None, moved(1), moved(2))
    figures = [lane_figures(lane, meter.has_truth) for lane in meter.lanes]
    assert remark == ""
    assert [its.frames for its in figures] == [12, 12, 12]
    # 1 and 2 pixels in x and y, of an eye distance of 60 pixels
    expected = [0, 100 * np.sqrt(2) / 60, 200 * np.sqrt(2) / 60]
    assert [its.accuracy.nme for its in figures] == pytest.approx(expected, abs=1e-3)
    assert np.mean(meter.distances[0, 2]) == pytest.approx(expected[2], abs=1e-3)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModelError("The model broke", "it is damaged", "copy it again"), "The model broke. It is damaged."),
        (ValueError("odd"), "lane-1 failed at frame"),
        (None, "gave numbers that are not finite"),
    ],
    ids=["error of a model", "any error", "not finite"],
)
def test_fault_90_a_lane_that_dies_says_so_and_the_others_go_on(error, words):
    lanes, meter, _ = compared(None, failing(error), moved(1))
    assert words in lanes[1].failure
    assert lanes[0].failure == lanes[2].failure == ""
    frames = [lane_figures(lane, meter.has_truth).frames for lane in meter.lanes]
    assert frames[0] == frames[2] == 12
    assert 0 < frames[1] < 12


def test_where_all_lanes_died_the_session_ends():
    _, meter, remark = compared(failing(ValueError("odd"), after=0), failing(ValueError("odd"), after=0))
    assert len(meter.moments) == 1
    assert "All lanes failed" in remark


def test_a_source_that_breaks_off_leaves_what_was_measured():
    _, meter, remark = compared(None, moved(1), fails_at=8)
    assert len(meter.moments) == 8
    assert remark.startswith("The drive does not answer")


def test_a_source_without_any_frame_is_refused():
    with pytest.raises(SourceError, match="gave no picture"):
        compared(None, moved(1), frames=0)
