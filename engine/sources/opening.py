"""Opening the source that a user names."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from pathlib import Path

from engine.core.addresses import SCHEMES, is_address, redacted
from engine.core.errors import SourceError
from engine.formats.images import PICTURE_SUFFIXES, plays
from engine.formats.signatures import VIDEO_SUFFIXES, FileKind, kind_of, no_decoder
from engine.sources.base import CameraFormat, Source
from engine.sources.camera import DEFAULT_FORMAT, CameraSource
from engine.sources.discovery import Camera, CameraAbsent, find_camera, list_cameras, same_camera_elsewhere
from engine.sources.network_camera import NetworkCamera
from engine.sources.pictures import PicturesSource
from engine.sources.sequence import SequenceSource, is_pattern
from engine.sources.video import VideoSource

SAMPLE = "sample"

# By the names of cameras, while the program runs.
BACKENDS_THAT_WORKED: dict[str, int] = {}


def _open_camera(camera: Camera, wanted: CameraFormat = DEFAULT_FORMAT) -> Source:
    return CameraSource(camera, wanted, fallbacks=same_camera_elsewhere(camera), known=BACKENDS_THAT_WORKED)


def open_source(
    spec: str | None,
    cameras: Callable[[], list[Camera]] = list_cameras,
    open_camera: Callable[[Camera, CameraFormat], Source] = _open_camera,
    format_of: Callable[[str], CameraFormat] = lambda _: DEFAULT_FORMAT,
) -> Source:
    """Open what `spec` names.

    Args:
        spec: “sample”, the path of a video, picture, folder or pack, numbered pictures as in `shot_%04d.png`, the
            number, path, name or part of the name of a camera, or the address of one in the network; None takes the
            first camera, or the sample if there is no camera. A file takes precedence over a camera of the same name.
        cameras: lists the cameras.
        open_camera: opens one of them.
        format_of: returns what a camera is asked for, by its name.

    Raises:
        SourceError: it does not exist, or cannot be opened; `CameraAbsent` if it can only be a camera.
        PackError: the path is a damaged pack.
    """
    text, found = (spec or "").strip(), cameras() if spec is None else []
    if text.casefold() == SAMPLE or (spec is None and not found):
        from engine.sources.sample import SampleSource  # imported when needed: cameras need no portrait

        return SampleSource()
    if is_address(text):
        return NetworkCamera(text, format_of(redacted(text)))
    if "://" in text:
        raise _other_address(text)
    # A name may begin or end with a space, so it is tried as it is first.
    for path in (Path(name).expanduser() for name in (spec or "", text) if text):
        if _is_folder(path):
            return PicturesSource(path)
        if os.path.isfile(path):  # noqa: PTH113  as in `_is_folder`
            return _open_file(path)
        if is_pattern(path):
            return SequenceSource(path)
    try:
        camera = found[0] if found else find_camera(cameras(), text)
    except CameraAbsent as absent:
        raise _unknown(text, absent) from absent
    return open_camera(camera, format_of(camera.name))


def _other_address(text: str) -> SourceError:
    kind = text.partition("://")[0]
    return SourceError(
        f"There is no file {redacted(text)}",
        f"it is an address of the kind {kind}, and only cameras are read from a network: {', '.join(SCHEMES)}",
        "save the video into a file first, or let another program offer it as a camera",
    )


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  Path raises for names too long and folders that may not be searched


def _open_file(path: Path) -> Source:
    ending = path.suffix.lower()
    try:
        kind = kind_of(path)
    except OSError:  # what opens it says so
        kind = FileKind.UNKNOWN
    if kind is FileKind.FOREIGN:
        raise SourceError(f"{path} cannot be shown", no_decoder(path), "save or export it as JPEG or PNG")
    if kind is FileKind.PICTURE or (kind is FileKind.UNKNOWN and ending in PICTURE_SUFFIXES):
        try:
            return VideoSource(path) if plays(path) else PicturesSource(path)
        except SourceError:
            return PicturesSource(path)
    return VideoSource(path)


def _unknown(text: str, absent: CameraAbsent) -> SourceError:
    """Return the error for a name that is neither a file nor a camera, as the kind that was probably meant."""
    if not text:
        return SourceError("No source was named", "the name is empty", f"give a file, a camera or “{SAMPLE}”")
    path = Path(text).expanduser()
    if foreign := _foreign(text, path):
        return foreign
    if _looks_like_path(text, path):
        return _missing(path)
    near = None if text.isdigit() else _near(path)
    if near is None and len(path.parts) == 1 and not path.suffix:
        return absent
    fix = f"perhaps the file {near} was meant" if near else absent.fix
    return CameraAbsent(f"There is no file and no camera “{text}”", absent.why, fix)


def _foreign(text: str, path: Path) -> SourceError | None:
    """Return the error for what other programs read and this one does not; None where it is nothing of that kind."""
    if text == "-":
        what, why = "Standard input cannot be shown", "only files, folders and cameras are read"
        return SourceError(what, why, "write it into a file first, and name that")
    if re.search(r"%|[*?]", path.name) and not os.path.lexists(path):
        what, why = f"There is no file {path}", "of patterns, only %d or %04d for one number is read"
        return SourceError(what, why, f"put them into a folder of their own, and name that, such as {path.parent}")
    is_video_device = text.startswith("/dev/video")  # of a camera that was not found
    if os.path.exists(path) and not os.path.isfile(path) and not is_video_device:  # noqa: PTH110, PTH113  as above
        what, why = f"{path} cannot be shown", "it is a pipe, a device or a socket, not a file"
        return SourceError(what, why, "write its content into a file first, and name that")
    return None


def _looks_like_path(text: str, path: Path) -> bool:
    """Return whether a name cannot be that of a camera; these have slashes and dots too, as in “IR/RGB Camera v1.0”."""
    in_folder = len(path.parts) > 1 and _is_folder(path.parent)
    has_ending = path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES
    return path.is_absolute() or text.startswith((".", "~")) or in_folder or has_ending or os.path.lexists(path)


def _missing(path: Path) -> SourceError:
    if os.path.islink(path):  # noqa: PTH114  as above
        return SourceError(
            f"{path} is a link to a file that is gone", "the file was moved or deleted", "restore the file"
        )
    what = f"There is no file {path}"
    if not _is_folder(path.parent):
        return SourceError(what, f"its folder {path.parent} does not exist", "check the path")
    near = _near(path)
    return SourceError(
        what, "it was moved, or its name is mistyped", f"perhaps {near} was meant" if near else "check the path"
    )


def _near(path: Path) -> Path | None:
    """Return the entry of the path's folder whose name is most like it, if one is."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return None
    close = difflib.get_close_matches(path.name, names, n=1)
    return path.with_name(close[0]) if close else None
