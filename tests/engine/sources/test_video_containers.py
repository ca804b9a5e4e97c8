"""Videos are shown as their containers mean them: fields, mirrors, pixels, cuts, rates and names."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.core.errors import SourceError
from engine.sources import video
from engine.sources.opening import open_source
from engine.sources.video import VideoSource
from tests.fakes.clips import HEIGHT, WIDTH, cut, write_clip
from tests.fakes.faulty_camera import FaultyCamera, fails, gives

MEDIA = Path(__file__).resolve().parents[2] / "media"
ONE = 1 << 16
# Of display matrices: the first two columns of both rows, and what they do to a picture.
MATRICES = {
    "left to right": ((-1, 0, 0, 1), lambda picture: picture[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda picture: picture[::-1]),
    "half a turn": ((-1, 0, 0, -1), lambda picture: picture[::-1, ::-1]),
    "across the diagonal": ((0, 1, 1, 0), lambda picture: picture.transpose(1, 0, 2)),
    "across the other one": ((0, -1, -1, 0), lambda picture: picture[::-1, ::-1].transpose(1, 0, 2)),
}


def play(path: Path) -> tuple[VideoSource, list]:
    source, frames = VideoSource(path), []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return source, frames


def patched(path: Path, box: bytes, at: int, layout: str, *values: int) -> Path:
    """Overwrite numbers in the first box of a kind, `at` bytes behind its name."""
    data = bytearray(path.read_bytes())
    struct.pack_into(layout, data, data.index(box) + 4 + at, *values)
    path.write_bytes(data)
    return path


def turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    a, b, c, d = (value * ONE for value in matrix)
    return patched(path, b"tkhd", 40, ">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


def moving(path: Path) -> Path:
    """Write an animation of 12 pictures, a tenth of a second each."""
    shades = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (48, 64, 3), np.uint8)) for n in range(12)]
    shades[0].save(path, save_all=True, append_images=shades[1:], duration=100)
    return path


def expect_the_drawing(image: np.ndarray) -> None:
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image[4].mean() > 220, "the upper edge is bright"
    red, green, blue = image[HEIGHT - 8, 8].tolist()
    assert red > 150
    assert max(green, blue) < 60


@pytest.mark.parametrize(
    "name", sorted(path.name for path in MEDIA.iterdir() if path.suffix not in (".md", ".mp3") and path.stem != "av1")
)
def test_fault_42_every_container_plays_whole_in_its_own_shape(name):
    source, frames = play(MEDIA / name)
    assert source.remark == ""
    assert [frame.id for frame in frames] == list(range(12))
    for frame in frames:
        expect_the_drawing(frame.image)
    greys = [frame.image[-8, -8].mean() for frame in frames]
    assert greys == sorted(greys)
    assert len(set(greys)) > 8, "the frames are not the same one"
    assert frames[0].time == 0
    for place in (11, 3, 7):
        sought = VideoSource(MEDIA / name)
        assert sought.place_at(frames[place].time) == place
        sought.seek(place)
        again = sought.read()
        assert len(list(iter(sought.read, None))) == 11 - place
        assert sought.remark == ""
        sought.close()
        assert (again.id, again.time) == (place, pytest.approx(frames[place].time, abs=1e-4))
        assert np.array_equal(again.image, frames[place].image)
    seconds = 1.73 if name.startswith("variable") else 1.68 if name == "gap.avi" else 0.48
    assert source.duration == pytest.approx(seconds, abs=0.011)


@pytest.mark.parametrize("name", MATRICES)
def test_fault_43_a_display_matrix_is_obeyed_mirrors_too(tmp_path, name):
    matrix, shown = MATRICES[name]
    path = write_clip(tmp_path / "a.mp4", frames=3)
    upright = play(path)[1][0].image
    mirrored = play(turned(path, matrix))[1][0].image
    assert np.array_equal(mirrored, shown(upright))


@pytest.mark.parametrize(
    ("numbers", "sideways", "size"),
    [
        ((2, 1), False, (HEIGHT, 2 * WIDTH)),
        ((1, 2), False, (2 * HEIGHT, WIDTH)),
        ((2, 1), True, (2 * HEIGHT, WIDTH)),
        ((0, 1), False, (HEIGHT, WIDTH)),
        ((4320, 4319), False, (HEIGHT, WIDTH)),
        ((1000, 1), False, (HEIGHT, WIDTH)),
        ((float("nan"), 1), False, (HEIGHT, WIDTH)),
    ],
)
def test_pixels_become_square_after_the_turn_and_only_where_that_can_be_meant(tmp_path, numbers, sideways, size):
    answers = {cv2.CAP_PROP_SAR_NUM: numbers[0], cv2.CAP_PROP_SAR_DEN: numbers[1]}
    answers[cv2.CAP_PROP_ORIENTATION_META] = 90.0 if sideways else 0.0
    driver = FaultyCamera([gives(np.zeros((HEIGHT, WIDTH, 3), np.uint8)), fails], answers=answers, period=0)
    source = VideoSource(write_clip(tmp_path / "a.mp4", frames=1), open_capture=lambda name, backend: driver)
    assert source.read().image.shape[:2] == size


@pytest.mark.parametrize("start", [0, 3])
def test_fault_42_a_trimmed_mp4_is_whole(tmp_path, start):
    path = tmp_path / "a.mp4"
    path.write_bytes((MEDIA / "interlaced_h264.mp4").read_bytes())
    delay = struct.unpack_from(">i", path.read_bytes(), path.read_bytes().index(b"elst") + 16)[0]
    scale = struct.unpack_from(">I", path.read_bytes(), path.read_bytes().index(b"mdhd") + 16)[0]
    patched(path, b"elst", 8, ">Ii", 240, delay + start * scale // 25)  # of the movie's thousandths, the track's units
    source, frames = play(path)
    assert 5 <= len(frames) <= 7
    assert source.remark == ""
    assert source.duration == pytest.approx(0.24, abs=0.041)


@pytest.mark.parametrize(
    ("name", "share"),
    [("longer_sound.mkv", 0.8), ("longer_sound.webm", 0.8), ("reordered_h264.avi", 0.98), ("sound.mp4", 0.8)],
)
def test_fault_41_a_copy_of_which_only_the_beginning_arrived_is_noticed(tmp_path, name, share):
    data = (MEDIA / name).read_bytes()
    if name.endswith("mp4"):  # with its index in front, as for the web
        index = data.index(b"moov") - 4
        moved = bytearray(data[index:])
        at = moved.index(b"stco") + 12
        for place in range(at, at + 4 * int.from_bytes(moved[at - 4 : at], "big"), 4):
            moved[place : place + 4] = (int.from_bytes(moved[place : place + 4], "big") + len(moved)).to_bytes(4, "big")
        first = data.index(b"mdat") - 4
        data = data[:first] + bytes(moved) + data[first:index]
    path = tmp_path / name
    path.write_bytes(data)
    assert play(path)[0].remark == ""
    for end in (b"", bytes(200_000)):  # some programs make room for the whole file at once
        path.write_bytes(data[: round(len(data) * share)] + end)
        assert "It is cut off or damaged" in play(path)[0].remark


def test_fault_42_a_cover_picture_is_one_frame_and_whole():
    source, frames = play(MEDIA / "cover.mp3")
    assert len(frames) == 1
    assert source.remark == ""


@pytest.mark.parametrize(
    ("name", "share"),
    [("interlaced_mpeg4.avi", 0.95), ("variable_rate.mkv", 0.9), ("wide_pixels.mkv", 0.8), ("variable_rate.webm", 0.8)],
)
def test_fault_41_a_container_cut_off_is_still_noticed(tmp_path, name, share):
    path = tmp_path / name
    path.write_bytes((MEDIA / name).read_bytes())
    source, frames = play(cut(path, share))
    assert 0 < len(frames) < 12
    assert f"ended after {frames[-1].time + 0.04:.2f} of" in source.remark


def test_fault_42_frames_that_an_avi_repeats_are_not_missing():
    source, frames = play(MEDIA / "gap.avi")
    assert source.remark == ""
    assert [round(frame.time * 25) for frame in frames] == [0, 1, 2, 3, 4, 5, *range(36, 42)]


@pytest.mark.parametrize(
    "name", ["longer_sound.ogv", "longer_sound.wmv", "longer_sound.flv", "longer_sound.mp4", "moving.gif", "moving.png"]
)
def test_fault_41_a_container_without_a_count_that_was_cut_off_is_noticed(tmp_path, name):
    path = tmp_path / name
    if name.startswith("moving"):
        moving(path)
    else:
        shutil.copy(MEDIA / name, path)
    assert play(path)[0].remark == ""
    source, frames = play(cut(path, 0.88))
    assert 0 < len(frames) <= 12
    assert f"The end of the video {name} is missing" in source.remark


def test_fault_42_a_moving_png_lasts_as_long_after_it_was_sought_through(tmp_path):
    source = VideoSource(moving(tmp_path / "moving.png"))
    assert [frame.time for frame in iter(source.read, None)] == pytest.approx([number / 10 for number in range(12)])
    source.seek(5)
    assert (source.read().id, source.duration) == (5, pytest.approx(1.2))
    source.close()


@pytest.mark.parametrize("name", ["a.mjpeg", "a.MJPG"])
def test_jpegs_one_after_the_other_are_a_video_by_their_ending(tmp_path, name):
    pictures = [np.full((48, 64, 3), 60 + 20 * number, np.uint8) for number in range(5)]
    (tmp_path / name).write_bytes(b"".join(cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures))
    source = open_source(str(tmp_path / name))
    shades = [round(float(frame.image.mean())) for frame in iter(source.read, None)]
    source.close()
    assert shades == pytest.approx([60, 80, 100, 120, 140], abs=2)


@pytest.mark.parametrize("file", ["mp4", "mkv"])
def test_sound_without_pictures_says_so(tmp_path, file):
    path = tmp_path / f"a.{file}"
    data = (MEDIA / f"sound.{file}").read_bytes()
    # The track of pictures, the first one, becomes something that nothing reads.
    data = data.replace(b"trak", b"free", 1) if file == "mp4" else data.replace(b"V_MPEG4/ISO/AVC", b"X_MPEG4/ISO/AVC")
    path.write_bytes(data.replace(b"\x83\x81\x01", b"\x83\x81\x21"))
    with pytest.raises(SourceError, match="sound and no pictures"):
        VideoSource(path)


def test_frames_of_one_even_colour_are_reported(tmp_path):
    def source_of(*pictures: np.ndarray) -> VideoSource:
        driver = FaultyCamera([*map(gives, pictures), fails], period=0)
        source = VideoSource(write_clip(tmp_path / "a.mp4", frames=1), open_capture=lambda name, backend: driver)
        while source.read() is not None:
            pass
        return source

    empty = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    nearly = empty.copy()
    nearly[3, 5] = 1
    assert "Each of the 3 frames of a.mp4 is of the same even colour" in source_of(empty, empty, empty).remark
    assert source_of(empty, nearly, empty).remark == ""
    assert source_of(empty, empty + 9, empty).remark == "", "something was decoded"


def test_fault_41_a_video_in_av1_says_so_and_how_to_convert_it():
    with pytest.raises(SourceError, match="coded in AV1"):
        VideoSource(MEDIA / "av1.mkv", open_capture=lambda *_: FaultyCamera([fails], period=0))


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a script for sh here")
@pytest.mark.parametrize("installed", [True, False])
def test_fault_41_the_command_that_converts_a_video_in_av1_can_be_pasted(tmp_path, monkeypatch, installed):
    clip = tmp_path / "it's $HOME; a clip.mkv"
    shutil.copyfile(MEDIA / "av1.mkv", clip)
    clip.with_name("it's $HOME; a clip-h264.mp4").touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    if installed:
        (programs / "ffmpeg").write_text(f'#!/bin/sh\nfor word in "$@"; do echo "$word"; done > "{tmp_path}/said"\n')
        (programs / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin" if installed else str(programs))
    with pytest.raises(SourceError) as caught:
        VideoSource(clip, open_capture=lambda *_: FaultyCamera([fails], period=0))
    assert ("install the program ffmpeg" in caught.value.fix) is not installed
    command = caught.value.fix.partition("“")[2].partition("”")[0]
    if installed:
        subprocess.run(["/bin/sh", "-c", command], check=True)
        target = clip.with_name("it's $HOME; a clip-h264-2.mp4")
        said = (tmp_path / "said").read_text().splitlines()
        assert said == ["-i", str(clip), "-c:v", "libx264", str(target)]


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n",
    "list.mp4": "ffconcat version 1.0\nfile {clip}\n",
    "session.mp4": "\x01\nv=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "list.mpd": "<?xml version='1.0'?>\n<MPD><BaseURL>{clip}</BaseURL></MPD>\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize("tail", ["", "\0"])
def test_what_names_other_files_or_hosts_opens_nothing(tmp_path, name, tail):
    clip = write_clip(tmp_path / "clip.avi")
    path = tmp_path / name
    path.write_text(PLAYLISTS[name].format(clip=clip) + tail, encoding="utf-8")
    with pytest.raises(SourceError, match="playlist"):
        VideoSource(path, open_capture=lambda *_: pytest.fail("it was opened"))


def test_fault_45_a_name_like_a_series_of_pictures_is_that_of_a_file(tmp_path):
    (tmp_path / "b00001.jpg").write_bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    path = write_clip(tmp_path / "a.mp4", frames=5).rename(tmp_path / "b%05d.jpg")
    assert len(play(path)[1]) == 5


@pytest.mark.parametrize("name", ["12:30:00.mp4", "./12:30:00.mp4", "http:a.mp4"])
@pytest.mark.skipif(sys.platform == "win32", reason="such names are forbidden there")
def test_fault_45_a_relative_name_with_a_colon_is_no_protocol(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", frames=5).rename(name)
    assert len(play(Path(name))[1]) == 5


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems allow no such names")
def test_fault_45_a_name_that_is_no_utf8_plays_and_can_be_sought(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=30).rename(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")))
    source = VideoSource(path)
    source.seek(20)
    assert source.read().id == 20
    source.close()


def test_fault_45_a_name_for_which_no_link_can_be_made_is_a_sentence(tmp_path, monkeypatch):
    def refuse(path: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(video, "PlainName", refuse)
    with pytest.raises(SourceError, match="Rename it"):
        VideoSource(write_clip(tmp_path / "a.mp4", frames=1))
