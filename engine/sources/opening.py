"""From what a user names to an opened source."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

from engine.errors import SourceError
from engine.pictures import PICTURE_SUFFIXES
from engine.sources.base import Source
from engine.sources.camera import CameraSource
from engine.sources.discovery import Camera, CameraAbsent, find_camera, list_cameras, same_camera_elsewhere
from engine.sources.pictures import PicturesSource
from engine.sources.video import VideoSource

SAMPLE = "sample"


def _open_camera(camera: Camera) -> Source:
    return CameraSource(camera, fallbacks=same_camera_elsewhere(camera))


def _open_sample() -> Source:
    # Imported when asked for: whoever opens a camera needs no portrait.
    from engine.sources.sample import SampleSource

    return SampleSource()


def open_source(
    spec: str | None,
    cameras: Callable[[], list[Camera]] = list_cameras,
    open_camera: Callable[[Camera], Source] = _open_camera,
) -> Source:
    """Open what `spec` names.

    Args:
        spec: “sample”, the path of a video, picture, folder or pack, or the number, path, name or part of the name of
            a camera; None takes the first camera, or the sample if there is no camera. A file beats a camera of the
            same name.
        cameras: lists the cameras.
        open_camera: opens one of them.

    Raises:
        SourceError: there is no such thing, or it cannot be opened; `CameraAbsent` if it can only be a camera.
        PackError: the path is a damaged pack.
    """
    if spec is None:
        found = cameras()
        return open_camera(found[0]) if found else _open_sample()
    text = spec.strip()
    if text.casefold() == SAMPLE:
        return _open_sample()
    path = Path(text).expanduser()
    # os.path answers where Path raises: names too long, folders that may not be searched.
    if text and os.path.isdir(path):
        return PicturesSource(path)
    if os.path.isfile(path):
        return PicturesSource(path) if path.suffix.lower() in PICTURE_SUFFIXES else VideoSource(path)
    try:
        camera = find_camera(cameras(), text)
    except CameraAbsent as absent:
        raise _unknown(text, path, absent) from absent
    return open_camera(camera)


def _unknown(text: str, path: Path, absent: CameraAbsent) -> SourceError:
    """Return the sentence for what is neither a file nor a camera, as the one that was probably meant."""
    if not text:
        return SourceError("No source was named", "the name is empty", f"give a file, a camera or “{SAMPLE}”")
    if _looks_like_path(text):
        return _missing(path)
    near = None if text.isdigit() else _near(path)
    if near is None:
        return absent
    return CameraAbsent(f"There is no file and no camera “{text}”", absent.why, f"perhaps the file {near} was meant")


def _looks_like_path(text: str) -> bool:
    """Tell whether a name has a folder in front or an ending."""
    return "/" in text or os.sep in text or os.path.lexists(text) or Path(text).suffix[1:].isalnum()


def _missing(path: Path) -> SourceError:
    if os.path.islink(path):
        return SourceError(
            f"{path} is a link to a file that is gone", "the file was moved or deleted", "restore the file"
        )
    what = f"There is no file {path}"
    if not os.path.isdir(path.parent):
        return SourceError(what, f"its folder {path.parent} does not exist", "check the path")
    near = _near(path)
    return SourceError(
        what, "it was moved, or its name is mistyped", f"perhaps {near} was meant" if near else "check the path"
    )


def _near(path: Path) -> Path | None:
    """Return the entry of the path's folder whose name is most like it, if one is."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return None
    close = difflib.get_close_matches(path.name, names, n=1)
    return path.with_name(close[0]) if close else None
