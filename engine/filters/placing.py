"""An image attached to a face by an anchor, as ink on the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.filters.images import LayerImage
from engine.filters.spec import Anchor, DrivenProperty, Measure
from engine.render.layer import Region

SMALLEST = 1e-3  # pixels of the picture for a pixel of the image: below, nothing can be seen
# An image larger than this many times the picture means that the landmarks are wrong.
LARGEST = 1e4


@dataclass(frozen=True)
class FilterInk:
    """Pixels to be blended over a region of a picture: premultiplied `[h, w, 4]` uint8 BGRA of the region's size."""

    pixels: NDArray[np.uint8]
    region: Region


Driven = dict[DrivenProperty, float]


def anchor_matrix(
    anchor: Anchor, points: NDArray[np.floating], image: LayerImage, driven: Driven
) -> NDArray[np.float64]:
    """Return the matrix `[3, 3]` from pixels of an image to those of the picture with landmarks `points` `[68, 2]`."""
    first, second = anchor.angle @ points
    angle = math.atan2(float(second[1] - first[1]), float(second[0] - first[0]))
    angle += math.radians(anchor.turn + driven.get("turn", 0.0))
    right = np.array((math.cos(angle), math.sin(angle)))
    down = np.array((-right[1], right[0]))

    wide = _length(anchor.width, points)
    tall = wide * image.height / image.width if anchor.height is None else _length(anchor.height, points)
    both = driven.get("scale", 1.0)
    across = right * (both * driven.get("scale_x", 1.0) * wide / image.width)
    along = down * (both * driven.get("scale_y", 1.0) * tall / image.height)

    offset_x = anchor.offset[0] + driven.get("offset_x", 0.0)
    offset_y = anchor.offset[1] + driven.get("offset_y", 0.0)
    place = anchor.at @ points + wide * (offset_x * right + offset_y * down)
    x, y = anchor.pixel or ((image.width - 1) / 2, (image.height - 1) / 2)
    corner = place - across * x - along * y
    return np.array([[across[0], along[0], corner[0]], [across[1], along[1], corner[1]], [0, 0, 1]])


def pinned_ink(image: LayerImage, matrix: NDArray[np.float64], picture: NDArray[np.uint8]) -> FilterInk | None:
    """Draw an image through a matrix `[3, 3]` from its pixels to those of a picture, of which only the size counts.

    Returns the ink inside the picture; None where it would be outside or is too small to be seen.
    """
    sides = np.hypot(*matrix[:2, :2])  # of a pixel of the image
    if not np.isfinite(matrix).all() or not SMALLEST < sides.min() <= sides.max() < LARGEST:
        return None
    level, to_full = image.level_for(float(sides.max()))
    matrix = matrix @ to_full
    height, width = level.shape[:2]
    corners = np.array([(-1, -1, 1), (width, -1, 1), (width, height, 1), (-1, height, 1)]) @ matrix[:2].T
    region = Region.around(Box(*corners.min(0).tolist(), *corners.max(0).tolist()), 0, *picture.shape[1::-1])
    if not region.width or not region.height:
        return None
    matrix = np.array([[1, 0, -region.x0], [0, 1, -region.y0], [0, 0, 1]]) @ matrix
    pixels = cv2.warpAffine(level, matrix[:2], (region.width, region.height), flags=cv2.INTER_LINEAR)
    return FilterInk(pixels, region)


def mirrored_ink(ink: FilterInk, width: int) -> FilterInk:
    """Return ink as a mirror shows it in a picture of `width`."""
    region = ink.region
    return FilterInk(cv2.flip(ink.pixels, 1), Region(width - region.x1, region.y0, width - region.x0, region.y1))


def _length(measure: Measure, points: NDArray[np.floating]) -> float:
    first, second = measure.ends @ points
    return measure.times * float(np.hypot(*(second - first)))
