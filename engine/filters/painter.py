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

from engine.core.face_signals import FaceSignals, HeadPose
from engine.core.faces import Face
from engine.filters.hook import Hook
from engine.filters.images import LayerImage
from engine.filters.mesh import Mesh, mesh_ink
from engine.filters.placing import Driven, anchor_matrix, mirrored_ink, pinned_ink
from engine.filters.spec import BlendMode, Drive, FilterSpec, LayerSpec, Visible

FAINTEST = 1 / 255
# Of a face that looks straight into the camera, eyes open and mouth closed.
NEUTRAL = FaceSignals(0, HeadPose(0.0, 0.0, 0.0, 1.0, np.zeros((4, 2), np.float32), np.eye(3)), 1.0, 1.0, 0, 0.0)


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
        signals: Sequence[FaceSignals | None] = (),
        mirrored: bool = False,
        seconds: float | None = None,
    ) -> None:
        """Draw the filter on every face, in place; for the arguments see `engine.render.scene.Paint`.

        Images are fixed to the face, so a mirrored picture mirrors them with it. Faces without the 68 landmarks are
        left out; those without signals count as looking straight ahead. `seconds` is the time for the hook, for
        animation; None for that of a monotonic clock.
        """
        seconds = time.monotonic() if seconds is None else seconds
        # Larger faces are nearer: they come last.
        for face, its_signals in reversed(list(zip_longest(faces, signals[: len(faces)]))):
            if not face.scheme.has_68 or not np.isfinite(points := face.as_68()).all():
                continue
            known = NEUTRAL if its_signals is None else its_signals
            for layer in self.layers:
                _draw_layer(layer, picture, points, known, mirrored)
            if self.hook is not None and self.hook.error is None:
                _run_hook(self.hook, picture, points, known, mirrored, seconds)


def signal_value(signals: FaceSignals, name: str) -> float:
    """Return the signal of that name out of `SIGNAL_NAMES`; that of the neutral face where it is unknown (NaN)."""
    if name == "eyes":
        return (signal_value(signals, "eye_right") + signal_value(signals, "eye_left")) / 2
    value = getattr(signals, name)
    return float(value if np.isfinite(value) else getattr(NEUTRAL, name))


def visibility(visible: Visible, signals: FaceSignals) -> float:
    """Return in [0, 1] how much of a layer is shown."""
    shown = 1.0
    for name, limit in (("yaw", visible.yaw), ("pitch", visible.pitch), ("roll", visible.roll)):
        if limit is None:
            continue
        over = limit - abs(signal_value(signals, name))
        shown = min(shown, over / visible.fade if visible.fade else float(over > 0))
    return max(shown, 0.0)


def driven_values(drives: Sequence[Drive], signals: FaceSignals) -> Driven:
    """Return the properties that follow signals; several drives of a factor multiply, others add up."""
    values: Driven = {}
    for drive in drives:
        share = (signal_value(signals, drive.by) - drive.start[0]) / (drive.start[1] - drive.start[0])
        value = drive.end[0] + (drive.end[1] - drive.end[0]) * min(max(share, 0.0), 1.0)
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
    layer: LoadedLayer, picture: NDArray[np.uint8], points: NDArray[np.float32], signals: FaceSignals, mirrored: bool
) -> None:
    spec = layer.spec
    driven = driven_values(spec.drives, signals)
    opacity = spec.opacity * visibility(spec.visible, signals) * min(max(driven.get("opacity", 1.0), 0.0), 1.0)
    if opacity < FAINTEST:
        return
    if layer.mesh is not None:
        ink = mesh_ink(layer.image, layer.mesh, points, picture)
    else:
        assert spec.anchor is not None
        ink = pinned_ink(layer.image, anchor_matrix(spec.anchor, points, layer.image, driven), picture)
    if ink is None:
        return
    if mirrored:
        ink = mirrored_ink(ink, picture.shape[1])
    if opacity < 1:
        cv2.convertScaleAbs(ink.pixels, dst=ink.pixels, alpha=opacity)
    region = ink.region
    blend(picture[region.y0 : region.y1, region.x0 : region.x1], ink.pixels, spec.blend)


def _run_hook(
    hook: Hook,
    picture: NDArray[np.uint8],
    points: NDArray[np.float32],
    signals: FaceSignals,
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
        return
    if canvas is not picture:
        picture[:] = canvas
    picture[..., 3] = 255  # OpenCV writes 0 where a colour has three numbers
