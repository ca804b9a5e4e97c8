"""Square crops of a picture, turned with the face, and the mapping of points between picture and crop.

Coordinates are (x, y) in pixels, origin top-left, pixel centres at integers. Inside a crop they are in
[0, 1]: 0 and 1 are the crop's edges, so the centre of pixel j of S is (j + 0.5) / S.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.schemes import Scheme, eye_centres

# Above this many source pixels per crop pixel, plain bilinear sampling would alias.
ALIASING_RATIO = 2.0
# Points of a face that all lie nearer to the origin count parts of a picture, from 0 to 1 or -1 to 1, some a little
# outside; in pixels no face is as small. What is said of them: the cause, and what to do.
LARGEST_FRACTION = 2.0
FRACTIONS = (
    f"none of their coordinates reaches {LARGEST_FRACTION:g}",
    "multiply x by the width and y by the height of the picture",
)


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels of the picture, edges x0 < x1 and y0 < y1."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def overlap(self, other: Box) -> float:
        """Return the intersection over union, in [0, 1]."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        if width <= 0 or height <= 0:
            return 0.0
        intersection = width * height
        return intersection / (self.width * self.height + other.width * other.height - intersection)

    def as_list(self) -> list[float]:
        """Return [x0, y0, x1, y1] rounded to a hundredth of a pixel, for JSON."""
        return [round(edge, 2) for edge in (self.x0, self.y0, self.x1, self.y1)]


@dataclass(frozen=True)
class Crop:
    """A window on a picture, nearly always a square.

    Attributes:
        centre_x, centre_y: centre in pixels of the picture.
        side: length of a side in pixels of the picture; of a window that is no square its width.
        roll: angle in radians by which the window is turned clockwise on screen; 0 is upright.
        aspect: height of the window in widths. What is sampled is a square still, so the face is stretched there.
    """

    centre_x: float
    centre_y: float
    side: float
    roll: float = 0.0
    aspect: float = 1.0

    @property
    def size(self) -> float | NDArray[np.float64]:
        """Its side, or `[width, height]` where it is no square, in pixels of the picture."""
        return self.side if self.aspect == 1 else np.array((self.side, self.side * self.aspect))

    def to_picture(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Map points `[..., 2]` from [0, 1] of the crop to pixels of the picture."""
        # Picture pixels have their centres at integers, so the centre of the square is at (centre_x, centre_y).
        # Numbers that are no points, of a damaged model, are noticed in its result; here they are no warning.
        with np.errstate(over="ignore", invalid="ignore"):
            offset = (np.asarray(points) - 0.5) * self.size
            return (offset @ self._rotation().T + (self.centre_x, self.centre_y)).astype(np.float32)

    def from_picture(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Map points `[..., 2]` from pixels of the picture to [0, 1] of the crop."""
        offset = np.asarray(points) - (self.centre_x, self.centre_y)
        return (offset @ self._rotation() / self.size + 0.5).astype(np.float32)

    def _rotation(self) -> NDArray[np.float64]:
        cosine, sine = math.cos(self.roll), math.sin(self.roll)
        return np.array([[cosine, -sine], [sine, cosine]])

    def matrix(self, size: int) -> NDArray[np.float64]:
        """Return the 2x3 matrix from pixel indices of a crop of `size` pixels to pixels of the picture."""
        width, height = self.side / size, self.side * self.aspect / size
        cosine, sine = math.cos(self.roll), math.sin(self.roll)
        across, down = (width * cosine, width * sine), (-height * sine, height * cosine)
        middle = size / 2 - 0.5
        x = self.centre_x - middle * (across[0] + down[0])
        y = self.centre_y - middle * (across[1] + down[1])
        return np.array([[across[0], down[0], x], [across[1], down[1], y]])

    def sample(self, picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """Cut the crop `[size, size, C]` out of `picture` `[H, W, C]`; black outside the picture.

        A large face is halved first, as often as it takes, against aliasing.
        """
        matrix = self.matrix(size)
        ratio = self.side * max(1.0, self.aspect) / size
        halvings = math.ceil(math.log2(ratio / ALIASING_RATIO)) if ratio > ALIASING_RATIO else 0
        halvings = max(0, min(halvings, min(picture.shape[:2]).bit_length() - 1))
        part, corner = self._part(picture, halvings)
        matrix[:, 2] = (matrix[:, 2] - corner + 0.5) / 2**halvings - 0.5
        matrix[:, :2] /= 2**halvings
        return cv2.warpAffine(
            part,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )

    def _part(self, picture: NDArray[np.uint8], halvings: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
        """Return a copy of what the crop sees of the picture, halved so often, and where its corner (x, y) was.

        A picture that just arrived is in no cache, and reading it in order costs half of what turned sampling would;
        for who comes next the copy is a tenth more.
        """
        factor = 2**halvings
        height, width = picture.shape[:2]
        cosine, sine = abs(math.cos(self.roll)), abs(math.sin(self.roll))
        half_width, half_height = self.side / 2, self.side * self.aspect / 2
        reach_x = cosine * half_width + sine * half_height + 2 * factor
        reach_y = sine * half_width + cosine * half_height + 2 * factor
        left, right = _whole_cells(self.centre_x - reach_x, self.centre_x + reach_x, width, factor)
        top, bottom = _whole_cells(self.centre_y - reach_y, self.centre_y + reach_y, height, factor)
        part = picture[top:bottom, left:right]
        if not halvings:
            return part.copy(), (left, top)
        for _ in range(halvings):
            part = cv2.resize(part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA)
        return part, (left, top)


def _whole_cells(low: float, high: float, length: int, factor: int) -> tuple[int, int]:
    """Return the pixels of `length` from `low` to `high`, and so many more that their number is a multiple of `factor`.

    At least one `factor` of them; a few less where the picture has no more.
    """
    end = int(max(factor, min(length, high + 1)))
    begin = int(min(end - factor, max(0, low)))
    begin = max(0, begin - (begin - end) % factor)
    return begin, end - (end - begin) % factor


def in_picture(points: NDArray[np.floating], width: int, height: int) -> NDArray[np.bool_]:
    """Return which of the points `[K, 2]` lie in a picture of so many pixels, none of them with a NaN.

    Pixel centres are at integers, so the picture reaches from -0.5 to `width` - 0.5.
    """
    inside = (points >= -0.5) & (points <= (width - 0.5, height - 0.5))
    return inside[:, 0] & inside[:, 1]


def are_fractions(points: NDArray[np.floating]) -> bool:
    """Return whether points `[..., 2]`, NaN where unknown, count parts of a picture instead of pixels."""
    known = points[np.isfinite(points)]
    # Points that are all the same are no face in either unit.
    return bool(known.size and np.abs(known).max() < LARGEST_FRACTION and np.ptp(known) > 0)


def landmark_box(points: NDArray[np.floating]) -> Box:
    """Return the tight upright box around the finite points of `[K, 2]`.

    Raises:
        ValueError: no point is finite.
    """
    edges = _edges(points) if len(points) else [math.nan]
    if not all(map(math.isfinite, edges)):  # rare, and looking at each point takes thrice as long
        points = points[np.isfinite(points).all(1)]
        if not len(points):
            raise ValueError("no finite point")
        edges = _edges(points)
    return Box(*edges)


def _edges(points: NDArray[np.floating]) -> list[float]:
    along = np.ascontiguousarray(points.T)  # along its rows NumPy is twice as fast
    return [*np.minimum.reduce(along, 1).tolist(), *np.maximum.reduce(along, 1).tolist()]


def crop_of_box(box: Box, scale: float, shift_down: float = 0.0, stretched: bool = False) -> Crop:
    """Return the upright crop of `scale` times the box's larger side, moved down by `shift_down` of that side.

    A stretched crop is `scale` times the box itself, and so no square.
    """
    centre_x, centre_y = box.centre
    larger = max(box.width, box.height)
    if stretched and box.width > 0:
        return Crop(centre_x, centre_y + shift_down * larger, scale * box.width, aspect=box.height / box.width)
    return Crop(centre_x, centre_y + shift_down * larger, scale * larger)


def crop_of_landmarks(
    points: NDArray[np.floating], roll: float, scale: float, shift_down: float = 0.0, stretched: bool = False
) -> Crop:
    """Return the crop of landmarks `[K, 2]` that is turned by `roll` radians.

    The tight box is taken in the turned frame, so a level crop of a lying head is as tight as that of an upright one.
    """
    cosine, sine = math.cos(roll), math.sin(roll)
    turned = points @ np.array([[cosine, -sine], [sine, cosine]])
    level = crop_of_box(landmark_box(turned), scale, shift_down, stretched)
    x, y = level.centre_x, level.centre_y
    return Crop(cosine * x - sine * y, sine * x + cosine * y, level.side, roll, level.aspect)


def roll_of_landmarks(scheme: Scheme, points: NDArray[np.floating]) -> float:
    """Return the angle of the eye line in radians, clockwise on screen; 0 when an eye has no labelled point.

    In (-pi, pi]: a head upside down gives pi.
    """
    if not scheme.right_eye:  # nobody said which of its points are at the eyes
        return 0.0
    right, left = eye_centres(scheme, points)
    x, y = (left - right).tolist()
    return math.atan2(y, x) if math.isfinite(x) and math.isfinite(y) else 0.0
