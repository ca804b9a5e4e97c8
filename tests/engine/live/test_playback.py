"""The live session on files: seeking, stepping, looping.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.live.settings import LiveSettings, Pace
from engine.live.state import SourceState
from engine.render.scene import Layout
from engine.sources.base import SourceKind
from engine.sources.video import VideoSource
from tests.fakes.clips import cut, write_clip
from tests.fakes.faulty_camera import FaultyCamera, camera_source
from tests.fakes.live_fakes import FakeClip, FakeFilm, FakePipeline, landmarker, picture, wait_until
from tests.fakes.stage import Stage

STARTING, LIVE, STALLED, RECONNECTING, ENDED, FAILED = SourceState
PAUSED = LiveSettings(paused=True)

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("no_thread_left")]


def film(frames: int = 100, rate: float = 100.0, **how) -> FakeFilm:
    """Return a film whose frame n has the level n."""
    return FakeFilm([picture(level) for level in range(frames)], rate=rate, **how)


def paused(stage: Stage) -> int:
    """Pause, and return the level of the frame on screen."""
    wait_until(lambda: len(stage.pipeline.seen) > 3)
    stage.session.settings = replace(stage.session.settings, paused=True)
    time.sleep(0.05)
    return stage.pipeline.levels[-1]


def shown(stage: Stage, level: int):
    """Wait until a frame is on screen; return its view."""
    return until_view(stage, lambda view: view.first.picture[5, 5, 0] == level)


def until_view(stage: Stage, fits):
    views = []

    def look() -> bool:
        view = stage.take_view()
        if view is not None:
            views.append(view)
        return bool(views) and fits(views[-1])

    wait_until(look)
    return views[-1]


def test_seeking_goes_on_there_and_loses_nothing_after():
    stage = Stage(lambda: film())
    with stage:
        wait_until(lambda: len(stage.pipeline.seen) > 3)
        stage.session.seek(0.8)
        wait_until(lambda: stage.state is ENDED)
        levels = stage.pipeline.levels
        assert levels[levels.index(80) :] == list(range(80, 100))
        assert max(levels[: levels.index(80)]) < 70
        assert stage.stats.dropped == 0, "what was jumped over is not dropped"
    assert stage.pipeline.seen == sorted(set(stage.pipeline.seen)), "ids go on"


def test_seeking_in_a_pause_shows_that_frame_with_its_landmarks_and_stays_there():
    stage = Stage(lambda: film())
    with stage:
        paused(stage)
        stage.session.seek(0.5)
        view = shown(stage, 50)
        assert view.first.result.faces
        assert stage.session.playback.number == 50
        assert stage.session.playback.position == pytest.approx(0.5)
        time.sleep(0.1)
        assert stage.pipeline.levels[-1] == 50
        stage.session.settings = LiveSettings()
        wait_until(lambda: stage.state is ENDED)
    assert stage.pipeline.levels[stage.pipeline.levels.index(50) :] == list(range(50, 100))


@pytest.mark.parametrize("frames", [1, 2, 7, -1, -3])
def test_a_step_is_exactly_that_many_frames(frames):
    stage = Stage(lambda: film())
    with stage:
        paused(stage)
        stage.session.seek(0.4)
        shown(stage, 40)
        stage.session.step(frames)
        assert shown(stage, 40 + frames).first.result.faces
        assert stage.session.playback.number == 40 + frames
        time.sleep(0.05)
        assert stage.pipeline.levels[-1] == 40 + frames


def test_steps_add_up_however_fast_they_come():
    stage = Stage(lambda: film(), FakePipeline(delay=0.01))
    with stage:
        level = paused(stage)
        for _ in range(20):
            stage.session.step(1)
            time.sleep(0.002)
        shown(stage, level + 20)
        for _ in range(9):
            stage.session.step(-1)
        shown(stage, level + 11)


def test_a_step_forwards_takes_the_frame_that_was_read_already():
    clip = film()
    stage = Stage(lambda: clip)
    with stage:
        level = paused(stage)
        for number in range(1, 6):
            stage.session.step(1)
            shown(stage, level + number)
    assert clip.sought == []


def test_steps_stop_at_both_ends():
    stage = Stage(lambda: film())
    with stage:
        paused(stage)
        stage.session.step(-1000)
        shown(stage, 0)
        stage.session.step(1000)
        shown(stage, 99)


def test_of_many_seeks_only_the_last_counts():
    slow = FakePipeline(delay=0.03)
    clip = film()
    stage = Stage(lambda: clip, slow)
    with stage:
        paused(stage)
        before = len(slow.seen)
        for place in range(10, 90):
            stage.session.seek(place / 100)
            time.sleep(0.001)
        shown(stage, 89)
        assert len(slow.seen) - before < 20, "most were never worked on"


def test_no_frame_of_before_is_shown_after_a_seek():
    entered, let_go = threading.Event(), threading.Event()

    def hold(frame) -> None:
        if frame.image[0, 0, 0] == 5:
            entered.set()
            let_go.wait(5)

    stage = Stage(lambda: film(), FakePipeline(failing=hold))
    with stage:
        assert entered.wait(5)
        stage.take_view()
        stage.session.seek(0.9)  # while the model is at frame 5
        let_go.set()
        levels = [int(view.first.picture[5, 5, 0]) for view in stage.views(5)]
    assert min(levels) >= 90, "and frame 5 is thrown away"


def test_a_seek_begins_tracking_and_smoothing_again():
    stage = Stage(lambda: film())
    with stage:
        wait_until(lambda: len(stage.pipeline.seen) > 3)
        resets = stage.pipeline.resets
        stage.session.seek(0.6)
        wait_until(lambda: 60 in stage.pipeline.levels)
        assert stage.pipeline.resets == resets + 1


def test_seeking_after_the_end_plays_again():
    stage = Stage(lambda: film(20))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        stage.session.seek(0.0)
        wait_until(lambda: stage.state is LIVE)
        wait_until(lambda: stage.state is ENDED)
    assert stage.pipeline.levels == [*range(20), *range(20)]
    assert stage.states == [STARTING, LIVE, ENDED, LIVE, ENDED]


def test_stepping_back_from_the_end():
    stage = Stage(lambda: film(20))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        stage.session.settings = PAUSED
        stage.session.step(-1)
        shown(stage, 18)
        wait_until(lambda: stage.state is LIVE)


def test_seeking_beyond_the_end_shows_the_last_frame():
    stage = Stage(lambda: film(20))
    with stage:
        paused(stage)
        stage.session.seek(1e6)
        shown(stage, 19)
        assert stage.session.playback.position <= stage.session.playback.duration


def test_a_loop_starts_again_without_a_hiccup():
    moments = []
    pipeline = FakePipeline(failing=lambda frame: moments.append(time.monotonic()))
    stage = Stage(lambda: film(10, rate=50.0), pipeline)
    stage.session.loop = True
    with stage:
        wait_until(lambda: len(pipeline.levels) > 34)
        assert stage.states == [STARTING, LIVE]
        assert stage.stats.dropped == 0
        stage.session.loop = False
        wait_until(lambda: stage.state is ENDED)
    assert pipeline.levels[:30] == [*range(10)] * 3
    assert pipeline.resets >= 3, "the first frame does not follow the last"
    assert max(np.diff(moments)[:30]) < 0.1


def test_a_single_picture_does_not_loop():
    stage = Stage(lambda: film(1, kind=SourceKind.PICTURES))
    stage.session.loop = True
    with stage:
        wait_until(lambda: stage.state is ENDED)
        time.sleep(0.05)
    assert stage.pipeline.levels == [0]


def test_both_lanes_show_the_new_frame_and_never_an_old_one():
    for pace in Pace:
        second = FakePipeline("B", delay=0.08)
        settings = LiveSettings(layout=Layout.SIDE_BY_SIDE, pace=pace)
        stage = Stage(lambda: film(), settings=settings)
        stage.session.use_model(lambda: landmarker("B"), 1, lambda second=second: second)
        with stage:
            wait_until(lambda second=second: second.seen)
            stage.session.settings = replace(settings, paused=True)
            stage.session.seek(0.7)
            time.sleep(0.01)
            both = []

            def look(view, both=both) -> bool:
                if view.second is not None:
                    both.append((int(view.first.picture[5, 5, 0]), int(view.second.picture[5, 5, 0])))
                return both[-1:] == [(70, 70)]

            until_view(stage, look)
            stage.session.step(-3)
            until_view(stage, lambda view: (view.first.picture[5, 5, 0], view.second.picture[5, 5, 0]) == (67, 67))


def test_cameras_and_what_cannot_be_sought_in_take_no_harm():
    for source in (lambda: camera_source(FaultyCamera()), lambda: FakeClip([picture()] * 500, rate=100.0)):
        stage = Stage(source)
        with stage:
            wait_until(lambda stage=stage: len(stage.pipeline.seen) > 3)
            assert stage.session.playback is None
            stage.session.seek(1.0)
            stage.session.step(3)
            before = len(stage.pipeline.seen)
            wait_until(lambda stage=stage, before=before: len(stage.pipeline.seen) > before + 5)


def test_before_the_start_and_after_the_stop_nothing_happens():
    stage = Stage(lambda: film())
    stage.session.seek(1.0)
    assert stage.session.playback is None
    with stage:
        wait_until(lambda: stage.pipeline.seen)
    stage.session.seek(1.0)
    stage.session.step(1)


def test_a_seek_that_hangs_keeps_nobody_waiting(hang):
    class Stuck(FakeFilm):
        def seek(self, place: int) -> None:
            hang.wait(20)
            super().seek(place)

    stage = Stage(lambda: Stuck([picture(level) for level in range(100)], rate=50.0))
    with stage:
        wait_until(lambda: len(stage.pipeline.seen) > 3)
        start = time.monotonic()
        stage.session.seek(1.0)
        stage.session.step(-1)
        assert time.monotonic() - start < 0.05
        wait_until(lambda: stage.state is STALLED)
        hang.set()
        wait_until(lambda: stage.state is LIVE)


def test_a_real_video_is_gone_about_in(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", frames=30, rate=30.0)
    plain = VideoSource(path)
    frames = [plain.read().image for _ in range(30)]
    plain.close()
    seen: dict[int, np.ndarray] = {}
    pipeline = FakePipeline(failing=lambda frame: seen.update(last=frame.image))
    stage = Stage(lambda: VideoSource(path), pipeline)
    with stage:
        paused(stage)
        stage.session.seek(20 / 30)
        for place in (20, 19, 18, 22):
            wait_until(lambda place=place: stage.session.playback.number == place and "last" in seen)
            wait_until(lambda place=place: np.array_equal(seen["last"], frames[place]))
            stage.session.step(4 if place == 18 else -1)
        playback = stage.session.playback
        assert playback.duration == pytest.approx(1.0)
        stage.session.settings = LiveSettings()
        wait_until(lambda: stage.state is ENDED)
        assert stage.session.playback.count == 30


def test_fault_42_seeking_in_a_video_that_ends_before_its_time(tmp_path):
    path = cut(write_clip(tmp_path / "clip.avi", frames=50, rate=50.0), 0.5)
    stage = Stage(lambda: VideoSource(path))
    with stage:
        paused(stage)
        stage.session.seek(0.95)
        wait_until(lambda: stage.session.playback.count is not None)
        playback = stage.session.playback
        assert playback.number == playback.count - 1
        assert playback.position <= playback.duration < 0.9
