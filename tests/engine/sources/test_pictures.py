from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from engine.core.errors import PackError, SourceError
from engine.core.schemes import IBUG_68
from engine.formats.images import write_picture
from engine.sources import pictures
from engine.sources.base import SourceKind
from engine.sources.pictures import PicturesSource
from tests.fakes.clips import write_clip


def picture(level: int, width: int = 20, height: int = 10) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def play(source: PicturesSource) -> list:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


@pytest.fixture
def folder(tmp_path):
    """Return a folder of five pictures, an unreadable one and things that are none."""
    path = tmp_path / "Fotos öß 日本"
    for number in (10, 2, 1):
        write_picture(path / f"bild {number}.png", picture(number))
    write_picture(path / "Bild 3.PNG", picture(3))
    write_picture(path / "ä.jpg", picture(200))
    (path / "bild 5.png").write_bytes(b"\x89PNG broken")
    (path / "notes.txt").write_text("no picture", encoding="utf-8")
    (path / ".hidden.png").write_bytes(b"")
    (path / "album.png").mkdir()
    return path


def test_pictures_of_a_folder_come_in_natural_order(folder):
    source = PicturesSource(folder)
    frames = play(source)
    assert [frame.name for frame in frames] == ["bild 1.png", "bild 2.png", "Bild 3.PNG", "bild 10.png", "ä.jpg"]
    assert [int(frame.image[0, 0, 0]) for frame in frames[:4]] == [1, 2, 3, 10]
    assert [frame.id for frame in frames] == [0, 1, 2, 3, 4]
    assert (source.name, source.kind, source.rate) == (folder.name, SourceKind.PICTURES, 1.0)
    assert {frame.source for frame in frames} == {folder.name}


def test_an_unreadable_picture_is_skipped_and_remembered(folder):
    source = PicturesSource(folder)
    assert source.frame_count == 6
    assert source.remark == ""
    play(source)
    assert [path.name for path in source.skipped] == ["bild 5.png"]
    assert "no readable picture" in next(iter(source.skipped.values()))
    assert "1 picture(s)" in source.remark
    assert "bild 5.png" in source.remark
    assert source.frame_count == 5


def test_fault_44_what_is_a_picture_is_decided_by_its_first_bytes(tmp_path):
    for name, kind in (("a.jfif", "JPEG"), ("b", "PNG"), ("c.dat", "WEBP"), ("d.avif", "AVIF"), ("e.gif", "GIF")):
        Image.new("RGB", (8, 6), (90, 90, 90)).save(tmp_path / name, kind)
    source = PicturesSource(tmp_path)
    assert [frame.name for frame in play(source)] == ["a.jfif", "b", "c.dat", "d.avif", "e.gif"]
    assert source.remark == ""


def test_what_a_folder_holds_besides_pictures_is_named_with_its_number(tmp_path):
    write_picture(tmp_path / "a.png", picture(90))
    (tmp_path / "b.heic").write_bytes(b"\0\0\0 ftypheic")
    (tmp_path / "c.jxl").write_bytes(b"\xff\x0a")
    write_clip(tmp_path / "d.mp4")
    for name in ("labels.json", "notes.txt", "Thumbs.db"):
        (tmp_path / name).write_text("no picture", encoding="utf-8")
    source = PicturesSource(tmp_path)
    assert len(play(source)) == 1
    assert source.remark.startswith("3 file(s) of")
    assert source.remark.endswith("left out: b.heic, c.jxl, d.mp4.")


def test_pictures_that_cannot_be_reached_or_recognised_are_named_too(tmp_path):
    write_picture(tmp_path / "a.png", picture(90))
    (tmp_path / "b.png").symlink_to(tmp_path / "moved.png")
    (tmp_path / "c.tga").write_bytes(bytes(60))
    for name in ("labels.pts", "last"):
        (tmp_path / name).symlink_to(tmp_path / "moved")
    source = PicturesSource(tmp_path)
    assert len(play(source)) == 1
    assert source.remark.endswith("left out: b.png, c.tga.")


def test_a_folder_of_foreign_pictures_only_is_refused_by_their_names(tmp_path):
    (tmp_path / "b.heic").write_bytes(b"\0\0\0 ftypheic")
    with pytest.raises(SourceError, match=r"b\.heic"):
        PicturesSource(tmp_path)


def test_of_a_file_of_several_pictures_the_first_is_shown_and_that_is_said(tmp_path):
    write_picture(tmp_path / "a.png", picture(90))
    frames = [Image.new("RGB", (8, 6), (level, 0, 0)) for level in (200, 0)]
    frames[0].save(tmp_path / "b.webp", save_all=True, append_images=frames[1:], lossless=True)
    source = PicturesSource(tmp_path)
    assert [int(frame.image[0, 0, 0]) for frame in play(source)] == [90, 200]
    assert "1 file(s)" in source.remark
    assert "only the first was read: b.webp" in source.remark


def test_a_folder_of_unreadable_pictures_only_fails(tmp_path):
    for name in "abcde":
        (tmp_path / f"{name}.jpg").write_bytes(b"nothing")
    source = PicturesSource(tmp_path)
    with pytest.raises(SourceError, match="None of the 5 picture") as caught:
        source.read()
    assert "a.jpg" in str(caught.value)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: (path / "a.txt").touch()])
def test_a_folder_without_pictures_is_refused(tmp_path, make):
    make(tmp_path)
    with pytest.raises(SourceError, match="holds no picture"):
        PicturesSource(tmp_path)


def test_a_single_picture_is_a_source_of_one_frame(folder):
    source = PicturesSource(folder / "ä.jpg")
    assert source.frame_count == 1
    frames = play(source)
    assert [(frame.name, frame.source, frame.truth) for frame in frames] == [("ä.jpg", "ä.jpg", None)]


def test_a_single_unreadable_picture_fails(folder):
    with pytest.raises(SourceError, match="no readable picture"):
        PicturesSource(folder / "bild 5.png").read()


def test_what_is_not_there_fails(tmp_path):
    with pytest.raises(SourceError, match="There is no picture"):
        PicturesSource(tmp_path / "gone.png")


def test_a_closed_source_gives_nothing_more(folder):
    source = PicturesSource(folder)
    source.read()
    source.close()
    source.close()
    assert source.read() is None


def test_closing_while_a_picture_is_read_ends_the_source(folder, monkeypatch):
    source = PicturesSource(folder)

    def close_then_fail(path):
        source.close()
        raise SourceError("gone", "closed", "none")

    monkeypatch.setattr(pictures, "read_picture", close_then_fail)
    assert source.read() is None
    assert source.frame_count == 5, "only the one that failed is missing"


def test_a_picture_that_vanishes_while_others_are_shown_is_skipped(folder):
    source = PicturesSource(folder)
    source.read()
    (folder / "bild 2.png").unlink()
    assert "bild 2.png" not in [frame.name for frame in play(source)]
    assert "bild 2.png" in [path.name for path in source.skipped]


@pytest.fixture
def pack(tmp_path):
    """Return a pack: a picture with one face, one with two, one with a face without labels beside a labelled one."""
    path = tmp_path / "pack"
    for name in ("one", "two", "three"):
        write_picture(path / "images" / f"{name}.png", picture(50))
    landmarks = np.random.default_rng(0).uniform(0, 10, (5, 68, 2)).astype(np.float32)
    landmarks[0, 5] = np.nan
    landmarks[4] = np.nan
    names = [f"images/{name}.png" for name in ("one", "two", "two", "three", "three")]
    np.savez(path / "annotations.npz", image=np.array(names), landmarks=landmarks)
    (path / "meta.json").write_text(json.dumps({"markup": "ibug68"}), encoding="utf-8")
    return path, landmarks


def test_a_pack_gives_ground_truth_where_one_face_is_labelled(pack):
    path, landmarks = pack
    frames = {frame.name: frame for frame in play(PicturesSource(path))}
    assert set(frames) == {"one.png", "two.png", "three.png"}
    assert frames["two.png"].truth is None
    for name, face in (("one.png", 0), ("three.png", 3)):
        truth = frames[name].truth
        assert truth.scheme is IBUG_68
        assert np.array_equal(truth.points, landmarks[face], equal_nan=True)


def test_a_pack_with_a_missing_picture_is_refused(pack):
    path, _ = pack
    (path / "images" / "two.png").unlink()
    with pytest.raises(PackError, match="missing"):
        PicturesSource(path)


def test_a_pack_whose_labels_are_damaged_is_refused(pack):
    path, _ = pack
    (path / "annotations.npz").write_bytes(b"PK nothing")
    with pytest.raises(PackError, match="cannot be read"):
        PicturesSource(path)
    shutil.rmtree(path)
