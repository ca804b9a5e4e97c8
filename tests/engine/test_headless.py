"""A run without a window tells what was seen."""

from engine.headless import HeadlessSettings, run_headless
from engine.models.detector import make_detector
from engine.models.library import ModelLibrary
from engine.pipeline import Pipeline
from engine.sources.sample import RATE, SampleSource


def test_the_blinks_of_the_sample_are_told():
    pipeline = Pipeline(make_detector("blazeface"), ModelLibrary().load("student-68"))
    summary = run_headless(SampleSource(), pipeline, HeadlessSettings(frames=int(2 * RATE)))
    assert summary.blinks == 1  # at 1.3 seconds of the script
    assert summary.as_report()["blinks"] == 1
