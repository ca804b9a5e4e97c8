"""A lane by itself: what goes with its pictures, and whom it blames."""

from __future__ import annotations

import time

import numpy as np
import pytest

from engine.core.errors import ModelError, UnderstudyError
from engine.core.frame import Frame
from engine.live.lane import Lane
from engine.live.settings import LiveSettings
from engine.live.state import SourceState
from engine.render.scene import Layout
from tests.fakes.live_fakes import FAST, FakeComposer, FakePipeline, landmarker, picture

SINGLE = LiveSettings()
MIRRORED = LiveSettings(mirrored=True)
OVERLAID, SIDE_BY_SIDE = LiveSettings(layout=Layout.OVERLAID), LiveSettings(layout=Layout.SIDE_BY_SIDE)


class Composer(FakeComposer):
    """Remembers the scenes; fails on faces if it is told to."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.fails, self.scenes = fails, []

    def compose(self, scene, out) -> None:
        self.scenes.append(scene)
        if self.fails and scene.result.faces:
            raise ValueError("no such colour")
        super().compose(scene, out)


@pytest.fixture
def lane():
    """Return a function that makes a lane which is ready to work; its `composer` is one of its attributes."""

    def make(pipeline=None, composer=None, beside=False):
        composer = composer or Composer()
        made = Lane(lambda: pipeline or FakePipeline(), lambda: None, composer, FAST, time.monotonic, beside)
        made.build()
        made.composer = composer
        return made

    return make


def frame(number):
    return Frame(number, time.monotonic(), picture(number), "x")


def show(lane, number, settings=SINGLE):
    lane.show(frame(number), lane.process(frame(number), 0.0, settings), settings)
    lane.publish()
    return lane.take()


def test_a_bare_picture_goes_with_no_signals(lane):
    broken = []
    made = lane(FakePipeline(failing=lambda _: 1 / 0 if broken else None))
    assert len(show(made, 1).signals) == 1
    broken.append(True)
    view = show(made, 2)
    assert (view.result.faces, view.signals) == ((), ())


def test_a_silent_source_leaves_no_signals_on_the_picture(lane):
    made = lane()
    show(made, 1)
    made.refresh(SINGLE, SourceState.STALLED, False)
    view = made.take()
    assert (view.result.faces, view.signals) == ((), ())


def test_a_picture_that_is_drawn_anew_keeps_its_own_signals(lane):
    made = lane()
    own = show(made, 1).signals
    made.process(frame(2), 0.0, SINGLE)  # of no use any more, so it is not shown
    made.refresh(MIRRORED, SourceState.LIVE, False)
    view = made.take()
    assert view.result.frame.id == 1
    assert view.signals is own
    assert made.composer.scenes[-1].signals is own


def test_a_filter_or_drawing_that_fails_is_not_blamed_on_the_model(lane):
    made = lane(composer=Composer(fails=True))
    view = show(made, 1)
    assert view.result.faces == (), "the picture goes on"
    assert not isinstance(made.error, ModelError)
    assert str(made.error) == (
        "The picture could not be drawn (no such colour). The filter or the drawing is faulty. Switch the filter off."
    )


def test_a_model_that_fails_is_blamed(lane):
    made = lane(FakePipeline(failing=lambda _: 1 / 0))
    show(made, 1)
    assert isinstance(made.error, ModelError)
    assert str(made.error).startswith("The model failed on a frame (division by zero).")


def test_a_drawing_that_fails_while_the_picture_stands_still_says_so_too(lane):
    made = lane()
    show(made, 1)
    made.composer.fails = True
    with pytest.raises(UnderstudyError, match="The picture could not be drawn"):
        made.refresh(MIRRORED, SourceState.LIVE, False)


def test_a_lane_beside_another_draws_only_where_its_picture_is_seen(lane):
    made = lane(FakePipeline("teacher"), beside=True)
    view = show(made, 1, OVERLAID)
    assert made.composer.scenes == []
    assert (view.result.model, view.picture.size, len(view.signals)) == ("teacher", 0, 1)
    made.refresh(SIDE_BY_SIDE, SourceState.LIVE, False)
    assert made.take().picture.shape == (48, 64, 4)
    view = show(made, 2, SIDE_BY_SIDE)
    assert np.all(view.picture[5, 5, :3] == 2)


def test_a_cleared_lane_shows_nothing_until_the_next_frame(lane):
    made = lane()
    show(made, 1)
    made.clear()
    made.refresh(MIRRORED, SourceState.LIVE, False)
    made.publish()
    assert made.take() is None
    assert show(made, 2).result.frame.id == 2


def test_another_model_looks_at_the_picture_that_stands_still(lane):
    made = lane()
    show(made, 1)
    made.use_model(lambda: landmarker("B"))
    changed = made.exchange_model()
    made.refresh(LiveSettings(paused=True), SourceState.LIVE, changed)
    view = made.take()
    assert (view.result.model, view.result.frame.id, len(view.signals)) == ("B", 1, 1)
