"""What is read of containers beside their pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.formats.container_header import UNKNOWN, read_container_header

MEDIA = Path(__file__).resolve().parents[2] / "media"


@pytest.mark.parametrize(
    ("name", "sound", "counted", "complete"),
    [
        ("sound.mp4", True, True, False),
        ("tall_pixels.mp4", False, True, False),
        ("sound.mkv", True, False, True),
        ("offset.mkv", False, False, True),
        ("variable_rate.webm", False, False, True),
        ("interlaced_mpeg4.avi", False, False, False),
        ("interlaced_mpeg2.mpg", None, False, False),
        ("longer_sound.wmv", None, False, True),
        ("longer_sound.flv", None, False, True),
    ],
)
def test_sound_and_what_can_be_believed_are_known(name, sound, counted, complete):
    header = read_container_header(MEDIA / name)
    assert (header.sound, header.counted, header.complete) == (sound, counted, complete)
    assert not header.mirrored


@pytest.mark.parametrize(("name", "seconds"), [("sound.mp4", 0.48), ("variable_rate.mp4", 1.73), ("offset.mkv", None)])
def test_the_length_is_that_of_the_pictures(name, seconds):
    assert read_container_header(MEDIA / name).seconds == (seconds and pytest.approx(seconds, abs=1e-3))


def test_a_matroska_file_that_was_cut_off_is_not_complete(tmp_path):
    (tmp_path / "a.mkv").write_bytes((MEDIA / "offset.mkv").read_bytes()[:-40])
    assert not read_container_header(tmp_path / "a.mkv").complete


@pytest.mark.parametrize("name", ["longer_sound.wmv", "longer_sound.flv", "longer_sound.ogv"])
def test_fault_41_a_file_without_its_end_is_cut(tmp_path, name):
    whole = (MEDIA / name).read_bytes()
    (tmp_path / "a").write_bytes(whole[:-1500])
    assert read_container_header(tmp_path / "a").cut
    assert not read_container_header(MEDIA / name).cut


@pytest.mark.parametrize("name", ["longer_sound.ts", "longer_sound.mpg", "longer_sound.ogv"])
def test_some_containers_have_no_length_but_that_of_what_is_there(name):
    assert read_container_header(MEDIA / name).measured


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
