"""Small faces: tiles cover the picture, and in them small faces are found that the whole picture hides."""

import numpy as np
import pytest

from engine.core.frame import Frame
from engine.inference.detector import make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.inference.tiles import SMALLEST_TILE, detect_in_tiles, tile_around, tiles_of
from tests.fakes.models import FakeDetector, FakeLandmarker, FakeScene
from tests.fakes.two_people import background, cutouts

WIDTH, HEIGHT = 1280, 720
# Centres of faces 64 pixels wide, two of them near the edge.
PLACES = [(x, y) for y in (90, 360, 630) for x in (60, 330, 610, 900, 1200)]


@pytest.fixture(scope="module")
def people():
    return cutouts()


def crowd(people, places, size=64.0):
    """Return a picture with faces at places, and their boxes."""
    image, boxes = background(WIDTH, HEIGHT), []
    for number, (x, y) in enumerate(places):
        person = people[number % len(people)]
        person.put(image, (x, y, size))
        boxes.append(person.box_at((x, y, size)))
    return image, boxes


def pipeline(**options):
    return Pipeline(make_detector(), ModelLibrary().load(DEFAULT_MODEL), 0.0, **options)


def found(result, boxes):
    return [any(face.box.overlap(box) >= 0.5 for face in result.faces) for box in boxes]


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (480, 640), (2000, 600), (513, 513), (1080, 1920)])
def test_tiles_of_each_size_cover_the_whole_picture(height, width):
    tiles = tiles_of(height, width)
    for size in {side for _, _, side in tiles}:
        assert size >= SMALLEST_TILE
        covered = np.zeros((height, width), bool)
        for left, top, side in tiles:
            if side == size:
                assert 0 <= left < width
                assert 0 <= top < height
                covered[top : top + side, left : left + side] = True
        assert covered.all()
    assert tiles == sorted(tiles, key=lambda tile: -tile[2])


def test_a_small_picture_has_no_tiles():
    assert tiles_of(300, 400) == []


@pytest.mark.parametrize("place", [(0.0, 0.0), (639.0, 479.0), (300.0, 200.0), (-50.0, 900.0)])
def test_the_tile_around_a_place_lies_in_the_picture(place):
    left, top, side = tile_around(np.array(place), 40.0, 480, 640)
    assert side == 200
    assert 0 <= left <= 640 - side
    assert 0 <= top <= 480 - side


def test_faces_in_tiles_are_placed_in_the_picture_and_counted_once():
    picture = np.zeros((400, 600, 3), np.uint8)
    detector = FakeDetector(FakeScene((50, 60, 40, 0)))  # the first tile is its whole picture, and so are others
    tiles = [(0, 0, 200), (10, 0, 200), (300, 100, 200)]
    boxes = [face.box.centre for face in detect_in_tiles(detector, picture, tiles)]
    assert len(boxes) == 2
    assert boxes == [(50, 60), (350, 160)]


def test_every_small_face_of_a_picture_is_found_and_nothing_else(people):
    image, boxes = crowd(people, PLACES)
    result = pipeline().process(Frame(0, 0.0, image, "test", name="crowd.png"))
    assert found(result, boxes) == [True] * len(boxes)
    assert len(result.faces) == len(boxes)
    bare = pipeline().process(Frame(0, 0.0, background(WIDTH, HEIGHT), "test", name="bare.png"))
    assert bare.faces == ()


def test_pictures_have_any_number_of_faces_and_videos_four_unless_the_user_says_otherwise(people):
    faces = [(60 + 70 * index, 200, 50, 0) for index in range(8)]
    for options, still, live in (({}, 8, 4), ({"max_faces": 6}, 6, 6), ({"thorough": True}, 8, 8)):
        for name, expected in (("picture.png", still), ("", live)):
            scene = FakeScene(*faces)
            each = Pipeline(FakeDetector(scene), FakeLandmarker(scene), **options)
            image = np.zeros((480, 640, 3), np.uint8)
            assert len(each.process(Frame(0, 0.0, image, "test", name=name)).faces) == expected


def test_a_small_face_alone_is_found_in_a_video_within_a_second_and_followed(people):
    live = pipeline()
    image, boxes = crowd(people, [(900, 500)])
    results = [live.process(Frame(number, number / 30, image, "test", time=number / 30)) for number in range(34)]
    seen = [found(result, boxes)[0] for result in results]
    assert True in seen[:30]
    assert all(seen[seen.index(True) :])


def test_while_a_face_is_followed_no_tile_is_searched():
    scene = FakeScene((300, 200, 100, 0))
    detector = FakeDetector(scene)
    live = Pipeline(detector, FakeLandmarker(scene))
    for number in range(100):
        image = np.zeros((1080, 1920, 3), np.uint8)
        assert live.process(Frame(number, number / 30, image, "test", time=number / 30)).faces
    assert detector.tiles == 0
