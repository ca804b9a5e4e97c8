"""Each reader on a small tree in the official layout: points, flags and pictures as they were written."""

import json

import numpy as np
import pytest

from engine.formats.images import read_picture
from engine.formats.packs import read_pack
from tests.fakes import official_sets
from trainer.data.importing.importer import import_dataset


@pytest.fixture
def imported(tmp_path):
    """Import a data set, and return its pack's arrays, its folder and what was reported."""

    def do(kind):
        out = tmp_path / "pack öß"
        done = import_dataset(kind, tmp_path / "root", out)
        with np.load(out / "annotations.npz", allow_pickle=False) as archive:
            return dict(archive), out, done

    return do


def assert_first_points_are_white(arrays, out):
    for image, points in zip(arrays["image"], arrays["landmarks"], strict=True):
        x, y = points[0].astype(int)
        pixels = read_picture(out / image)
        assert pixels.shape == (official_sets.HEIGHT, official_sets.WIDTH, 3)
        assert pixels[y, x].min() > 100, image  # JPEG takes some of it away
        assert np.argmax(pixels.sum(2)) == y * official_sets.WIDTH + x


def test_300w(imported, tmp_path):
    made = official_sets.make_300w(tmp_path / "root")
    arrays, out, done = imported("300w")
    assert arrays["source"].tolist() == list(made)
    np.testing.assert_allclose(arrays["landmarks"], list(made.values()), atol=1e-3)
    assert_first_points_are_white(arrays, out)
    assert arrays["split"].tolist() == ["train"] * 6 + ["test"] * 6
    assert arrays["use"].tolist() == arrays["split"].tolist()
    assert arrays["subset"].tolist() == ["train"] * 6 + ["common"] * 4 + ["challenging"] * 2
    assert done.parts == {"train": 6, "common": 4, "challenging": 2}
    assert (done.faces, done.pictures) == (12, 12)
    assert len({name.casefold() for name in arrays["image"]}) == 12
    copied = (out / arrays["image"][0]).read_bytes()
    assert copied == (tmp_path / "root" / arrays["source"][0]).read_bytes()
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert (meta["name"], meta["markup"], meta["count"]) == ("pack öß", "iBUG-68", 12)
    assert meta["split_counts"] == {"train": 6, "test": 6}
    assert [face.subset for face in read_pack(out, split="test").faces] == ["common"] * 4 + ["challenging"] * 2


def test_300w_takes_capital_endings_and_spaces(imported, tmp_path):
    root = tmp_path / "root"
    official_sets.make_300w(root, faces=1)
    for suffix in (".jpg", ".pts"):
        (root / f"ibug/image_0000{suffix}").rename(root / f"ibug/image_092 _01{suffix.replace('jpg', 'JPG')}")
    arrays, out, _ = imported("300w")
    assert arrays["source"][-1] == "ibug/image_092 _01.JPG"
    assert (out / arrays["image"][-1]).is_file()


def test_pictures_whose_flat_names_fall_together_are_kept_apart(imported, tmp_path):
    made = official_sets.make_wflw(tmp_path / "root")
    images, file = tmp_path / "root" / "WFLW_images", tmp_path / "root" / official_sets.LIST_WFLW.format("test")
    names = ["0--Parade_a.png", "0--PARADE_A.png"]
    lines = []
    for name in names:
        points, attributes, _ = made["test", 0]
        (images / name).write_bytes((images / "0--Parade" / "a.png").read_bytes())
        lines.append(official_sets.line_wflw(points, attributes, name))
    file.write_text("\n".join(lines), encoding="utf-8")
    arrays, out, done = imported("wflw")
    assert len({name.casefold() for name in arrays["image"]}) == done.pictures == 4
    assert sum(1 for _ in (out / "images").iterdir()) == 4


def test_wflw(imported, tmp_path):
    made = official_sets.make_wflw(tmp_path / "root")
    arrays, out, done = imported("wflw")
    np.testing.assert_allclose(arrays["landmarks"], [points for points, _, _ in made.values()], atol=1e-3)
    assert_first_points_are_white(arrays, out)
    assert arrays["source"].tolist() == [name for _, _, name in made.values()]
    assert arrays["attributes"].dtype == np.uint8
    assert arrays["attributes"].tolist() == [attributes for _, attributes, _ in made.values()]
    points = made["train", 0][0]
    assert arrays["det_box"][0].tolist() == [*points.min(0).astype(int), *points.max(0).astype(int)]
    np.testing.assert_allclose(arrays["bbox"][0], [*points.min(0), *points.max(0)], atol=1e-3)
    assert done.parts == {"train": 3, "test": 2}
    assert (done.faces, done.pictures) == (5, 3)
    assert arrays["image"][0] == arrays["image"][1] != arrays["image"][2]
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert meta["attributes_order"] == ["pose", "expression", "illumination", "make-up", "occlusion", "blur"]
    assert [face.attributes for face in read_pack(out, split="test").faces] == [
        ("illumination",),
        ("pose", "illumination"),
    ]


@pytest.mark.parametrize(
    "names", [("COFW_train.mat", "COFW_test.mat"), ("COFW_train_color.mat", "COFW_test_color.mat")]
)
def test_cofw(imported, tmp_path, names):
    made = official_sets.make_cofw(tmp_path / "root", names)
    arrays, out, done = imported("cofw")
    np.testing.assert_allclose(arrays["landmarks"], [*made["Tr"][0], *made["T"][0]], atol=1e-3)
    assert_first_points_are_white(arrays, out)
    occluded = np.concatenate([made["Tr"][1], made["T"][1]])
    assert arrays["visibility"].tolist() == np.where(occluded == 1, 1, 2).tolist()
    assert arrays["det_box"][0].tolist() == [10, 5, 70, 55]
    assert done.parts == {"train": 3, "test": 3}
    pack = read_pack(out, split="test")
    assert pack.scheme.points == 29
    assert len(pack.faces) == 3


def test_cofw_prefers_colour(imported, tmp_path):
    official_sets.make_cofw(tmp_path / "root", faces=1)
    official_sets.make_cofw(tmp_path / "root", ("COFW_train_color.mat", "COFW_test_color.mat"), faces=2)
    assert imported("cofw")[2].faces == 4


@pytest.mark.parametrize("beside", [True, False], ids=["beside its folder", "inside its folder"])
def test_cofw68(imported, tmp_path, beside):
    root = tmp_path / "root"
    points, occluded = official_sets.make_cofw68(root)
    if not beside:
        (root / "COFW_test.mat").rename(root / "COFW68_Data" / "COFW_test.mat")
        (root / "COFW68_Data").rename(tmp_path / "moved")
        root.rmdir()
        (tmp_path / "moved").rename(root)
    arrays, out, done = imported("cofw68")
    np.testing.assert_allclose(arrays["landmarks"], points, atol=1e-3)
    assert_first_points_are_white(arrays, out)
    assert arrays["visibility"].tolist() == np.where(occluded == 1, 1, 2).tolist()
    assert arrays["det_box"][2].tolist() == [10, 5, 70, 55]
    assert done.parts == {"test": 3}
    assert len(read_pack(out, split="test").faces) == 3


def test_annotations_are_matched_by_number_not_by_the_order_of_their_names(imported, tmp_path):
    points, _ = official_sets.make_cofw68(tmp_path / "root", faces=11)  # as names, 10 comes before 2
    arrays, out, _ = imported("cofw68")
    np.testing.assert_allclose(arrays["landmarks"], points, atol=1e-3)
    assert_first_points_are_white(arrays, out)
