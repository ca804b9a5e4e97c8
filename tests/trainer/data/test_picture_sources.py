"""The pictures to label: folders, single pictures and lists, with the names that they get in a pack."""

import pytest

from engine.core.errors import SourceError
from trainer.data.picture_sources import find_pictures


def test_sources_are_folders_pictures_and_lists(tmp_path):
    pictures = tmp_path / "pictures öß"
    for name in ("a.png", "b.png", "sub/a.png", "sub/broken.jpg", "sub/deep/c ü.png", "sub/notes.txt"):
        (pictures / name).parent.mkdir(parents=True, exist_ok=True)
        (pictures / name).touch()
    names = [name for name, _ in find_pictures(pictures, tmp_path / "out")]
    below = ["images/a.png", "images/b.png", "images/sub/a.png", "images/sub/broken.jpg", "images/sub/deep/c ü.png"]
    assert names == below
    assert len(find_pictures(pictures, pictures / "sub")) == 2, "what lies in the new pack is no source"
    (pictures / "sub" / "deep" / "labelling.json").touch()
    assert [name for name, _ in find_pictures(pictures, tmp_path / "out")] == below[:-1], "copies in labels are none"
    assert find_pictures(pictures / "a.png", tmp_path) == [("images/a.png", pictures / "a.png")]
    elsewhere = tmp_path / "elsewhere.png"
    list_ = pictures / "some.txt"
    list_.write_text(f"# two\nsub/a.png\n\n{elsewhere}\nsub/../a.png\n", encoding="utf-8")
    found = dict(find_pictures(list_, tmp_path))
    assert set(found) == {"images/sub/a.png", "images/a.png", f"images/elsewhere/{elsewhere.relative_to('/')}"}


def test_pictures_that_no_decoder_is_there_for_are_not_passed_over(tmp_path):
    for name in ("a.HEIC", "b.jpg", "c.mov"):
        (tmp_path / name).touch()
    assert [path.name for _, path in find_pictures(tmp_path, tmp_path / "out")] == ["a.HEIC", "b.jpg"]


def test_a_video_is_called_one(tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"\0\0\0\x18ftypisom")
    with pytest.raises(SourceError, match="clip.mp4 is a video.*ffmpeg"):
        find_pictures(clip, tmp_path / "out")
