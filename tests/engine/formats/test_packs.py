"""Packs: complete ones are read, others are refused with a sentence."""

import contextlib

import numpy as np
import pytest

from engine.core.errors import PackError
from engine.formats.packs import is_pack, part_folders, read_arrays, read_pack
from tests.fakes.evaluations import write_pack as write_odd_pack
from tests.fakes.models import face_points
from tests.fakes.packs import make_pack, rewrite


def test_reads_faces_with_labels_flags_and_splits(tmp_path):
    visibility = np.full((3, 68), 2, np.uint8)
    folder = make_pack(tmp_path / "päck", visibility=visibility, split=np.array(["train", "test", "train"]))
    pack = read_pack(folder)
    assert is_pack(folder)
    assert (pack.name, pack.scheme.points, len(pack.faces)) == ("päck", 68, 3)
    assert [face.split for face in pack.faces] == ["train", "test", "train"]
    assert (pack.faces[0].visibility == 2).all()
    assert pack.faces[1].image.is_file()


def test_near_duplicates_of_test_faces_are_marked(tmp_path):
    splits, groups = np.array(["train", "test_side", "train", "train"]), np.array([4, 4, -1, 5])
    pack = read_pack(make_pack(tmp_path / "pack", faces=4, split=splits, dup_group=groups))
    assert [face.same_picture_as_test for face in pack.faces] == [True, False, False, False]


def test_a_split_is_taken_by_its_name_or_its_beginning(tmp_path):
    folder = make_pack(tmp_path / "p", split=np.array(["test_a", "test_b", "train"]))
    assert len(read_pack(folder, "test").faces) == 2
    assert len(read_pack(folder, "test_a").faces) == 1
    with pytest.raises(PackError, match="no split “val”.*test_a, test_b, train"):
        read_pack(folder, "val")


def test_a_pack_without_splits_says_how_to_take_its_faces(tmp_path):
    with pytest.raises(
        PackError,
        match='no split “train”.*by --split all, in training by.*"name": "mine", "split": null',
    ):
        read_pack(make_pack(tmp_path / "mine"), "train")


def test_a_pack_without_faces_is_refused(tmp_path):
    with pytest.raises(PackError, match="holds no face"):
        read_pack(make_pack(tmp_path / "p", faces=0))


def test_single_points_without_label_are_hidden_points(tmp_path):
    folder = make_pack(tmp_path / "p")
    landmarks = read_pack(folder).faces[0].landmarks.copy()
    landmarks[3] = np.nan
    rewrite(folder, landmarks=np.stack([landmarks] * 3))
    assert np.isnan(read_pack(folder).faces[0].landmarks[3]).all()


def test_a_face_without_any_label_is_refused_or_left_out_on_request(tmp_path):
    folder = make_pack(tmp_path / "p")
    landmarks = np.ones((3, 68, 2), np.float32)
    landmarks[1] = np.nan
    rewrite(folder, landmarks=landmarks)
    with pytest.raises(PackError, match=r"no labelled point.*face 1"):
        read_pack(folder)
    assert len(read_pack(folder, skip_unlabelled=True).faces) == 2


def test_infinite_coordinates_are_refused(tmp_path):
    folder = make_pack(tmp_path / "p")
    landmarks = np.ones((3, 68, 2), np.float32)
    landmarks[2, 5] = np.inf
    rewrite(folder, landmarks=landmarks)
    with pytest.raises(PackError, match=r"infinite.*face 2"):
        read_pack(folder)


def test_fractions_of_the_picture_are_not_taken_for_pixels(tmp_path):
    folder = make_pack(tmp_path / "p")
    fractions = np.stack([face_points(0.5, 0.5, size) for size in (0.2, 0.5, 1.2)])
    rewrite(folder, landmarks=fractions)
    with pytest.raises(PackError, match="are fractions, not pixels"):
        read_pack(folder)
    fractions[0] = face_points(50, 50, 30)
    rewrite(folder, landmarks=fractions)
    assert len(read_pack(folder).faces) == 3, "one tiny face is for “data check” to find"


def test_a_missing_picture_is_named(tmp_path):
    folder = make_pack(tmp_path / "p")
    next((folder / "images").glob("face 1*")).unlink()
    with pytest.raises(PackError, match=r"1 picture\(s\).*face 1"):
        read_pack(folder)


def test_a_wrong_number_of_points_is_refused(tmp_path):
    with pytest.raises(PackError, match=r"\(3, 5, 2\).*68 or 98"):
        read_pack(make_pack(tmp_path / "p", points=5))


def test_arrays_of_different_length_are_refused(tmp_path):
    with pytest.raises(PackError, match="differ in length"):
        read_pack(make_pack(tmp_path / "p", split=np.array(["train"])))


def test_an_unknown_array_of_labels_lists_those_there_are(tmp_path):
    with pytest.raises(PackError, match=r"offers landmarks\. Choose the array with --labels"):
        read_pack(make_pack(tmp_path / "p"), labels="landmarks_2d")


def test_a_pack_without_landmarks_is_not_sent_to_an_option(tmp_path):
    folder = make_pack(tmp_path / "p")
    with np.load(folder / "annotations.npz") as archive:
        np.savez(folder / "annotations.npz", image=archive["image"])
    with pytest.raises(PackError, match=r"no landmarks at all\. Give a pack of faces with landmarks"):
        read_pack(folder)


def test_fault_74_python_objects_are_refused_because_they_can_run_code(tmp_path):
    folder = make_pack(tmp_path / "p")
    rewrite(folder, image=np.array([{"a": 1}, None, "x"], dtype=object))
    with pytest.raises(PackError, match="cannot be read"):
        read_pack(folder)


@pytest.mark.parametrize("content", [b"", b"not a zip archive", b"PK\x03\x04 cut off"])
def test_a_damaged_archive_is_refused(tmp_path, content):
    folder = make_pack(tmp_path / "p")
    (folder / "annotations.npz").write_bytes(content)
    with pytest.raises(PackError, match="cannot be read"):
        read_pack(folder)


def test_arrays_of_the_wrong_kind_are_refused(tmp_path):
    folder = make_pack(tmp_path / "p")
    cases = (
        ({"visibility": np.ones((3, 5), np.uint8)}, "visibility"),
        ({"visibility": np.full((3, 68), 3, np.uint8)}, "flags that mean nothing.*2 is visible"),
        ({"image": np.array(["/etc/a.png", "b", "c"])}, "outside its folder"),
        ({"image": np.array(["../a.png", "b", "c"])}, "outside its folder"),
        ({"landmarks": np.full((3, 68, 2), "x")}, "holds no numbers"),
    )
    for number, (changes, match) in enumerate(cases):
        copy = make_pack(tmp_path / str(number))
        rewrite(copy, **changes)
        with pytest.raises(PackError, match=match):
            read_pack(copy)
    assert read_pack(folder)


def test_a_folder_that_is_no_pack(tmp_path):
    assert not is_pack(tmp_path)
    with pytest.raises(PackError, match="is not a pack"):
        read_pack(tmp_path)


ODD_ARRAYS = [
    np.array([b"\xff\xfe", b"a", b"b", b"c"]), np.array([np.nan] * 4), np.array(3), np.zeros((4, 2, 2)),
    np.array([1 + 2j] * 4), np.array(["2020-01-01"] * 4, "M8[D]"), np.zeros(0), np.zeros((4, 0)),
    np.array([2**63 - 1] * 4), np.array([(1, 2.0)] * 4, [("a", "i4"), ("b", "f4")]), np.full((4, 68, 2), 1e300),
    np.full((4, 68), "x"), np.full((4, 6), np.nan),
]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["image", "landmarks", "visibility", "split", "subset", "attributes", "same_picture_as_test", "dup_group"]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_fault_65_an_array_of_another_kind_is_never_more_than_a_sentence(tmp_path, name):
    for odd in ODD_ARRAYS:
        folder = write_odd_pack(tmp_path, **{"split": np.array(["test", "train"] * 2), name: odd})
        for split in (None, "test"):
            with contextlib.suppress(PackError):
                assert read_pack(folder, split, need_pictures=False).faces


def test_parts_read_as_one_pack(tmp_path):
    folder = tmp_path / "large"
    make_pack(folder / "b", faces=2, spread=np.array([1.0, 2.0]))
    make_pack(folder / "a", faces=3)
    (folder / "parts.json").write_text('["b", "a"]')
    assert is_pack(folder)
    assert part_folders(folder) == [folder / "b", folder / "a"]
    assert part_folders(folder / "a") == [folder / "a"]
    arrays = read_arrays(folder)
    assert arrays.keys() == {"image", "landmarks"}, "what all have"
    assert [name.partition("/")[0] for name in arrays["image"]] == ["b", "b", "a", "a", "a"]
    assert len(read_pack(folder).faces) == 5, "and their pictures are there"


@pytest.mark.parametrize("text", ["[]", "{}", '["../a"]', "[3.5, {}]", '["a"', "null", '[".."]', '["a", "a"]'])
def test_fault_65_a_damaged_list_of_parts_is_refused(tmp_path, text):
    make_pack(tmp_path / "large" / "a")
    (tmp_path / "large" / "parts.json").write_text(text)
    with pytest.raises(PackError, match="parts.json cannot be read"):
        read_pack(tmp_path / "large")


def test_fault_65_a_part_that_is_missing_is_named(tmp_path):
    make_pack(tmp_path / "large" / "a")
    (tmp_path / "large" / "parts.json").write_text('["a", "b"]')
    with pytest.raises(PackError, match="large/b is not a pack"):
        read_pack(tmp_path / "large")
