"""The mesh: what is painted on a landmark of the image lies on that landmark of the face."""

import cv2
import numpy as np
import pytest

from engine.core.geometry import Crop
from engine.filters.images import LayerImage
from engine.filters.mesh import OUTLINE, SPREAD, make_mesh, mesh_ink
from tests.fakes.filters import grey, portrait_points

SCALE = 4
TEMPLATE = (portrait_points() - portrait_points().mean(0)) * SCALE + (250, 400)


def ramps():
    """An opaque image whose blue is x and whose green is y, in halves of a pixel of the full 500 x 660."""
    image = np.empty((660, 500, 4), np.uint8)
    image[..., 0] = np.arange(500) // 2
    image[..., 1] = (np.arange(660) * 255 / 700).astype(np.uint8)[:, None]
    image[..., 2:] = 255
    return LayerImage((image,))


def reported(ink, points):
    """The places on the image that the ink shows at points of the picture."""
    columns, rows = np.rint(points).astype(int).T - np.array([[ink.region.x0], [ink.region.y0]])
    shown = ink.pixels[rows, columns].astype(float)
    return np.stack((shown[:, 0] * 2 + 0.5, shown[:, 1] * 700 / 255), axis=1)


def face_turned_and_smiling():
    """The portrait turned by 20 degrees, its mouth wider and lower than in the template."""
    points = portrait_points().astype(float)
    points[48:] = points[48:].mean(0) + (points[48:] - points[48:].mean(0)) * (1.2, 1.5) + (0, 4)
    turned = Crop(220, 220, 250, np.radians(20)).to_picture(Crop(224, 214, 100).from_picture(points))
    return turned.astype(float)


def test_every_landmark_of_the_template_lands_on_that_of_the_face():
    face = face_turned_and_smiling()
    ink = mesh_ink(ramps(), make_mesh(TEMPLATE, ramps()), face, grey())
    inside = [*range(17, 60)]  # the inner lips lie on one another, the jaw at the edge of the head
    off = np.linalg.norm(reported(ink, face[inside]) - TEMPLATE[inside], axis=1)
    # A pixel of the picture is about 1.6 of the image; ramps and rounding are as coarse.
    assert off.max() < 5
    assert off.mean() < 2


def test_the_mesh_covers_the_forehead():
    face = face_turned_and_smiling()
    mesh = make_mesh(TEMPLATE, ramps())
    ink = mesh_ink(ramps(), mesh, face, grey())
    brow_to_ring = (SPREAD @ face)[87:97] * 0.5 + face[17:27] * 0.5
    expected = mesh.points[87:97] * 0.5 + TEMPLATE[17:27] * 0.5
    off = np.linalg.norm(reported(ink, brow_to_ring) - expected, axis=1)
    assert np.median(off) < 4


def test_beyond_the_ring_nothing_is_drawn():
    face = face_turned_and_smiling()
    ink = mesh_ink(ramps(), make_mesh(TEMPLATE, ramps()), face, grey())
    assert ink.pixels[0, 0, 3] == 0
    assert ink.pixels[-1, -1, 3] == 0


def test_triangles_fill_the_face_without_gaps():
    mesh = make_mesh(TEMPLATE, ramps())
    assert set(mesh.triangles.ravel()) == set(range(len(SPREAD)))
    face = face_turned_and_smiling()
    ink = mesh_ink(ramps(), mesh, face, grey())
    outline = (SPREAD @ face)[OUTLINE] - (ink.region.x0, ink.region.y0)
    inside = cv2.fillPoly(np.zeros(ink.pixels.shape[:2], np.uint8), [np.rint(outline).astype(np.int32)], 255)
    inside = cv2.erode(inside, np.ones((7, 7), np.uint8)) > 0
    assert (ink.pixels[..., 3][inside] > 0).mean() > 0.995


@pytest.mark.parametrize(
    "points",
    [
        portrait_points() * 0,
        portrait_points() + 5000,
        portrait_points() * 1e-4 + 200,
        portrait_points() * (1, 0),
    ],
)
def test_faces_that_cannot_be_seen_are_left_out(points):
    assert mesh_ink(ramps(), make_mesh(TEMPLATE, ramps()), points, grey()) is None


def test_a_face_at_the_border_is_drawn_as_far_as_it_is_seen():
    face = face_turned_and_smiling()
    whole = mesh_ink(ramps(), make_mesh(TEMPLATE, ramps()), face, grey())
    cut = mesh_ink(ramps(), make_mesh(TEMPLATE, ramps()), face - (220, 150), grey())
    assert (cut.region.x0, cut.region.y0) == (0, 0)
    x, y = 220 - whole.region.x0, 150 - whole.region.y0
    same = whole.pixels[y : y + cut.region.height, x : x + cut.region.width]
    difference = np.abs(cut.pixels.astype(int) - same)
    assert (difference.max(2) <= 6).mean() > 0.98


def test_a_template_that_is_no_face():
    with pytest.raises(ValueError, match="span"):
        make_mesh(np.ones((68, 2)), ramps())
    doubled = TEMPLATE.copy()
    doubled[5] = doubled[6]
    with pytest.raises(ValueError, match="one another"):
        make_mesh(doubled, ramps())
    for far in (1e9, np.nan):
        doubled[5] = far
        with pytest.raises(ValueError, match="far outside"):
            make_mesh(doubled, ramps())
