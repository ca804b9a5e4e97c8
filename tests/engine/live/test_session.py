"""The live session on files, its settings and its listeners.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from engine.core.errors import SourceError
from engine.core.memory import give_back
from engine.live.session import Session
from engine.live.settings import LiveSettings
from engine.live.state import SourceState
from engine.render.scene import OverlayOptions
from engine.sources.base import SourceKind
from tests.fakes.faulty_camera import FaultyCamera, camera_source
from tests.fakes.live_fakes import FAST, FakeClip, FakeFilm, FakePainter, FakePipeline, landmarker, picture, wait_until
from tests.fakes.stage import Stage

STARTING, LIVE, STALLED, RECONNECTING, ENDED, FAILED = SourceState

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("no_thread_left")]


def test_no_frame_of_a_file_is_lost_however_slow_the_model():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(60)]), FakePipeline(delay=0.004))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        assert stage.pipeline.levels == list(range(60))
        assert stage.pipeline.seen == list(range(60))
        assert stage.stats.frames == 60
        assert stage.stats.dropped == 0
    assert stage.states == [STARTING, LIVE, ENDED]
    assert stage.session.status.source == "clip.mp4"


def test_the_last_view_stays_after_the_end_and_follows_the_settings():
    clip = FakeClip([picture(10), picture(20)])
    stage = Stage(lambda: clip)
    with stage:
        wait_until(lambda: stage.state is ENDED)
        view = stage.last_view()
        assert view.first.result.frame.id == 1
        assert view.first.picture[5, 5, 0] == 20
        assert view.first.picture[0, 0, 0] == 0
        stage.session.settings = LiveSettings(mirrored=True)
        view = stage.last_view()
        assert view.first.result.frame.id == 1
        assert view.first.picture[0, 0, 0] == 255, "mirrored again"
        time.sleep(0.05)
        assert stage.take_view() is None, "nothing changed, nothing is drawn"
        wait_until(lambda: clip.closed)
    assert len(stage.pipeline.seen) == 2


def test_another_model_looks_at_the_last_picture_again():
    stage = Stage(lambda: FakeClip([picture(10)], kind=SourceKind.PICTURES))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        assert stage.last_view().first.result.model == "A"
        stage.session.use_model(lambda: landmarker("B"))
        assert stage.last_view().first.result.model == "B"
        assert stage.stats.frames == 1, "the frame counts once"
        assert stage.stats.dropped == 0


def test_a_file_is_shown_at_its_own_speed():
    stage = Stage(lambda: FakeClip([picture()] * 11, rate=50.0))
    with stage:
        wait_until(lambda: stage.state is LIVE)
        start = time.monotonic()
        wait_until(lambda: stage.state is ENDED)
    assert 0.15 < time.monotonic() - start < 1.0


def test_a_frame_that_waited_for_its_moment_is_not_old():
    stage = Stage(lambda: FakeClip([picture()] * 20, rate=20.0))
    with stage:
        ages = [time.monotonic() - stage.last_view().first.result.frame.captured for _ in range(10)]
    assert sorted(ages)[5] < 0.025, "half of the 50 ms for which each frame waits"


def test_frames_come_at_their_own_times_where_they_have_some():
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
    assert stage.session.status.error is error
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
        assert stage.take_view() is None


def test_a_file_that_does_not_answer_is_stalled_and_goes_on_where_it_was(hang):
    stage = Stage(lambda: FakeClip([picture(1), hang, picture(2)]))
    with stage:
        wait_until(lambda: stage.state is STALLED)
        time.sleep(2 * FAST.dead)
        assert stage.state is STALLED, "a file is never reopened: it would start from its beginning"
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
            view = stage.take_view()
            if view is not None:
                frame = view.first.result.frame
                assert view.first.picture.shape == (frame.height, frame.width, 4)
                assert view.first.picture[5, 5, 0] == frame.image[0, 0, 0]
                shapes.append(view.first.picture.shape)
    assert stage.pipeline.levels == [10] * 3 + [20] * 3 + [30] * 3
    assert shapes


def test_pausing_a_file_loses_nothing():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(120)], rate=200.0))
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
    assert stage.pipeline.levels == list(range(120))
    assert stage.stats.dropped == 0
    assert stage.stats.fps > 60, "the pause does not count as slowness"


def test_settings_reach_the_next_frame():
    stage = Stage(lambda: camera_source(FaultyCamera()))
    with stage:
        stage.views(1)
        stage.session.settings = LiveSettings(OverlayOptions(points=False), mirrored=True, smoothing=0.9)
        wait_until(lambda: stage.last_view().first.picture[0, 0, 0] == 255)
        wait_until(lambda: stage.pipeline.smoothing == 0.9)


def test_a_listener_that_throws_harms_nobody():
    calls = []

    def notify():
        calls.append(1)
        raise RuntimeError("the window is gone")

    session = Session(
        lambda: FakeClip([picture()] * 5), FakePipeline, LiveSettings(), notify, make_painter=FakePainter, timing=FAST
    )
    session.start()
    wait_until(lambda: session.status.state is ENDED)
    assert session.stop()
    assert len(calls) > 5


def test_stopping_twice_or_before_the_start_is_fine():
    stage = Stage(lambda: FakeClip([picture()] * 5))
    assert stage.session.stop()
    assert stage.session.stop()


def test_fault_73_the_picture_a_window_holds_is_not_written_to():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(60)], rate=300.0))
    held = None
    with stage:
        while stage.state is not ENDED:
            view = stage.take_view()
            held = view or held
            if held is not None:
                assert held.first.picture[5, 5, 0] == held.first.result.frame.image[0, 0, 0]
    assert held is not None


def test_fault_72_what_a_session_held_is_freed_when_it_has_stopped_and_not_some_time_later():
    """Sessions refer to themselves, so they wait for Python's collector; models and pictures must not."""
    gc.disable()
    try:
        stage = Stage(lambda: FakeFilm([picture(level) for level in range(4)]))
        with stage:
            wait_until(lambda: stage.state is ENDED)
            view = stage.last_view()
            shown = weakref.ref(view.first.picture), weakref.ref(view.first.result.frame.image)
            models = [weakref.ref(stage.pipeline), weakref.ref(stage.painter)]
            stage.pipeline = stage.painter = None
        del view
        assert [ref() for ref in (*models, *shown)] == [None] * 4
        assert stage.session.status.state is ENDED, "it still says what became of it"
        assert stage.session.take_view() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts what the process has open by /proc")
def test_fault_72_sessions_opened_and_closed_leave_no_thread_no_handle_and_no_memory():
    def play() -> None:
        stage = Stage(lambda: FakeFilm([picture(level, 640, 480) for level in range(3)]))
        with stage:
            wait_until(lambda: stage.state is ENDED)

    def taken() -> tuple[int, int]:
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    def resident() -> float:
        gc.collect()
        give_back()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    play()
    before, megabytes = taken(), resident()
    for _ in range(20):
        play()
    assert taken() == before
    assert resident() - megabytes < 10, "a picture alone would be 18 MB by now"


def test_fault_68_a_reader_that_waits_for_room_ends_though_nobody_takes_a_frame_any_more(hang):
    taken = []
    pipeline = FakePipeline(failing=lambda frame: taken.append(frame) or hang.wait(20))
    stage = Stage(lambda: FakeClip([picture()] * 100), pipeline)
    stage.session.start()
    wait_until(lambda: taken and stage.session._feed._frame is not None)  # the taker hangs, and the feed is full again
    start = time.monotonic()
    assert not stage.session.stop(0.5), "the model's thread is abandoned"
    assert time.monotonic() - start < 5
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"reader", "closing", "watchdog", "composer"}
    assert "finder 0" in names
    hang.set()
