"""Numbered pictures as the frames of a video."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import SourceError
from engine.formats.images import write_picture
from engine.formats.landmark_writers import pts_text
from engine.sources.base import Seekable, SourceKind
from engine.sources.opening import open_source
from engine.sources.sample import SampleClip


def shoot(folder, numbers, name="shot_{:04d}.png"):
    """Write pictures whose level is their number."""
    for number in numbers:
        write_picture(folder / name.format(number), np.full((48, 64, 3), number % 256, np.uint8))


def levels(source) -> list[int]:
    return [int(frame.image[0, 0, 0]) for frame in iter(source.read, None)]


def test_they_are_the_frames_of_a_video_in_the_order_of_their_numbers(tmp_path):
    shoot(tmp_path, [9, 10, 8, 11])
    write_picture(tmp_path / "shot_12.png", np.zeros((48, 64, 3), np.uint8))  # too few digits
    source = open_source(str(tmp_path / "shot_%04d.png"))
    assert isinstance(source, Seekable)
    assert (source.kind, source.name, source.frame_count, source.remark) == (SourceKind.VIDEO, "shot_%04d.png", 4, "")
    frames = list(iter(source.read, None))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [8, 9, 10, 11]
    assert [frame.time for frame in frames] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30])
    assert {frame.name for frame in frames} == {""}, "so that faces are tracked from one to the next"
    source.seek(source.place_at(2 / 30))
    assert levels(source) == [10, 11]
    assert [source.place_at(seconds) for seconds in (-1, 0.06, 0.09, 0.12, 500)] == [0, 1, 2, 3, 3]


def test_numbers_of_any_length_sort_as_numbers(tmp_path):
    shoot(tmp_path, [2, 10, 1, 100], "a{}b.png")
    assert levels(open_source(str(tmp_path / "a%db.png"))) == [1, 2, 10, 100]


def test_missing_numbers_and_unreadable_pictures_are_named(tmp_path):
    shoot(tmp_path, [1, 2, 5])
    (tmp_path / "shot_0003.png").write_bytes(b"no picture")
    source = open_source(str(tmp_path / "shot_%04d.png"))
    assert levels(source) == [1, 2, 5]
    assert source.frame_count == 3
    assert source.remark == (
        "1 number(s) of shot_%04d.png are missing between the first and the last. "
        "1 picture(s) of shot_%04d.png could not be read and were skipped."
    )


def test_where_none_can_be_read_it_says_so(tmp_path):
    (tmp_path / "shot_0003.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match="shot_0003"):
        open_source(str(tmp_path / "shot_%04d.png")).read()


@pytest.mark.parametrize("pattern", ["other_%04d.png", "shot_%05d.png", "nowhere/shot_%04d.png"])
def test_a_pattern_without_pictures_says_so(tmp_path, pattern):
    shoot(tmp_path, [1])
    with pytest.raises(SourceError, match="There are no pictures"):
        open_source(str(tmp_path / pattern))


def test_ground_truth_lies_beside_them(tmp_path):
    picture, truth = SampleClip().frame(0)
    write_picture(tmp_path / "shot_0001.png", picture)
    (tmp_path / "shot_0001.pts").write_text(pts_text(truth.points))
    frame = open_source(str(tmp_path / "shot_%04d.png")).read()
    assert frame.truth.points == pytest.approx(truth.points, abs=0.01)


def test_a_file_that_is_called_like_a_pattern_is_that_file(tmp_path):
    shoot(tmp_path, [7], "shot_%d.png")
    source = open_source(str(tmp_path / "shot_%d.png"))
    assert (source.kind, levels(source)) == (SourceKind.PICTURES, [7])
