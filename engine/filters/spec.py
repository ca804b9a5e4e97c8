"""A filter as it is written down in its `filter.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

BlendMode = Literal["normal", "multiply", "screen", "add", "overlay"]
DrivenProperty = Literal["opacity", "scale", "scale_x", "scale_y", "offset_x", "offset_y", "turn"]
BLEND_MODES: tuple[str, ...] = get_args(BlendMode)
DRIVEN_PROPERTIES: tuple[str, ...] = get_args(DrivenProperty)


@dataclass(frozen=True)
class Measure:
    """A length on the face.

    Attributes:
        ends: weights `[2, 68]` of two places on the face.
        times: the length is so many times their distance.
    """

    ends: NDArray[np.float32]
    times: float


@dataclass(frozen=True)
class Anchor:
    """How an image is pinned to a face: place, size and angle.

    Attributes:
        at: weights `[68]` of the place on the face where `pixel` comes to lie.
        pixel: (x, y) in pixels of the image; None for its centre.
        width: width of the image on the face.
        height: its height; None keeps the proportions of the image.
        angle: weights `[2, 68]` of two places; the image's rows run along the line from the first to the second.
        turn: degrees by which it is turned further, clockwise.
        offset: (right, down) in widths of the image on the face, along the image's own axes.
    """

    at: NDArray[np.float32]
    pixel: tuple[float, float] | None
    width: Measure
    height: Measure | None
    angle: NDArray[np.float32]
    turn: float
    offset: tuple[float, float]


@dataclass(frozen=True)
class MeshRule:
    """That an image is warped over the whole face.

    Attributes:
        landmarks: name of a `.pts` file with the 68 or 98 landmarks of the face that is painted on the image.
    """

    landmarks: str


@dataclass(frozen=True)
class Visible:
    """When a layer is shown.

    Attributes:
        limits: degrees by signal (yaw, pitch, roll) beyond which, to both sides, it is hidden.
        fade: degrees before a limit over which it vanishes.
    """

    limits: tuple[tuple[str, float], ...] = ()
    fade: float = 10.0


@dataclass(frozen=True)
class Drive:
    """A property of a layer that follows a signal.

    Attributes:
        target: the property. `opacity` and scales are factors, `turn` is added in degrees, offsets in widths.
        by: name of the signal.
        start: two values of the signal, those at which `end` is reached; beyond them nothing changes any more.
        end: the two values of the property.
    """

    target: DrivenProperty
    by: str
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class LayerSpec:
    """One image of a filter.

    Attributes:
        image: name of the PNG.
        placing: how it lies on the face.
        blend: how it mixes with the picture.
        opacity: in [0, 1].
        visible: when it is shown.
        drives: what follows a signal.
        line: where it begins in the file, counted from 1.
    """

    image: str
    placing: Anchor | MeshRule
    blend: BlendMode
    opacity: float
    visible: Visible
    drives: tuple[Drive, ...]
    line: int


@dataclass(frozen=True)
class FilterSpec:
    """A `filter.toml`.

    Attributes:
        title: for people.
        author, licence: of its pictures; "" if not said.
        layers: from the lowest to the uppermost.
        hook: name of a Python file, "" for none.
        hook_line: where that is said, counted from 1.
    """

    title: str
    author: str
    licence: str
    layers: tuple[LayerSpec, ...]
    hook: str
    hook_line: int
