"""Measuring models: the order of the results, and cancelling."""

from __future__ import annotations

import threading
from dataclasses import replace

from engine.batch.benchmark import ROUNDS, RUNS, benchmark
from tests.fakes.models import FakeLandmarker, FakeScene


def named(name):
    landmarker = FakeLandmarker(FakeScene())
    landmarker.card = replace(landmarker.card, name=name)
    return landmarker


def test_speeds_come_in_the_order_of_the_models():
    rounds = []
    speeds = benchmark([(named("one"), 1), (named("two"), 2)], on_round=lambda *its: rounds.append(its))
    assert rounds == [(done, ROUNDS) for done in range(1, ROUNDS + 1)]
    assert [(speed.model, speed.threads) for speed in speeds] == [("one", 1), ("two", 2)]
    assert all(0 < speed.p50 <= speed.p95 for speed in speeds)


def test_a_measuring_that_is_called_off_ends_soon_and_without_results():
    called_off = threading.Event()
    landmarker = named("one")
    predict_once = landmarker.predict

    def predict(picture, crop):
        if len(landmarker.crops) == 5:
            called_off.set()
        return predict_once(picture, crop)

    landmarker.predict = predict
    assert benchmark([(landmarker, 1)], called_off) == []
    assert len(landmarker.crops) <= 1 + RUNS < ROUNDS * RUNS
