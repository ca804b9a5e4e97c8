"""What a file is, by its first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from engine.formats.signatures import FileKind, kind_of, kind_of_bytes
from tests.fakes.clips import write_clip

MEDIA = Path(__file__).resolve().parents[2] / "media"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM"])
def test_pictures_are_known_whatever_their_name(tmp_path, kind):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.mp4", kind)
    assert kind_of(tmp_path / "a.mp4") is FileKind.PICTURE


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_videos_are_known_whatever_their_name(tmp_path, ending):
    assert kind_of(write_clip(tmp_path / f"a{ending}").rename(tmp_path / "a.jpg")) is FileKind.VIDEO


@pytest.mark.parametrize("name", sorted(path.name for path in MEDIA.iterdir() if path.suffix != ".md"))
def test_every_container_is_known(name):
    assert kind_of(MEDIA / name) is FileKind.VIDEO


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0 ftypheic\0\0\0\0mif1heic", FileKind.FOREIGN),
        (b"\0\0\0 ftypmif1\0\0\0\0mif1avif", FileKind.PICTURE),
        (b"\xff\x0a\x7f", FileKind.FOREIGN),
        (b"8BPS\0\1", FileKind.FOREIGN),
        (b"%PDF-1.7", FileKind.FOREIGN),
        (b"II*\0\x10\0\0\0CR\2\0", FileKind.FOREIGN),
        (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns=''>", FileKind.FOREIGN),
        (b"\xef\xbb\xbf#EXTM3U\n", FileKind.PLAYLIST),
        (b"#EXTM3U\n\0", FileKind.PLAYLIST),
        (b"ffconcat version 1.0", FileKind.PLAYLIST),
        (b"v=0\r\nc=IN IP4 10.0.0.1\r\n", FileKind.PLAYLIST),
        (b"<?xml?><MPD>", FileKind.PLAYLIST),
        (b"[playlist]\nFile1=a", FileKind.PLAYLIST),
        (b"dear diary", FileKind.UNKNOWN),
        (b"P2\n# drawn\n8 6\n255\n", FileKind.PICTURE),
        (b"P3 of 7", FileKind.UNKNOWN),
        (b"BMW cars", FileKind.UNKNOWN),
        (b"", FileKind.UNKNOWN),
    ],
)
def test_other_files_are_known(head, kind):
    assert kind_of_bytes(head) is kind
