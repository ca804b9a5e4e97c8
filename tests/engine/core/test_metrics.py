"""Metrics against values computed by hand."""

import numpy as np
import pytest

from engine.core.metrics import (
    Accuracy,
    accuracy,
    area_under_ced,
    ced,
    interpupillary_distance,
    nme,
    nme_box,
    normaliser,
    part_errors,
    roc_area,
)
from engine.core.schemes import IBUG_68, WFLW_98


def face(eyes: float = 100.0) -> np.ndarray:
    points = np.zeros((68, 2), np.float32)
    points[:, 1] = np.arange(68)
    points[36], points[45] = (0, 0), (eyes, 0)
    return points


def test_nme_of_one_moved_point_is_its_distance_over_points_and_eyes():
    truth = face(100)
    moved = truth.copy()
    moved[10] += (3, 4)
    assert nme(IBUG_68, moved, truth) == pytest.approx(5 / 68 / 100 * 100)


def test_nme_leaves_out_points_without_label():
    truth = face(50)
    moved = truth + (1, 0)
    truth[0:10] = np.nan
    assert nme(IBUG_68, moved, truth) == pytest.approx(1 / 50 * 100)


def test_a_prediction_that_is_no_number_does_not_improve_the_error():
    moved = face()
    moved[20] = np.nan
    assert np.isnan(nme(IBUG_68, moved, face()))
    assert np.isnan(nme_box(moved, face()))


def test_nme_is_no_number_without_an_eye_corner():
    truth = face()
    truth[45] = np.nan
    assert np.isnan(nme(IBUG_68, face(), truth))


def test_nme_of_98_points_uses_the_outer_corners_60_and_72():
    truth = np.zeros((98, 2), np.float32)
    truth[72] = (0, 40)
    assert nme(WFLW_98, truth + (0, 2), truth) == pytest.approx(5.0)


def test_nme_box_is_relative_to_the_root_of_the_area():
    truth = np.array([[0, 0], [90, 40], [10, 10]], np.float32)
    assert nme_box(truth + (6, 0), truth) == pytest.approx(6 / 60 * 100)


def test_failure_rate_counts_errors_above_ten_percent():
    assert accuracy(np.array([1, 10, 10.001, 50])).fr10 == 50.0


def test_ced_rises_from_the_share_at_zero_to_the_share_at_the_threshold():
    thresholds, share = ced(np.array([0.0, 5.0, 20.0, 2.5]))
    assert thresholds[0] == 0
    assert thresholds[-1] == 10
    assert share[0] == 0.25
    assert share[-1] == 0.75
    assert share[np.searchsorted(thresholds, 2.6)] == 0.5


def test_area_is_one_for_perfect_faces_and_half_for_errors_spread_evenly():
    assert area_under_ced(np.zeros(3)) == pytest.approx(1)
    assert area_under_ced(np.full(3, 99.0)) == 0
    assert area_under_ced(np.linspace(0, 10, 100_001)) == pytest.approx(0.5, abs=1e-4)


def test_area_of_a_single_step_agrees_with_the_rectangle():
    # The CED jumps from 0 to 1 at 4 %: the area is 1 - 0.4, to the width of one step.
    assert area_under_ced(np.array([4.0])) == pytest.approx(0.6, abs=1e-3)


def test_roc_area_of_separated_equal_and_mixed_scores():
    positive = np.array([False, False, True, True])
    assert roc_area(np.array([1, 2, 3, 4.0]), positive) == 1
    assert roc_area(np.ones(4), positive) == 0.5
    assert roc_area(np.array([1, 3, 2, 4.0]), positive) == 0.75
    assert np.isnan(roc_area(np.ones(2), np.array([True, True])))


def test_pupils_are_points_of_their_own_or_the_means_of_the_eyes():
    truth = np.zeros((68, 2), np.float32)
    truth[36:42, 0], truth[42:48, 0] = (0, 1, 2, 3, 2, 1), (40, 41, 42, 43, 42, 41)
    assert interpupillary_distance(IBUG_68, truth) == pytest.approx(40)
    truth[37] = np.nan
    assert np.isnan(interpupillary_distance(IBUG_68, truth)), "an eye in part would have another middle"
    whole = np.zeros((98, 2), np.float32)
    whole[97] = (30, 40)
    assert interpupillary_distance(WFLW_98, whole) == 50


def test_normalisers_of_one_face():
    truth = face(100)
    truth[:, 0] = np.linspace(0, 100, 68)
    truth[36], truth[45] = (0, 0), (60, 0)
    assert normaliser(IBUG_68, truth) == normaliser(IBUG_68, truth, "eyes") == pytest.approx(60)
    assert normaliser(IBUG_68, truth, "box") == pytest.approx(np.sqrt(100 * 67))
    assert np.isnan(normaliser(IBUG_68, np.zeros((68, 2), np.float32)))


def test_errors_of_the_parts_average_to_that_of_the_face():
    truth = face(100)
    moved = truth.copy()
    moved[:17] += (0, 2)
    moved[48:] += (3, 4)
    truth[27:36] = np.nan
    errors = part_errors(IBUG_68, moved, truth, 100)
    assert list(errors) == ["jaw", "brow", "nose", "eye", "lip"]
    assert (errors["jaw"], errors["brow"], errors["eye"], errors["lip"]) == pytest.approx((2, 0, 0, 5))
    assert np.isnan(errors["nose"])
    assert nme(IBUG_68, moved, truth) == pytest.approx((2 * 17 + 5 * 20) / 59)


def test_figures_agree_with_hand_computed_ones_to_four_digits():
    # Simpson over the CED with nodes at 0.00, 0.01 … 10.00 %, of weights 1, 4, 2, 4 … 4, 1 times 0.01 / 3, over 10 %.
    # An error of 4.005 lifts the CED from node 401 on: 300 odd nodes, 299 even ones, the last: 1200 + 598 + 1 = 1799.
    # One of 1.994 from node 200 on: 400 even nodes, 400 odd ones and the last: 800 + 1600 + 1 = 2401.
    late = 4 * 300 + 2 * 299 + 1
    early = 4 * 400 + 2 * 400 + 1
    errors = np.array([4.005, 1.994, 10.5, np.inf, np.nan])
    figures = accuracy(errors)
    assert figures.faces == 4
    assert figures.nme == pytest.approx((4.005 + 1.994 + 10.5) / 3, abs=5e-5)
    assert figures.fr10 == 50
    assert figures.auc10 == pytest.approx((late + early) / 4 * 0.01 / 3 / 10, abs=5e-5)
    assert figures.auc10 == pytest.approx(0.3500, abs=5e-5)


def test_figures_of_no_face_are_none():
    assert accuracy(np.array([np.nan])) == Accuracy(0, None, None, None)
    assert accuracy(np.array([np.inf])) == Accuracy(1, None, 100.0, 0.0)
