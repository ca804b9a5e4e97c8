"""A known delay is found, whatever the constant distance of the landmarks; a still face has none."""

import numpy as np
import pytest

from engine.evaluation.session_report.lag import LagMeter
from tests.fakes.models import face_points

RATE, EYES = 30.0, 48.0


def place(moment):
    return 100 + 40 * np.sin(2.0 * moment), 90 + 25 * np.sin(2.9 * moment)


@pytest.mark.parametrize("delay", [-0.02, 0.0, 0.033, 0.1])
def test_a_delay_is_measured(delay):
    meter, random = LagMeter(), np.random.default_rng(0)
    for number in range(300):
        moment = number / RATE
        late = face_points(*place(moment - delay), 80) + (3.0, -2.0) + random.normal(0, 0.3, (68, 2))
        meter.add(moment, face_points(*place(moment), 80), late, EYES)
    assert meter.milliseconds == pytest.approx(delay * 1e3, abs=1.5)
    assert 200 < meter.pairs < 300, "at the turning points the face is slow"


def test_a_still_face_has_no_lag():
    meter = LagMeter()
    for number in range(100):
        meter.add(number / RATE, face_points(100, 90, 80), face_points(101, 90, 80), EYES)
    assert (meter.milliseconds, meter.pairs) == (None, 0)


def test_at_one_velocity_a_lag_might_as_well_be_a_distance():
    meter = LagMeter()
    for number in range(100):
        points = face_points(100 + number, 90, 80).astype(np.float64)
        meter.add(number / RATE, points, points - (2.0, 0.0), EYES)
    assert meter.pairs == 99
    assert meter.milliseconds is None


def test_what_was_interrupted_does_not_continue():
    meter = LagMeter()
    for number in range(100):
        x, y = place(number / RATE)
        meter.add(number / RATE, face_points(x, y, 80), face_points(x, y, 80), EYES)
        meter.interrupt()
    assert meter.pairs == 0


def test_a_long_pause_and_time_that_goes_back_are_no_step():
    meter = LagMeter()
    for moment in (0.0, 5.0, 10.0, 2.0):
        meter.add(moment, face_points(100 + 10 * moment, 90, 80), face_points(100, 90, 80), EYES)
    assert meter.pairs == 0
