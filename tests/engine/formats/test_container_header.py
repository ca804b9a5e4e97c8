"""What is read of containers beside their pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.formats.container_header import UNKNOWN, read_container_header

MEDIA = Path(__file__).resolve().parents[2] / "media"


@pytest.mark.parametrize(
    ("name", "sound", "counted", "seconds"),
    [
        ("sound.mp4", True, True, 0.48),
        ("tall_pixels.mp4", False, True, 0.48),
        ("variable_rate.mp4", False, True, 1.73),
        ("longer_sound.mp4", True, False, None),
        ("sound.mkv", True, False, 0.48),
        ("longer_sound.mkv", True, False, 0.48),
        ("longer_sound.webm", True, False, 0.49),
        ("offset.mkv", False, False, 0.48),
        ("variable_rate.webm", False, False, 1.73),
        ("interlaced_mpeg4.avi", False, False, 0.48),
        ("gap.avi", False, False, 1.68),
        ("interlaced_mpeg2.mpg", None, False, None),
        ("longer_sound.wmv", None, False, None),
        ("longer_sound.flv", None, False, None),
    ],
)
def test_sound_and_the_length_of_the_pictures_are_known(name, sound, counted, seconds):
    header = read_container_header(MEDIA / name)
    assert (header.sound, header.counted) == (sound, counted)
    assert header.seconds == (seconds and pytest.approx(seconds, abs=5e-3))
    assert not header.mirrored
    assert not header.cut


def test_of_two_lengths_of_a_track_the_shorter_one_counts(tmp_path):
    data = (MEDIA / "longer_sound.mkv").read_bytes()
    at = data.index(b"DURATION", data.index(b"DURATION") + 1)
    both = data[: at + 8] + data[at + 8 :].replace(b"00:00:08", b"00:59:08")
    (tmp_path / "a.mkv").write_bytes(both)
    assert read_container_header(tmp_path / "a.mkv").seconds == pytest.approx(0.48, abs=5e-3)


# But MP4 files whose index is at the end: without it nothing is known of them.
ENDING = [path.name for path in MEDIA.iterdir() if path.suffix in (".mkv", ".webm", ".wmv", ".flv", ".ogv", ".avi")]


@pytest.mark.parametrize("name", [*sorted(ENDING), "longer_sound.mp4"])
@pytest.mark.parametrize("missing", [5, 200])
def test_fault_41_a_file_without_its_end_is_cut(tmp_path, name, missing):
    whole = (MEDIA / name).read_bytes()
    (tmp_path / "a").write_bytes(whole[:-missing])
    assert read_container_header(tmp_path / "a").cut
    assert not read_container_header(MEDIA / name).cut


@pytest.mark.parametrize(("end", "is_cut"), [(0, False), (300, True), (-60_000, False), (-70_000, True)])
def test_fault_41_a_recording_that_was_killed_is_cut_unless_its_last_cluster_is_whole(tmp_path, end, is_cut):
    data = (MEDIA / "longer_sound.mkv").read_bytes()
    size = data.index(b"\x18S\x80g") + 4
    unknown = b"\x01" + b"\xff" * 7
    assert data[size] == 1, "the size of the segment has eight bytes"
    clusters = data.rindex(b"\x1cS\xbbk")  # of the index, which comes after all clusters
    path = tmp_path / "a.mkv"
    path.write_bytes(data[:size] + unknown + data[size + 8 : clusters - max(0, end)] + bytes(max(0, -end)))
    assert read_container_header(path).cut is is_cut


def test_fault_41_an_flv_that_says_no_size_ends_with_that_of_its_last_part(tmp_path):
    data = (MEDIA / "longer_sound.flv").read_bytes().replace(b"filesize", b"filesiz_")
    for missing in (0, 1, 4, 100):
        (tmp_path / "a.flv").write_bytes(data[: len(data) - missing])
        assert read_container_header(tmp_path / "a.flv").cut is (missing > 0)


@pytest.mark.parametrize(
    "start",
    [b"fLaC", b"ID3\x04", b"RIFF\0\0\0\0WAVE", b"OggS" + bytes(24) + b"\x01vorbis", b"OggS" + bytes(24) + b"OpusHead"],
)
def test_sound_alone_is_known(tmp_path, start):
    (tmp_path / "a").write_bytes(start + bytes(100))
    assert read_container_header(tmp_path / "a").only_sound


def test_fault_41_no_damage_of_a_header_is_an_error(tmp_path):
    path, random = tmp_path / "a", np.random.default_rng(0)
    for name in ("sound.mp4", "variable_rate.mkv", "longer_sound.wmv", "longer_sound.flv"):
        whole = (MEDIA / name).read_bytes()
        for _ in range(100):
            data = bytearray(whole[: int(random.integers(1, len(whole)))] if random.random() < 0.3 else whole)
            for at in random.integers(0, len(data), 20):
                data[at] = random.integers(0, 256)
            at = max(0, data.find(b"moov"))
            data[at + 8 : at + 60 : 7] = random.bytes(len(data[at + 8 : at + 60 : 7]))
            path.write_bytes(data)
            header = read_container_header(path)
            assert header.seconds is None or 0 < header.seconds < 1e6


def test_of_what_is_no_container_nothing_is_known(tmp_path):
    (tmp_path / "a.txt").write_text("dear diary", encoding="utf-8")
    assert read_container_header(tmp_path / "a.txt") == read_container_header(tmp_path / "none") == UNKNOWN
