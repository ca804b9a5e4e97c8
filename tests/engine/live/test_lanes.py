"""Two lanes in a live session: their pace, their pictures, their errors, and their distance."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from engine.core.errors import ModelError
from engine.live.settings import LiveSettings, Pace
from engine.live.state import SourceState
from engine.render.scene import Layout
from engine.sources.base import SourceKind
from tests.fakes.faulty_camera import FaultyCamera, camera_source, fails, noisy
from tests.fakes.live_fakes import FakeClip, FakePipeline, landmarker, picture, wait_until
from tests.fakes.stage import Stage, opening_in_turn

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("no_thread_left")]

SIDE_BY_SIDE = LiveSettings(layout=Layout.SIDE_BY_SIDE)
FOUR = replace(SIDE_BY_SIDE, lanes=4)
LOCKED = LiveSettings(layout=Layout.SIDE_BY_SIDE, pace=Pace.LOCKED)


def stage_of(open_source, second, settings=SIDE_BY_SIDE, first=None):
    return stage_of_all(open_source, [first or FakePipeline("student"), second], settings)


def stage_of_all(open_source, pipelines, settings):
    stage = Stage(open_source, pipelines[0], settings=settings)
    for lane, pipeline in enumerate(pipelines[1:], 1):
        stage.session.use_model(lambda its=pipeline: its.landmarker, lane, lambda its=pipeline: its)
    return stage


def clip(count=30, rate=200.0):
    return FakeClip([picture(level) for level in range(count)], rate=rate)


def test_in_step_every_view_shows_the_same_frame_in_both_panes():
    teacher = FakePipeline("teacher", delay=0.01)
    stage = stage_of(clip, teacher, LOCKED)
    pairs = []
    with stage:
        while stage.state is not SourceState.ENDED:
            view = stage.take_view()
            if view is not None and view.second is not None:
                pairs.append((view.first.result.frame.id, view.second.result.frame.id))
                assert view.second.picture[5, 5, 0] == view.second.result.frame.image[0, 0, 0]
    assert len(pairs) > 5
    assert all(first == second for first, second in pairs)
    assert teacher.seen == list(range(30)), "in step no frame of a file is lost to either model"


def test_a_slow_teacher_does_not_hold_up_the_student_at_its_own_pace():
    teacher = FakePipeline("teacher", delay=0.1)
    stage = stage_of(lambda: clip(60), teacher)
    with stage:
        start = time.monotonic()
        wait_until(lambda: stage.state is SourceState.ENDED)
        took = time.monotonic() - start
    assert stage.pipeline.seen == list(range(60))
    assert took < 1.5, "60 frames at 200 a second, though the teacher takes 0.1 s for each"
    assert 1 <= len(teacher.seen) < 20, "the teacher leaves out what it has no time for"


@pytest.mark.parametrize("slow", [0, 2])
def test_none_of_four_lanes_is_slowed_by_a_slow_one_before_a_camera(slow):
    pipelines = [FakePipeline(f"m{lane}", delay=0.2 if lane == slow else 0.0) for lane in range(4)]
    stage = stage_of_all(lambda: camera_source(FaultyCamera(period=0.01)), pipelines, FOUR)
    with stage:
        wait_until(lambda: all(pipeline.seen for pipeline in pipelines))
        before = [len(pipeline.seen) for pipeline in pipelines]
        time.sleep(1.0)
        seen = [len(pipeline.seen) - known for pipeline, known in zip(pipelines, before, strict=True)]
    assert seen.pop(slow) <= 6
    assert min(seen) > 12, "of 100 frames, on a machine that may be busy"
    shared = set(pipelines[slow].seen) & set(pipelines[1].seen)
    assert len(shared) >= len(pipelines[slow].seen) - 2, "the slow one works on frames of the others, to be compared"


def test_a_file_goes_on_at_its_rate_though_the_first_of_four_lanes_is_slow():
    pipelines = [FakePipeline(f"m{lane}", delay=0.0 if lane else 0.2) for lane in range(4)]
    stage = stage_of_all(lambda: clip(100, rate=50.0), pipelines, FOUR)
    with stage:
        start = time.monotonic()
        wait_until(lambda: stage.state is SourceState.ENDED)
        took = time.monotonic() - start
        assert pipelines[0].seen[-1] == 99, "the last frame reaches everybody"
    assert took < 8, "100 frames at 50 a second, though the first takes 0.2 s for each: 20 s alone"
    assert min(len(pipeline.seen) for pipeline in pipelines[1:]) > 50


def test_locked_to_each_other_four_lanes_lose_no_frame_of_a_file():
    pipelines = [FakePipeline(f"m{lane}", delay=0.002 * lane) for lane in range(4)]
    stage = stage_of_all(clip, pipelines, replace(FOUR, pace=Pace.LOCKED))
    with stage:
        wait_until(lambda: stage.state is SourceState.ENDED)
    assert [pipeline.seen for pipeline in pipelines] == [list(range(30))] * 4


@pytest.mark.parametrize("pace", [Pace.LIVE, Pace.LOCKED])
def test_fault_90_a_lane_whose_model_dies_while_three_others_run_is_reported_and_they_go_on(pace):
    dead = []
    pipelines = [FakePipeline(f"m{lane}") for lane in range(4)]
    pipelines[2].failing = lambda frame: 1 / 0 if dead else None
    stage = stage_of_all(lambda: camera_source(FaultyCamera(period=0.005)), pipelines, replace(FOUR, pace=pace))
    with stage:
        wait_until(lambda: all(pipeline.seen for pipeline in pipelines))
        dead.append(True)
        wait_until(lambda: stage.session.errors[2] is not None)
        assert [error is None for error in stage.session.errors] == [True, True, False, True]
        others = [pipelines[lane] for lane in (0, 1, 3)]
        before = [len(pipeline.seen) for pipeline in others]
        wait_until(lambda: all(len(each.seen) > known + 5 for each, known in zip(others, before, strict=True)))
        wait_until(lambda: (view := stage.take_view()) and view.lane(2) and not view.lane(2).result.model)


def test_a_lane_that_is_taken_away_rests_and_is_seen_no_more():
    pipelines = [FakePipeline(f"m{lane}") for lane in range(3)]
    stage = stage_of_all(lambda: camera_source(FaultyCamera(period=0.005)), pipelines, replace(FOUR, lanes=3))
    with stage:
        wait_until(lambda: (view := stage.take_view()) and view.lane(2))
        stage.session.settings = replace(FOUR, lanes=2)
        wait_until(lambda: (view := stage.take_view()) and len(view.lanes) == 2)
        time.sleep(0.1)
        seen = len(pipelines[2].seen)
        assert all(len(view.lanes) == 2 for view in stage.views(5))
        assert len(pipelines[2].seen) == seen
        stage.session.settings = replace(FOUR, lanes=3)
        wait_until(lambda: (view := stage.take_view()) and view.lane(2))


def test_while_the_picture_stands_still_the_second_lane_catches_up():
    teacher = FakePipeline("teacher", delay=0.03)
    stage = stage_of(lambda: clip(20), teacher)
    with stage:
        wait_until(lambda: stage.state is SourceState.ENDED)
        wait_until(lambda: teacher.seen and teacher.seen[-1] == 19)
        views = []
        wait_until(
            lambda: (
                views.append(stage.take_view()) or any(v and v.second and v.second.result.frame.id == 19 for v in views)
            )
        )


def test_the_second_lane_rests_while_only_one_is_shown():
    teacher = FakePipeline("teacher")
    stage = stage_of(lambda: camera_source(FaultyCamera(period=0.005)), teacher)
    with stage:
        wait_until(lambda: len(teacher.seen) > 3)
        stage.session.settings = LiveSettings()
        time.sleep(0.1)
        seen = len(teacher.seen)
        time.sleep(0.1)
        assert len(teacher.seen) == seen
        assert stage.last_view().second is None
        stage.session.settings = SIDE_BY_SIDE
        wait_until(lambda: len(teacher.seen) > seen)


def test_models_that_say_the_same_agree_to_nothing_of_the_eye_distance():
    stage = stage_of(lambda: clip(), FakePipeline("teacher"), LOCKED)
    with stage:
        wait_until(lambda: stage.state is SourceState.ENDED)
        wait_until(lambda: (view := stage.take_view()) is None or (view.second and view.second.distance is not None))


def test_fault_14_a_teacher_that_throws_is_reported_and_the_student_goes_on():
    def failing(frame):
        raise RuntimeError("invoke failed")

    stage = stage_of(lambda: clip(60), FakePipeline("teacher", failing=failing))
    with stage:
        wait_until(lambda: stage.session.errors[1] is not None)
        assert isinstance(stage.session.errors[1], ModelError)
        assert stage.session.errors[0] is None
        wait_until(lambda: stage.state is SourceState.ENDED)
    assert stage.pipeline.seen == list(range(60))


def test_fault_14_another_teacher_mends_it():
    teacher = FakePipeline("teacher", failing=lambda frame: 1 / 0 if broken else None)
    broken = True
    stage = stage_of(lambda: camera_source(FaultyCamera(period=0.005)), teacher)
    with stage:
        wait_until(lambda: stage.session.errors[1] is not None)
        broken = False
        stage.session.use_model(lambda: landmarker("another"), 1)
        wait_until(lambda: stage.session.errors[1] is None)
        wait_until(lambda: (view := stage.take_view()) and view.second and view.second.result.model == "another")


def test_a_teacher_that_cannot_be_built_leaves_the_student_alone_even_in_step():
    def broken():
        raise ModelError("The model “x” is damaged", "its bytes changed", "install it again")

    stage = Stage(clip, settings=LOCKED)
    stage.session.use_model(broken, 1, broken)
    with stage:
        wait_until(lambda: stage.state is SourceState.ENDED)
        assert stage.session.errors[1] is not None
    assert stage.pipeline.seen == list(range(30))


def first_lanes(stage):
    """Return a list that gets what the first lane shows, whenever a view is published."""
    views, shown = stage.session._views, []
    publish = views.publish
    views.publish = lambda view: (shown.append(view.first), publish(view))
    return shown


def test_overlaid_pictures_get_the_other_lanes_result():
    stage = stage_of(lambda: clip(), FakePipeline("teacher"), replace(LOCKED, layout=Layout.OVERLAID))
    shown = first_lanes(stage)
    with stage:
        wait_until(lambda: stage.state is SourceState.ENDED)
    pairs = [(lane.result, lane.other) for lane in shown if lane.other is not None]
    assert len({result.frame.id for result, _ in pairs}) >= 29
    assert all(other.frame is result.frame and other.model == "teacher" for result, other in pairs)
    assert all(lane.look.layout is Layout.OVERLAID for lane in shown)


def test_the_pace_may_change_at_any_moment():
    stage = stage_of(lambda: camera_source(FaultyCamera(period=0.002)), FakePipeline("teacher", delay=0.02))
    with stage:
        for turn in range(40):
            stage.session.settings = (LOCKED, SIDE_BY_SIDE, LiveSettings())[turn % 3]
            time.sleep(0.005)
        stage.session.settings = LOCKED
        seen = len(stage.pipeline.seen)
        wait_until(lambda: len(stage.pipeline.seen) > seen + 5)


def test_a_single_picture_gets_both_models():
    stage = stage_of(lambda: FakeClip([picture(9)], kind=SourceKind.PICTURES), FakePipeline("teacher"))
    with stage:
        wait_until(lambda: (view := stage.take_view()) and view.second and view.second.result.model == "teacher")


def test_every_result_of_every_lane_is_tapped():
    tapped = []
    stage = stage_of(lambda: clip(10), FakePipeline("teacher"))
    stage.session.on_result = lambda lane, result, signals: tapped.append((lane, result.frame.id, len(signals)))
    with stage:
        wait_until(lambda: stage.state is SourceState.ENDED)
    assert [(number, faces) for lane, number, faces in tapped if lane == 0] == [(number, 1) for number in range(10)]
    seconds = [number for lane, number, _ in tapped if lane == 1]
    assert seconds
    assert seconds == sorted(set(seconds))


def test_a_teacher_exchanged_in_a_pause_is_drawn_on_the_first_lanes_picture():
    teacher = FakePipeline("teacher")
    stage = stage_of(lambda: clip(200), teacher, replace(SIDE_BY_SIDE, layout=Layout.OVERLAID))
    shown = first_lanes(stage)

    def others():
        return [lane.other.model for lane in shown if lane.other is not None]

    with stage:
        wait_until(lambda: "teacher" in others())
        stage.session.settings = replace(stage.session.settings, paused=True)
        wait_until(lambda: teacher.seen[-1] == stage.pipeline.seen[-1])
        stage.session.use_model(lambda: landmarker("another"), 1)
        wait_until(lambda: others()[-1] == "another")


def test_what_the_second_lane_showed_before_it_rested_does_not_come_back():
    go, shown = [], []
    teacher = FakePipeline("teacher", failing=lambda frame: wait_until(lambda: go) if stage.session.on_result else None)
    stage = stage_of(lambda: camera_source(FaultyCamera(period=0.005)), teacher)

    def look():
        view = stage.take_view()
        if view and view.second:
            shown.append(view.second.result.frame.id)
        return view

    with stage:
        wait_until(lambda: (view := look()) and view.second and view.second.distance is not None)
        stage.session.settings = LiveSettings()
        wait_until(lambda: (view := look()) and view.second is None)
        assert stage.last_view().second is None
        stage.session.on_result = lambda *_: None  # from here on the teacher waits
        stage.session.settings = SIDE_BY_SIDE
        for view in stage.views(5):
            # A frame that the teacher was at as the layout changed may still come.
            assert view.second is None or view.second.result.frame.id > max(shown)
        go.append(True)
        wait_until(lambda: (view := stage.take_view()) and view.second)


def test_a_camera_that_was_lost_takes_the_second_lanes_result_with_it():
    cameras = [FaultyCamera([noisy(level=50)] * 20 + [fails]), FaultyCamera([noisy(level=200)])]
    teacher = FakePipeline("teacher", failing=lambda frame: time.sleep(0.3) if frame.image[0, 0, 0] > 100 else None)
    stage = stage_of(
        opening_in_turn(*(lambda camera=camera: camera_source(camera) for camera in cameras)),
        teacher,
        replace(SIDE_BY_SIDE, layout=Layout.OVERLAID),
    )
    shown = first_lanes(stage)

    def levels():
        """Return those of the picture and of the one that its other was found on; the cameras differ in them."""
        pairs = ((lane.result, lane.other) for lane in shown if lane.other is not None)
        return [tuple(its.frame.image[0, 0, 0] > 100 for its in pair) for pair in pairs]

    with stage:
        wait_until(lambda: (True, True) in levels())
    assert (False, False) in levels()
    assert (True, False) not in levels()


def test_on_one_picture_nothing_is_drawn_for_the_second_lane():
    drawn, teacher = [], FakePipeline("teacher")
    stage = stage_of(lambda: clip(), teacher, replace(LOCKED, layout=Layout.OVERLAID))
    works = stage.painter.paint_frame

    def paint_frame(out, result, look, stats, signals=()):
        drawn.append(result.model)
        works(out, result, look, stats, signals)

    stage.painter.paint_frame = paint_frame
    with stage:
        wait_until(lambda: stage.state is SourceState.ENDED)
        stage.session.settings = LOCKED
        wait_until(lambda: "teacher" in drawn)
        first = drawn.index("teacher")
        wait_until(lambda: (view := stage.take_view()) and view.second and view.second.picture.size)
    assert first >= 30, "only once each lane has a picture of its own"


def test_another_first_model_in_a_pause_ends_the_distance_of_the_old_one():
    stage = stage_of(lambda: clip(200), FakePipeline("teacher"), LOCKED)
    with stage:
        wait_until(lambda: (view := stage.take_view()) and view.second and view.second.distance is not None)
        stage.session.settings = replace(LOCKED, paused=True)
        stage.session.use_model(lambda: landmarker("another"))
        views = []
        wait_until(lambda: views.append(stage.take_view()) or (views[-1] and views[-1].first.result.model == "another"))
        assert views[-1].second.distance is None
