"""The markups iBUG-68, WFLW-98 and COFW-29, with their mirror permutation, contours and eye corners.

Left and right are the subject's own: the right eye is on the left of an unmirrored picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FloatT = TypeVar("FloatT", bound=np.floating)


@dataclass(frozen=True)
class Contour:
    """A line through landmarks.

    Attributes:
        part: part of the face: jaw, brow, nose, eye or lip.
        points: indices of the landmarks in drawing order.
        closed: whether the last point joins the first.
    """

    part: str
    points: tuple[int, ...]
    closed: bool


@dataclass(frozen=True)
class Scheme:
    """A landmark markup.

    Attributes:
        points: number of landmarks K.
        mirror: `mirrored[i] = original[mirror[i]]` before x is reflected; a permutation that is its own inverse. Empty
            where it is not known.
        contours: lines for drawing.
        outer_eye_corners: right and left; their distance normalises the NME. Empty where they are not known.
        right_eye, left_eye: indices around each eye; their means give the eye line. Empty where they are not known.
        as_68: for each of the 68 iBUG points the index of the same point here; empty where they are not among these.
        means_68: for each of the 68 iBUG points the indices of those here whose mean marks the same place; empty unless
            it takes more than one somewhere, and then `as_68` is empty.
    """

    points: int
    mirror: tuple[int, ...]
    contours: tuple[Contour, ...]
    outer_eye_corners: tuple[int, ...]
    right_eye: tuple[int, ...]
    left_eye: tuple[int, ...]
    as_68: tuple[int, ...]
    means_68: tuple[tuple[int, ...], ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The part of the face of each landmark."""
        part_of = {point: contour.part for contour in self.contours for point in contour.points}
        return tuple(part_of.get(point, "pupil") for point in range(self.points))

    @property
    def has_68(self) -> bool:
        """Whether the 68 iBUG points can be had from its own."""
        return bool(self.as_68 or self.means_68)

    def to_68(self, points: NDArray[FloatT]) -> NDArray[FloatT]:
        """Return the 68 iBUG points `[68, 2]` of points `[K, 2]` of this scheme, which must have them."""
        if self.as_68:
            return points[list(self.as_68)]
        groups, first, counts = _groups(self.means_68)
        return (np.add.reduceat(points[groups], first, axis=0) / counts).astype(points.dtype)

    def points_in(self, scheme: Scheme, points: NDArray[FloatT]) -> NDArray[FloatT]:
        """Return points `[K, 2]` of this scheme as those of a `common_scheme` of it and another."""
        return points if scheme is self else self.to_68(points)


@lru_cache(maxsize=8)
def _groups(means: tuple[tuple[int, ...], ...]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return all indices of groups one after another, where each group begins, and their sizes `[groups, 1]`."""
    sizes = np.array([len(group) for group in means])
    return np.concatenate([np.array(group, np.intp) for group in means]), np.cumsum(sizes) - sizes, sizes[:, None] * 1.0


def _run(first: int, last: int) -> tuple[int, ...]:
    """Indices from `first` to `last`, both included, upwards or downwards."""
    step = 1 if last >= first else -1
    return tuple(range(first, last + step, step))


IBUG_68 = Scheme(
    points=68,
    mirror=(
        *_run(16, 0), *_run(26, 17), *_run(27, 30), *_run(35, 31),
        45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
        *_run(54, 48), *_run(59, 55), *_run(64, 60), 67, 66, 65,
    ),
    contours=(
        Contour("jaw", _run(0, 16), closed=False),
        Contour("brow", _run(17, 21), closed=False),
        Contour("brow", _run(22, 26), closed=False),
        Contour("nose", _run(27, 30), closed=False),
        Contour("nose", _run(31, 35), closed=False),
        Contour("eye", _run(36, 41), closed=True),
        Contour("eye", _run(42, 47), closed=True),
        Contour("lip", _run(48, 59), closed=True),
        Contour("lip", _run(60, 67), closed=True),
    ),
    outer_eye_corners=(36, 45),
    right_eye=_run(36, 41),
    left_eye=_run(42, 47),
    as_68=_run(0, 67),
)  # fmt: skip

WFLW_98 = Scheme(
    points=98,
    mirror=(
        *_run(32, 0), *_run(46, 42), *_run(50, 47), *_run(37, 33), *_run(41, 38), *_run(51, 54), *_run(59, 55),
        *_run(72, 68), 75, 74, 73, *_run(64, 60), 67, 66, 65,
        *_run(82, 76), *_run(87, 83), *_run(92, 88), *_run(95, 93), 97, 96,
    ),
    contours=(
        Contour("jaw", _run(0, 32), closed=False),
        Contour("brow", _run(33, 41), closed=True),
        Contour("brow", _run(42, 50), closed=True),
        Contour("nose", _run(51, 54), closed=False),
        Contour("nose", _run(55, 59), closed=False),
        Contour("eye", _run(60, 67), closed=True),
        Contour("eye", _run(68, 75), closed=True),
        Contour("lip", _run(76, 87), closed=True),
        Contour("lip", _run(88, 95), closed=True),
    ),
    outer_eye_corners=(60, 72),
    right_eye=_run(60, 67),
    left_eye=_run(68, 75),
    as_68=(
        *range(0, 33, 2), *_run(33, 37), *_run(42, 46), *_run(51, 59),
        60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *_run(76, 95),
    ),
)  # fmt: skip

# Brows and eyes have corners and the middles of both edges, the nose its wings, tip and base, each lip the middles of
# its edges; the two lips share the corners of the mouth.
COFW_29 = Scheme(
    points=29,
    mirror=(
        1, 0, 3, 2, 6, 7, 4, 5, 9, 8, 11, 10, 14, 15, 12, 13, 17, 16, 19, 18, 20, 21, 23, 22, *_run(24, 28),
    ),
    contours=(
        Contour("jaw", (28,), closed=False),
        Contour("brow", (0, 4, 2, 5), closed=True),
        Contour("brow", (1, 6, 3, 7), closed=True),
        Contour("nose", (18, 20, 19, 21), closed=True),
        Contour("eye", (8, 12, 10, 13), closed=True),
        Contour("eye", (9, 14, 11, 15), closed=True),
        Contour("lip", (22, 24, 23, 27), closed=True),
        Contour("lip", (22, 25, 23, 26), closed=True),
    ),
    outer_eye_corners=(8, 9),
    right_eye=(8, 10, 12, 13),
    left_eye=(9, 11, 14, 15),
    as_68=(),
)  # fmt: skip

SCHEMES = {29: COFW_29, 68: IBUG_68, 98: WFLW_98}
# The edges of a face by the number of landmarks: the contours that have a length, nine of 68 and 98 points as in ADNet
# (Huang et al., ICCV 2021): jaw, brows, nose ridge, nostrils, eyes, outer lip, inner lip.
EDGES = {
    points: tuple(contour for contour in scheme.contours if len(contour.points) > 1)
    for points, scheme in SCHEMES.items()
}


def common_scheme(first: Scheme, second: Scheme) -> Scheme | None:
    """Return the markup in which landmarks of two can be compared: their own if it is the same, else the 68 points.

    None where one of them lacks the 68 points.
    """
    if first is second:
        return first
    return IBUG_68 if first.has_68 and second.has_68 else None


def eye_centres(scheme: Scheme, points: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the means `[2]` of the labelled points around the right and the left eye; NaN where there are none."""
    centres = []
    for eye in (scheme.right_eye, scheme.left_eye):
        outline = points[_indices(eye)]
        centre = np.add.reduce(outline) / points.dtype.type(len(eye))  # the mean, in a third of the time
        if not all(map(math.isfinite, centre.tolist())):  # rare: a point has no label
            labelled = outline[np.isfinite(outline).all(1)]
            centre = labelled.mean(0) if len(labelled) else np.full(2, np.nan)
        centres.append(centre)
    return centres[0], centres[1]


@cache
def _indices(points: tuple[int, ...]) -> NDArray[np.intp]:
    indices = np.array(points, np.intp)
    indices.flags.writeable = False
    return indices
