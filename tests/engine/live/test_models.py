"""The live session with models that fail, and while they are exchanged.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from engine.core.errors import ModelError
from engine.live.state import SourceState
from tests.fakes.faulty_camera import FaultyCamera, camera_source
from tests.fakes.live_fakes import FAST, FakeClip, FakePipeline, landmarker, picture, wait_until
from tests.fakes.stage import Stage

STARTING, LIVE, STALLED, RECONNECTING, ENDED, FAILED = SourceState

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("no_thread_left")]


def test_fault_14_a_model_that_throws_is_reported_once_and_the_picture_goes_on():
    def failing(frame):
        if 5 <= frame.id < 25:
            raise RuntimeError("invoke failed")

    stage = Stage(lambda: FakeClip([picture(level) for level in range(40)], rate=100.0), FakePipeline(failing=failing))
    bare = 0
    with stage:
        while stage.state is not ENDED:
            view = stage.take_view()
            if view is not None and not view.first.result.faces:
                assert 5 <= view.first.result.frame.id < 25
                bare += 1
        assert stage.session.errors[0] is None, "it works again"
    assert len(stage.errors) == 1
    assert isinstance(stage.errors[0], ModelError)
    assert "invoke failed" in str(stage.errors[0])
    assert stage.pipeline.seen == [*range(5), *range(25, 40)]
    assert bare > 3
    assert stage.stats.frames == 20, "frames that were not understood do not count"


class NotANumber(FakePipeline):
    """Gives numbers that are none on the frames for which `bad` says so."""

    def __init__(self, bad):
        super().__init__()
        self.bad = bad

    def process(self, frame, capture_ms=0.0):
        result = super().process(frame, capture_ms)
        return replace(result, faces=(), not_finite=True) if self.bad(frame.id) else result


def test_fault_13_a_model_that_gives_numbers_that_are_none_is_reported_once():
    stage = Stage(lambda: FakeClip([picture()] * 10), NotANumber(lambda number: True))
    with stage:
        wait_until(lambda: stage.state is ENDED)
        assert stage.stats.frames == 10
        wait_until(lambda: stage.session.errors[0] is not None)
    assert [error.what for error in stage.errors] == ["The model A gave numbers that are not finite"]
    assert isinstance(stage.errors[0], ModelError)


def test_fault_13_the_report_is_withdrawn_once_the_numbers_were_good_for_a_while():
    pipeline = NotANumber(lambda number: number < 30 and number % 2 == 0)
    stage = Stage(lambda: camera_source(FaultyCamera()), pipeline, timing=replace(FAST, recovery=1.5))
    with stage:
        wait_until(lambda: stage.session.errors[0] is not None)
        while len(pipeline.seen) < 25:
            time.sleep(0.001)
            assert stage.session.errors[0] is not None, "a good frame in between does not withdraw it"
        wait_until(lambda: stage.session.errors[0] is None)
        wait_until(lambda: len(pipeline.seen) > 40)
        assert stage.session.errors[0] is None
    assert len(stage.errors) == 1


def test_the_numbers_after_an_exchange_are_those_of_the_new_model():
    class Errors(FakePipeline):
        def process(self, frame, capture_ms=0.0):
            result = super().process(frame, capture_ms)
            return replace(result, nme=8.0 if result.model == "A" else 2.0)

    stage = Stage(lambda: camera_source(FaultyCamera()), Errors())
    with stage:
        wait_until(lambda: stage.take_view() is not None and stage.stats.frames > 10)
        before = stage.stats
        assert before.nme == 8.0
        stage.session.use_model(lambda: landmarker("B"))
        wait_until(lambda: stage.stats.nme == 2.0)
        assert stage.stats.frames > before.frames, "frames are counted on"


def test_a_composer_that_fails_even_on_the_bare_picture_does_not_end_the_session():
    stage = Stage(lambda: FakeClip([picture(level) for level in range(6)], rate=100.0))
    works = stage.painter.paint_frame

    def paint_frame(out, result, look, stats, signals=()):
        if result.frame.id < 3:
            raise ValueError("cannot draw")
        works(out, result, look, stats, signals)

    stage.painter.paint_frame = paint_frame
    with stage:
        wait_until(lambda: stage.state is ENDED)
    assert stage.stats.frames == 3
    assert "cannot draw" in str(stage.errors[0])


def test_fault_24_results_stand_under_the_name_of_the_model_that_made_them():
    stage = Stage(lambda: camera_source(FaultyCamera(period=0.001)), FakePipeline(delay=0.001))
    with stage:
        wait_until(lambda: stage.pipeline.seen)
        for number in range(200):
            stage.session.use_model(lambda number=number: landmarker(f"model {number}"))
            time.sleep(0.001)
            view = stage.take_view()
            if view is not None:
                made = set(zip(stage.pipeline.models, stage.pipeline.seen, strict=False))
                assert (view.first.result.model, view.first.result.frame.id) in made
        wait_until(lambda: stage.pipeline.models[-1] == "model 199")
    assert len(set(stage.pipeline.models)) > 20


@pytest.mark.parametrize("flips", [True, False])
def test_a_teacher_looks_at_the_mirror_image_while_that_is_set_and_in_a_pause_at_once(flips):
    pipeline = FakePipeline()
    pipeline.landmarker.card.is_teacher = flips
    seen, works = [], pipeline.process
    pipeline.process = lambda frame, capture_ms=0.0: seen.append(pipeline.landmarker.flip) or works(frame, capture_ms)
    stage = Stage(lambda: camera_source(FaultyCamera()), pipeline)
    with stage:
        wait_until(lambda: seen)
        assert not any(seen)
        stage.session.settings = replace(stage.session.settings, paused=True)
        wait_until(lambda: stage.pipeline.seen and stage.take_view() is None)
        stage.session.settings = replace(stage.session.settings, flip=True)
        if flips:
            wait_until(lambda: seen[-1])
        stage.session.settings = replace(stage.session.settings, paused=False)
        count = len(seen)
        wait_until(lambda: len(seen) > count + 3)
        assert seen[-1] is flips


def test_a_model_that_cannot_be_loaded_leaves_the_old_one_at_work():
    def broken():
        raise ModelError("The model is damaged", "its bytes changed", "install it again")

    stage = Stage(lambda: camera_source(FaultyCamera()))
    with stage:
        wait_until(lambda: stage.pipeline.seen)
        stage.session.use_model(broken)
        wait_until(lambda: stage.session.errors[0] is not None)
        seen = len(stage.pipeline.seen)
        wait_until(lambda: len(stage.pipeline.seen) > seen + 10)
        assert "damaged" in str(stage.session.errors[0]), "it is said until another model is chosen"
        assert stage.pipeline.models[-1] == "A"
        stage.session.use_model(lambda: landmarker("B"))
        wait_until(lambda: stage.pipeline.models[-1] == "B")
        assert stage.session.errors[0] is None


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
        assert view.first.result.faces == ()
        assert "missing" in str(stage.session.errors[0])
        works.append(True)
        stage.session.use_model(lambda: landmarker("B"))
        wait_until(lambda: pipeline.models and pipeline.models[-1] == "B")
        wait_until(lambda: stage.session.errors[0] is None)


def test_a_model_that_never_returns_does_not_keep_the_session_from_stopping(hang):
    stage = Stage(lambda: camera_source(FaultyCamera()), FakePipeline(failing=lambda frame: hang.wait(20)))
    with stage:
        wait_until(lambda: stage.state is LIVE)
        start = time.monotonic()
        assert not stage.session.stop(timeout=0.3)
        assert time.monotonic() - start < 1.0
        hang.set()
