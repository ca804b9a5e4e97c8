"""Pictures of one's own: labels in `.pts` files and tables, in folders as they lie."""

import numpy as np
import pytest

from engine.core.errors import PackError
from engine.formats.images import write_picture
from engine.formats.packs import read_pack
from tests.fakes.models import face_points
from trainer.data.importing.importer import import_dataset

FACE = face_points(100, 90, 80)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "album"


def picture(path):
    write_picture(path, np.zeros((200, 250, 3), np.uint8))


def pts(path, points):
    lines = "".join(f"{x + 1} {y + 1}\n" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}}}\n", encoding="utf-8")


def table(path, *rows):
    heading = ",".join(f"x{index},y{index}" for index in range(68))
    lines = [",".join([name, *map(str, points.ravel())]) for name, points in rows]
    path.write_text("\n".join([f"image,{heading}", *lines]) + "\n", encoding="utf-8")


def test_files_and_tables_become_one_pack_and_folders_called_test_its_split(root, tmp_path):
    for name in ("test/tina.jpg", "anna.png", "bob.jpg", "more/carl.jpg"):
        picture(root / name)
    hidden = FACE.copy()
    hidden[5] = np.nan
    pts(root / "anna.png.pts", FACE)
    pts(root / "bob.pts", hidden)
    table(root / "landmarks.csv", ("bob.jpg", FACE + 20), ("more/carl.jpg", FACE), ("more/carl.jpg", FACE + 9))
    table(root / "test" / "landmarks.csv", ("tina.jpg", FACE + 3))
    done = import_dataset("own", root, tmp_path / "pack")
    assert (done.faces, done.pictures, done.parts, done.official) == (5, 4, {"train": 4, "test": 1}, {})
    faces = read_pack(tmp_path / "pack").faces
    assert [face.split for face in faces] == ["train"] * 4 + ["test"]
    expected = [FACE, hidden, FACE, FACE + 9, FACE + 3]
    np.testing.assert_allclose([face.landmarks for face in faces], expected, atol=1e-3)


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_of_two_files_of_one_picture_the_one_with_its_whole_name_counts(root, tmp_path, ending):
    picture(root / f"anna{ending}")
    pts(root / "anna.pts", FACE + 5)
    pts(root / f"anna{ending}.pts", FACE)
    import_dataset("own", root, tmp_path / "pack")
    (face,) = read_pack(tmp_path / "pack").faces
    np.testing.assert_allclose(face.landmarks, FACE, atol=1e-3)


def test_hidden_files_and_folders_are_no_labels(root, tmp_path):
    picture(root / "anna.png")
    pts(root / "anna.pts", FACE)
    picture(root / ".trash" / "old.png")
    for hidden in ("._anna.pts", ".trash/old.pts"):
        (root / hidden).write_bytes(b"\0\5\x16\7 of macOS")
    assert import_dataset("own", root, tmp_path / "pack").faces == 1


def no_labels(root):
    return "no labelled picture"


def fractions(root):
    table(root / "landmarks.csv", ("anna.png", FACE / 250))
    return "are fractions, not pixels"


def two_markups(root):
    table(root / "landmarks.csv", ("anna.png", FACE))
    picture(root / "bob.png")
    pts(root / "bob.pts", np.arange(196.0).reshape(98, 2))
    return "bob.pts has 98 points and row 1 of landmarks.csv 68"


def nothing_known(root):
    pts(root / "anna.pts", FACE * np.nan)
    return "anna.pts has no known point"


def elsewhere(root):
    table(root / "landmarks.csv", ("anna.png", FACE + 5000))
    return "pixels outside its picture anna.png"


def no_picture(root):
    table(root / "landmarks.csv", ("anne.png", FACE))
    return r"anne.png is missing \(row 1 of landmarks.csv\)"


def picture_above(root):
    picture(root.parent / "anna.png")
    table(root / "landmarks.csv", ("../anna.png", FACE))
    return r"lies outside .*album \(row 1 of landmarks.csv\)"


def picture_elsewhere(root):
    picture(root.parent / "anna.png")
    table(root / "landmarks.csv", (str(root.parent / "anna.png"), FACE))
    return r"lies outside .*album \(row 1 of landmarks.csv\)"


def another_table(root):
    (root / "landmarks.csv").write_text("name,age\nanna,9\n", encoding="utf-8")
    return "landmarks.csv cannot be read"


@pytest.mark.parametrize(
    "write",
    [
        no_labels,
        fractions,
        two_markups,
        nothing_known,
        elsewhere,
        no_picture,
        picture_above,
        picture_elsewhere,
        another_table,
    ],
)
def test_what_is_wrong_gets_a_sentence_and_leaves_no_pack(root, tmp_path, write):
    picture(root / "anna.png")
    sentence = write(root)
    with pytest.raises(PackError, match=sentence):
        import_dataset("own", root, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()
