"""What a Matroska or WebM file says of its tracks, of the length of its pictures, and whether its end is there."""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MARK = b"\x1aE\xdf\xa3"
# Elements by their ids, as https://www.matroska.org/technical/elements.html names them.
_SEGMENT, _SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = 0x18538067, 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_INFO, _TIMESTAMP_SCALE, _DURATION = 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _TRACK_ENTRY, _TRACK_UID, _TRACK_TYPE, _CODEC_ID = 0x1654AE6B, 0xAE, 0x73C5, 0x83, 0x86
_TAGS, _TAG, _TARGETS, _TAG_TRACK_UID, _SIMPLE_TAG, _TAG_NAME, _TAG_STRING = (
    0x1254C367, 0x7373, 0x63C0, 0x63C5, 0x67C8, 0x45A3, 0x4487,
)  # fmt: skip
_CLUSTER, _TIMESTAMP = 0x1F43B675, 0xE7
_PICTURES, _SOUND = 1, 2  # types of tracks
NANOSECONDS = 1e9
MOST_ELEMENTS = 10_000
MOST_BYTES = 1_000_000  # of an element that is read
# Of the end, in which the last cluster of a file is looked for that says no size, as of recordings that were killed.
END_BYTES = 32_000_000
MOST_ZEROS = 65_536  # bytes with which a whole file may end; a copy that was not finished may have more
_CLOCK = re.compile(rb"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True)
class MatroskaHeader:
    """What the file says.

    Attributes:
        codecs: of each track of pictures, as "V_AV1".
        sound: whether there is a track of sound.
        seconds: how long the pictures play; None where only the length of the longest track is said.
        cut: whether the file lacks its end.
    """

    codecs: tuple[bytes, ...]
    sound: bool
    seconds: float | None
    cut: bool


@dataclass(frozen=True)
class _Element:
    """An element by its id, the place of its content, and where that ends; infinity where that is not said."""

    kind: int
    start: int
    end: float


@dataclass(frozen=True)
class _Track:
    kind: int
    uid: int
    codec: bytes


def read_matroska_header(file: BinaryIO) -> MatroskaHeader:
    """Read what stands before the first cluster, and what the index of the file names.

    Raises:
        OSError, struct.error, IndexError, ValueError: it cannot be read or is damaged.
    """
    size = file.seek(0, os.SEEK_END)
    segment = next(element for element in _elements(file, 0, size) if element.kind == _SEGMENT)
    end = min(segment.end, size)
    head = list(_head(file, segment.start, end))
    index = [place for element in head if element.kind == _SEEK_HEAD for place in _index(file, element, segment.start)]
    found = [next(_elements(file, at, end), None) for kind, at in index if kind == _TAGS]
    tracks = [track for element in head if element.kind == _TRACKS for track in _tracks(file, element)]
    lengths = [seconds for element in (*head, *found) if element for seconds in _lengths(file, element, tracks)]
    begin = next((_begin(file, element, head) for element in head if element.kind == _CLUSTER), 0.0)
    seconds = min(lengths, default=0.0) - begin
    cut = (
        _lacks_its_end(file, size)
        if math.isinf(segment.end)
        else segment.end > size or any(not _is_there(file, at, size) for _, at in index)
    )
    pictures = tuple(track.codec for track in tracks if track.kind == _PICTURES)
    return MatroskaHeader(
        pictures, any(track.kind == _SOUND for track in tracks), seconds if seconds > 0 else None, cut
    )


def _head(file: BinaryIO, start: int, end: float) -> Iterator[_Element]:
    """Yield the elements of a segment up to its first cluster, which holds pictures or sound."""
    for element in _elements(file, start, end):
        yield element
        if element.kind == _CLUSTER:
            return


def _index(file: BinaryIO, seek_head: _Element, start: int) -> Iterator[tuple[int, int]]:
    """Yield the id of each element that the index of a segment names, and where it is."""
    for seek in _elements(file, seek_head.start, seek_head.end):
        inside = {inner.kind: _number(file, inner) for inner in _elements(file, seek.start, seek.end)}
        if seek.kind == _SEEK and _SEEK_ID in inside and _SEEK_POSITION in inside:
            yield inside[_SEEK_ID], start + inside[_SEEK_POSITION]


def _tracks(file: BinaryIO, tracks: _Element) -> Iterator[_Track]:
    for entry in _elements(file, tracks.start, tracks.end):
        if entry.kind == _TRACK_ENTRY:
            inside = {inner.kind: inner for inner in _elements(file, entry.start, entry.end)}
            kind, uid = (_number(file, inside[name]) if name in inside else 0 for name in (_TRACK_TYPE, _TRACK_UID))
            yield _Track(kind, uid, _bytes(file, inside[_CODEC_ID]) if _CODEC_ID in inside else b"")


def _lengths(file: BinaryIO, element: _Element, tracks: list[_Track]) -> Iterator[float]:
    """Yield the seconds that an element says the pictures last: those of the whole file where they are its only track.

    Tools that shorten a file may leave the former length of a track beside the new one.
    """
    if element.kind == _INFO and [track.kind for track in tracks] == [_PICTURES]:
        inside = {inner.kind: inner for inner in _elements(file, element.start, element.end)}
        if _DURATION in inside:
            content = _bytes(file, inside[_DURATION])
            yield struct.unpack(">f" if len(content) == 4 else ">d", content)[0] * _unit(file, inside)
    elif element.kind == _TAGS:
        pictures = {track.uid for track in tracks if track.kind == _PICTURES}
        for tag in _elements(file, element.start, element.end):
            inner = list(_elements(file, tag.start, tag.end))
            targets = [target for part in inner if part.kind == _TARGETS for target in _inside(file, part)]
            uids = {_number(file, target) for target in targets if target.kind == _TAG_TRACK_UID}
            parts = [part for part in inner if part.kind == _SIMPLE_TAG] if tag.kind == _TAG and uids & pictures else []
            for part in parts:
                text = {word.kind: _bytes(file, word) for word in _inside(file, part)}
                match = _CLOCK.match(text.get(_TAG_STRING, b"")) if text.get(_TAG_NAME) == b"DURATION" else None
                if match:
                    yield 3600 * int(match[1]) + 60 * int(match[2]) + float(match[3])


def _begin(file: BinaryIO, cluster: _Element, head: list[_Element]) -> float:
    """Return the seconds at which the first cluster begins: lengths count from zero, and frames from the first one."""
    inside = [inner for element in head if element.kind == _INFO for inner in _inside(file, element)]
    ticks = next((_number(file, inner) for inner in _inside(file, cluster) if inner.kind == _TIMESTAMP), 0)
    return ticks * _unit(file, {inner.kind: inner for inner in inside})


def _unit(file: BinaryIO, info: dict[int, _Element]) -> float:
    """Return the seconds of one unit of the times of a segment."""
    return (_number(file, info[_TIMESTAMP_SCALE]) if _TIMESTAMP_SCALE in info else 1_000_000) / NANOSECONDS


def _is_there(file: BinaryIO, at: int, size: int) -> bool:
    """Return whether there is an element where the index names one; a copy that was not finished may have zeros."""
    file.seek(min(at, size))
    return file.read(1) not in (b"", b"\0")


def _lacks_its_end(file: BinaryIO, size: int) -> bool:
    """Return whether a file, whose segment says no size, ends in the middle of an element; False where unknown."""
    begin = max(0, size - END_BYTES)
    file.seek(begin)
    content = file.read(END_BYTES)
    last = content.rfind(_CLUSTER.to_bytes(4, "big"))
    if last < 0 or content.endswith(bytes(MOST_ZEROS)):
        return last >= 0
    return any(element.end > size for element in _elements(file, begin + last, size, deep=True))


def _inside(file: BinaryIO, element: _Element) -> Iterator[_Element]:
    return _elements(file, element.start, element.end)


def _elements(file: BinaryIO, start: int, end: float, deep: bool = False) -> Iterator[_Element]:
    """Yield the elements of a part of a file; with `deep` also those in elements that say no size, as of clusters.

    The last one may end beyond the part.
    """
    at = float(start)
    for _ in range(MOST_ELEMENTS):
        if at >= end:
            return
        file.seek(int(at))
        head = file.read(12)
        length = 9 - head[0].bit_length()
        first = head[length : length + 1]
        if length > 4 or not first or not first[0]:
            return
        width = 9 - first[0].bit_length()
        value = int.from_bytes(head[length : length + width], "big") - (1 << 7 * width)
        begin = int(at) + length + width
        unknown = value == (1 << 7 * width) - 1
        yield _Element(int.from_bytes(head[:length], "big"), begin, math.inf if unknown else begin + value)
        at = begin if unknown and deep else math.inf if unknown else begin + value


def _number(file: BinaryIO, element: _Element) -> int:
    return int.from_bytes(_bytes(file, element)[:8], "big")


def _bytes(file: BinaryIO, element: _Element) -> bytes:
    file.seek(element.start)
    return file.read(int(min(element.end - element.start, MOST_BYTES)))
