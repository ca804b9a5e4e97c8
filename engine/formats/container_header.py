"""What a video's container says beside its pictures, where OpenCV does not tell: mirroring, cuts, and sound."""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from engine.core.files import open_regular

_NO_CAP = 1 << 62  # only headers are read
MOST_BOX_BYTES = 1_000_000  # of a box that is read; those that are needed have some dozen
MOST_BOXES = 10_000
LONGEST_SECONDS = 7 * 86400.0  # headers that promise more are wrong
MILLISECOND = 0.001
SOUND_BYTES = 1_000_000  # of the beginning, in which tracks are announced
_MATROSKA, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"


@dataclass(frozen=True)
class ContainerHeader:
    """What is said of the first track of pictures.

    Attributes:
        mirrored: whether its display matrix mirrors the picture, beside any turn.
        seconds: how long it plays after the cuts of its edit list; None where unknown.
        trimmed: whether the edit list leaves some of it out.
        sound: whether there is a track of sound; None where unknown.
        counted: whether containers of its kind count their frames; others only give their length.
        complete: whether the file is known to be as long as it was written; of Matroska and WebM only.
        av1: whether a track is coded in AV1.
    """

    mirrored: bool = False
    seconds: float | None = None
    trimmed: bool = False
    sound: bool | None = None
    counted: bool = False
    complete: bool = False
    av1: bool = False


UNKNOWN = ContainerHeader()


def read_container_header(path: Path) -> ContainerHeader:
    """Read the header of an MP4 or QuickTime file; of Matroska, WebM and AVI only whether there is sound.

    Nothing is raised: of other, damaged and unreadable files nothing is known.
    """
    try:
        with open_regular(path, _NO_CAP) as file:
            head = file.read(8)
            if head[4:] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
                return _read_mp4(file)
            beginning = head + (file.read(SOUND_BYTES) or b"")
            if head.startswith(_MATROSKA):
                sound = re.search(rb"\x86[\x80-\xff]A_[A-Z]", beginning) is not None
                complete = _segment_end(beginning) <= file.seek(0, os.SEEK_END)
                return ContainerHeader(sound=sound, complete=complete, av1=b"V_AV1" in beginning)
            if head.startswith(b"RIFF"):
                return ContainerHeader(
                    sound=re.search(rb"strh.{4}auds", beginning, re.DOTALL) is not None, counted=True
                )
            return UNKNOWN
    except (OSError, struct.error, IndexError):
        return UNKNOWN


def _segment_end(beginning: bytes) -> float:
    """Return where a Matroska file ends by the size of its segment; infinity where it says none, as of live ones."""
    start = beginning.find(_SEGMENT) + len(_SEGMENT)
    first = beginning[start]
    length = 9 - first.bit_length()  # of the size, whose first set bit tells it
    size = int.from_bytes(beginning[start : start + length], "big") - (1 << 7 * length)
    unknown = size == (1 << 7 * length) - 1 or start < len(_SEGMENT) or not first
    return math.inf if unknown else start + length + size


def _read_mp4(file: BinaryIO) -> ContainerHeader:
    size = file.seek(0, os.SEEK_END)
    movie = next((place for kind, *place in _boxes(file, 0, size) if kind == b"moov"), None)
    if movie is None:
        return UNKNOWN
    inside = list(_boxes(file, *movie))
    scale = next((_scale(_content(file, start, end))[0] for kind, start, end in inside if kind == b"mvhd"), 0)
    tracks = [_read_track(file, start, end, scale) for kind, start, end in inside if kind == b"trak"]
    pictures = next((track for handler, track in tracks if handler == b"vide"), UNKNOWN)
    sound, av1 = any(handler == b"soun" for handler, _ in tracks), b"av01" in _content(file, *movie)
    return replace(pictures, sound=sound, counted=True, av1=av1)


def _read_track(file: BinaryIO, start: int, end: int, movie_scale: int) -> tuple[bytes, ContainerHeader]:
    """Return the handler of a track, and what its header says."""
    handler, mirrored, whole, edited = b"", False, None, None
    for kind, *place in _boxes(file, start, end):
        if kind == b"tkhd":
            content = _content(file, *place)
            a, b, _, c, d = struct.unpack_from(">5i", content, 52 if content[0] == 1 else 40)
            mirrored = a * d - b * c < 0
        elif kind == b"edts":
            tables = (_content(file, *inner) for name, *inner in _boxes(file, *place) if name == b"elst")
            edited = next((_edited(table, movie_scale) for table in tables), None)
        elif kind == b"mdia":
            for name, *inner in _boxes(file, *place):
                if name == b"hdlr":
                    handler = _content(file, *inner)[8:12]
                elif name == b"mdhd":
                    scale, length = _scale(_content(file, *inner))
                    whole = length / scale if scale else None
    seconds = edited or whole
    if not seconds or not 0 < seconds <= LONGEST_SECONDS:
        return handler, ContainerHeader(mirrored)
    return handler, ContainerHeader(mirrored, seconds, trimmed=bool(whole and seconds < whole - MILLISECOND))


def _edited(table: bytes, scale: int) -> float | None:
    """Return the seconds of all edits that show something; None where the list says nothing of use."""
    wide, count = table[0] == 1, struct.unpack_from(">I", table, 4)[0]
    layout = struct.Struct(">Qqi" if wide else ">Iii")
    edits = [layout.unpack_from(table, 8 + layout.size * place) for place in range(min(count, MOST_BOXES))]
    return sum(length for length, at, _ in edits if at >= 0) / scale if scale else None


def _scale(content: bytes) -> tuple[int, int]:
    """Return the units a second, and the length in them, of a movie's or a track's header."""
    scale, length = (
        struct.unpack_from(">IQ", content, 20) if content[0] == 1 else struct.unpack_from(">II", content, 12)
    )
    return scale, length


def _content(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, MOST_BOX_BYTES))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the content of each box in a part of a file; the last may end beyond the part."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        begin = start + 8
        if size == 1:
            size, begin = struct.unpack(">Q", file.read(8))[0], start + 16
        elif size == 0:
            size = end - start
        if size < begin - start:
            return
        yield kind, begin, start + size
        start += size
