"""The overlay: what is drawn is where it should be, and the rest of the picture is as it was."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from engine.core.faces import Face, Result
from engine.core.frame import Frame, Truth
from engine.core.geometry import landmark_box
from engine.core.schemes import COFW_29, IBUG_68, WFLW_98
from engine.core.stats import Spread, Stats
from engine.render.canvas import Canvas, mirrored_points
from engine.render.ink import Ink, InkPainter, brackets, drawing_plan, frame_of, outwards
from engine.render.overlay import OverlayPainter
from engine.render.palette import PARTS, TRUTH
from engine.render.scene import Layout, Look, OverlayOptions
from engine.render.text import TextPainter

OFF = OverlayOptions(points=False, contours=False, box=False, numbers=False, truth=False)
ON = OverlayOptions(points=True, contours=True, box=True, numbers=True, truth=True, indices=True)
ONLY = {
    name: dataclasses.replace(OFF, **{name: True})
    for name in ("points", "contours", "box", "numbers", "truth", "indices")
}
STATS = Stats(30.0, {"landmark": Spread(1.0, 2.0), "draw": Spread(0.7, 0.9)}, 2.5, 1.0, 0, 100)
WIDTH, HEIGHT = 640, 480


@pytest.fixture(scope="module")
def painter():
    return OverlayPainter()


def grid_of_points(scheme, x=240.0, y=180.0, side=180.0):
    """Points apart from each other, so that the mark of each can be looked at."""
    across = int(np.ceil(np.sqrt(scheme.points)))
    index = np.arange(scheme.points)
    points = np.stack((index % across, index // across), axis=1) * (side / (across - 1)) + (x, y)
    return np.rint(points).astype(np.float32)


def face_at(points, scheme=IBUG_68, confidence=None, number=1):
    confidence = np.full(scheme.points, 0.95, np.float32) if confidence is None else confidence
    return Face(number, landmark_box(points), 0.95, scheme, points, confidence, 0.0)


def result_of(image, faces=(), truth=None, captured=0.0):
    image.flags.writeable = False  # a frame's picture is never written to
    known = None if truth is None else Truth(IBUG_68, truth)
    return Result(Frame(1, captured, image, "test", truth=known), tuple(faces), "model", {}, False)


def noise(width=WIDTH, height=HEIGHT):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def grey(width=WIDTH, height=HEIGHT, level=90):
    return np.full((height, width, 3), level, np.uint8)


def composed(painter, result, options, mirrored=False):
    out = np.full((result.frame.height, result.frame.width, 4), 77, np.uint8)
    painter.paint(out, result, Look(options, mirrored), STATS)
    return out


def as_bgra(image):
    return np.dstack((image[..., ::-1], np.full(image.shape[:2], 255, np.uint8)))


def test_without_an_overlay_the_picture_is_the_frame_exactly(painter):
    points = grid_of_points(IBUG_68)
    result = result_of(noise(), [face_at(points)], points)
    assert np.array_equal(composed(painter, result, OFF), as_bgra(result.frame.image))
    assert np.array_equal(composed(painter, result, OFF, mirrored=True), as_bgra(result.frame.image[:, ::-1]))


@pytest.mark.parametrize("name", ["points", "contours", "box", "truth", "indices"])
def test_without_faces_there_is_nothing_to_draw(painter, name):
    result = result_of(noise())
    assert np.array_equal(composed(painter, result, ONLY[name]), as_bgra(result.frame.image))


@pytest.mark.parametrize("name", list(ONLY))
def test_each_option_draws_something_of_its_own(painter, name):
    points = grid_of_points(IBUG_68)
    result = result_of(grey(), [face_at(points)], points + 3)
    plain, alone = composed(painter, result, OFF), composed(painter, result, ONLY[name])
    assert (alone != plain).any()
    without = dataclasses.replace(ON, **{name: False})
    assert (composed(painter, result, without) != composed(painter, result, ON)).any()


def test_dots_stand_on_the_landmarks(painter):
    points = grid_of_points(IBUG_68)
    picture = composed(painter, result_of(grey(), [face_at(points)]), ONLY["points"])
    columns, rows = points.astype(int).T
    assert picture[rows, columns, :3].min() > 200


def test_lines_run_between_the_landmarks_of_a_part(painter):
    points = grid_of_points(IBUG_68)
    picture = composed(painter, result_of(grey(), [face_at(points)]), ONLY["contours"]).astype(int)
    for contour in IBUG_68.contours:
        middle = points[list(contour.points[:2])].mean(0).round().astype(int)
        near = picture[middle[1] - 1 : middle[1] + 2, middle[0] - 1 : middle[0] + 2, :3].reshape(-1, 3)
        assert np.abs(near - PARTS[contour.part]).sum(1).min() < 130


def test_closed_contours_close_and_open_ones_do_not():
    lines = drawing_plan(IBUG_68).lines
    pairs = {frozenset(pair) for _, ends in lines for pair in ends.tolist()}
    assert {frozenset((41, 36)), frozenset((59, 48))} <= pairs
    assert frozenset((16, 0)) not in pairs
    assert len(pairs) == 63


def test_points_that_are_probably_hidden_are_faint(painter):
    points = grid_of_points(IBUG_68)
    confidence = np.full(68, 0.95, np.float32)
    confidence[:20], confidence[20:40] = 0.1, 0.5
    picture = composed(painter, result_of(grey(), [face_at(points, confidence=confidence)]), ONLY["points"])
    columns, rows = points.astype(int).T
    strength = picture[rows, columns, :3].astype(int).min(1) - 90
    assert 10 < strength[:20].max() < strength[20:40].min() - 10
    assert strength[20:40].max() < strength[40:].min() - 10


def test_lines_to_hidden_points_are_faint(painter):
    points = grid_of_points(IBUG_68)
    confidence = np.full(68, 0.95, np.float32)
    confidence[4] = 0.1
    picture = composed(painter, result_of(grey(), [face_at(points, confidence=confidence)]), ONLY["contours"])

    def strength(first, second):
        x, y = points[[first, second]].mean(0).round().astype(int)
        return int(picture[y, x - 1 : x + 2, :3].max()) - 90

    assert strength(3, 4) < 0.6 * strength(1, 2)
    assert strength(4, 5) < 0.6 * strength(5, 6)


def test_truth_is_orange_and_only_there_when_asked_for(painter):
    points = grid_of_points(IBUG_68)
    result = result_of(grey(), [face_at(points)], points)

    def orange(options):
        return (np.abs(composed(painter, result, options)[..., :3].astype(int) - TRUTH).max(2) < 40).sum()

    assert orange(dataclasses.replace(ON, truth=False)) == 0
    assert orange(dataclasses.replace(ON, numbers=False)) > 68 * 4


def test_truth_rings_leave_the_landmark_in_them_free(painter):
    points = grid_of_points(IBUG_68)
    result = result_of(grey(), [face_at(points)], points)
    both = composed(painter, result, dataclasses.replace(ONLY["points"], truth=True))
    columns, rows = points.astype(int).T
    assert both[rows, columns, :3].min() > 200


def test_truth_points_without_a_label_are_left_out(painter):
    points = grid_of_points(IBUG_68)
    partly = points.copy()
    partly[10:30] = np.nan
    picture = composed(painter, result_of(grey(), truth=partly), ONLY["truth"])
    x, y = points[20].astype(int)
    assert (picture[y - 6 : y + 7, x - 6 : x + 7, :3] == 90).all()
    nothing = composed(painter, result_of(grey(), truth=np.full((68, 2), np.nan, np.float32)), ONLY["truth"])
    assert (nothing[..., :3] == 90).all()


def test_a_mirror_flips_picture_and_landmarks(painter):
    points = grid_of_points(IBUG_68) + np.float32((70.3, 0.2))
    result = result_of(grey(), [face_at(points)], points + 2)
    marks = OverlayOptions(numbers=False, truth=True)
    there, mirrored = composed(painter, result, marks), composed(painter, result, marks, mirrored=True)
    difference = np.abs(mirrored[:, ::-1].astype(int) - there)
    assert (difference > 60).mean() < 0.001  # OpenCV's lines are not quite the same from right to left
    assert np.abs(there.astype(int) - as_bgra(grey())).max() > 100


def test_a_mirror_does_not_flip_text(painter):
    result = result_of(grey())
    there, mirrored = composed(painter, result, ONLY["numbers"]), composed(painter, result, ONLY["numbers"], True)
    assert np.array_equal(there, mirrored)
    points = grid_of_points(IBUG_68, x=WIDTH / 2 - 91) + np.float32((0.5, 0))
    result = result_of(grey(), [face_at(points)])
    there, mirrored = composed(painter, result, ONLY["box"]), composed(painter, result, ONLY["box"], True)
    assert np.array_equal(mirrored, there), "a face in the middle has the same box and the same label"


def test_a_mirror_moves_the_box_with_the_face(painter):
    points = grid_of_points(IBUG_68, x=380.0)
    face = face_at(points)
    picture = composed(painter, result_of(grey(), [face]), ONLY["box"], mirrored=True)
    box = frame_of(face)
    assert picture[round(box.y0), WIDTH - 1 - round(box.x0) - 5, :3].min() > 180
    assert (picture[:, 500:, :3] == 90).all()


def test_ink_stays_near_the_face_and_inside_the_buffer(painter):
    points = grid_of_points(IBUG_68)
    result = result_of(noise(), [face_at(points)], points)
    wide = np.full((HEIGHT + 20, WIDTH, 4), 77, np.uint8)
    painter.paint(wide[10:-10], result, Look(dataclasses.replace(ON, numbers=False)), STATS)
    assert (wide[:10] == 77).all()
    assert (wide[-10:] == 77).all()
    picture, box = wide[10:-10].copy(), landmark_box(points)
    expected = as_bgra(result.frame.image)
    near = slice(int(box.y0) - 30, int(box.y1) + 40), slice(int(box.x0) - 30, int(box.x1) + 30)
    picture[near] = expected[near]
    assert np.array_equal(picture, expected)


def test_the_picture_stays_opaque(painter):
    points = grid_of_points(IBUG_68)
    result = result_of(noise(), [face_at(points)], points)
    assert (composed(painter, result, ON)[..., 3] == 255).all()


def test_every_face_is_drawn(painter):
    faces = [
        face_at(grid_of_points(IBUG_68, x=x, y=220, side=100), number=n) for n, x in enumerate((30.0, 250.0, 480.0))
    ]
    picture = composed(painter, result_of(grey(), faces), ONLY["points"])
    for face in faces:
        columns, rows = face.landmarks.astype(int).T
        assert picture[rows, columns, :3].min() > 200


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("far", [(-40, 20), (639, 479), (700, 500), (1e6, -1e6), (-3e9, 3e9), (1e30, 1e30)])
def test_fault_47_points_outside_the_picture_do_no_harm(painter, far, mirrored):
    points = grid_of_points(IBUG_68)
    for moved in (slice(5, 9), slice(None)):
        strayed = points.copy()
        strayed[moved] = far
        result = result_of(noise(), [face_at(strayed)], strayed)
        assert (composed(painter, result, ON, mirrored)[..., 3] == 255).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (2, 3), (16, 16), (39, 41), (160, 120), (320, 240), (2000, 40), (40, 2000)]
)
def test_pictures_of_any_size_are_fine(width, height):
    painter = OverlayPainter()
    points = (grid_of_points(IBUG_68) - (240, 180)) / 180 * (width, height)
    result = result_of(noise(width, height), [face_at(points.astype(np.float32))], points.astype(np.float32))
    for mirrored in (False, True):
        assert (composed(painter, result, ON, mirrored)[..., 3] == 255).all()


def test_sizes_may_change_from_frame_to_frame(painter):
    for width, height in ((640, 480), (320, 240), (1280, 720), (640, 480)):
        points = grid_of_points(IBUG_68, width / 4, height / 4, height / 3)
        result = result_of(noise(width, height), [face_at(points)], points)
        fresh = composed(OverlayPainter(), result, ON, mirrored=True)
        assert np.array_equal(composed(painter, result, ON, mirrored=True), fresh)


def test_other_schemes_are_drawn_too(painter):
    points = grid_of_points(WFLW_98)
    picture = composed(painter, result_of(grey(), [face_at(points, WFLW_98)]), ON)
    columns, rows = points[96:].astype(int).T  # pupils, which belong to no contour
    assert picture[rows, columns, :3].min() > 150


@pytest.mark.parametrize("shape", [(480, 640, 3), (640, 480, 4), (479, 640, 4)])
def test_a_buffer_of_another_shape_is_refused(painter, shape):
    with pytest.raises(ValueError, match="out must be uint8"):
        painter.paint(np.zeros(shape, np.uint8), result_of(noise()), Look(ON), STATS)


def test_a_buffer_of_another_type_is_refused(painter):
    with pytest.raises(ValueError, match="float32"):
        painter.paint(np.zeros((480, 640, 4), np.float32), result_of(noise()), Look(ON), STATS)


def test_ink_grows_with_face_and_picture():
    def scale(side, width, height):
        return Canvas(width, height).ink_scale(landmark_box(np.array([[0, 0], [side, side]])))

    assert scale(200, 640, 480) == 1
    assert scale(100, 640, 480) < 1 < scale(300, 640, 480)
    assert scale(200, 1280, 720) > 1
    assert scale(900, 3840, 2160) == pytest.approx(4.5)
    assert scale(30, 3840, 2160) <= 0.6
    assert scale(1e30, 640, 480) == scale(640, 640, 480)


def test_brackets_are_the_corners_of_the_box():
    lines = brackets(landmark_box(np.array([[10, 20], [110, 220]])))
    assert {tuple(corner) for corner in lines[:, 1]} == {(10, 20), (10, 220), (110, 20), (110, 220)}
    assert lines.min(axis=(0, 1)).tolist() == [10, 20]
    assert lines.max(axis=(0, 1)).tolist() == [110, 220]


def test_the_label_is_left_out_where_it_would_be_wider_than_a_small_face(painter):
    small = face_at(grid_of_points(IBUG_68, side=40))
    picture = composed(painter, result_of(grey(), [small]), ONLY["box"])
    below = round(frame_of(small).y1) + 4
    assert (picture[below:, :, :3] == 90).all()
    large = face_at(grid_of_points(IBUG_68))
    picture = composed(painter, result_of(grey(), [large]), ONLY["box"])
    assert (picture[round(frame_of(large).y1) + 5 :, :, :3] > 200).any()


# Linear RGB as people without one kind of cones see it: Machado, Oliveira and Fernandes, "A Physiologically-based
# Model for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, severity 1.
SEEN_BY = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LINEAR_RGB_TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour, seen_by):
    """CIE L*a*b* (D65) of a BGR colour as somebody sees it."""
    rgb = np.array(colour[::-1]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(LINEAR_RGB_TO_XYZ) @ np.clip(np.array(seen_by) @ linear, 0, 1) / (0.9505, 1.0, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("who", list(SEEN_BY))
def test_the_colour_blind_distinguish_truth_from_landmarks(who):
    truth = lab(TRUTH, SEEN_BY[who])
    for part, colour in PARTS.items():
        assert np.linalg.norm(lab(colour, SEEN_BY[who]) - truth) > 45, part


# The landmarks' indices


def faces_of_the_sample():
    """Return the 68 points of the sample's face on some of its frames."""
    kept = json.loads((Path(__file__).parents[2] / "golden" / "landmarks.json").read_text(encoding="utf-8"))
    return [np.array(points, np.float32) for points in kept["student-68"]]


def ink_region(result):
    """Return the part of the picture on which indices are written."""
    ink = Ink()
    InkPainter().draw(ink, Canvas.of(result.frame), result, Look(ONLY["indices"]))
    return ink.layers[0].region


def ink_at(picture, place, reach=8, level=90):
    """Return how much is drawn around a place on a grey picture."""
    x, y = np.rint(place).astype(int)
    area = picture[y - reach : y + reach, x - reach : x + reach, :3].astype(int)
    return np.abs(area - level).sum()


@pytest.mark.parametrize("roll", [0.0, 0.5, -2.0])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("points", faces_of_the_sample())
def test_indices_stand_on_the_outer_side_of_contours(roll, mirrored, points):
    cosine, sine = np.cos(roll), np.sin(roll)
    points = (points @ np.array([[cosine, sine], [-sine, cosine]])).astype(np.float32)
    if mirrored:
        points = mirrored_points(points, WIDTH)
    away = outwards(points, drawing_plan(IBUG_68))
    assert np.allclose(np.hypot(*away.T), 1, atol=1e-4)
    for contour in IBUG_68.contours:
        chain = list(contour.points)
        middle = points[chain].mean(0)
        side = ((points[chain] - middle) * away[chain]).sum(1)
        if chain[0] == 60:
            assert side.sum() < 0, "on the inner edge of the lips they stand in the mouth"
        elif contour.closed or contour.part == "jaw":
            assert side.sum() > 0
    below = points[8] - points[27]
    assert (away[17:27] @ below < 0).all(), "brows: above"
    assert len({bool(turn > 0) for turn in away[27:31] @ np.array((below[1], -below[0]))}) == 1, "nose: on one side"


def test_indices_are_written_beside_their_landmarks_and_count_from_nought(painter, monkeypatch):
    written = []
    draw = TextPainter.draw
    monkeypatch.setattr(
        TextPainter, "draw", lambda self, *given: (written.append((given[1], given[2], given[3])), draw(self, *given))
    )
    points = faces_of_the_sample()[0]
    picture = composed(painter, result_of(grey(), [face_at(points)]), ONLY["indices"])
    assert [text for text, _, _ in written] == [str(index) for index in range(68)]
    region = ink_region(result_of(grey(), [face_at(points)]))
    for text, (x, baseline), em in written:
        place = np.array((x + region.x0, baseline + region.y0 - em * 4 / 11))
        assert 4 < np.hypot(*(place - points[int(text)])) < 16
        assert ink_at(picture, place) > 1000
    assert em == 11, "capitals of eight pixels"


def test_indices_of_hidden_landmarks_are_faint(painter):
    points = grid_of_points(IBUG_68, side=400.0, x=100.0, y=40.0)
    confidence = np.full(68, 0.95, np.float32)
    confidence[10:40] = 0.1
    strength = [
        ink_at(
            composed(painter, result_of(grey(), [face_at(points, confidence=given)]), ONLY["indices"]), points[20], 20
        )
        for given in (confidence, np.full(68, 0.95, np.float32))
    ]
    assert 0.1 < strength[0] / strength[1] < 0.6


def test_a_mirror_does_not_flip_indices(painter):
    points = grid_of_points(IBUG_68, side=400.0, x=100.0, y=40.0)
    flipped = mirrored_points(points, WIDTH)
    mirrored = composed(painter, result_of(grey(), [face_at(points)]), ONLY["indices"], mirrored=True)
    assert np.array_equal(mirrored, composed(painter, result_of(grey(), [face_at(flipped)]), ONLY["indices"]))


@pytest.mark.parametrize("scheme", [IBUG_68, WFLW_98, COFW_29], ids=lambda scheme: str(scheme.points))
def test_indices_of_every_scheme_lie_within_the_layer(painter, scheme):
    """What is cut off at the edge of the layer would be cut off on the picture."""
    points = grid_of_points(scheme)
    wide = np.full((HEIGHT, WIDTH, 4), 0, np.uint8)
    narrow = composed(painter, result_of(grey(), [face_at(points, scheme)]), ONLY["indices"])
    look = Look(dataclasses.replace(ONLY["indices"], box=True))
    painter.paint(wide, result_of(grey(), [face_at(points, scheme)]), look, STATS)
    box = frame_of(face_at(points, scheme))
    inner = np.s_[round(box.y0) + 40 : round(box.y1) - 40, round(box.x0) + 40 : round(box.x1) - 40]
    assert np.array_equal(wide[inner], narrow[inner])
    region = ink_region(result_of(grey(), [face_at(points, scheme)]))
    edge = narrow[region.y0, region.x0 : region.x1, :3]
    assert (edge == 90).all(), "nothing reaches the edge"


def test_a_compared_face_has_its_indices_once(painter):
    """The numbers of both lanes would lie on each other."""
    face = face_at(faces_of_the_sample()[0])
    result, look = result_of(grey(), [face]), Look(ONLY["indices"], layout=Layout.OVERLAID)
    out = np.empty((HEIGHT, WIDTH, 4), np.uint8)
    painter.paint(out, result, look, STATS, other=result_of(grey(), [face]))
    single = np.empty_like(out)
    painter.paint(single, result, look, STATS, other=result_of(grey()))
    assert np.array_equal(out, single)
