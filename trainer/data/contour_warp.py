"""98 points from 68 that people set: a proposal is bent, contour by contour, until it meets them.

Most of the 68 iBUG points have a namesake among the 98 of WFLW (`Scheme.as_68`). What the proposal misses them by goes
over to the points between them on the same contour, by Gaussian process regression (Rasmussen & Williams, "Gaussian
Processes for Machine Learning", 2006, equation 2.23) over the distances on the mean shape.

Some namesakes are not the same place: WFLW's eyelid points stand at quarters of the eye and iBUG's at thirds. Over many
faces, proposals show by how much the two markups differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import UsageError
from engine.core.schemes import IBUG_68, WFLW_98
from trainer.shape_model import Complex, Real, ShapeModel, as_complex, as_points, similarity

NAMESAKES = np.array(WFLW_98.as_68)
# How far a correction reaches along a contour, in parts of the distance of the outer eye corners. On the real WFLW
# faces 0.15 and 0.2 are equally good; with 0.1 and 0.3 the derived points are worse.
REACH = 0.15
# Variance of what a manual point is not met by, in parts of that of the proposal's error: as good as none.
SLACK = 1e-6
# Markups coincide in a point if it differs by less than this share of the eye distance. On the real WFLW faces, where
# nothing differs, the proposals of PFLD-GhostOne would show a difference of up to 0.013 for nine points of ten.
COINCIDENCE = 0.015
# With fewer faces, the errors of single proposals would pass for a difference of the markups.
LEAST_FACES = 50


@dataclass(frozen=True)
class ContourWarp:
    """Bends proposals to manual points.

    Attributes:
        mean: `[98]` the mean shape, upright, as x + iy.
        kinship: `[98, 98]` correlation of a proposal's errors at two points: a Gaussian of their distance on the mean
            shape, 0 on different contours. A pupil goes with its eye.
    """

    mean: Complex
    kinship: Real

    @property
    def eye_distance(self) -> float:
        """Distance of the outer eye corners of the mean shape."""
        right, left = WFLW_98.outer_eye_corners
        return float(abs(self.mean[left] - self.mean[right]))

    @property
    def nearest(self) -> NDArray[np.intp]:
        """For each of the 98 points, which of the 68 says most about it."""
        return self.kinship[:, NAMESAKES].argmax(1)

    def shifts(self, proposals: NDArray[np.floating], manual: NDArray[np.floating]) -> Complex:
        """Return how far the 68 iBUG points lie beside their namesakes, 0 where they coincide.

        The medians over the faces, made symmetric, `[68]` x + iy in units of the mean shape. A proposal's error on a
        single face does not matter.

        Args:
            proposals: `[N, 98, 2]` pixels.
            manual: `[N, 68, 2]` pixels of the same pictures; NaN without a label.
        """
        if len(manual) < LEAST_FACES:
            return np.zeros(len(NAMESAKES), np.complex128)
        faces = as_complex(manual)
        turn, _ = similarity(self.mean[NAMESAKES], faces)
        beside = (faces - as_complex(proposals)[:, NAMESAKES]) / turn
        median = np.nan_to_num(np.nanmedian(beside.real, 0)) + 1j * np.nan_to_num(np.nanmedian(beside.imag, 0))
        symmetric = (median - median.conj()[list(IBUG_68.mirror)]) / 2
        return np.where(np.abs(symmetric) < COINCIDENCE * self.eye_distance, 0, symmetric)

    def bend(
        self, proposal: NDArray[np.floating], manual: NDArray[np.floating], shifts: Complex
    ) -> NDArray[np.float32]:
        """Return the 98 points `[98, 2]` of a face in pixels, NaN without a label.

        The proposal is moved, turned and scaled as a whole to the manual points, then bent. A point of which the
        nearest manual one has no label has none either.

        Args:
            proposal: `[98, 2]` pixels.
            manual: `[68, 2]` pixels, at least two of them labelled.
            shifts: what `shifts` returned, or zeros.
        """
        face = as_complex(manual)
        known = np.isfinite(face)
        target = (face - similarity(self.mean[NAMESAKES], face)[0] * shifts)[known]
        rough = as_complex(proposal)
        turn, shift = similarity(rough[NAMESAKES][known], target)
        rough = rough * turn + shift
        # The weights [98, P] by which corrections at the P known points go over to all points.
        pins = NAMESAKES[known]
        among = self.kinship[np.ix_(pins, pins)] + SLACK * np.eye(len(pins))
        bent = rough + np.linalg.solve(among, self.kinship[pins]).T @ (target - rough[pins])
        return np.where(known[self.nearest, None], as_points(bent), np.nan).astype(np.float32)


def contour_warp(model: ShapeModel) -> ContourWarp:
    """Return the warp whose distances are those of the mean of a shape model of 98 points.

    Raises:
        UsageError: the shape model has another number of points.
    """
    if model.points != WFLW_98.points:
        raise UsageError(
            f"A shape model of {model.points} points cannot help to derive {WFLW_98.points}",
            "it was fitted on another markup",
            f"give shapes of {WFLW_98.points} points with --shapes",
        )
    mean = as_complex(model.mean.reshape(-1, 2))
    right, left = WFLW_98.outer_eye_corners
    distances = np.abs(mean[:, None] - mean) / abs(mean[left] - mean[right])
    contours = np.empty(WFLW_98.points, np.intp)  # of each point the number of its contour
    for number, contour in enumerate(WFLW_98.contours):
        contours[list(contour.points)] = number
    pupils = [point for point, part in enumerate(WFLW_98.parts) if part == "pupil"]
    contours[pupils] = contours[[WFLW_98.right_eye[0], WFLW_98.left_eye[0]]]
    together = contours[:, None] == contours
    return ContourWarp(mean, np.where(together, np.exp(-((distances / REACH) ** 2) / 2), 0))
