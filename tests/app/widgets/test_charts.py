"""Axes, and the traces of numbers over time."""

import numpy as np
import pytest

from app.widgets.charts import LONGEST_STEP, SPAN, Axis, Trace, axis_of


def test_axis_places_its_ends():
    for axis in (Axis(2, 10), Axis(0.01, 100, logarithmic=True)):
        assert axis.place(axis.low) == pytest.approx(0)
        assert axis.place(axis.high) == pytest.approx(1)
    assert Axis(0.01, 100, logarithmic=True).place(1) == pytest.approx(0.5)


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0], [0.2, 0.18], [1e-4, 50.0], [0.0, 1.0], [-1.0, 0.0], [0.0]])
def test_axis_holds_all_values_and_has_ticks(values):
    axis = axis_of(values)
    assert all(0 <= axis.place(value) <= 1 for value in values)
    ticks = axis.ticks(7)
    assert 1 <= len(ticks) <= 8
    assert all(axis.low <= tick <= axis.high for tick in ticks)


def test_ticks_are_round():
    assert Axis(0, 1800).ticks(6) == [0, 500, 1000, 1500]
    assert Axis(0.009, 1.1, logarithmic=True).ticks(7) == pytest.approx([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])


def test_a_trace_keeps_means_of_quarters_of_a_second():
    trace = Trace()
    for moment, value in ((10.0, 20.0), (10.1, 40.0), (10.3, 90.0)):
        trace.add(moment, value)
    assert trace.segments(11.0) == [[(10.125, 30.0), (10.375, 90.0)]]
    assert trace.largest(11.0) == 90.0


def test_a_trace_forgets_what_is_older_than_its_span():
    trace = Trace()
    for second in range(100):
        trace.add(float(second), second)
    kept = [value for segment in trace.segments(99.5) for _, value in segment]
    assert kept == list(range(70, 100))
    assert trace.segments(99.5 + SPAN + 1) == []


def test_fault_34_a_trace_is_parted_where_nothing_came():
    trace = Trace()
    for moment in (10.0, 10.5, 11.0, 14.0, 14.5):
        trace.add(moment, 30.0)
    assert [len(segment) for segment in trace.segments(15.0)] == [3, 2]
    assert trace.value(12.5) is None
    assert trace.value(14.6) == 30.0


def test_a_trace_has_a_gap_where_there_was_no_value():
    trace = Trace()
    for moment, value in ((10.0, 2.0), (10.3, None), (10.35, 4.0), (10.6, None), (11.0, 6.0)):
        trace.add(moment, value)
    assert trace.segments(11.5) == [[(10.125, 2.0), (10.375, 4.0)], [(11.125, 6.0)]]
    assert trace.value(10.7) is None
    assert trace.largest(11.5) == 6.0


def test_a_slow_camera_draws_one_line():
    trace = Trace()
    for moment in np.arange(10.0, 20.0, 0.9 * LONGEST_STEP):
        trace.add(float(moment), 30.0)
    assert len(trace.segments(20.0)) == 1
