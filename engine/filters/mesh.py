"""An image warped over a face, triangle by triangle between the landmarks.

The 68 landmarks end at the brows and at the jaw. A ring of further points, each a weighted mean of landmarks, carries
the mesh over the forehead and beyond the outline; where it ends, so does the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import landmark_box
from engine.filters.images import LayerImage
from engine.filters.placing import LARGEST, SMALLEST, FilterInk
from engine.filters.points import LANDMARKS, above_nose, mean_of
from engine.render.layer import FARTHEST, SHIFT, Region

EXTENT_STEP = 8  # pixels of the image between places on the outline of what is painted
EXTENT_MARGIN = 4  # pixels of the picture
STEP = 2  # pixels of the picture between the places at which the warp is computed
RING_OUT = 0.3  # how far the ring is outside the jaw, in distances from the middle of the face
FOREHEAD_UP = 1.8  # how far it is above the brows, in lengths of the nose
FOREHEAD_OUT = 0.25
MOST_TRIANGLES = 254  # labels are bytes; the first is for pixels outside, the last for those turned away
OUTSIDE = -1e6  # a place outside every image
_MIDDLE = 29  # landmark on the ridge of the nose
# cv2.Subdiv2D gives the corners back as float32.
SAME_POINT = 0.01


@dataclass(frozen=True)
class Mesh:
    """Triangles over the face that is painted on an image.

    Attributes:
        points: `[P, 2]` in pixels of the full image: the 68 landmarks and the ring.
        triangles: `[T, 3]` indices of points.
        signs: `[T]` of the areas of the triangles in the image, 1 or -1 by the sense in which their corners run.
        extent: weights `[n, P]` of places around all that is painted, to process no more of a picture than needed.
    """

    points: NDArray[np.float64]
    triangles: NDArray[np.intp]
    signs: NDArray[np.float64]
    extent: NDArray[np.float64]


def make_mesh(template: NDArray[np.floating], image: LayerImage) -> Mesh:
    """Return the Delaunay triangles of the landmarks `[68, 2]` of the face that is painted on an image.

    Raises:
        ValueError: the points are on a line, far away or no numbers, or several coincide.
    """
    points = SPREAD @ template
    if not np.abs(points).max() <= FARTHEST:  # NaN fails too
        raise ValueError("the points lie far outside the image")
    box = landmark_box(points)
    if box.width < 1 or box.height < 1:
        raise ValueError("the points do not span a face")
    subdivision = cv2.Subdiv2D((int(box.x0) - 2, int(box.y0) - 2, int(box.width) + 5, int(box.height) + 5))
    for x, y in points.tolist():
        subdivision.insert((x, y))
    corners = np.asarray(subdivision.getTriangleList(), np.float64).reshape(-1, 3, 2)
    distances = np.linalg.norm(corners[:, :, None] - points, axis=3)
    triangles = distances.argmin(2)[(distances.min(2) < SAME_POINT).all(1)]
    if not len(points) <= len(triangles) <= MOST_TRIANGLES or len(np.unique(triangles)) < len(points):
        raise ValueError("several points lie on one another")
    signs = np.sign(_areas(points[triangles]))
    return Mesh(points, triangles, signs, _extent(points, triangles, image))


def _extent(points: NDArray[np.float64], triangles: NDArray[np.intp], image: LayerImage) -> NDArray[np.float64]:
    """Return the weights `[n, P]` of places along the outline of what is painted, as far as the mesh reaches."""
    painted = cv2.extractChannel(image.levels[0], 3)
    reach = cv2.convexHull(np.rint(points).astype(np.int32))
    painted &= cv2.fillConvexPoly(np.zeros_like(painted), reach, 255)
    contours, _ = cv2.findContours(painted, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    places = np.concatenate([contour[::EXTENT_STEP, 0] for contour in contours] or [np.empty((0, 2))])
    corners = np.concatenate((points, np.ones((len(points), 1))), axis=1)[triangles]
    shares = np.einsum("tij,ni->ntj", np.linalg.inv(corners), np.column_stack((places, np.ones(len(places)))))
    found = shares.min(2).argmax(1)  # the triangle around a place, or nearest to it
    weights = np.zeros((len(places), len(points)))
    np.put_along_axis(weights, triangles[found], shares[np.arange(len(places)), found], axis=1)
    return weights


def mesh_ink(
    image: LayerImage, mesh: Mesh, points: NDArray[np.floating], picture: NDArray[np.uint8]
) -> FilterInk | None:
    """Warp an image by its triangles over landmarks `[68, 2]` in a picture, of which only the size counts.

    Returns the ink inside the picture; None where it would be outside or is too small to be seen.
    """
    places = SPREAD @ points
    if not len(mesh.extent) or np.abs(places).max() > FARTHEST:
        return None
    region = Region.around(landmark_box(mesh.extent @ places), EXTENT_MARGIN, *picture.shape[1::-1])
    # The affine map that brings the places nearest to the points of the image, by least squares.
    known = np.concatenate((places, np.ones((len(places), 1))), axis=1)
    overall = np.asarray(np.linalg.lstsq(known, mesh.points, rcond=None)[0].T, np.float64)
    area = abs(float(np.linalg.det(overall[:, :2])))  # of the image for a pixel of the picture
    if not region.width or not region.height or not 1 / LARGEST < area < 1 / SMALLEST:
        return None
    level, to_full = image.level_for(area**-0.5)
    front = _facing(mesh, places)
    # The affine maps `[T + 2, 2, 3]` from the picture to the image: outside, in each triangle, and overall. Triangles
    # that are turned away from the viewer have none and are not drawn.
    rows = np.zeros((len(mesh.triangles) + 2, 2, 3))
    rows[:, :, 2], rows[-1] = OUTSIDE, overall
    triangles = mesh.triangles[front]
    rows[1 + front] = np.linalg.solve(known[triangles], mesh.points[triangles]).transpose(0, 2, 1)
    rows = np.linalg.inv(to_full)[:2] @ np.concatenate((rows, np.tile([[[0.0, 0.0, 1.0]]], (len(rows), 1, 1))), axis=1)
    return FilterInk(cv2.remap(level, _dense_map(mesh, places, front, rows, region), None, cv2.INTER_LINEAR), region)


def _facing(mesh: Mesh, places: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of the triangles that are neither turned over nor flat, in the order of drawing.

    Those of the ring come first, as a turned head folds them over the face. Then come small ones before large ones:
    OpenCV fills a little beyond the edges, where the map of a thin triangle, as of a closed eye, is unstable.
    """
    areas = mesh.signs * _areas(places[mesh.triangles])
    inside = (mesh.triangles < LANDMARKS).all(1)
    order = np.lexsort((areas, inside))
    return order[areas[order] > SMALLEST]


def _areas(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return twice the signed areas `[T]` of triangles `[T, 3, 2]`."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


def _dense_map(
    mesh: Mesh, places: NDArray[np.float64], front: NDArray[np.intp], rows: NDArray[np.float64], region: Region
) -> NDArray[np.float32]:
    """Return the place in the image of each pixel of a region, `[h, w, 2]`.

    Computed at every `STEP` pixels, one step beyond the region all round, and enlarged: the map has no jumps.
    """
    size = (-(-region.width // STEP) + 2, -(-region.height // STEP) + 2)
    start = np.array((region.x0, region.y0)) - STEP + (STEP - 1) / 2
    labels = np.zeros(size[::-1], np.uint8)
    fixed = np.rint((places - start) / STEP * (1 << SHIFT)).astype(np.int32)
    # Where a turned head hides triangles, the map of the whole face is used, as far as its outline.
    cv2.fillPoly(labels, [fixed[OUTLINE]], len(mesh.triangles) + 1, cv2.LINE_8, SHIFT)
    for index in front:
        cv2.fillConvexPoly(labels, fixed[mesh.triangles[index]], int(index) + 1, cv2.LINE_8, SHIFT)
    x, y = (start[axis] + STEP * np.arange(size[axis]) for axis in (0, 1))
    x, y = x.astype(np.float32)[None], y.astype(np.float32)[:, None]
    tables = np.zeros((2, 3, 256), np.float32)
    tables[:, :, : len(rows)] = rows.transpose(1, 2, 0)
    coarse = [cv2.LUT(labels, a) * x + cv2.LUT(labels, b) * y + cv2.LUT(labels, c) for a, b, c in tables]
    fine = cv2.resize(cv2.merge(coarse), (size[0] * STEP, size[1] * STEP), interpolation=cv2.INTER_LINEAR)
    return fine[STEP : STEP + region.height, STEP : STEP + region.width]


def _spread() -> NDArray[np.float64]:
    """Return the weights `[P, 68]` of the mesh's points: every landmark, then the ring."""
    landmarks = np.eye(LANDMARKS)
    up = (above_nose(FOREHEAD_UP) - above_nose(0)).astype(np.float64)
    middle = mean_of((_MIDDLE,))
    jaw = landmarks[:17] + RING_OUT * (landmarks[:17] - middle)
    temples = landmarks[[0, 16]] + RING_OUT * (landmarks[[0, 16]] - middle) + up / 2
    brows = landmarks[17:27]
    forehead = brows + FOREHEAD_OUT * (brows - mean_of((27,))) + up
    return np.concatenate((landmarks, jaw, temples, forehead))


SPREAD = _spread()
# Around the face: along the jaw, then back over the forehead.
OUTLINE = [*range(17), 86, *range(96, 86, -1), 85]
