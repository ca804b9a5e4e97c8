"""A loaded filter, and how it is drawn on the faces of a picture."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face
from engine.filters.hook import Hook
from engine.filters.images import LayerImage
from engine.filters.mesh import Mesh, mesh_ink
from engine.filters.placing import Driven, Ink, anchor_matrix, mirrored_ink, pinned_ink
from engine.filters.points import landmarks_68
from engine.filters.signals import NEUTRAL, Signals, ramp, signal_value
from engine.filters.spec import BlendMode, Drive, FilterSpec, LayerSpec, Visible

FAINTEST = 1 / 255


@dataclass(frozen=True)
class LoadedLayer:
    """A layer with its image and its mesh; None where it has an anchor."""

    spec: LayerSpec
    image: LayerImage
    mesh: Mesh | None


@dataclass(frozen=True, eq=False)
class Filter:
    """A filter that is ready to be drawn. It never changes, and equals only itself.

    Its layers go from the lowest to the uppermost; its hook is None if it has none, or may not run it.
    """

    folder: Path
    spec: FilterSpec
    layers: tuple[LoadedLayer, ...]
    hook: Hook | None

    def paint(
        self,
        picture: NDArray[np.uint8],
        faces: Sequence[Face],
        signals: Sequence[Signals | None] = (),
        mirrored: bool = False,
    ) -> None:
        """Draw the filter on a picture as `draw_filter` does; its hook gets the time of a monotonic clock."""
        draw_filter(self, picture, faces, signals, mirrored, time.monotonic())


def draw_filter(
    loaded: Filter,
    picture: NDArray[np.uint8],
    faces: Sequence[Face],
    signals: Sequence[Signals | None] = (),
    mirrored: bool = False,
    seconds: float = 0.0,
) -> None:
    """Draw a filter on every face, in place.

    Images are fixed to the face, so a mirrored picture mirrors them with it.

    Args:
        loaded: the filter.
        picture: `[H, W, 4]` uint8 BGRA with alpha 255, or `[H, W, 3]` uint8 RGB.
        faces: largest first, in pixels of the unmirrored picture; those without the 68 landmarks are left out.
        signals: of each face in the same order; where there are none, it counts as looking straight ahead.
        mirrored: whether `picture` is mirrored.
        seconds: time for the hook, for animation.
    """
    # Larger faces are nearer: they come last.
    for face, its_signals in reversed(list(zip_longest(faces, signals[: len(faces)]))):
        points = landmarks_68(face)
        if points is None:
            continue
        known = NEUTRAL if its_signals is None else its_signals
        for layer in loaded.layers:
            _draw_layer(layer, picture, points, known, mirrored)
        if loaded.hook is not None and loaded.hook.error is None:
            _run_hook(loaded.hook, picture, points, known, mirrored, seconds)


def visibility(visible: Visible, signals: Signals) -> float:
    """Return in [0, 1] how much of a layer is shown."""
    shown = 1.0
    for name, limit in visible.limits:
        over = limit - abs(signal_value(signals, name))
        shown = min(shown, over / visible.fade if visible.fade else float(over > 0))
    return max(shown, 0.0)


def driven_values(drives: Sequence[Drive], signals: Signals) -> Driven:
    """Return the properties that follow signals; several drives of a factor multiply, others add up."""
    values: Driven = {}
    for drive in drives:
        value = ramp(signal_value(signals, drive.by), drive.start, drive.end)
        before = values.get(drive.target)
        if before is None:
            values[drive.target] = value
        elif drive.target == "turn" or drive.target.startswith("offset"):
            values[drive.target] = before + value
        else:
            values[drive.target] = before * value
    return values


def blend(picture: NDArray[np.uint8], ink: NDArray[np.uint8], mode: BlendMode) -> None:
    """Mix ink into a picture, in place, on bytes.

    With Cb of the picture, Cs and alpha a of the ink, all in [0, 1], the result is (1 - a) Cb + a B(Cb, Cs), where B is
    Cs (normal), Cb Cs (multiply), Cb + Cs - Cb Cs (screen), and 2 Cb Cs below Cb = 0.5, 1 - 2 (1 - Cb) (1 - Cs) above
    it (overlay); source: W3C, Compositing and Blending Level 1. Add is Cb + a Cs, cut at 1, as light adds to light.

    Args:
        picture: `[h, w, 4]` uint8 BGRA with alpha 255, which stays so, or `[h, w, 3]` uint8 RGB.
        ink: premultiplied `[h, w, 4]` uint8 BGRA.
        mode: how.
    """
    channels = picture.shape[2]
    alpha = cv2.merge([cv2.extractChannel(ink, 3)] * channels)
    colours = ink if channels == 4 else cv2.cvtColor(ink, cv2.COLOR_BGRA2RGB)
    if mode == "add":
        cv2.add(picture, colours, dst=picture)
    elif mode == "screen":
        light = cv2.bitwise_not(picture)
        cv2.add(picture, cv2.multiply(light, colours, dst=light, scale=1 / 255), dst=picture)
    elif mode == "multiply":
        rest = cv2.bitwise_not(alpha, dst=alpha)
        cv2.multiply(picture, cv2.add(rest, colours, dst=rest), dst=picture, scale=1 / 255)
    elif mode == "overlay":
        _overlay(picture, colours, alpha)
    else:
        cv2.multiply(picture, cv2.bitwise_not(alpha, dst=alpha), dst=picture, scale=1 / 255)
        cv2.add(picture, colours, dst=picture)


def _overlay(picture: NDArray[np.uint8], colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> None:
    rest = cv2.multiply(picture, cv2.bitwise_not(alpha), scale=1 / 255)
    dark = cv2.add(rest, cv2.multiply(picture, colours, scale=2 / 255))
    taken = cv2.multiply(cv2.bitwise_not(picture), cv2.subtract(alpha, colours), scale=2 / 255)
    light = cv2.subtract(cv2.add(rest, alpha), taken)
    np.copyto(dark, light, where=picture > 127)
    picture[:] = dark


def _draw_layer(
    layer: LoadedLayer, picture: NDArray[np.uint8], points: NDArray[np.float32], signals: Signals, mirrored: bool
) -> None:
    spec = layer.spec
    driven = driven_values(spec.drives, signals)
    opacity = spec.opacity * visibility(spec.visible, signals) * min(max(driven.get("opacity", 1.0), 0.0), 1.0)
    if opacity < FAINTEST:
        return
    ink = _ink(layer, picture, points, driven)
    if ink is None:
        return
    if mirrored:
        ink = mirrored_ink(ink, picture.shape[1])
    if opacity < 1:
        cv2.convertScaleAbs(ink.pixels, dst=ink.pixels, alpha=opacity)
    region = ink.region
    blend(picture[region.y0 : region.y1, region.x0 : region.x1], ink.pixels, spec.blend)


def _ink(layer: LoadedLayer, picture: NDArray[np.uint8], points: NDArray[np.float32], driven: Driven) -> Ink | None:
    if layer.mesh is not None:
        return mesh_ink(layer.image, layer.mesh, points, picture)
    assert layer.spec.anchor is not None
    return pinned_ink(layer.image, anchor_matrix(layer.spec.anchor, points, layer.image, driven), picture)


def _run_hook(
    hook: Hook,
    picture: NDArray[np.uint8],
    points: NDArray[np.float32],
    signals: Signals,
    mirrored: bool,
    seconds: float,
) -> None:
    """Let a hook draw on a BGRA picture that is not mirrored, whatever the picture is."""
    canvas = picture if picture.shape[2] == 4 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGRA)
    canvas = cv2.flip(canvas, 1) if mirrored else np.ascontiguousarray(canvas)
    hook(canvas, points, signals, seconds)
    if mirrored:
        canvas = cv2.flip(canvas, 1)
    if picture.shape[2] == 3:
        cv2.cvtColor(canvas, cv2.COLOR_BGRA2RGB, dst=picture)
    elif canvas is not picture:
        picture[:] = canvas
        picture[..., 3] = 255
