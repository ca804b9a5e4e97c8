"""Checking a pack: what is wrong is found, and good packs pass."""

import numpy as np
import pytest

from engine.core.errors import PackError
from engine.formats.images import read_picture, write_picture
from engine.formats.packs import SINGLE_VALUES
from tests.fakes.models import face_points
from trainer.data.checking import check_pack, report_values, suspicious_first

SPLITS = ["train", "train", "train", "test", "test"]


@pytest.fixture
def make_pack(tmp_path):
    """Return a function that writes a sound pack of five unlike pictures, with arrays replaced or added."""

    def make(**arrays):
        folder = tmp_path / "pack öß"
        random = np.random.default_rng(0)
        names = [f"images/{index}.png" for index in range(len(SPLITS))]
        for name in names:
            coarse = random.integers(0, 255, (6, 8, 3), np.uint8)
            write_picture(folder / name, coarse.repeat(20, 0).repeat(20, 1))
        points = np.stack([face_points(80, 60, 60)] * len(names))
        stored = {"image": np.array(names), "landmarks": points, "split": np.array(SPLITS), **arrays}
        np.savez(folder / "annotations.npz", **stored)
        return folder

    return make


def found(folder):
    """What was found: label, whether it is an error, and the faces."""
    return [(finding.label, finding.error, finding.faces) for finding in check_pack(folder).findings]


def points_with(face, change):
    points = np.stack([face_points(80, 60, 60)] * len(SPLITS))
    points[face] = change(points[face])
    return points


def test_a_sound_pack_is_left_in_peace(make_pack):
    check = check_pack(make_pack(use=np.array(["a", "a", "b", "c", "c"])))
    assert check.sound
    assert check.findings == ()
    values = report_values(check)
    assert (values["faces"], values["pictures"]) == (5, 5)
    assert values["parts"] == [
        {"split": "test", "use": "c", "faces": 2},
        {"split": "train", "use": "a", "faces": 2},
        {"split": "train", "use": "b", "faces": 1},
    ]
    assert values["labels"] == [{"array": "landmarks", "points": 68, "unlabelled": 0}]


def test_missing_and_unreadable_pictures_are_distinguished(make_pack):
    folder = make_pack()
    (folder / "images" / "1.png").unlink()
    (folder / "images" / "3.png").write_bytes(b"GIF89a")
    assert found(folder) == [("picture missing", True, (1,)), ("picture unreadable", True, (3,))]


@pytest.mark.parametrize(
    ("change", "label", "error"),
    [
        (lambda points: np.where(np.arange(68)[:, None] == 3, np.inf, points), "coordinate absurd", True),
        (lambda points: points * 1e6, "coordinate absurd", True),
        (lambda points: points + (150, 0), "labels off the picture", True),
        (lambda points: points * 0 + 50, "labels fall together", True),
        (lambda points: np.where(np.arange(68)[:, None] == 3, 0, points), "point at the origin", True),
        (lambda points: np.where(np.arange(68)[:, None] < 6, points[:1], points), "points in one place", True),
        (lambda points: points * np.nan, "no label", False),
        (lambda points: points + (55, 0), "points outside", False),
        (lambda points: points * 0.5, "small face", False),
    ],
)
def test_impossible_and_doubtful_labels_are_found(make_pack, change, label, error):
    assert found(make_pack(landmarks=points_with(2, change))) == [(label, error, (2,))]


def test_points_without_a_label_are_counted_and_not_held_against_a_face(make_pack):
    hidden = points_with(1, lambda points: np.where(np.arange(68)[:, None] < 8, np.nan, points))
    check = check_pack(make_pack(landmarks=hidden))
    assert check.findings == ()
    assert report_values(check)["labels"][0]["unlabelled"] == 8


def test_every_array_of_labels_is_checked(make_pack):
    folder = make_pack(landmarks_2d=points_with(0, lambda points: points + (150, 0)))
    (finding,) = check_pack(folder).findings
    assert (finding.labels, finding.faces) == ("landmarks_2d", (0,))
    assert "(landmarks_2d): 1, the first is images/0.png" in finding.text


def test_the_same_picture_on_both_sides_is_an_error_and_twice_on_one_a_doubt(make_pack):
    folder = make_pack()
    for copy, original in (("3", "0"), ("2", "1")):
        (folder / "images" / f"{copy}.png").write_bytes((folder / "images" / f"{original}.png").read_bytes())
    assert found(folder) == [("same picture in train and test", True, (0, 3)), ("same picture twice", False, (1, 2))]


def test_two_faces_of_one_picture_are_no_duplicate(make_pack):
    names = np.array(["images/0.png", "images/0.png", "images/2.png", "images/3.png", "images/4.png"])
    assert found(make_pack(image=names)) == []


def test_a_picture_of_another_size_and_brightness_looks_alike(make_pack):
    folder = make_pack()
    picture = read_picture(folder / "images" / "1.png")
    write_picture(
        folder / "images" / "4.png", (picture[::2, ::2] * 0.8 + 10).astype(np.uint8).repeat(2, 0).repeat(2, 1)
    )
    assert found(folder) == [("alike in train and test", False, (1, 4))]


@pytest.mark.parametrize("name", ["identity", "video", "group"])
def test_people_and_videos_on_both_sides_are_found(make_pack, name):
    (finding,) = check_pack(make_pack(**{name: np.array(["a", "a", "b", "b", ""])})).findings
    assert (finding.label, finding.error, finding.faces) == (f"{name} in train and test", True, (2, 3))
    assert "images/2.png and images/3.png" in finding.text


def test_faces_that_training_leaves_out_are_no_leak(make_pack):
    flags = np.array([False, False, True, False, False])
    people = np.array(["a", "a", "b", "b", "c"])
    assert found(make_pack(identity=people, same_picture_as_test=flags)) == []
    assert found(make_pack(identity=people, dup_group=np.array([7, 7, 3, 3, -1]))) == []


def test_parts_of_a_split_are_one_side(make_pack):
    splits = np.array(["train", "train", "train", "test_front", "test_side"])
    assert found(make_pack(split=splits, identity=np.array(["a", "a", "b", "c", "c"]))) == []


def test_five_points_are_checked_as_far_as_they_go(make_pack):
    points = np.stack([face_points(80, 60, 60)[:5]] * 5)
    points[4] += 1000
    labels = found(make_pack(landmarks=points))
    assert labels == [("labels off the picture", True, (4,)), ("unknown markup", False, ())]


def test_what_training_refuses_is_reported(make_pack):
    (finding,) = check_pack(make_pack(visibility=np.ones((5, 3), np.uint8))).findings
    assert finding.error
    assert "“visibility”" in finding.text


def test_the_lids_of_a_shut_eye_may_be_in_one_place(make_pack):
    shut = points_with(1, lambda points: np.where(np.isin(np.arange(68), range(36, 41))[:, None], points[36], points))
    assert found(make_pack(landmarks=shut)) == []


@pytest.mark.parametrize("flag", [3, 255, -1, 0.5, np.nan])
@pytest.mark.filterwarnings("error")
def test_a_flag_that_means_nothing_is_reported(make_pack, flag):
    flags = np.full((5, 68), 2.0)
    flags[3, 4] = flag
    ((label, error, _),) = found(make_pack(visibility=flags))
    assert (label, error) == ("refused", True)


def test_a_pack_of_which_no_point_is_visible_is_doubtful(make_pack):
    assert found(make_pack(visibility=np.ones((5, 68), np.uint8))) == [("no point visible", False, ())]
    assert found(make_pack(visibility=np.eye(5, 68, dtype=np.uint8) * 2)) == []


def test_the_sheet_begins_with_the_suspicious_and_shows_each_face_once(make_pack):
    check = check_pack(make_pack(landmarks=points_with(3, lambda points: points * 0.5)))
    tiles = suspicious_first(check)
    assert [tile.image.name for tile in tiles] == ["3.png", "0.png", "1.png", "2.png", "4.png"]
    assert [tile.note for tile in tiles] == ["small face", "train", "train", "train", "test"]
    assert len(suspicious_first(check, 2)) == 2


def test_what_is_no_pack_gets_a_sentence(make_pack, tmp_path):
    with pytest.raises(PackError, match="is not a pack"):
        check_pack(tmp_path)
    folder = make_pack(landmarks=np.full((5, 68, 2), "x"))
    with pytest.raises(PackError, match="has no points of its faces"):
        check_pack(folder)
    np.savez(folder / "annotations.npz", image=np.array([], str), landmarks=np.zeros((0, 68, 2)))
    with pytest.raises(PackError, match="holds no face"):
        check_pack(folder)
    (folder / "annotations.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(PackError, match="cannot be read"):
        check_pack(folder)


@pytest.mark.parametrize("name", SINGLE_VALUES)
@pytest.mark.parametrize("value", [np.array(5), np.zeros((5, 2)), np.zeros(5, complex), np.zeros(5, [("a", "f4")])])
def test_what_is_not_one_value_a_face_gets_a_sentence(make_pack, name, value):
    with pytest.raises(PackError, match=f"array “{name}” of .* has the shape"):
        check_pack(make_pack(**{name: value}))


@pytest.mark.parametrize("name", ["landmarks", "landmarks_2d"])
def test_faces_of_no_points_get_a_sentence(make_pack, name):
    with pytest.raises(PackError, match="has no points"):
        check_pack(make_pack(**{name: np.zeros((5, 0, 2))}))
