"""Listing cameras, and finding the one a user names."""

from __future__ import annotations

import itertools
import logging
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.core.errors import SourceError
from engine.core.platforms import camera_backends

log = logging.getLogger(__name__)

_NUMBER = re.compile(r" \(\d+\)$")  # the number that distinguishes cameras of one model


class CameraAbsent(SourceError):
    """No such camera is plugged in. Nothing was opened to find out, so polling is cheap."""


@dataclass(frozen=True)
class Camera:
    """A camera as the system lists it.

    Attributes:
        index: number of the camera among those of its backend.
        backend: OpenCV's number of the backend that listed it, `cv2.CAP_...`; an index means nothing without it.
        name: name for users; cameras of the same model are numbered, as in “HD Webcam (2)”.
        path: the system's own lasting name of the device, "" where it has none.
    """

    index: int
    backend: int
    name: str
    path: str


# The cameras of a backend, each with what `cv2_enumerate_cameras.CameraInfo` has.
Enumerate = Callable[[int], Iterable[Any]]


def list_cameras(backend: int | None = None, enumerate_cameras: Enumerate | None = None) -> list[Camera]:
    """List the cameras of a backend, sorted by number; an empty list if there is none or the system does not answer.

    The backend is given by OpenCV's number; None takes the system's best.
    """
    chosen = camera_backends()[0] if backend is None else backend
    try:
        listed = list((enumerate_cameras or _enumerate)(chosen))
    except Exception as error:  # noqa: BLE001  native code of three systems: any failure means no list
        log.warning("The cameras cannot be listed: %s", error)
        return []
    cameras = [Camera(info.index, info.backend, (info.name or "").strip() or f"Camera {info.index}", info.path or "")
               for info in listed]  # fmt: skip
    return _numbered(sorted(cameras, key=lambda camera: camera.index))


class CameraList:
    """The cameras that are plugged in, each under the same name as long as it stays plugged in.

    A second camera of the same model does not rename the first. Safe from any thread.
    """

    def __init__(self, enumerate_cameras: Callable[[], list[Camera]] = list_cameras) -> None:
        self._enumerate = enumerate_cameras
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}  # by path, of the cameras at the last refresh

    def __call__(self) -> list[Camera]:
        """List the cameras again, and return them."""
        with self._lock:
            cameras = self._enumerate()
            before = ((camera, self._names.get(camera.path)) for camera in cameras)
            kept = {camera.path: name for camera, name in before if name and _model(name) == _model(camera.name)}
            taken = set(kept.values())
            named = []
            for camera in cameras:
                name = kept.get(camera.path) or _free_name(camera.name, taken)
                taken.add(name)
                named.append(replace(camera, name=name))
            self._names = {camera.path: camera.name for camera in named if camera.path}
            return named


def _model(name: str) -> str:
    """Return a camera's name without the number that distinguishes it from others of its model."""
    return _NUMBER.sub("", name)


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that no other camera has: the same one, or that of the model with another number."""
    model = _model(name)
    numbered = (f"{model} ({number})" for number in itertools.count(2))
    candidates = numbered if model in taken else itertools.chain((name,), numbered)
    return next(candidate for candidate in candidates if candidate not in taken)


def find_camera(cameras: Sequence[Camera], wanted: str | int) -> Camera:
    """Return the camera that `wanted` means: its number, its path, its name, or a part of its name in any case.

    Raises:
        CameraAbsent: there is no such camera, or none at all.
        SourceError: several cameras have `wanted` in their name.
    """
    if not cameras:
        raise CameraAbsent(
            "No camera was found",
            "none is plugged in, or the system hides it from programs",
            "plug a camera in and allow its use in the privacy settings, or open a video or the sample instead",
        )
    text = str(wanted).strip()
    found = _matches(cameras, text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise CameraAbsent(
            f"There is no camera “{text}”",
            f"the cameras found are: {_listing(cameras)}",
            "plug it in, or choose one of these by number or name",
        )
    raise SourceError(
        f"“{text}” means more than one camera",
        f"these have it in their name: {_listing(found)}",
        "give the number or the whole name",
    )


def same_camera_elsewhere(camera: Camera, enumerate_cameras: Enumerate | None = None) -> list[Camera]:
    """Return the same device as the system's other backends list it, for when its own backend fails.

    A device is recognised by its name, so only names that are unique in the other backend count.
    """
    others = (list_cameras(backend, enumerate_cameras) for backend in camera_backends() if backend != camera.backend)
    return [other for cameras in others for other in cameras if other.name == camera.name]


def _enumerate(backend: int) -> Iterable[Any]:
    # Imported when needed: on some systems the package loads native frameworks, which may be missing.
    from cv2_enumerate_cameras import enumerate_cameras

    return enumerate_cameras(backend)


def _numbered(cameras: list[Camera]) -> list[Camera]:
    """Number the cameras of the same name by their path, which stays when others are plugged in or out."""
    numbered = []
    for camera in cameras:
        twins = sorted((twin.path, twin.index) for twin in cameras if twin.name == camera.name)
        number = twins.index((camera.path, camera.index)) + 1
        numbered.append(replace(camera, name=f"{camera.name} ({number})") if len(twins) > 1 else camera)
    return numbered


def _matches(cameras: Sequence[Camera], text: str) -> list[Camera]:
    """Return the cameras of the first rule that finds any: path, number, whole name, part of the name."""
    folded = text.casefold()
    rules: tuple[Callable[[Camera], bool], ...] = (
        lambda camera: camera.path == text != "",
        lambda camera: str(camera.index) == text,
        lambda camera: camera.name.casefold() == folded,
        lambda camera: folded != "" and folded in camera.name.casefold(),
    )
    for rule in rules:
        found = [camera for camera in cameras if rule(camera)]
        if found:
            return found
    return []


def _listing(cameras: Sequence[Camera]) -> str:
    return ", ".join(f"{camera.index} “{camera.name}”" for camera in cameras)
