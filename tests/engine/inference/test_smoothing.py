"""The One-Euro filter: steady when still, quick when moving, never left with NaN."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inference.smoothing import LONGEST_INTERVAL, OneEuroFilter

EYES = 100.0
STEP = 1 / 30


def run(filter_, frames):
    return [filter_(points.astype(np.float32), index * STEP, EYES) for index, points in enumerate(frames)]


def test_the_first_points_pass_unchanged():
    points = np.array([[1, 2], [3, 4]], np.float32)
    assert (OneEuroFilter(1)(points, 5.0, EYES) == points).all()


def test_strength_zero_changes_nothing():
    frames = np.random.default_rng(0).normal(0, 5, (20, 4, 2))
    out = run(OneEuroFilter(0), frames)
    assert np.allclose(out, frames.astype(np.float32))


def test_noise_of_a_still_face_shrinks_with_strength():
    frames = 200 + np.random.default_rng(0).normal(0, 0.5, (200, 68, 2))
    spread = [np.std(run(OneEuroFilter(strength), frames)[50:], axis=0).mean() for strength in (0.2, 0.5, 0.9)]
    assert 0.5 > spread[0] > spread[1] > spread[2]
    assert spread[1] < 0.25


def test_a_fast_move_is_followed_closely():
    frames = [np.full((5, 2), 20.0 * index) for index in range(30)]  # 6 eye distances a second
    lag = frames[-1] - run(OneEuroFilter(0.5), frames)[-1]
    assert np.abs(lag).max() < 25  # about one frame behind


def test_fault_51_still_points_stay_where_they_are():
    frames = [np.full((5, 2), 33.25)] * 50
    assert (run(OneEuroFilter(1.0), frames)[-1] == 33.25).all()


@pytest.mark.parametrize("gap", [LONGEST_INTERVAL + 0.01, -3.0, 0.0])
def test_a_gap_or_a_clock_that_runs_back_starts_afresh(gap):
    smooth = OneEuroFilter(0.9)
    smooth(np.zeros((2, 2), np.float32), 10.0, EYES)
    far = np.full((2, 2), 500, np.float32)
    assert (smooth(far, 10.0 + gap, EYES) == far).all()


@given(
    strength=st.floats(-5, 5, allow_nan=False),
    step=st.floats(0, 0.5),
    eyes=st.floats(0, 1e4),
    value=st.floats(-1e5, 1e5, width=32),
)
def test_fault_51_extreme_settings_never_give_anything_but_numbers(strength, step, eyes, value):
    smooth = OneEuroFilter(strength)
    for index in range(3):
        out = smooth(np.full((3, 2), value, np.float32), index * step, eyes)
    assert np.isfinite(out).all()
    assert np.allclose(out, value, rtol=1e-5, atol=1e-3)
