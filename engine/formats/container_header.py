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
END_BYTES = 70_000  # more than a page of Ogg has
_OGG_SOUND = rb"\x01vorbis|OpusHead|\x7fFLAC|Speex"
_LAST_PAGE = 4  # a flag of a page of Ogg
# A container of ASF (Windows Media), its object that says the file's size, and the name of that size in FLV.
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_FLV_SIZE = b"\0\x08filesize\0"
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
        complete: whether the file is known to be as long as it was written; of Matroska, WebM, ASF and FLV only.
        cut: whether the file lacks its end; of ASF, FLV, Ogg, GIF and PNG only.
        measured: whether its length is only known from its last times, so that nothing can be missing by it.
        only_sound: whether it is known to hold sound and no pictures.
        av1: whether a track is coded in AV1.
    """

    mirrored: bool = False
    seconds: float | None = None
    trimmed: bool = False
    sound: bool | None = None
    counted: bool = False
    complete: bool = False
    cut: bool = False
    measured: bool = False
    only_sound: bool = False
    av1: bool = False


UNKNOWN = ContainerHeader()


def read_container_header(path: Path) -> ContainerHeader:
    """Read the header of an MP4 or QuickTime file; of other containers whether there is sound, and whether they end.

    Nothing is raised: of other, damaged and unreadable files nothing is known.
    """
    try:
        with open_regular(path, _NO_CAP) as file:
            head = file.read(8)
            if head[4:] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
                return _read_mp4(file)
            beginning = head + (file.read(SOUND_BYTES) or b"")
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - END_BYTES))
            return _read_other(beginning, file.read(END_BYTES), size)
    except (OSError, struct.error, IndexError):
        return UNKNOWN


def _read_other(beginning: bytes, end: bytes, size: int) -> ContainerHeader:
    """Return what the first and last bytes of a file of `size` bytes say that is no MP4."""
    if beginning.startswith(_MATROSKA):
        sound = re.search(rb"\x86[\x80-\xff]A_[A-Z]", beginning) is not None
        only_sound = sound and re.search(rb"\x86[\x80-\xff]V_[A-Z]", beginning) is None
        complete = _segment_end(beginning) <= size
        return ContainerHeader(sound=sound, complete=complete, only_sound=only_sound, av1=b"V_AV1" in beginning)
    if beginning.startswith(b"RIFF"):
        # Its number of frames counts those that repeat the one before, and are not stored.
        sound = re.search(rb"strh.{4}auds", beginning, re.DOTALL) is not None
        return ContainerHeader(sound=sound, only_sound=beginning[8:12] == b"WAVE")
    if beginning.startswith(b"OggS"):
        last = end[end.rfind(b"OggS") :]
        only_sound = re.search(rb"\x80theora|OVP80", beginning) is None and re.search(_OGG_SOUND, beginning) is not None
        return ContainerHeader(cut=len(last) < 6 or not last[5] & _LAST_PAGE, measured=True, only_sound=only_sound)
    if beginning.startswith(_ASF) and _ASF_FILE in beginning:
        written = struct.unpack_from("<Q", beginning, beginning.index(_ASF_FILE) + 40)[0]
        return ContainerHeader(complete=0 < written <= size, cut=size < written)
    if beginning.startswith(b"FLV") and _FLV_SIZE in beginning:
        written = struct.unpack_from(">d", beginning, beginning.index(_FLV_SIZE) + len(_FLV_SIZE))[0]
        return ContainerHeader(complete=0 < written <= size, cut=size < written)
    if beginning.startswith((b"GIF8", b"\x89PNG")):
        return ContainerHeader(cut=not end.rstrip(b"\0\r\n ").endswith((b";", b"IEND\xaeB`\x82")))
    transport = re.match(rb"\x47.{187}\x47|.{4}\x47.{191}\x47", beginning, re.DOTALL)
    measured = beginning.startswith(b"\0\0\x01\xba") or transport is not None
    only_sound = beginning.startswith((b"fLaC", b"ID3"))
    return ContainerHeader(measured=measured, only_sound=only_sound, av1=beginning[:12].endswith(b"AV01"))


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
    only_sound = sound and all(handler != b"vide" for handler, _ in tracks)
    return replace(pictures, sound=sound, counted=True, only_sound=only_sound, av1=av1)


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
