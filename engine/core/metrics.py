"""Accuracy of landmarks: NME, failure rate, cumulative error distribution and the area under it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, landmark_box
from engine.core.schemes import Scheme

EYES_TO_BOX = 0.6  # distance of the outer eye corners to the larger side of the landmark box, as of most faces
FAILURE_THRESHOLD = 10.0  # percent
CED_STEP = 0.01  # percent: the usual 1e-4 of the eye distance
NOTED_STEP = 0.25  # percent: fine enough for a small curve
# What errors are divided by: the distance of the outer eye corners, that of the pupils, the root of the box's area.
NORMALISERS = ("eyes", "pupils", "box")


@dataclass(frozen=True)
class Accuracy:
    """The figures of a set of faces.

    Attributes:
        faces: those with an error, missed ones included: the basis of the figures.
        nme: mean error in percent; missed faces are left out; None if all were missed.
        fr10: percent of the faces with an error above 10 %; a missed face is one. None without faces.
        auc10: area under the cumulative error distribution up to 10 %, in [0, 1]; a missed face counts as beyond.
    """

    faces: int
    nme: float | None
    fr10: float | None
    auc10: float | None


def interocular_distance(scheme: Scheme, points: NDArray[np.floating]) -> float:
    """Return the distance of the outer eye corners of points `[K, 2]` in pixels; NaN if one has no label.

    Of a scheme whose eye corners nobody named it is guessed from the box around the finite points, NaN without any.
    """
    if not scheme.outer_eye_corners:
        box = _finite_box(points)
        return EYES_TO_BOX * max(box.width, box.height) if box is not None else math.nan
    right, left = scheme.outer_eye_corners
    return math.dist(points[right].tolist(), points[left].tolist())


def interpupillary_distance(scheme: Scheme, points: NDArray[np.floating]) -> float:
    """Return the distance of the pupils of points `[K, 2]` in pixels; NaN if one is unknown.

    Where a scheme has no pupils they are the means of the points around each eye, as in the 300-W literature.
    """
    pupils = [index for index, part in enumerate(scheme.parts) if part == "pupil"]
    if len(pupils) == 2:
        right, left = points[pupils]
    else:
        right, left = (points[list(eye)].mean(0) for eye in (scheme.right_eye, scheme.left_eye))
    return float(np.linalg.norm(right - left))


def box_size(points: NDArray[np.floating]) -> float:
    """Return the square root of the area of the tight box around the finite points of `[K, 2]` in pixels, or NaN."""
    box = _finite_box(points)
    return math.sqrt(box.width * box.height) if box is not None else math.nan


def _finite_box(points: NDArray[np.floating]) -> Box | None:
    """Return the tight box around the finite points of `[K, 2]`; None without any."""
    try:
        return landmark_box(points)
    except ValueError:
        return None


def normaliser(scheme: Scheme, truth: NDArray[np.floating], kind: str = "eyes") -> float:
    """Return the length in pixels that errors of a face are divided by; NaN if it is unknown or zero.

    The truth is `[K, 2]` in pixels, NaN without a label; `kind` is one of `NORMALISERS`.
    """
    if kind == "box":
        length = box_size(truth)
    else:
        length = (interpupillary_distance if kind == "pupils" else interocular_distance)(scheme, truth)
    return length if length > 0 else float("nan")


def mean_error(points: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the mean distance in pixels over the labelled points; NaN if a prediction for one of them is no number."""
    labelled = np.isfinite(truth).all(-1)
    distances = np.linalg.norm(np.asarray(points, np.float64) - truth, axis=-1)
    return float(distances[labelled].mean()) if labelled.any() else float("nan")


def nme(scheme: Scheme, points: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the mean error of the labelled points in percent of the true distance of the outer eye corners.

    NaN when an outer eye corner has no label or both fall together.
    """
    return mean_error(points, truth) / normaliser(scheme, truth) * 100


def nme_box(points: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Return the mean error of the labelled points in percent of the square root of the true box's area.

    The figure for profile views, where the eye corners fall together or are hidden.
    """
    size = box_size(truth)
    return mean_error(points, truth) / size * 100 if size > 0 else float("nan")


def part_errors(
    scheme: Scheme, points: NDArray[np.floating], truth: NDArray[np.floating], length: float
) -> dict[str, float]:
    """Return for each part of the face the mean error of its labelled points in percent of `length` pixels, or NaN."""
    own = {part: np.array(scheme.parts) == part for part in scheme.parts}
    return {part: mean_error(points[of], truth[of]) / length * 100 for part, of in own.items()}


def accuracy(errors: NDArray[np.floating]) -> Accuracy:
    """Return the figures of errors in percent, one per face: infinite where it was missed, NaN where unknown."""
    measured = errors[~np.isnan(errors)]
    found = measured[np.isfinite(measured)]
    return Accuracy(
        faces=len(measured),
        nme=float(found.mean()) if len(found) else None,
        fr10=float(np.mean(measured > FAILURE_THRESHOLD) * 100) if len(measured) else None,
        auc10=area_under_ced(measured) if len(measured) else None,
    )


def ced(errors: NDArray[np.floating]) -> tuple[NDArray, NDArray]:
    """Return the cumulative error distribution: thresholds from 0 and the share in [0, 1] of errors not above each."""
    thresholds = np.linspace(0, FAILURE_THRESHOLD, round(FAILURE_THRESHOLD / CED_STEP) + 1)
    share = np.searchsorted(np.sort(errors), thresholds, side="right") / max(1, len(errors))
    return thresholds, share


def noted_ced(errors: NDArray[np.floating]) -> list[float]:
    """Return the CED as cards note it: the share in [0, 1] of errors not above 0, 0.25, 0.5 ... 10 percent.

    Errors are as `accuracy` takes them.
    """
    _, share = ced(errors[~np.isnan(errors)])
    return [round(float(value), 4) for value in share[:: round(NOTED_STEP / CED_STEP)]]


def area_under_ced(errors: NDArray[np.floating]) -> float:
    """Return the area under the CED up to `FAILURE_THRESHOLD` over this limit, in [0, 1], by Simpson's rule."""
    _, share = ced(errors)
    simpson = share[0] + share[-1] + 4 * share[1:-1:2].sum() + 2 * share[2:-1:2].sum()
    return float(simpson / 3 / (len(share) - 1))


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
