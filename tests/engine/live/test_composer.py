"""Finders and the composer without a source: what comes with the pictures, whose errors they are, and who waits."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import ModelError
from engine.core.frame import Epoch, Frame
from engine.live.composer import Composer
from engine.live.feed import Context, Feed
from engine.live.finder import Finder
from engine.live.settings import LiveSettings, Pace
from engine.live.state import SourceState
from engine.live.view import ViewBuffer
from engine.render.canvas import Canvas, Pane
from engine.render.ink import Ink, InkPainter
from engine.render.overlay import OverlayPainter
from engine.render.scene import Layout, OverlayOptions
from tests.fakes.live_fakes import FAST, FakePainter, FakePipeline, landmarker, picture, wait_until

pytestmark = pytest.mark.usefixtures("no_thread_left")

SINGLE = LiveSettings()
OVERLAID, SIDE_BY_SIDE = LiveSettings(layout=Layout.OVERLAID), LiveSettings(layout=Layout.SIDE_BY_SIDE)
LOCKED = replace(SIDE_BY_SIDE, pace=Pace.LOCKED)


class Painter(FakePainter):
    """Remembers what it painted; fails on faces, or always, on request."""

    def __init__(self, fails: bool = False, fails_always: bool = False) -> None:
        super().__init__()
        self.fails, self.fails_always, self.painted = fails, fails_always, []

    def paint_frame(self, out, result, look, stats, signals=()) -> None:
        self.painted.append((result, signals))
        if self.fails_always or (self.fails and result.faces):
            raise ValueError("no such colour")
        super().paint_frame(out, result, look, stats, signals)


class Bench:
    """Finders and a composer at work inside a `with`.

    Attributes:
        settings, state: what the user set and what the source is doing; may be replaced.
        painters: one a lane.
        pane: where pictures are shown.
        epoch: of the frames that are shown next.
    """

    def __init__(self, *pipelines, settings=SINGLE, painters=None, on_result=None) -> None:
        pipelines = pipelines or (FakePipeline(),)
        self.settings, self.state, self.epoch = settings, SourceState.LIVE, Epoch()
        self.painters = painters or [Painter() for _ in pipelines]
        self.feed, self.views = Feed(lambda: self.settings), ViewBuffer()
        self.pane = None
        context = Context(self.feed, lambda: self.settings, lambda: self.state, pane=lambda: self.pane, timing=FAST)
        makers = iter(self.painters)
        self.composer = Composer(self.views, lambda: next(makers), context)
        self.finders = []
        for number, pipeline in enumerate(pipelines):
            its = on_result if number == 0 else None
            finder = Finder(number, lambda pipeline=pipeline: pipeline, context, self.composer, its)
            self.composer.add(finder)
            self.feed.add()
            self.finders.append(finder)

    def __enter__(self) -> Bench:
        for thread in (*self.finders, self.composer):
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.feed.close()
        self.composer.close()
        for thread in (*self.finders, self.composer):
            assert thread.join(5)

    def give(self, number):
        """Give a frame; return it."""
        frame = Frame(number, time.monotonic(), picture(number), "x", epoch=self.epoch, asked=True)
        assert self.feed.put(frame, 5)
        return frame

    def show(self, number, lanes=1):
        """Give a frame; return the first view of so many lanes that all show it."""
        self.give(number)
        return self.view(lambda view: ids(view) == [number] * lanes)

    def view(self, fits=lambda view: True):
        """Wait for a view that fits; return it."""
        views = []
        wait_until(lambda: views.append(self.views.take()) or (views[-1] is not None and fits(views[-1])))
        return views[-1]


def ids(view):
    """Return the ids of the frames that the lanes of a view show."""
    return [lane.result.frame.id for lane in view.lanes]


def test_a_bare_picture_goes_with_no_signals():
    broken = []
    with Bench(FakePipeline(failing=lambda _: 1 / 0 if broken else None)) as bench:
        assert len(bench.show(1).first.signals) == 1
        broken.append(True)
        first = bench.show(2).first
        assert (first.result.faces, first.signals) == ((), ())


def test_a_silent_source_leaves_no_faces_and_no_signals_on_the_picture():
    with Bench() as bench:
        bench.show(1)
        bench.state = SourceState.STALLED
        first = bench.view(lambda view: not view.first.result.faces).first
        assert (first.result.frame.id, first.signals, first.picture[5, 5, 3]) == (1, (), 0)


def test_a_picture_that_is_drawn_again_keeps_its_own_signals():
    def go_elsewhere(frame):
        frame.epoch.over = frame.id == 2  # while the model is at it

    pipeline = FakePipeline(failing=go_elsewhere)
    with Bench(pipeline) as bench:
        own = bench.show(1).first.signals
        bench.epoch = Epoch()
        bench.give(2)
        wait_until(lambda: pipeline.seen == [1, 2])
        bench.settings = LiveSettings(mirrored=True)
        view = bench.view()
        assert (ids(view), view.first.picture[0, 0, 0]) == ([1], 255)
        assert view.first.signals is own
        assert bench.painters[0].painted[-1][1] is own


def test_ink_is_drawn_for_the_pane_of_the_window_and_not_into_the_picture():
    pane, settings = Pane(640, 480, 1.0), replace(SINGLE, overlay=OverlayOptions(numbers=False))
    with Bench(settings=settings, painters=[OverlayPainter()]) as bench:
        bench.pane = pane
        first = bench.show(1).first
        assert first.ink.canvas == Canvas.on_screen(first.result.frame, pane)
        assert first.look.options == bench.settings.overlay
        ink, expected = Ink(), np.zeros((480, 640, 4), np.uint8)
        InkPainter().draw(ink, first.ink.canvas, first.result, first.look)
        ink.lay(expected)
        drawn = np.zeros_like(expected)
        first.ink.lay(drawn)
        assert drawn.any()
        assert np.array_equal(drawn, expected)
        assert (first.picture[..., :3] == first.result.frame.image[0, 0, 0]).all()
        second = bench.show(2).first
        assert second.ink is not first.ink, "what is on screen is not drawn on"
        bench.pane = None
        assert bench.show(3).first.ink is None


def test_a_filter_or_drawing_that_fails_is_not_blamed_on_the_model():
    with Bench(painters=[Painter(fails=True)]) as bench:
        assert bench.show(1).first.result.faces == (), "the picture goes on"
        error = bench.finders[0].error
        assert not isinstance(error, ModelError)
        assert str(error) == (
            "The picture could not be drawn (no such colour). The filter or the drawing is faulty. "
            "Switch the filter off."
        )


def test_a_model_that_fails_is_blamed():
    with Bench(FakePipeline(failing=lambda _: 1 / 0)) as bench:
        bench.show(1)
        error = bench.finders[0].error
        assert isinstance(error, ModelError)
        assert str(error).startswith("The model failed on a frame (division by zero).")


def test_a_drawing_that_fails_while_the_picture_stands_still_says_so_and_takes_no_faces_away():
    with Bench() as bench:
        bench.show(1)
        bench.painters[0].fails = True
        bench.settings = LiveSettings(mirrored=True)
        wait_until(lambda: bench.finders[0].error is not None)
        assert "The picture could not be drawn" in str(bench.finders[0].error)
        assert bench.views.take() is None
        bench.painters[0].fails = False
        bench.settings = LiveSettings(smoothing=0.1)
        assert bench.view().first.result.faces


def test_a_lane_draws_only_where_its_picture_is_seen():
    with Bench(FakePipeline(), FakePipeline("teacher"), settings=OVERLAID) as bench:
        second = bench.show(1, lanes=2).second
        assert bench.painters[1].painted == []
        assert (second.result.model, second.picture.size, len(second.signals)) == ("teacher", 0, 1)
        bench.settings = SIDE_BY_SIDE
        assert bench.view(lambda view: view.second.picture.size).second.picture.shape == (48, 64, 4)
        assert np.all(bench.show(2, lanes=2).second.picture[5, 5, :3] == 2)


def test_a_lane_that_rested_shows_nothing_of_before():
    entered, let_go = threading.Event(), threading.Event()

    def wait(frame):
        if entered.is_set():
            let_go.wait(5)

    with Bench(FakePipeline(), FakePipeline("teacher", failing=wait), settings=LOCKED) as bench:
        bench.show(1, lanes=2)
        bench.settings = SINGLE
        assert bench.view().second is None
        entered.set()
        bench.settings = SIDE_BY_SIDE
        assert bench.show(2).second is None
        let_go.set()
        assert ids(bench.view(lambda view: view.second is not None)) == [2, 2]


def test_another_model_looks_at_the_picture_that_stands_still():
    with Bench() as bench:
        bench.show(1)
        bench.settings = LiveSettings(paused=True)
        bench.finders[0].use_model(lambda: landmarker("B"))
        first = bench.view(lambda view: view.first.result.model == "B").first
        assert (first.result.frame.id, len(first.signals)) == (1, 1)
        assert bench.finders[0].stats.frames == 1, "the frame counts once"


def test_whatever_a_listener_throws_locked_lanes_go_on():
    broken = [True]
    with Bench(
        FakePipeline(), FakePipeline("teacher"), settings=LOCKED, on_result=lambda *_: 1 / 0 if broken else None
    ) as bench:
        bench.show(1, lanes=2)
        broken.clear()
        bench.show(2, lanes=2)


def test_a_second_model_that_throws_does_not_hold_the_first_one_up():
    with Bench(FakePipeline(), FakePipeline("teacher", failing=lambda _: 1 / 0), settings=LOCKED) as bench:
        for number in range(3):
            view = bench.show(number, lanes=2)
            assert view.first.result.faces
            assert not view.second.result.faces


def test_a_drawing_that_always_fails_does_not_hold_the_first_lane_up():
    painters = [Painter(), Painter(fails_always=True)]
    with Bench(FakePipeline(), FakePipeline("teacher"), settings=LOCKED, painters=painters) as bench:
        assert bench.show(1).first.result.faces
        assert bench.show(2).first.result.faces
        assert "could not be drawn" in str(bench.finders[1].error)
        assert bench.finders[0].error is None


def test_a_finding_that_waited_when_the_user_went_elsewhere_is_never_shown():
    entered, let_go = threading.Event(), threading.Event()

    def wait(frame):
        if frame.id == 1:
            entered.set()
            let_go.wait(5)

    first = FakePipeline()
    with Bench(first, FakePipeline("teacher", failing=wait), settings=LOCKED) as bench:
        bench.give(1)
        assert entered.wait(5)
        wait_until(lambda: first.seen == [1])
        bench.epoch.over = True
        bench.epoch = Epoch()
        let_go.set()
        bench.give(2)
        assert ids(bench.view()) == [2, 2]


def test_a_frame_that_the_user_left_before_all_locked_lanes_looked_at_it_holds_up_no_other():
    entered, let_go = threading.Event(), threading.Event()

    def load():
        entered.set()
        assert let_go.wait(5)
        return landmarker("C")

    with Bench(FakePipeline(), FakePipeline("B"), FakePipeline("C")) as bench:
        bench.finders[2].use_model(load)
        assert entered.wait(5)
        bench.show(1)
        bench.settings = replace(LOCKED, lanes=3, paused=True)
        wait_until(lambda: 1 in bench.composer._waiting)
        bench.epoch.over = True
        bench.epoch = Epoch()
        let_go.set()
        assert ids(bench.show(2, lanes=3)) == [2, 2, 2]


def test_at_live_pace_a_finding_that_was_waited_for_is_shown_late():
    entered, let_go = threading.Event(), threading.Event()

    def wait(frame):
        entered.set()
        let_go.wait(5)

    with Bench(FakePipeline(), FakePipeline("teacher", failing=wait), settings=LOCKED) as bench:
        bench.give(1)
        assert entered.wait(5)
        assert bench.views.take() is None
        bench.settings = SIDE_BY_SIDE
        assert ids(bench.view()) == [1]
        let_go.set()
        assert ids(bench.view()) == [1, 1]


def test_locked_lanes_are_shown_together_or_not_at_all_whenever_the_user_goes_elsewhere():
    with Bench(FakePipeline(), FakePipeline("teacher", delay=0.001), settings=LOCKED) as bench:
        for number in range(50):
            bench.give(number)
            over = threading.Thread(target=lambda epoch=bench.epoch: setattr(epoch, "over", True))
            bench.epoch = Epoch()
            over.start()
            view = bench.views.take()
            assert view is None or len(set(ids(view))) == 1
            assert view is None or len(view.lanes) == 2
            over.join()
        view = bench.show(100, lanes=2)
        assert np.all(view.second.picture[5, 5, :3] == 100)


def test_a_pace_that_changes_while_the_second_model_is_late_leaves_nobody_waiting():
    entered, let_go = threading.Event(), threading.Event()

    def wait(frame):
        if frame.id == 1:
            entered.set()
            let_go.wait(5)

    with Bench(FakePipeline(), FakePipeline("teacher", failing=wait), settings=SIDE_BY_SIDE) as bench:
        bench.show(1)
        assert entered.wait(5)
        bench.show(2)
        bench.settings = LOCKED
        let_go.set()
        assert ids(bench.view(lambda view: len(view.lanes) == 2)) == [2, 2]
        assert ids(bench.show(3, lanes=2)) == [3, 3]


def test_a_finding_of_before_the_lanes_were_locked_gets_its_partner():
    entered, let_go = threading.Event(), threading.Event()

    def wait(frame):
        entered.set()
        let_go.wait(5)

    first, second = FakePipeline(failing=wait), FakePipeline("teacher")
    with Bench(first, second) as bench:
        bench.give(1)  # to the first finder alone
        assert entered.wait(5)
        bench.settings = LOCKED
        let_go.set()
        assert ids(bench.view()) == [1, 1]
        assert ids(bench.show(2, lanes=2)) == [2, 2]


@pytest.mark.parametrize("before", [SIDE_BY_SIDE, SINGLE], ids=["of the feed", "on screen"])
def test_a_finding_dropped_at_the_end_of_its_epoch_is_made_again_for_the_frame_on_screen(before):
    shown, over = threading.Event(), threading.Event()

    def end_epoch(frame):
        if frame.id == 2 and not over.is_set():
            assert shown.wait(5)
            frame.epoch.over = True
            over.set()

    with Bench(FakePipeline(), FakePipeline("teacher", failing=end_epoch), settings=SIDE_BY_SIDE) as bench:
        bench.show(1, lanes=2)
        bench.settings = before
        bench.give(2)
        bench.view(lambda view: ids(view)[0] == 2)
        shown.set()
        bench.settings = replace(SIDE_BY_SIDE, paused=True)
        assert over.wait(5)
        bench.settings = replace(LOCKED, paused=True)
        bench.finders[0].process_again()
        bench.view(lambda view: ids(view) == [2, 2])


def test_a_rest_that_is_too_short_for_the_finder_to_notice_leaves_no_lane_empty():
    with Bench(FakePipeline(), FakePipeline("teacher"), settings=LOCKED) as bench:
        for number in range(30):
            bench.show(2 * number, lanes=2)
            bench.settings = replace(SINGLE, paused=True)
            first, second = bench.composer._lanes
            with first.drawing, second.drawing:
                bench.composer._show({}, [0, 1])
            bench.settings = replace(LOCKED, paused=True)
            bench.view(lambda view, number=number: ids(view) == [2 * number] * 2)
            bench.settings = LOCKED


def test_three_finders_make_three_lanes():
    pipelines = [FakePipeline(model) for model in ("a", "b", "c")]
    with Bench(*pipelines, settings=replace(LOCKED, lanes=3)) as bench:
        view = bench.show(1, lanes=3)
        assert [lane.result.model for lane in view.lanes] == ["a", "b", "c"]
        assert all(np.all(lane.picture[5, 5, :3] == 1) for lane in view.lanes)


def test_the_pair_of_a_layout_of_two_is_drawn_and_compared_whichever_lanes_it_is():
    pipelines = [FakePipeline(model) for model in ("a", "b", "c", "d")]
    overlaid = replace(LOCKED, layout=Layout.OVERLAID, lanes=4, pair=(3, 1))
    with Bench(*pipelines, settings=overlaid) as bench:
        bench.give(1)
        view = bench.view(lambda view: view.lane(1) and view.lane(1).other)
        assert [number for number, lane in view.by_number.items() if lane.picture.size] == [1]
        assert (view.lane(1).result.model, view.lane(1).other.model) == ("b", "d")
        assert (view.lane(1).distance, view.lane(3).distance) == (None, 0)
        assert view.results(overlaid) == (view.lane(1).result, view.lane(3).result)
        assert (view.lane(2), pipelines[2].seen) == (None, [])
        bench.settings = replace(overlaid, pair=(0, 2), paused=True)
        view = bench.view(lambda view: view.first.other)
        assert (view.first.other.model, view.lane(3)) == ("c", None), "in a pause too"
        assert view.first.picture.size


def test_each_further_lane_is_compared_with_the_first():
    pipelines = [FakePipeline(model) for model in ("a", "b", "c")]
    with Bench(*pipelines, settings=replace(LOCKED, lanes=3)) as bench:
        view = bench.show(1, lanes=3)
        assert [lane.distance for lane in view.lanes] == [None, 0, 0]
        assert [lane.distance_now for lane in view.lanes] == [None, 0, 0]


def test_a_lane_put_to_rest_while_its_finding_is_on_its_way_to_the_screen_looks_again_once_it_is_back():
    bench = Bench(FakePipeline("A"), FakePipeline("B"), settings=LOCKED)
    asked = []
    bench.finders[1].process_again = lambda: asked.append(1)
    frame = Frame(1, 0.0, picture(1), "x", epoch=bench.epoch)
    for number, finder in enumerate(bench.finders):
        bench.composer.put(number, finder._bare(frame))
    take = bench.composer._take

    def put_to_rest():
        taken = take()
        if 1 in taken:
            bench.settings = SINGLE
        return taken

    bench.composer._take = put_to_rest
    bench.composer._step()
    bench.composer._step()
    assert bench.settings is SINGLE
    assert asked == [1]


def test_the_finding_of_a_lane_that_is_added_while_the_composer_waits_is_drawn():
    bench = Bench(settings=LOCKED, painters=[Painter(), Painter()])
    composer, finder, take = bench.composer, bench.finders[0], bench.composer._take
    frame = Frame(1, 0.0, picture(1), "x", epoch=bench.epoch)
    composer.put(0, finder._bare(frame))

    def add_meanwhile():
        composer.add(finder)
        composer.put(1, finder._bare(frame))
        return take()

    composer._take = add_meanwhile
    composer._step()
    assert ids(bench.view()) == [1, 1]
