"""The live session under every fault that a source, a driver or a model can have.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import ModelError, SourceError
from engine.hints import BLACK, FROZEN
from engine.live import LiveSettings, Session
from engine.live_state import SourceState
from engine.overlay import OverlayOptions
from engine.sources.base import SourceKind
from engine.sources.discovery import CameraAbsent
from tests.fakes.faulty_camera import (
    FaultyCamera,
    black,
    camera_source,
    empty,
    fails,
    gives,
    hangs,
    noisy,
    raises,
)
from tests.fakes.live_fakes import FAST, FakeClip, FakeComposer, FakePipeline, landmarker, picture, wait_until
from tests.fakes.threads import no_thread_left

STARTING, LIVE, STALLED, RECONNECTING, ENDED, FAILED = SourceState


@pytest.fixture(autouse=True)
def _no_thread_left():
    with no_thread_left():
        yield


@pytest.fixture
def hang():
    """Return an event for fakes to hang on; let go at the end."""
    event = threading.Event()
    yield event
    event.set()


class Stage:
    """A session on fakes, with a record of all that it said."""

    def __init__(self, open_source, pipeline=None, timing=FAST, settings=None, make_pipeline=None) -> None:
        self.pipeline = pipeline or FakePipeline()
        self.composer = FakeComposer()
        self.statuses, self.errors, self.notified = [], [], 0
        self.session = Session(
            open_source,
            make_pipeline or (lambda: self.pipeline),
            settings or LiveSettings(),
            self._note,
            composer=self.composer,
            timing=timing,
        )

    def _note(self) -> None:
        self.notified += 1
        status, error = self.session.status, self.session.error
        if not self.statuses or self.statuses[-1] != status:
            self.statuses.append(status)
        if error is not None and error not in self.errors:
            self.errors.append(error)

    @property
    def states(self) -> list[SourceState]:
        states = [status.state for status in self.statuses]
        return [state for place, state in enumerate(states) if place == 0 or states[place - 1] is not state]

    @property
    def state(self) -> SourceState:
        return self.session.status.state

    def __enter__(self) -> Stage:
        self.session.start()
        return self

    def __exit__(self, *_) -> None:
        self.session.stop()

    def views(self, count: int) -> list:
        """Return the next views, as many as asked for; their pictures are copied."""
        views = []

        def look() -> bool:
            view = self.session.take_view()
            if view is not None:
                views.append(replace(view, picture=view.picture.copy()))
            return len(views) >= count

        wait_until(look)
        return views

    def last_view(self):
        """Return the newest view there is, however many came before."""
        return self.views(1)[-1]


def opening_in_turn(*makers):
    """Return an `open_source` that calls one maker per call, the last one for ever; `calls` tells when."""

    def open_source():
        maker = makers[min(len(open_source.calls), len(makers) - 1)]
        open_source.calls.append(time.monotonic())
        return maker()

    open_source.calls = []
    return open_source


def failing_with(error: Exception):
    def maker():
        raise error

    return maker


# --- files -----------------------------------------------------------------------------------------------------------


def test_no_frame_of_a_file_is_lost_however_slow_the_model():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(60)]), FakePipeline(delay=0.004))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        assert stage.pipeline.levels == list(range(60))
        assert stage.pipeline.seen == list(range(60))
        assert stage.session.readings.frames == 60
        assert stage.session.readings.dropped == 0
    assert stage.states == [STARTING, LIVE, ENDED]
    assert stage.session.status.source == "clip.mp4"


def test_the_last_view_stays_after_the_end_and_follows_the_settings():
    clip = FakeClip([picture(10), picture(20)])
    stage = Stage(lambda: clip)
    with stage:
        wait_until(lambda: stage.state is ENDED)
        view = stage.last_view()
        assert view.result.frame.id == 1
        assert view.picture[5, 5, 0] == 20
        assert view.picture[0, 0, 0] == 0
        stage.session.settings = LiveSettings(mirrored=True)
        view = stage.last_view()
        assert view.result.frame.id == 1
        assert view.picture[0, 0, 0] == 255, "mirrored anew"
        time.sleep(0.05)
        assert stage.session.take_view() is None, "nothing changed, nothing is drawn"
        wait_until(lambda: clip.closed)
    assert len(stage.pipeline.seen) == 2


def test_another_model_looks_at_the_last_picture_again():
    stage = Stage(lambda: FakeClip([picture(10)], kind=SourceKind.PICTURES))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        assert stage.last_view().result.model == "A"
        stage.session.use_model(lambda: landmarker("B"))
        assert stage.last_view().result.model == "B"
        assert stage.session.readings.frames == 1, "the frame counts once"


def test_a_file_is_shown_at_its_own_speed():
    stage = Stage(lambda: FakeClip([picture()] * 11, rate=50.0))
    with stage:
        wait_until(lambda: stage.state is LIVE)
        start = time.monotonic()
        wait_until(lambda: stage.state is ENDED)
    assert 0.15 < time.monotonic() - start < 1.0


def test_frames_come_at_their_own_times_where_they_tell():
    times = [0.0, 0.01, 0.02, 0.22, 0.23]
    moments = []
    pipeline = FakePipeline(failing=lambda frame: moments.append(time.monotonic()))
    stage = Stage(lambda: FakeClip([picture()] * 5, rate=1000.0, times=times), pipeline)
    with stage:
        wait_until(lambda: stage.state is ENDED)
    assert moments[3] - moments[2] > 0.15
    assert moments[2] - moments[0] < 0.15


@pytest.mark.parametrize("rate", [0.0, float("nan"), None, -5.0])
def test_fault_32_a_rate_that_lies_does_no_harm(rate):
    times = [float("nan"), 3.0, 1.0, 1e12, 1e12]
    stage = Stage(lambda: FakeClip([picture(level) for level in range(5)], rate=rate, times=times))
    with stage:
        wait_until(lambda: stage.state is ENDED)
    assert stage.pipeline.levels == list(range(5))


def test_a_file_that_breaks_in_the_middle_shows_what_it_had_and_says_so():
    error = SourceError("The drive is gone", "it was removed", "plug it in")
    stage = Stage(lambda: FakeClip([picture(1), picture(2), error]))
    with stage:
        wait_until(lambda: stage.state is FAILED)
        wait_until(lambda: stage.pipeline.levels == [1, 2])
    assert stage.session.status.message == str(error)
    assert stage.states == [STARTING, LIVE, FAILED]


def test_what_a_file_has_to_say_at_its_end_is_said():
    stage = Stage(lambda: FakeClip([picture()], remark="The video was cut off."))
    with stage:
        wait_until(lambda: stage.state is ENDED)
    assert stage.session.status.message == "The video was cut off."


def test_an_empty_source_ends():
    stage = Stage(lambda: FakeClip([]))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        assert stage.session.take_view() is None


def test_a_file_that_does_not_answer_is_stalled_and_goes_on_where_it_was(hang):
    stage = Stage(lambda: FakeClip([picture(1), hang, picture(2)]))
    with stage:
        wait_until(lambda: stage.state is STALLED)
        time.sleep(2 * FAST.dead)
        assert stage.state is STALLED, "a file is never opened anew: it would start from its beginning"
        hang.set()
        wait_until(lambda: stage.state is ENDED)
    assert stage.pipeline.levels == [1, 2]


def test_fault_30_another_frame_size_gets_other_buffers():
    sizes = [(64, 48), (128, 72), (48, 64)]
    pictures = [picture(10 * place, *size) for place, size in enumerate(sizes, start=1) for _ in range(3)]
    stage = Stage(lambda: FakeClip(pictures, rate=50.0))
    shapes = []
    with stage:
        while stage.state is not ENDED or not shapes:
            view = stage.session.take_view()
            if view is not None:
                frame = view.result.frame
                assert view.picture.shape == (frame.height, frame.width, 4)
                assert view.picture[5, 5, 0] == frame.image[0, 0, 0]
                shapes.append(view.picture.shape)
    assert stage.pipeline.levels == [10] * 3 + [20] * 3 + [30] * 3
    assert shapes


def test_pausing_a_file_loses_nothing():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(40)], rate=200.0))
    with stage:
        wait_until(lambda: len(stage.pipeline.seen) > 5)
        stage.session.settings = LiveSettings(paused=True)
        time.sleep(0.05)
        seen = len(stage.pipeline.seen)
        time.sleep(0.3)
        assert len(stage.pipeline.seen) == seen
        assert stage.state is LIVE, "a pause is no stall"
        stage.session.settings = LiveSettings()
        wait_until(lambda: stage.state is ENDED)
    assert stage.pipeline.levels == list(range(40))
    assert stage.session.readings.dropped == 0
    assert stage.session.readings.fps > 60, "the pause does not count as slowness"


# --- cameras ---------------------------------------------------------------------------------------------------------


def test_fault_09_a_slow_model_gets_the_newest_frame_and_drops_are_counted():
    driver = FaultyCamera(period=0.004)
    stage = Stage(lambda: camera_source(driver), FakePipeline(delay=0.05))
    with stage:
        ages = [time.monotonic() - stage.last_view().result.frame.captured for _ in range(12)]
        wait_until(lambda: stage.session.readings.dropped > 20)
        assert max(ages) < 0.5
        assert np.median(ages) < 0.05 * 2 + 0.05
    assert stage.pipeline.seen == sorted(stage.pipeline.seen)
    assert stage.states == [STARTING, LIVE]
    assert len(stage.composer.buffers) <= 3


def test_fault_01_an_unplugged_camera_is_said_to_be_so_and_nothing_stale_stays_drawn():
    open_source = opening_in_turn(
        lambda: camera_source(FaultyCamera([noisy()] * 30 + [fails])),
        failing_with(CameraAbsent("No camera was found", "none is plugged in", "plug one in")),
    )
    stage = Stage(open_source)
    with stage:
        assert stage.views(3)[-1].result.faces
        wait_until(lambda: stage.state is RECONNECTING)
        wait_until(lambda: "comes back by itself" in stage.session.status.message)
        frames = stage.session.readings.frames
        wait_until(lambda: stage.last_view().result.faces == ())
        assert frames > 0, "the counters stay"
    assert any("disconnected" in status.message for status in stage.statuses)
    assert stage.session.status.source == "Fake Cam"


def test_fault_02_a_read_that_never_returns_is_noticed_and_left_behind(hang):
    drivers = [FaultyCamera([noisy()] * 20 + [hangs(hang)]), FaultyCamera([noisy(level=50)])]
    stage = Stage(opening_in_turn(*(lambda driver=driver: camera_source(driver) for driver in drivers)))
    with stage:
        wait_until(lambda: stage.states[-3:] == [STALLED, RECONNECTING, LIVE])
        wait_until(lambda: stage.pipeline.levels[-1] < 70)
        assert not drivers[0].released, "a driver that is being read must not be released"
        hang.set()
        wait_until(lambda: drivers[0].released)
        time.sleep(0.05)
        assert max(stage.pipeline.levels) < 190, "the late frame of the camera that was given up is never shown"
    assert not drivers[0].released_during_read
    assert stage.pipeline.seen == sorted(set(stage.pipeline.seen)), "ids go on"


def test_fault_02_stopping_does_not_wait_for_a_driver_that_hangs(hang):
    stage = Stage(lambda: camera_source(FaultyCamera([noisy()] * 5 + [hangs(hang)])))
    with stage:
        wait_until(lambda: stage.pipeline.seen)
        time.sleep(0.05)
        start = time.monotonic()
        assert not stage.session.stop(timeout=0.3), "it says that a thread was left behind"
        assert time.monotonic() - start < 1.0
        notified = stage.notified
        hang.set()
        time.sleep(0.05)
        assert stage.notified == notified, "nobody is told any more"
        assert stage.session.stop(timeout=3.0), "and by now it has ended"


def test_fault_05_stopping_does_not_wait_for_a_camera_that_is_still_opening(hang):
    driver = FaultyCamera()

    def open_source():
        hang.wait(20)
        return camera_source(driver)

    stage = Stage(open_source)
    with stage:
        wait_until(lambda: stage.state is STARTING)
        start = time.monotonic()
        assert not stage.session.stop(timeout=0.2)
        assert time.monotonic() - start < 1.0
        hang.set()
        wait_until(lambda: driver.released)
    assert not stage.pipeline.seen, "a source that comes too late is closed and never read"


def test_fault_39_slow_opening_is_said_and_does_not_last_for_ever(hang):
    def open_source():
        hang.wait(20)
        return camera_source(FaultyCamera())

    stage = Stage(open_source)
    with stage:
        wait_until(lambda: stage.state is FAILED)
        hang.set()
    assert any("takes long" in status.message for status in stage.statuses)
    assert "could not be opened within" in stage.session.status.message


def test_fault_03_the_camera_comes_back_by_itself():
    open_source = opening_in_turn(
        lambda: camera_source(FaultyCamera([noisy()] * 10 + [fails])),
        failing_with(CameraAbsent("gone", "unplugged", "plug it in")),
        failing_with(CameraAbsent("gone", "unplugged", "plug it in")),
        lambda: camera_source(FaultyCamera([noisy(level=50)])),
    )
    stage = Stage(open_source)
    with stage:
        wait_until(lambda: stage.states == [STARTING, LIVE, RECONNECTING, LIVE])
        wait_until(lambda: stage.pipeline.levels and stage.pipeline.levels[-1] < 70)
        assert stage.session.status.message == ""
        assert stage.last_view().result.faces
        assert stage.session.readings.dropped < 30
    assert stage.pipeline.seen == sorted(set(stage.pipeline.seen))
    assert stage.pipeline.resets >= 2, "the new picture has nothing to do with the old one"


def test_fault_03_another_camera_in_its_place_is_never_shown():
    stranger = FaultyCamera([noisy(level=220)])
    open_source = opening_in_turn(
        lambda: camera_source(FaultyCamera([noisy()] * 10 + [fails])), lambda: camera_source(stranger, "Stranger")
    )
    stage = Stage(open_source)
    with stage:
        wait_until(lambda: "Stranger" in stage.session.status.message)
        wait_until(lambda: stranger.released)
        assert stage.state is RECONNECTING
        assert stage.session.status.source == "Fake Cam"
    assert max(stage.pipeline.levels) < 200


def test_a_camera_is_not_replaced_by_the_sample():
    sample = FakeClip([picture(250)] * 100, name="Sample", kind=SourceKind.SAMPLE)
    open_source = opening_in_turn(lambda: camera_source(FaultyCamera([noisy()] * 10 + [fails])), lambda: sample)
    stage = Stage(open_source)
    with stage:
        wait_until(lambda: "not plugged in" in stage.session.status.message)
        wait_until(lambda: sample.closed)
    assert max(stage.pipeline.levels) < 200


def test_attempts_to_open_a_sick_camera_are_limited():
    open_source = opening_in_turn(
        lambda: camera_source(FaultyCamera([noisy()] * 10 + [fails])),
        failing_with(SourceError("The camera cannot be opened", "busy", "close the other program")),
    )
    stage = Stage(open_source)
    with stage:
        wait_until(lambda: len(open_source.calls) >= 8, timeout=15)
    reopened = open_source.calls[1:]
    for call in reopened:
        within = [other for other in reopened if call <= other < call + FAST.attempts_span - 0.1]
        assert len(within) <= FAST.most_attempts
    assert stage.state is RECONNECTING
    assert any("Trying again" in status.message for status in stage.statuses)


def test_attempts_that_hang_are_given_up_too(hang):
    def hanging():
        hang.wait(20)
        return camera_source(FaultyCamera())

    open_source = opening_in_turn(
        lambda: camera_source(FaultyCamera([noisy()] * 10 + [fails])),
        hanging,
        lambda: camera_source(FaultyCamera([noisy(level=50)])),
    )
    stage = Stage(open_source)
    with stage:
        wait_until(lambda: stage.states == [STARTING, LIVE, RECONNECTING, LIVE])
        hang.set()


@pytest.mark.parametrize(
    "error",
    [
        CameraAbsent("No camera was found", "none is plugged in", "plug one in"),
        SourceError("The camera “X” may not be used", "no permission", "ask for it"),
        SourceError("The camera “X” cannot be opened", "another program uses it", "close that"),
    ],
)
def test_faults_06_07_08_a_camera_that_never_worked_fails_with_its_sentence(error):
    open_source = opening_in_turn(failing_with(error))
    stage = Stage(open_source)
    with stage:
        wait_until(lambda: stage.state is FAILED)
        time.sleep(0.1)
    assert stage.session.status.message == str(error)
    assert len(open_source.calls) == 1, "no storm of attempts"


def test_whatever_opening_throws_becomes_a_sentence():
    stage = Stage(opening_in_turn(failing_with(RuntimeError("driver bug 0x80"))))
    with stage:
        wait_until(lambda: stage.state is FAILED)
    assert "driver bug 0x80" in stage.session.status.message


def test_fault_08_a_camera_that_opens_but_gives_nothing_fails():
    stage = Stage(lambda: camera_source(FaultyCamera([fails])))
    with stage:
        wait_until(lambda: stage.state is FAILED)
    assert "gives no picture" in stage.session.status.message


@pytest.mark.parametrize("step", [empty, fails, raises(RuntimeError("USB"))])
def test_fault_26_a_few_bad_reads_are_a_hiccup_and_five_are_the_end(step):
    stage = Stage(lambda: camera_source(FaultyCamera([noisy()] * 10 + [step] * 3 + [noisy()] * 10 + [step])))
    with stage:
        wait_until(lambda: stage.state is RECONNECTING)
        assert stage.pipeline.seen[-1] >= 15, "the hiccup did not end it"


def test_fault_27_a_black_picture_is_said_and_the_sentence_goes_with_it():
    stage = Stage(lambda: camera_source(FaultyCamera([noisy()] * 5 + [black] * 80 + [noisy()])))
    with stage:
        wait_until(lambda: stage.session.status.message == BLACK)
        assert stage.state is LIVE
        wait_until(lambda: stage.session.status.message == "")


def test_fault_28_a_frozen_picture_is_said_but_a_still_scene_is_not():
    still = gives(noisy()(1)[1])
    stage = Stage(lambda: camera_source(FaultyCamera([noisy()] * 80 + [still] * 80 + [noisy()])))
    with stage:
        wait_until(lambda: stage.session.status.message == FROZEN)
        seen = len(stage.pipeline.seen)
        wait_until(lambda: stage.session.status.message == "")
    messages = [status.message for status in stage.statuses]
    assert messages.count(FROZEN) == 1
    assert seen > 10


def test_a_film_may_be_black_and_still():
    stage = Stage(lambda: FakeClip([picture(0)] * 40, rate=100.0))
    with stage:
        wait_until(lambda: stage.state is ENDED)
    assert not any(status.message in (BLACK, FROZEN) for status in stage.statuses)


def test_pausing_a_camera_lets_frames_go_uncounted():
    stage = Stage(lambda: camera_source(FaultyCamera(period=0.01)))
    with stage:
        wait_until(lambda: len(stage.pipeline.seen) > 5)
        stage.session.settings = LiveSettings(paused=True)
        time.sleep(0.05)
        seen = len(stage.pipeline.seen)
        time.sleep(0.5)
        assert len(stage.pipeline.seen) == seen
        assert stage.state is LIVE
        before = stage.session.readings.dropped
        stage.session.settings = LiveSettings()
        wait_until(lambda: len(stage.pipeline.seen) > seen + 5)
        assert stage.session.readings.dropped - before < 30, "50 frames went by"


def test_fault_34_a_hole_in_time_leaves_no_mark_on_the_rate(hang):
    drivers = [FaultyCamera([noisy()] * 60 + [hangs(hang)], period=0.01), FaultyCamera(period=0.01)]
    began = []
    pipeline = FakePipeline(failing=lambda frame: began.append(time.monotonic()))
    stage = Stage(opening_in_turn(*(lambda driver=driver: camera_source(driver) for driver in drivers)), pipeline)
    with stage:
        wait_until(lambda: stage.states[-2:] == [RECONNECTING, LIVE])
        seen = len(stage.pipeline.seen)
        wait_until(lambda: len(stage.pipeline.seen) > seen + 10)
        real = time.monotonic() - began[0]
        readings = stage.session.readings
        hang.set()
        assert real - readings.frames / readings.fps > 0.9 * FAST.dead, "the silence is left out"


def test_fault_40_sources_switched_rapidly_leave_nothing_open():
    drivers = []
    for _ in range(25):
        driver = FaultyCamera(period=0.001)
        drivers.append(driver)
        stage = Stage(lambda driver=driver: camera_source(driver))
        with stage:
            time.sleep(0.003)
        assert stage.session.stop()
    assert all(driver.released or not driver.reads for driver in drivers)
    assert not any(driver.released_during_read for driver in drivers)


# --- models ----------------------------------------------------------------------------------------------------------


def test_fault_14_a_model_that_throws_is_reported_once_and_the_picture_goes_on():
    def failing(frame):
        if 5 <= frame.id < 25:
            raise RuntimeError("invoke failed")

    stage = Stage(lambda: FakeClip([picture(level) for level in range(40)], rate=100.0), FakePipeline(failing=failing))
    bare = 0
    with stage:
        while stage.state is not ENDED:
            view = stage.session.take_view()
            if view is not None and not view.result.faces:
                assert 5 <= view.result.frame.id < 25
                bare += 1
        assert stage.session.error is None, "it works again"
    assert len(stage.errors) == 1
    assert isinstance(stage.errors[0], ModelError)
    assert "invoke failed" in str(stage.errors[0])
    assert stage.pipeline.seen == [*range(5), *range(25, 40)]
    assert bare > 3
    assert stage.session.readings.frames == 20, "frames that were not understood do not count"


def test_fault_13_numbers_that_are_none_do_no_harm():
    class NotANumber(FakePipeline):
        def process(self, frame, capture_ms=0.0):
            result = super().process(frame, float("nan"))
            points = np.full((68, 2), np.nan, np.float32)
            return replace(result, nme=float("nan"), faces=(replace(result.faces[0], landmarks=points),))

    stage = Stage(lambda: FakeClip([picture()] * 10), NotANumber())
    with stage:
        wait_until(lambda: stage.state is ENDED)
        assert stage.session.readings.frames == 10
        assert stage.session.error is None


def test_a_composer_that_fails_even_on_the_bare_picture_does_not_end_the_session():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(6)], rate=100.0))
    works = stage.composer.compose

    def compose(result, *arguments):
        if result.frame.id < 3:
            raise ValueError("cannot draw")
        works(result, *arguments)

    stage.composer.compose = compose
    with stage:
        wait_until(lambda: stage.state is ENDED)
    assert stage.session.readings.frames == 3
    assert "cannot draw" in str(stage.errors[0])


def test_fault_24_results_stand_under_the_name_of_the_model_that_made_them():
    stage = Stage(lambda: camera_source(FaultyCamera(period=0.001)), FakePipeline(delay=0.001))
    with stage:
        wait_until(lambda: stage.pipeline.seen)
        for number in range(200):
            stage.session.use_model(lambda number=number: landmarker(f"model {number}"))
            time.sleep(0.001)
            view = stage.session.take_view()
            if view is not None:
                made_by = dict(zip(stage.pipeline.seen, stage.pipeline.models, strict=False))
                assert view.result.model == made_by[view.result.frame.id]
        wait_until(lambda: stage.pipeline.models[-1] == "model 199")
    assert len(set(stage.pipeline.models)) > 20


def test_a_model_that_cannot_be_loaded_leaves_the_old_one_at_work():
    def broken():
        raise ModelError("The model is damaged", "its bytes changed", "install it again")

    stage = Stage(lambda: camera_source(FaultyCamera()))
    with stage:
        wait_until(lambda: stage.pipeline.seen)
        stage.session.use_model(broken)
        wait_until(lambda: stage.session.error is not None)
        seen = len(stage.pipeline.seen)
        wait_until(lambda: len(stage.pipeline.seen) > seen + 10)
        assert "damaged" in str(stage.session.error), "it is said until another model is chosen"
        assert stage.pipeline.models[-1] == "A"
        stage.session.use_model(lambda: landmarker("B"))
        wait_until(lambda: stage.pipeline.models[-1] == "B")
        assert stage.session.error is None


def test_without_a_pipeline_the_bare_picture_is_shown_until_a_model_works():
    pipeline = FakePipeline()
    works = []

    def make_pipeline():
        if not works:
            raise ModelError("The model is missing", "it was deleted", "install it again")
        return pipeline

    stage = Stage(lambda: camera_source(FaultyCamera()), make_pipeline=make_pipeline)
    with stage:
        view = stage.views(2)[-1]
        assert view.result.faces == ()
        assert "missing" in str(stage.session.error)
        works.append(True)
        stage.session.use_model(lambda: landmarker("B"))
        wait_until(lambda: pipeline.models and pipeline.models[-1] == "B")
        wait_until(lambda: stage.session.error is None)


def test_a_model_that_never_returns_does_not_keep_the_session_from_stopping(hang):
    stage = Stage(lambda: camera_source(FaultyCamera()), FakePipeline(failing=lambda frame: hang.wait(20)))
    with stage:
        wait_until(lambda: stage.state is LIVE)
        start = time.monotonic()
        assert not stage.session.stop(timeout=0.3)
        assert time.monotonic() - start < 1.0
        hang.set()


# --- settings and listeners ------------------------------------------------------------------------------------------


def test_settings_reach_the_next_frame():
    stage = Stage(lambda: camera_source(FaultyCamera()))
    with stage:
        stage.views(1)
        stage.session.settings = LiveSettings(OverlayOptions(points=False), mirrored=True, smoothing=0.9)
        wait_until(lambda: stage.last_view().picture[0, 0, 0] == 255)
        assert stage.pipeline.smoothing == 0.9


def test_a_listener_that_throws_harms_nobody():
    calls = []

    def notify():
        calls.append(1)
        raise RuntimeError("the window is gone")

    session = Session(
        lambda: FakeClip([picture()] * 5), FakePipeline, LiveSettings(), notify, composer=FakeComposer(), timing=FAST
    )
    session.start()
    wait_until(lambda: session.status.state is ENDED)
    assert session.stop()
    assert len(calls) > 5


def test_stopping_twice_or_before_the_start_is_fine():
    stage = Stage(lambda: FakeClip([picture()] * 5))
    assert stage.session.stop()
    assert stage.session.stop()


def test_the_picture_a_window_holds_is_not_written_to():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(60)], rate=300.0))
    held = None
    with stage:
        while stage.state is not ENDED:
            view = stage.session.take_view()
            held = view or held
            if held is not None:
                assert held.picture[5, 5, 0] == held.result.frame.image[0, 0, 0]
    assert held is not None
