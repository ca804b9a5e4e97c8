"""Pictures from any path, upright, or a sentence."""

import numpy as np
import pytest

from engine.errors import RecordingError, SourceError
from engine.pictures import read_picture, write_picture


def test_written_and_read_back_in_rgb_from_a_path_with_any_letters(tmp_path):
    path = tmp_path / "Öß 日本" / "a b.png"
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 0] = 255  # red
    write_picture(path, picture)
    assert (read_picture(path) == picture).all()
    assert [file.name for file in path.parent.iterdir()] == ["a b.png"]


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n cut off"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="no readable picture"):
        read_picture(path)


def test_a_missing_picture_is_refused(tmp_path):
    with pytest.raises(SourceError, match="cannot be opened"):
        read_picture(tmp_path / "none.jpg")


def test_an_unknown_ending_leaves_nothing_behind(tmp_path):
    with pytest.raises(RecordingError, match="cannot be written"):
        write_picture(tmp_path / "x.nonsense", np.zeros((2, 2, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
