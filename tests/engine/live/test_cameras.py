"""The live session on cameras that stop, hang, lie, vanish and come back.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from engine.core.errors import SourceError
from engine.live.camera_reader import BLACK, FROZEN
from engine.live.settings import LiveSettings
from engine.live.state import SourceState
from engine.sources.base import SourceKind
from engine.sources.discovery import CameraAbsent
from tests.fakes.faulty_camera import FaultyCamera, black, camera_source, empty, fails, gives, hangs, noisy, raises
from tests.fakes.live_fakes import FAST, FakeClip, FakePipeline, picture, wait_until
from tests.fakes.stage import Stage, failing_with, opening_in_turn

STARTING, LIVE, STALLED, RECONNECTING, ENDED, FAILED = SourceState

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("no_thread_left")]


def test_fault_09_a_slow_model_gets_the_newest_frame_and_drops_are_counted():
    driver = FaultyCamera(period=0.004)
    stage = Stage(lambda: camera_source(driver), FakePipeline(delay=0.05))
    with stage:
        ages = [time.monotonic() - stage.last_view().first.result.frame.captured for _ in range(12)]
        wait_until(lambda: stage.stats.dropped > 20)
        assert max(ages) < 0.5
        assert np.median(ages) < 0.05 * 2 + 0.05
    assert stage.pipeline.seen == sorted(stage.pipeline.seen)
    assert stage.states == [STARTING, LIVE]
    assert len(stage.painter.buffers) <= 3


def test_fault_01_an_unplugged_camera_is_said_to_be_so_and_nothing_stale_stays_drawn():
    open_source = opening_in_turn(
        lambda: camera_source(FaultyCamera([noisy()] * 30 + [fails])),
        failing_with(CameraAbsent("No camera was found", "none is plugged in", "plug one in")),
    )
    stage = Stage(open_source)
    with stage:
        assert stage.views(3)[-1].first.result.faces
        wait_until(lambda: stage.state is RECONNECTING)
        wait_until(lambda: "comes back by itself" in stage.session.status.message)
        wait_until(lambda: stage.last_view().first.result.faces == ())
        assert stage.stats.frames > 0, "the counters stay"
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


def test_a_frame_that_was_on_its_way_when_its_camera_was_given_up_is_thrown_away():
    driver = FaultyCamera([noisy()] * 10 + [noisy(level=200), fails])
    absent = failing_with(CameraAbsent("gone", "unplugged", "plug it in"))
    stage = Stage(opening_in_turn(lambda: camera_source(driver), absent), FakePipeline(delay=0.4))
    with stage:
        wait_until(lambda: stage.state is RECONNECTING)
        assert not stage.pipeline.seen, "the model is still at the first frame"
        wait_until(lambda: stage.pipeline.seen)
        time.sleep(0.5)
    assert stage.pipeline.seen == [0]


def test_fault_02_stopping_does_not_wait_for_a_driver_that_hangs(hang):
    stage = Stage(lambda: camera_source(FaultyCamera([noisy()] * 5 + [hangs(hang)])))
    with stage:
        wait_until(lambda: stage.pipeline.seen)
        time.sleep(0.05)
        start = time.monotonic()
        assert not stage.session.stop(timeout=0.3), "it reports that a thread was abandoned"
        assert time.monotonic() - start < 1.0
        notified = stage.notified
        hang.set()
        time.sleep(0.05)
        assert stage.notified == notified, "there are no more notifications"
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
    assert any("taking a long time" in status.message for status in stage.statuses)
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
        wait_until(lambda: stage.last_view().first.result.faces)
        assert stage.stats.dropped < 30
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
        before = stage.stats.dropped
        stage.session.settings = LiveSettings()
        wait_until(lambda: len(stage.pipeline.seen) > seen + 5)
        assert stage.stats.dropped - before < 30, "50 frames went by"


def test_going_on_after_a_pause_shows_no_frame_of_before():
    ages = []
    pipeline = FakePipeline(delay=0.05, failing=lambda frame: ages.append(time.monotonic() - frame.captured))
    stage = Stage(lambda: camera_source(FaultyCamera(period=0.01)), pipeline)
    with stage:
        wait_until(lambda: len(ages) > 3)
        stage.session.settings = LiveSettings(paused=True)  # while a frame waits for the model
        time.sleep(1.2)
        seen = len(ages)
        stage.session.settings = LiveSettings()
        wait_until(lambda: len(ages) > seen + 3)
    assert max(ages) < 0.8


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
        stats = stage.stats
        hang.set()
        assert real - stats.frames / stats.fps > 0.9 * FAST.dead, "the silence is left out"


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


def test_fault_35_a_slow_camera_is_known_as_such():
    stage = Stage(lambda: camera_source(FaultyCamera(period=0.1)))
    with stage:
        wait_until(lambda: len(stage.pipeline.seen) > 10)
        assert 6 < stage.session.camera_rate < 11
        assert stage.stats.latency_ms["total"].p50 < 20, "the model could do much more"
