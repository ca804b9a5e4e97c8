"""A run without a window reports what it found."""

from engine.batch.run import HeadlessSettings, run_headless
from engine.inference.detector import make_detector
from engine.inference.library import ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.sources.sample import RATE, SampleSource


def test_the_blinks_of_the_sample_are_reported():
    pipeline = Pipeline(make_detector("blazeface"), ModelLibrary().load("student-68"))
    summary = run_headless(SampleSource(), pipeline, HeadlessSettings(frames=int(2 * RATE)))
    assert summary.blinks == 1  # at 1.3 seconds of the script
    assert summary.as_report()["blinks"] == 1
