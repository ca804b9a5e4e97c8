"""Accuracy of landmarks: NME, failure rate, cumulative error distribution and the area under it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.geometry import landmark_box
from engine.landmarks.schemes import Scheme

FAILURE_THRESHOLD = 10.0  # percent
CED_STEP = 0.01  # percent: the usual 1e-4 of the eye distance


def interocular_distance(scheme: Scheme, points: NDArray[np.floating]) -> float:
    """Return the distance of the outer eye corners of points `[K, 2]` in pixels; NaN if one has no label."""
    right, left = scheme.outer_eye_corners
    return float(np.linalg.norm(points[right] - points[left]))


def point_errors(points: NDArray[np.floating], truth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the distance `[K]` of each point to its truth in pixels; NaN where the truth has no label."""
    return np.linalg.norm(np.asarray(points, np.float64) - truth, axis=-1)


def mean_error(points: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the mean distance in pixels over the labelled points; NaN if a prediction for one of them is no number."""
    labelled = np.isfinite(truth).all(-1)
    return float(point_errors(points, truth)[labelled].mean()) if labelled.any() else float("nan")


def nme(scheme: Scheme, points: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the mean error of the labelled points in percent of the true distance of the outer eye corners.

    NaN when an outer eye corner has no label or both fall together.
    """
    eyes = interocular_distance(scheme, truth)
    if not eyes > 0:
        return float("nan")
    return mean_error(points, truth) / eyes * 100


def nme_box(points: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the mean error of the labelled points in percent of the square root of the true box's area.

    The figure for profile views, where the eye corners fall together or are hidden.
    """
    box = landmark_box(truth)
    area = box.width * box.height
    if not area > 0:
        return float("nan")
    return mean_error(points, truth) / float(np.sqrt(area)) * 100


def failure_rate(errors: NDArray[np.floating], threshold: float = FAILURE_THRESHOLD) -> float:
    """Return the share in percent of errors (percent, one per face) above `threshold`."""
    return float(np.mean(np.asarray(errors) > threshold) * 100)


def ced(errors: NDArray[np.floating], threshold: float = FAILURE_THRESHOLD) -> tuple[NDArray, NDArray]:
    """Return the cumulative error distribution: thresholds from 0 and the share in [0, 1] of errors not above each."""
    thresholds = np.linspace(0, threshold, round(threshold / CED_STEP) + 1)
    share = np.searchsorted(np.sort(errors), thresholds, side="right") / max(1, len(errors))
    return thresholds, share


def area_under_ced(errors: NDArray[np.floating], threshold: float = FAILURE_THRESHOLD) -> float:
    """Return the area under the CED up to `threshold` over `threshold`, in [0, 1], by Simpson's rule."""
    thresholds, share = ced(errors, threshold)
    step = thresholds[1] - thresholds[0]
    simpson = share[0] + share[-1] + 4 * share[1:-1:2].sum() + 2 * share[2:-1:2].sum()
    return float(simpson * step / 3 / threshold)


def roc_area(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    NaN when one of the two kinds is missing.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(counts)
    ranks = (last_rank - (counts - 1) / 2)[inverse]
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))
