"""What a video's container says beside its pictures, where OpenCV does not tell: mirroring, lengths, cuts, sound."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from engine.core.files import open_regular
from engine.formats import matroska_header

MOST_BOX_BYTES = 1_000_000  # of a box that is read; those that are needed have some dozen
MOST_BOXES = 10_000
LONGEST_SECONDS = 7 * 86400.0  # headers that promise more are wrong
MILLISECOND = 0.001
SOUND_BYTES = 1_000_000  # of the beginning, in which tracks are announced
END_BYTES = 1_000_000  # more than a page of Ogg or a frame of FLV has
UNFINISHED_RIFF = 0xFFFFFFFF
_OGG_SOUND = rb"\x01vorbis|OpusHead|\x7fFLAC|Speex"
_LAST_PAGE = 4  # a flag of a page of Ogg
# A container of ASF (Windows Media), its object that says the file's size, and the name of that size in FLV.
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
MOST_FLV_TAG = 11 + (1 << 24)  # bytes
_FLV_SIZE = b"\0\x08filesize\0"
_MXF = bytes.fromhex("060e2b34020501010d01020101")


@dataclass(frozen=True)
class ContainerHeader:
    """What is said of the first track of pictures.

    Attributes:
        mirrored: whether its display matrix mirrors the picture, beside any turn.
        seconds: how long it plays, after the cuts of its edit list; None where only the longest track's length is said.
        trimmed: whether the edit list leaves some of it out.
        counted: whether the header counts its frames.
        as_stored: whether times are said only of frames in the order in which they are stored, as in AVI.
        cut: whether the file is known to lack its end.
        sound: whether there is a track of sound; None where unknown.
        only_sound: whether it is known to hold sound and no pictures.
        av1: whether a track is coded in AV1.
    """

    mirrored: bool = False
    seconds: float | None = None
    trimmed: bool = False
    counted: bool = False
    as_stored: bool = False
    cut: bool = False
    sound: bool | None = None
    only_sound: bool = False
    av1: bool = False


UNKNOWN = ContainerHeader()


def read_container_header(path: Path) -> ContainerHeader:
    """Read what a video's container says where OpenCV does not tell.

    Nothing is raised: of other, damaged and unreadable files nothing is known.
    """
    try:
        with open_regular(path) as file:
            head = file.read(8)
            if head[4:] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
                return _read_mp4(file)
            if head.startswith(matroska_header.MARK):
                return _read_matroska(file)
            beginning = head + (file.read(SOUND_BYTES) or b"")
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - END_BYTES))
            end = file.read(END_BYTES)
            header = _read_other(beginning, end, size)
            return replace(header, cut=header.cut or end.endswith(bytes(matroska_header.MOST_ZEROS)))
    except (OSError, struct.error, IndexError, ValueError, StopIteration):
        return UNKNOWN


def _read_matroska(file: BinaryIO) -> ContainerHeader:
    header = matroska_header.read_matroska_header(file)
    seconds = _plausible(header.seconds)
    only_sound, av1 = header.sound and not header.codecs, b"V_AV1" in header.codecs
    return ContainerHeader(seconds=seconds, cut=header.cut, sound=header.sound, only_sound=only_sound, av1=av1)


def _read_other(beginning: bytes, end: bytes, size: int) -> ContainerHeader:
    """Return what the first and last bytes of a file of `size` bytes say that is no MP4 and no Matroska file."""
    if beginning.startswith(b"RIFF"):
        sound = re.search(rb"strh.{4}auds", beginning, re.DOTALL) is not None
        seconds, only_sound = _plausible(_avi_seconds(beginning)), beginning[8:12] == b"WAVE"
        written = int.from_bytes(beginning[4:8], "little")  # of the first part; unknown while it is written
        cut = size < written + 8 and written != UNFINISHED_RIFF
        return ContainerHeader(seconds=seconds, as_stored=True, cut=cut, sound=sound, only_sound=only_sound)
    if beginning.startswith(b"OggS"):
        last = end[end.rfind(b"OggS") :]
        pieces = last[27 : 27 + last[26]] if len(last) > 26 else b""
        complete = bool(pieces and last[5] & _LAST_PAGE) and len(last) >= 27 + len(pieces) + sum(pieces)
        only_sound = re.search(rb"\x80theora|OVP80", beginning) is None and re.search(_OGG_SOUND, beginning) is not None
        return ContainerHeader(cut=not complete, only_sound=only_sound)
    if beginning.startswith(_ASF) and _ASF_FILE in beginning:
        return ContainerHeader(cut=size < struct.unpack_from("<Q", beginning, beginning.index(_ASF_FILE) + 40)[0])
    if beginning.startswith(b"FLV"):
        return ContainerHeader(cut=_flv_is_cut(beginning, end, size))
    if beginning.startswith((b"GIF8", b"\x89PNG")):
        return ContainerHeader(cut=not end.rstrip(b"\0\r\n ").endswith((b";", b"IEND\xaeB`\x82")))
    if beginning.startswith(_MXF):
        at = 17 + max(0, beginning[16] - 128) + 24  # behind the length of the first part: where the last part begins
        return ContainerHeader(cut=size <= struct.unpack_from(">Q", beginning, at)[0])
    only_sound, av1 = beginning.startswith((b"fLaC", b"ID3")), beginning[:12].endswith(b"AV01")
    return ContainerHeader(counted=beginning.startswith(b"DKIF"), only_sound=only_sound, av1=av1)


def _avi_seconds(beginning: bytes) -> float | None:
    """Return the seconds of the first stream of pictures of an AVI, with those of frames that are not stored."""
    header = re.search(rb"strh.{4}vids", beginning, re.DOTALL)
    scale, rate, _, length = struct.unpack_from("<4I", beginning, header.start() + 28) if header else (0, 0, 0, 0)
    return length * scale / rate if rate else None


def _flv_is_cut(beginning: bytes, end: bytes, size: int) -> bool:
    """Return whether an FLV is shorter than it says, or does not end with the size of its last tag."""
    if _FLV_SIZE in beginning:
        return size < struct.unpack_from(">d", beginning, beginning.index(_FLV_SIZE) + len(_FLV_SIZE))[0]
    length = int.from_bytes(end[-4:], "big")
    if length + 4 > len(end):
        return length > MOST_FLV_TAG or len(end) == size
    return int.from_bytes(end[-3 - length : -length], "big") + 11 != length


def _plausible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 < seconds <= LONGEST_SECONDS else None


def _read_mp4(file: BinaryIO) -> ContainerHeader:
    size = file.seek(0, os.SEEK_END)
    whole = list(_boxes(file, 0, size))
    movie = next((place for kind, *place in whole if kind == b"moov"), None)
    if movie is None:
        return UNKNOWN
    cut = any(end > size or kind == b"\0\0\0\0" for kind, _, end in whole)  # a copy that was not finished
    inside = list(_boxes(file, *movie))
    scale = next((_scale(_content(file, start, end))[0] for kind, start, end in inside if kind == b"mvhd"), 0)
    tracks = [_read_track(file, start, end, scale) for kind, start, end in inside if kind == b"trak"]
    pictures = next((track for handler, track in tracks if handler == b"vide"), UNKNOWN)
    sound, av1 = any(handler == b"soun" for handler, _ in tracks), b"av01" in _content(file, *movie)
    only_sound = sound and all(handler != b"vide" for handler, _ in tracks)
    counted = all(kind != b"mvex" for kind, *_ in inside)  # else frames are listed beside the pictures, in fragments
    return replace(pictures, counted=counted, cut=cut, sound=sound, only_sound=only_sound, av1=av1)


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
    seconds = _plausible(edited or whole)
    if seconds is None:
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
