"""Landmarks of other tools: every form is read alike, every mistake gets a sentence, every face its own landmarks."""

import contextlib
import json
import zipfile

import numpy as np
import pytest

from engine.core.errors import PackError, UsageError
from engine.core.faces import Face
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.formats.arrays import read_npz
from engine.formats.landmark_readers import assigned, read_predictions
from engine.formats.landmark_writers import Prediction, write_predictions
from engine.formats.packs import read_pack
from tests.fakes.evaluations import write_pack
from tests.fakes.models import face_points

POINTS = np.stack([face_points(100 + 10 * index, 100, 100) for index in range(4)])
NAMES = [f"images/{index}.png" for index in range(4)]


def npz(folder, **arrays):
    path = folder / "tool.npz"
    np.savez(path, **{"image": np.array(NAMES), "landmarks": POINTS, **arrays})
    return path


def jsonl(folder, records=None):
    path = folder / "tool.jsonl"
    records = records or [{"image": n, "landmarks": p.tolist()} for n, p in zip(NAMES, POINTS, strict=True)]
    path.write_text("\n".join(json.dumps(record) for record in records) + "\n\n", encoding="utf-8")
    return path


def csv(folder, drop=None, rows=None):
    path = folder / "tool.csv"
    heading = ["image", *(f"{axis}{index}" for index in range(68) for axis in "xy")]
    heading = [name for name in heading if name != drop]
    rows = rows or [[n, *p.ravel().tolist()] for n, p in zip(NAMES, POINTS, strict=True)]
    path.write_text("\n".join(",".join(map(str, row)) for row in [heading, *rows]), encoding="utf-8")
    return path


def own(ending):
    """A file as `understudy predict` writes it, with the box before the points."""

    def write(folder):
        def prediction(name, points):
            face = Face(1, landmark_box(points), 0.9, IBUG_68, points, np.ones(68, np.float32), 0.0)
            return Prediction(name, None, None, 250, 200, (face,), "fake")

        write_predictions(map(prediction, NAMES, POINTS), folder / f"tool{ending}")
        return folder / f"tool{ending}"

    return write


def version_1(folder):
    """A file of former versions, whose box had the names of the first two points."""
    path = own(".csv")(folder)
    path.write_text(path.read_text("utf-8").replace("box_", ""), encoding="utf-8")
    return path


def version_1_by_pandas(folder):
    path = version_1(folder)
    heading, rows = path.read_text("utf-8").split("\n", 1)
    for name in ("x0", "y0", "x1", "y1"):
        before, after = heading.rsplit(f",{name},", 1)
        heading = f"{before},{name}.1,{after}"
    path.write_text(f"{heading}\n{rows}", encoding="utf-8")
    return path


def other_spelling(folder):
    return csv(folder, rows=[[n.upper(), *p.ravel().tolist()] for n, p in zip(NAMES, POINTS, strict=True)])


@pytest.mark.parametrize("write", [npz, jsonl, csv, own(".jsonl"), own(".csv"), version_1, version_1_by_pandas])
def test_every_form_gives_the_same_landmarks(tmp_path, write):
    predictions = read_predictions(write(tmp_path))
    assert (predictions.name, predictions.scheme, predictions.images) == ("tool", IBUG_68, tuple(NAMES))
    np.testing.assert_allclose(predictions.landmarks, POINTS, atol=1e-3)


def with_nan():
    points = POINTS.copy()
    points[2, 5, 0] = np.nan
    return points


MISTAKES = {
    "no such file": (lambda folder: folder / "none.npz", "There is no file"),
    "unknown ending": (lambda folder: folder / "tool.txt", "cannot be read from tool.txt"),
    "no landmarks": (
        lambda folder: npz(folder, landmarks=np.zeros((0, 68, 2)), image=np.array([], str)),
        "no landmarks",
    ),
    "a missing array": (lambda folder: rename(npz(folder), "landmarks", "points"), "the array “landmarks” is missing"),
    "arrays of two lengths": (lambda folder: npz(folder, landmarks=POINTS[:2]), "N must be the same"),
    "python objects": (lambda folder: npz(folder, image=np.array([{}] * 4)), "cannot be read"),
    "not an archive": (lambda folder: write_bytes(folder / "tool.npz"), "cannot be read"),
    "a wrong number of points": (lambda folder: npz(folder, landmarks=POINTS[:, :51]), r"shape \(51, 2\)"),
    "three coordinates": (lambda folder: npz(folder, landmarks=np.ones((4, 68, 3))), r"shape \(68, 3\)"),
    "NaN": (lambda folder: npz(folder, landmarks=with_nan()), "landmarks of images/2.png in tool.npz hold NaN"),
    "absurd numbers": (lambda folder: npz(folder, landmarks=POINTS * 1e6), "absurdly large"),
    "no picture": (lambda folder: jsonl(folder, [{"source": "clip.mp4", "frame": 1, "faces": []}]), "no field “image”"),
    "no points": (lambda folder: jsonl(folder, [{"image": "a", "faces": [{"id": 1}]}]), "no field “landmarks”"),
    "points that are no numbers": (
        lambda folder: jsonl(folder, [{"image": "a", "landmarks": ["x"]}]),
        "landmarks of a",
    ),
    "two markups": (
        lambda folder: jsonl(folder, [{"image": "a", "landmarks": [[1, 2]] * count} for count in (68, 98)]),
        "68 points for one face and 98",
    ),
    "fractions for pixels": (
        lambda folder: csv(folder, rows=[[NAMES[0], *(POINTS[0] / 1000).ravel()]]),
        "tool.csv are fractions, not pixels",
    ),
    "a missing column": (lambda folder: csv(folder, drop="y30"), "the column “y30” is missing"),
    "a row that was cut": (lambda folder: csv(folder, rows=[[NAMES[0], *POINTS[0].ravel()[:9]]]), "fewer or more"),
    "words for numbers": (lambda folder: csv(folder, rows=[[NAMES[0], *["x"] * 136]]), "line 2: “x” is no number"),
    "marks within numbers": (lambda folder: csv(folder, rows=[[NAMES[0], *["1_0"] * 136]]), "“1_0” is no number"),
    "infinite cells": (lambda folder: csv(folder, rows=[[NAMES[0], *["inf"] * 136]]), "“inf” is no number"),
    "digits of another script": (lambda folder: csv(folder, rows=[[NAMES[0], *["٣"] * 136]]), "“٣” is no number"),
    "texts for numbers": (
        lambda folder: jsonl(folder, [{"image": "a", "landmarks": [["1_0", "٢"]] * 68}]),
        "landmarks of a in tool.jsonl hold texts",
    ),
    "truth values": (
        lambda folder: jsonl(folder, [{"image": "a", "landmarks": [[True, False]] * 68}]),
        "landmarks of a in tool.jsonl hold texts or truth values",
    ),
    "a truth value among numbers": (
        lambda folder: jsonl(folder, [{"image": "a", "landmarks": [[1.5, 2.5]] * 67 + [[True, 2.5]]}]),
        "landmarks of a in tool.jsonl hold texts or truth values",
    ),
    "UTF-16 without a mark": (
        lambda folder: write_bytes(folder / "tool.csv", "image,x0,y0\na,1,2\n".encode("utf-16-le")),
        "save it as UTF-8",
    ),
    "UTF-32 without a mark": (
        lambda folder: write_bytes(folder / "tool.jsonl", '{"image": "a"}\n'.encode("utf-32-be")),
        "save it as UTF-8",
    ),
    "an empty table": (lambda folder: write_bytes(folder / "tool.csv", b""), "no landmarks"),
}


@pytest.mark.timeout(30)  # it took minutes where each column was compared with all
def test_a_table_of_very_many_columns_is_read_at_once(tmp_path):
    names = ",".join(f"other{index}" for index in range(60_000))
    (tmp_path / "tool.csv").write_text(f"image,{names}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="the column “x0” is missing"):
        read_predictions(tmp_path / "tool.csv")


def rename(path, old, new):
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays[new] = arrays.pop(old)
    np.savez(path, **arrays)
    return path


def write_bytes(path, content=b"PK no archive"):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("make", "sentence"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_in_the_file_get_a_sentence(tmp_path, make, sentence):
    with pytest.raises(UsageError, match=sentence):
        read_predictions(make(tmp_path))


def test_faces_without_prediction_are_missed(tmp_path):
    pack = read_pack(write_pack(tmp_path))
    found = assigned(read_predictions(npz(tmp_path, image=np.array(NAMES[1:3]), landmarks=POINTS[1:3] + 500)), pack)
    assert [points is not None for points in found] == [False, True, True, False]
    np.testing.assert_allclose(found[1], POINTS[1] + 500)


def test_predictions_of_other_splits_are_no_mistake_and_bare_names_are_understood(tmp_path):
    folder = write_pack(tmp_path, split=np.array(["train", "train", "test", "test"]))
    names = np.array([name.removeprefix("images/") for name in NAMES])
    found = assigned(read_predictions(npz(tmp_path, image=names)), read_pack(folder, "test"))
    np.testing.assert_allclose(np.stack(found), POINTS[2:])


def test_pictures_that_the_pack_lacks_get_a_sentence(tmp_path):
    pack = read_pack(write_pack(tmp_path))
    with pytest.raises(PackError, match=r"2 prediction\(s\) are of pictures .* lacks, the first is other.png"):
        assigned(
            read_predictions(npz(tmp_path, image=np.array(["images/0.png", "other.png", "b/9.png", "1.png"]))), pack
        )


def test_several_faces_of_a_picture_find_their_own(tmp_path):
    """Three labelled faces on one picture; the tool gives two of them in another order, and one that has no label."""
    truths = np.stack([face_points(x, 100, 80) for x in (60, 160, 300)])
    pack = read_pack(write_pack(tmp_path, 3, landmarks=truths, image=np.array([NAMES[0]] * 3)))
    found = np.stack([truths[2] + 4, truths[0] - 4, face_points(900, 100, 80)])
    result = assigned(read_predictions(npz(tmp_path, image=np.array([NAMES[0]] * 3), landmarks=found)), pack)
    np.testing.assert_allclose(result[0], truths[0] - 4)
    assert result[1] is None
    np.testing.assert_allclose(result[2], truths[2] + 4)


def test_two_answers_for_one_face_get_a_sentence(tmp_path):
    pack = read_pack(write_pack(tmp_path))
    twice = npz(tmp_path, image=np.array(NAMES * 2), landmarks=np.concatenate([POINTS, POINTS + 1]))
    with pytest.raises(PackError, match="A face of images/0.png has two predictions"):
        assigned(read_predictions(twice), pack)


def test_spellings_of_names_and_marks_in_front_are_the_same(tmp_path):
    pack = read_pack(write_pack(tmp_path / "pack", images=NAMES, landmarks=POINTS))
    assert all(points is not None for points in assigned(read_predictions(other_spelling(tmp_path)), pack))
    for path in (jsonl(tmp_path), csv(tmp_path)):
        path.write_bytes(path.read_text("utf-8").encode("utf-16"))
        assert np.allclose(read_predictions(path).landmarks, POINTS)


@pytest.mark.parametrize(
    ("ending", "content", "said"),
    [
        (".jsonl", b'{"image": "a", "landmarks": ' + b"[" * 100_000, "nested too deeply"),
        (".jsonl", b'{"image": "a", "landmarks": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (".jsonl", b'{"image": "a", "landmarks": [[1' + b"0" * 400 + b", 1]]}", "have the shape"),
        (".jsonl", b'{"image": "a", "faces": 3}', "cannot be read"),
        (".jsonl", b"\xff\xfe\x00", "cannot be read"),
        (".csv", b"image,x0,y0\na,1\n", "line 2 has fewer or more cells"),
        (".csv", b"image,c1,c1,x0,y0\na,1,1,1,1\n", "the column “c1” is there twice"),
        (".csv", b"image,x0,y0\n" + b"a" * 200_000 + b",1,1\n", "field larger than field limit"),
        (".csv", b"\xff\xfe\x00", "cannot be read"),
        (".npz", b"PK nothing", "cannot be read"),
        (".npz", b"", "cannot be read"),
    ],
)
def test_what_breaks_parsers_gets_a_sentence(tmp_path, ending, content, said):
    (tmp_path / f"tool{ending}").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_predictions(tmp_path / f"tool{ending}")


def test_no_flipped_bit_of_an_archive_is_more_than_a_sentence(tmp_path):
    path = npz(tmp_path)
    content = path.read_bytes()
    for place in range(0, len(content), len(content) // 150):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        with contextlib.suppress(UsageError):
            read_predictions(path)


def test_an_array_that_nobody_asked_for_is_not_read_and_a_huge_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.formats.arrays.LARGEST_ARRAYS", 400_000)
    with zipfile.ZipFile(npz(tmp_path), "a", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (60_000,)})
        stream.write(bytes(480_000))
    assert len(read_predictions(tmp_path / "tool.npz").images) == 4
    with pytest.raises(ValueError, match="larger than 0 MB"):
        read_npz(tmp_path / "tool.npz", ("bomb",))


def test_an_array_of_elements_without_bytes_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "tool.npz", "w") as archive, archive.open("image.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "|V0", "fortran_order": False, "shape": (10**9,)})
    with pytest.raises(ValueError, match="but no values"):
        read_npz(tmp_path / "tool.npz", ("image",))
