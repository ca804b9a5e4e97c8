"""What a `filter.toml` says: its records, with the limits and the forms of their keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.core.records import Choice, Finite, Form, KeyPath, Mistake, Range, Rule, shown, suggestion, wrong_value
from engine.filters.points import LANDMARKS, NAMED_POINTS, mean_of

BlendMode = Literal["normal", "multiply", "screen", "add", "overlay"]
DrivenProperty = Literal["opacity", "scale", "scale_x", "scale_y", "offset_x", "offset_y", "turn"]
MOST_LAYERS = 32
# What a property may follow: signals of `FaceSignals`, and the mean of both eyes.
SIGNAL_NAMES = ("yaw", "pitch", "roll", "mouth", "eyes", "eye_right", "eye_left")

PLACE = "the name of a place on the face, a landmark from 0 to 67, or a list of these, whose middle is meant"
TWO_EYES = '["eye_right", "eye_left"]'


def _place(value: Any, path: KeyPath) -> NDArray[np.float32]:
    """Return the weights `[68]` of a place on the face."""
    if isinstance(value, list) and value:
        return np.mean([_place(part, path) for part in value], axis=0, dtype=np.float32)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LANDMARKS:
        return mean_of((value,))
    if isinstance(value, str) and value in NAMED_POINTS:
        return NAMED_POINTS[value]
    fix = "docs/filters.md lists the names; landmarks are counted as in iBUG-68"
    problem = f"“{path[-1]}” has {shown(value)}, which is no place on a face"
    raise Mistake(path, problem, f"{PLACE}, was expected", suggestion(value, tuple(NAMED_POINTS), fix))


def _two_places(value: Any, path: KeyPath) -> NDArray[np.float32]:
    """Return the weights `[2, 68]` of two places on the face."""
    if not isinstance(value, list) or len(value) != 2:
        raise wrong_value(path, value, "a list of two places on the face", TWO_EYES)
    first, second = (_place(end, path) for end in value)
    if np.array_equal(first, second):
        raise wrong_value(path, value, "two different places", TWO_EYES)
    return np.stack((first, second))


def _pair(meaning: str, example: str) -> Form:
    return Form(f"a list of two numbers, {meaning},", example)


def _file(suffix: str) -> Rule:
    """Return what the name of a file in the filter's own folder has to be."""
    return Rule(
        f"the name of a {suffix} file in the filter's own folder",
        lambda name: Path(name).name == name and "\\" not in name and Path(name).suffix.lower() == suffix,
    )


_Png = Annotated[str, _file(".png"), Form(example='"picture.png"')]
_Pts = Annotated[str, _file(".pts"), Form(example='"picture.pts"')]
_Python = Annotated[str, _file(".py"), Form(example='"picture.py"')]
_Pair = tuple[Finite, Finite]
_TwoPlaces = Annotated[NDArray[np.float32], Form("a list of two places on the face", TWO_EYES, read=_two_places)]
_DIFFERENT = Rule("two different values of the signal", lambda pair: not np.isclose(*pair))
_Degrees = Annotated[float, Range(1, 180)]


@dataclass(frozen=True)
class Measure:
    """A length on the face.

    Attributes:
        ends: weights `[2, 68]` of two places on the face.
        times: the length is so many times their distance.
    """

    ends: _TwoPlaces = field(metadata={"key": "between"})
    times: Annotated[float, Range(0.01, 100)] = 1.0


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """How an image is attached to a face: place, size and angle.

    Attributes:
        at: weights `[68]` of the place on the face for `pixel`.
        pixel: (x, y) in pixels of the image; None for its centre.
        width: width of the image on the face.
        height: its height; None keeps the proportions of the image.
        angle: weights `[2, 68]` of two places; the image's rows run along the line from the first to the second.
        turn: degrees by which it is turned further, clockwise.
        offset: (right, down) in widths of the image on the face, along the image's own axes.
    """

    at: Annotated[NDArray[np.float32], Form(PLACE, '"nose_tip"', read=_place)]
    pixel: Annotated[_Pair | None, _pair("x and y in the image", "[120, 80]")] = None
    width: Annotated[Measure, Form(example=f"{{ between = {TWO_EYES}, times = 2.0 }}", why="every image has a width")]
    height: Measure | None = None
    angle: _TwoPlaces = field(default_factory=lambda: _two_places(["eye_right", "eye_left"], ()))
    turn: Annotated[float, Range(-360, 360)] = 0.0
    offset: Annotated[_Pair, _pair("right and down in widths of the image", "[0.0, 0.1]")] = (0.0, 0.0)


@dataclass(frozen=True)
class MeshRule:
    """That an image is warped over the whole face.

    Attributes:
        landmarks: name of a `.pts` file with the 68 or 98 landmarks of the face that is painted on the image.
    """

    landmarks: _Pts


@dataclass(frozen=True)
class Visible:
    """When a layer is shown.

    Attributes:
        yaw, pitch, roll: degrees of the head beyond which, to both sides, it is hidden; None for no limit.
        fade: degrees before a limit over which it vanishes.
    """

    yaw: _Degrees | None = None
    pitch: _Degrees | None = None
    roll: _Degrees | None = None
    fade: Annotated[float, Range(0, 90)] = 10.0


@dataclass(frozen=True)
class Drive:
    """A property of a layer that follows a signal.

    Attributes:
        target: the property. `opacity` and scales are factors, `turn` is added in degrees, offsets in widths.
        by: name of the signal.
        start: two values of the signal, those at which `end` is reached; beyond them nothing changes any more.
        end: the two values of the property.
    """

    target: DrivenProperty = field(metadata={"key": "property"})
    by: Annotated[str, Choice(SIGNAL_NAMES)]
    start: Annotated[_Pair, _pair("of the signal", "[0.0, 1.0]"), _DIFFERENT] = field(metadata={"key": "from"})
    end: Annotated[_Pair, _pair("of the property", "[0.0, 1.0]")] = field(metadata={"key": "to"})


@dataclass(frozen=True)
class LayerSpec:
    """One image of a filter, attached to the face by either an anchor or a mesh.

    Attributes:
        image: name of the PNG.
        anchor: how it is attached to a place; None with a mesh.
        mesh: how it is warped over the face; None with an anchor.
        blend: how it mixes with the picture.
        opacity: in [0, 1].
        visible: when it is shown.
        drives: what follows a signal.
        line: where it begins in the file, counted from 1.
    """

    image: _Png
    anchor: Anchor | None = None
    mesh: MeshRule | None = None
    blend: BlendMode = "normal"
    opacity: Annotated[float, Range(0, 1)] = 1.0
    visible: Visible = Visible()
    drives: tuple[Drive, ...] = field(default=(), metadata={"key": "drive"})
    line: int = field(default=1, metadata={"key": None})

    def __post_init__(self) -> None:
        expected = "an image is either pinned to a place (anchor) or warped over the face (mesh)"
        if self.anchor is None and self.mesh is None:
            fix = f'write a line such as: anchor = {{ at = "nose_tip", width = {{ between = {TWO_EYES} }} }}'
            raise Mistake(("image",), "the layer has neither “anchor” nor “mesh”", expected, fix)
        if self.anchor is not None and self.mesh is not None:
            raise Mistake(("mesh",), "the layer has “anchor” and “mesh”", expected, "keep one of the two")
        for index, drive in enumerate(self.drives):
            if self.mesh is not None and drive.target != "opacity":
                path = ("drive", index, "property")
                raise wrong_value(path, drive.target, "“opacity”, as a mesh follows the face by itself,", '"opacity"')


@dataclass(frozen=True)
class FilterSpec:
    """A `filter.toml`.

    Attributes:
        title: for people; "" if not said.
        author, licence: of its pictures; "" if not said.
        hook: name of a Python file, "" for none.
        layers: from the lowest to the uppermost.
    """

    title: Annotated[str, Rule("a text in quotation marks", bool), Form(example='"My filter"')] = field(
        default="", metadata={"key": "name"}
    )
    author: Annotated[str, Form(example='"Your name"')] = ""
    licence: Annotated[str, Form(example='"CC0-1.0"')] = ""
    hook: _Python = ""
    layers: tuple[LayerSpec, ...] = field(default=(), metadata={"key": "layer"})

    def __post_init__(self) -> None:
        if len(self.layers) > MOST_LAYERS:
            problem, expected = f"there are {len(self.layers)} layers", f"at most {MOST_LAYERS} can be drawn live"
            raise Mistake(("layer",), problem, expected, "join some of the images")
        if not self.layers and not self.hook:
            raise Mistake((), "the filter draws nothing", "a filter has at least one layer", "begin one with [[layer]]")
