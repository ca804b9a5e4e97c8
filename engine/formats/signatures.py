"""What kind of file a picture or video is by its first bytes, whatever its name says."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

from engine.core.files import open_regular

VIDEO_SUFFIXES = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".ts"}
# Those of videos that are JPEG pictures one after the other, without a container.
MJPEG_SUFFIXES = {".mjpeg", ".mjpg"}
# Picture formats that cannot be decoded here.
FOREIGN_SUFFIXES = {
    *(".heic", ".heif", ".jxl", ".svg", ".svgz", ".psd", ".pdf", ".exr"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw", ".orf", ".raf", ".rw2"),
}
HEAD_BYTES = 4096


class FileKind(Enum):
    """What a file holds, as far as its first bytes say."""

    PICTURE = "picture"  # that can be decoded here
    FOREIGN = "foreign"  # a picture or document that cannot be decoded here
    VIDEO = "video"
    PLAYLIST = "playlist"  # a text that names other files or hosts
    UNKNOWN = "unknown"


TIFF = (b"II*\0", b"MM\0*")
_PICTURE = (
    rb"\xff\xd8\xff|\x89PNG|BM.{4}\0{4}|GIF8[79]a|RIFF.{4}WEBP|II\*\0|MM\0\*|\0{3}\x0cjP  |\xff\x4f\xff\x51"
    rb"|P[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s"
)
_FOREIGN = (
    rb".{4}ftyp(?:hei[cmsx]|hev[cmx]|mif1|msf1|crx )|\xff\x0a|\0{3}\x0cJXL |8BPS|%PDF|\x76\x2f\x31\x01"
    rb"|II\*\0.{4}CR|FUJIFILMCCD|IIR[OS]|MMOR|IIU\0|\s*(?:<\?xml[^>]*>\s*)?(?:<!.*?>\s*)*<svg"
)
_VIDEO = (
    rb".{4}(?:ftyp|moov|mdat|moof|wide|free|skip|pnot)|\x1aE\xdf\xa3|RIFF.{4}AVI |\0\0\x01[\xb0-\xbf]|FLV\x01"
    rb"|0&\xb2u\x8ef\xcf\x11|OggS|\x47.{187}\x47|.{4}\x47.{191}\x47|\x1f\x07\0|\x06\x0e\x2b\x34|DKIF|\.RMF|ID3"
)
# FFmpeg takes a text for a playlist by its beginning, for a session by one of its lines, and for others by a word.
_PLAYLIST = rb"(?i:\s*(?:#EXTM3U|ffconcat|\[playlist\]|<asx|<smil)|.*?(?:<MPD|CompositionPlaylist|(?-s:^c=IN IP)))"


def kind_of(path: Path) -> FileKind:
    """Return what a file holds by its first bytes; by its ending only where these do not say it.

    They say nothing, or hide a raw picture, or begin a picture after which others follow.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as stream:
        head = stream.read(HEAD_BYTES) or b""
    kind = kind_of_bytes(head)
    if head.startswith(b"\xff\xd8") and path.suffix.lower() in MJPEG_SUFFIXES:
        return FileKind.VIDEO
    unsure = kind is FileKind.UNKNOWN or head.startswith(TIFF)
    return FileKind.FOREIGN if unsure and path.suffix.lower() in FOREIGN_SUFFIXES else kind


def no_decoder(path: Path) -> str:
    """Return why a file of the kind `FOREIGN` cannot be decoded."""
    ending = path.suffix.lower()
    named = f"{ending[1:].upper()} files need" if ending in FOREIGN_SUFFIXES else "by its first bytes it needs"
    return f"{named} a decoder that is not included"


def kind_of_bytes(head: bytes) -> FileKind:
    """Return what a file holds whose first bytes, at most `HEAD_BYTES`, are `head`."""
    if re.match(rb".{4}ftyp", head, re.DOTALL) and re.search(rb"avi[fs]", head[8:64]):
        return FileKind.PICTURE  # AVIF; other pictures of this family need decoders that are not included
    text = head.removeprefix(b"\xef\xbb\xbf").partition(b"\0")[0]
    if re.match(_PLAYLIST, text, re.DOTALL | re.MULTILINE):
        return FileKind.PLAYLIST
    # Foreign ones before pictures: some raw formats are TIFF files with a further mark.
    kinds = {FileKind.FOREIGN: _FOREIGN, FileKind.PICTURE: _PICTURE, FileKind.VIDEO: _VIDEO}
    return next((kind for kind, mark in kinds.items() if re.match(mark, head, re.DOTALL)), FileKind.UNKNOWN)
