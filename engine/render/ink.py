"""The ink of the overlay: everything that is drawn of a result, on layers to be laid over its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.face_signals import FaceSignals
from engine.core.faces import Face, Result
from engine.core.frame import Frame
from engine.core.geometry import Box, landmark_box
from engine.core.pairing import paired
from engine.core.schemes import Scheme
from engine.render.canvas import Canvas
from engine.render.difference import Difference
from engine.render.layer import Layer, Region
from engine.render.palette import LANES, PARTS, TEXT, TRUTH, WHITE, Colour, mixed
from engine.render.scene import Layout, Look, OverlayOptions
from engine.render.text import EM_PER_CAPITAL, TextPainter

# The usual measures of ink, in pixels; `Canvas.ink_scale` says by what they are multiplied.
LINE_WIDTH = 0.8
DOT_RADIUS = 1.5
RING_RADIUS, RING_WIDTH = 3.0, 0.9
LINE_ALPHA = 0.85
POSE_WIDTH = 1.5  # of an axis, in widths of a line
# To the person's left, up, and forwards, as in `HeadPose.axes`. The axes differ in lightness too, and the one that
# leads forwards has a dot at its end: on a face that looks into the camera nothing else of it is visible.
AXIS_COLOURS = (PARTS["eye"], PARTS["lip"], TEXT)
AXIS_ALPHA = 0.95
AXIS_DOT = 1.6  # radius, in widths of the line
HALO = 0.4  # alpha of the dark edge around ink
DOT_WHITENESS = 0.7
# Confidence at or below which a point counts as hidden, and above which it is drawn in full.
HIDDEN, SEEN = 0.3, 0.7
HIDDEN_ALPHA = 0.35
BOX_MARGIN = 0.06  # of the box's larger side
LABEL_PADDING = 0.5  # em
WIDEST_LABEL = 1.4  # box widths: wider ones are left out, or small faces would vanish behind words
INDEX_GAP = 2.0  # pixels between an index and the dot
BRACKET = 0.16  # length of the box's corners, of its smaller side


class Ink:
    """What is drawn of a result, on layers to be laid one over the other; they are kept from one use to the next.

    Attributes:
        canvas: for which it was drawn; None before that.
    """

    def __init__(self) -> None:
        self.canvas: Canvas | None = None
        self._layers: list[Layer] = []
        self._used = 0

    @property
    def layers(self) -> list[Layer]:
        """The layers, the lowest first."""
        return self._layers[: self._used]

    def clear(self, canvas: Canvas | None = None) -> None:
        """Begin with no layer."""
        self.canvas, self._used = canvas, 0

    def add_layer(self, region: Region) -> Layer:
        """Return an empty layer for a region, above the others."""
        if self._used == len(self._layers):
            self._layers.append(Layer())
        layer = self._layers[self._used]
        self._used += 1
        layer.clear(region)
        return layer

    def lay(self, picture: NDArray[np.uint8]) -> None:
        """Blend it over a picture `[H, W, 4]` uint8 BGRA of the canvas's size, in place."""
        for layer in self.layers:
            layer.lay(picture)


class InkPainter:
    """Draws what was found on a frame. Each thread needs its own.

    Args:
        painter: writes the texts.
    """

    def __init__(self, painter: TextPainter | None = None) -> None:
        self._painter = painter or TextPainter()

    def draw(
        self,
        ink: Ink,
        canvas: Canvas,
        result: Result,
        look: Look,
        signals: Sequence[FaceSignals | None] = (),
        other: Result | None = None,
    ) -> None:
        """Draw a result.

        Args:
            ink: what is drawn replaces what it held.
            canvas: what it will be laid on; it shows the result's frame.
            result: what was found on the frame.
            look: how it is drawn.
            signals: of each of the result's faces; empty, or None for a face, where there are none.
            other: the other lane's result, of this frame or of one shortly before, for comparison.
        """
        ink.clear(canvas)
        options, truth = look.options, drawn_truth(result.frame, look.options)
        if truth is not None:
            truth = canvas.places(truth, look.mirrored)
        faces, others = _faces(result, look, canvas), () if other is None else _faces(other, look, canvas)
        if look.layout is Layout.DIFFERENCE and other is not None:
            self._draw_differences(ink, faces, others, look, canvas)
            faces = ()
        if options.pose:
            self._draw_poses(ink, result.faces, signals, look.mirrored, canvas)
        overlaid = look.layout is Layout.OVERLAID and other is not None
        mine, theirs = (LANES[lane] for lane in look.pair)
        # The truth is mostly on the largest face, the first: one layer for both saves time.
        for face, its_truth in zip_longest(faces, () if truth is None else (truth,)):
            self._draw_face(ink, face, its_truth, options, canvas, mine if overlaid else None)
        for face in others if overlaid else ():
            self._draw_face(ink, face, None, replace(options, box=False, indices=False), canvas, theirs)

    def _draw_poses(
        self,
        ink: Ink,
        faces: Sequence[Face],
        signals: Sequence[FaceSignals | None],
        mirrored: bool,
        canvas: Canvas,
    ) -> None:
        """Draw the axes of each head whose pose is known."""
        for face, its in zip(faces, signals, strict=False):
            if its is None or its.pose is None:
                continue
            axes = canvas.places(its.pose.axes, mirrored)
            width = line_width(POSE_WIDTH * canvas.ink_scale(canvas.box(face.box)))
            layer = ink.add_layer(canvas.around(landmark_box(axes), 4 * width + 4))
            draw_pose(layer, axes, width)
            layer.edge(HALO, width)

    def _draw_differences(
        self, ink: Ink, faces: tuple[Face, ...], others: tuple[Face, ...], look: Look, canvas: Canvas
    ) -> None:
        """Draw how the faces that both lanes found differ, each pair through one layer; indices are the first's."""
        em = canvas.index_size
        for face, other in paired(faces, others):
            difference = Difference(face, other, look.magnification)
            box = landmark_box(np.concatenate([difference.reach(), face.landmarks]))
            scale = canvas.ink_scale(face.box)
            margin = (RING_RADIUS + RING_WIDTH) * scale + 2 + 3 * em * look.options.indices
            layer = ink.add_layer(canvas.around(box, margin))
            if look.options.indices:
                self._draw_indices(layer, face, em, index_reach(scale, canvas), drawing_plan(face.scheme))
            difference.draw(layer, line_width(scale), DOT_RADIUS * scale)
            layer.edge(HALO, line_width(scale))

    def _draw_face(
        self,
        ink: Ink,
        face: Face | None,
        truth: NDArray[np.float32] | None,
        options: OverlayOptions,
        canvas: Canvas,
        colour: Colour | None = None,
    ) -> None:
        """Draw a face, a truth, or both, through one layer; the face in the colours of its parts, or in one."""
        inked: list[NDArray[np.floating]] = [] if face is None else [face.landmarks]
        if truth is not None:
            inked.append(truth)
        around = landmark_box(inked[0])
        scale, label = canvas.ink_scale(around), None
        if face is not None and options.box:
            box = frame_of(face)
            inked.append(np.array(((box.x0, box.y0), (box.x1, box.y1))))
            label = self._place_label(face, canvas)
        if label is not None:
            inked.append(np.array(((label.plate.x0, label.plate.y0), (label.plate.x1, label.plate.y1))))
        em = canvas.index_size
        margin = (RING_RADIUS + RING_WIDTH) * scale + 2 + 3 * em * options.indices
        around = around if len(inked) == 1 else landmark_box(np.concatenate(inked))
        layer = ink.add_layer(canvas.around(around, margin))
        if face is not None:
            plan = drawing_plan(face.scheme, colour)
            if options.indices:
                self._draw_indices(layer, face, em, index_reach(scale, canvas), plan)
            draw_landmarks(layer, face, options, scale, plan)
        if label is not None:
            self._draw_label(layer, label)
        if truth is not None:
            layer.rings(truth, RING_RADIUS * scale, RING_WIDTH * scale, TRUTH)
        layer.edge(HALO, line_width(scale))

    def _draw_indices(self, layer: Layer, face: Face, em: float, reach: float, plan: DrawingPlan) -> None:
        """Write the index of each landmark `reach` pixels beside it; before other ink, as it fades what is there."""
        pixels, capital = layer.pixels, em / EM_PER_CAPITAL
        if not pixels.size:
            return
        wide = self._painter.width("0", em) * np.array([len(text) for text in plan.indices])
        away = outwards(face.landmarks, plan)
        room = np.abs(away) * np.stack((wide, np.full_like(wide, capital)), axis=1) / 2
        places = face.landmarks + away * (reach + room.sum(1, keepdims=True)) + (0, capital / 2)
        seen = face.confidence > (HIDDEN + SEEN) / 2
        for clear in (False, True):
            for index in np.flatnonzero(seen == clear):
                place = layer.local(*places[index])
                self._painter.draw(pixels, plan.indices[index], place, em, plan.inks[index], "centre")
            if not clear and not seen.all():
                cv2.convertScaleAbs(pixels, dst=pixels, alpha=HIDDEN_ALPHA)

    def _place_label(self, face: Face, canvas: Canvas) -> Label | None:
        """Place id and score below the box, or above it where there is no room below; None if they are too wide."""
        width, height = canvas.width, canvas.height
        box, size, text = frame_of(face), canvas.label_size, f"Face {face.id}   score {face.score:.2f}"
        wide = round(self._painter.width(text, size) + 2 * LABEL_PADDING * size)
        tall = round(size / EM_PER_CAPITAL) + 2 * round(LABEL_PADDING * size)
        if wide > min(WIDEST_LABEL * box.width, width):
            return None
        gap = round(LABEL_PADDING * size)
        x = round(max(0, min(box.x0, width - wide)))
        below, above = round(min(box.y1, height)) + gap, round(max(box.y0, 0)) - gap - tall
        y = below if below + tall <= height else max(0, above)
        return Label(text, size, Region(x, y, x + wide, y + tall))

    def _draw_label(self, layer: Layer, label: Label) -> None:
        plate, padding = label.plate, round(LABEL_PADDING * label.size)
        layer.plate(plate, padding)
        start = layer.local(plate.x0 + LABEL_PADDING * label.size, plate.y1 - padding)
        self._painter.draw(layer.pixels, label.text, start, label.size, TEXT)


def draw_landmarks(layer: Layer, face: Face, options: OverlayOptions, scale: float, plan: DrawingPlan) -> None:
    """Draw the landmarks, contours and corners of a face on a layer that was cleared for them."""
    width = line_width(scale)
    if options.contours:
        seen = face.confidence > (HIDDEN + SEEN) / 2
        fixed, alpha = layer.fixed(face.landmarks), LINE_ALPHA * min(1.0, scale)
        for colour, ends in plan.lines:
            clear = seen[ends].all(1)  # lines are faint where one of both points is probably hidden
            layer.lines(fixed[ends[~clear]], width, colour, alpha * HIDDEN_ALPHA)
            layer.lines(fixed[ends[clear]], width, colour, alpha)
    if options.points:
        shown = np.clip((face.confidence - HIDDEN) / (SEEN - HIDDEN), 0, 1)
        alphas = HIDDEN_ALPHA + (1 - HIDDEN_ALPHA) * shown
        layer.dots(face.landmarks, DOT_RADIUS * scale, plan.dots, alphas)
    if options.box:
        layer.lines(layer.fixed(brackets(frame_of(face))), width, TEXT, LINE_ALPHA, level=True)


def draw_pose(layer: Layer, axes: NDArray[np.floating], width: int) -> None:
    """Draw the pose of a head as three axes that grow out of the tip of the nose, on a layer that was cleared for them.

    The axes `[4, 2]` are finite, pixels of the picture, see `HeadPose.axes`; mirrored where the picture is.
    """
    fixed = layer.fixed(axes)
    for end, colour in zip(fixed[1:], AXIS_COLOURS, strict=True):
        layer.lines(np.stack((fixed[0], end))[None], width, colour, AXIS_ALPHA)
    layer.dots(axes[3:], AXIS_DOT * width + 1, np.array(AXIS_COLOURS[2:], np.float32), np.ones(1, np.float32))


@dataclass(frozen=True)
class Label:
    """A text on a plate; an em has `size` pixels."""

    text: str
    size: float
    plate: Region


@dataclass(frozen=True)
class DrawingPlan:
    """How a scheme is drawn.

    Attributes:
        lines: per part of the face its colour and its lines as pairs of landmarks, `[n, 2]` int.
        dots: `[K, 3]` float32 BGR, colour of each landmark.
        inks: the same colours for text.
        indices: of each landmark, as text.
        ends: `[K, 2]` int, neighbours of each landmark on its contour, itself where there is none.
        mates: `[K, K]` float32, 1 for landmarks of the same contour, -1 for those of the lips' inner edge, else 0.
        inside: `[K, K]` float32 that makes of landmarks a place on the inner side of each one's contour.
    """

    lines: tuple[tuple[Colour, NDArray[np.intp]], ...]
    dots: NDArray[np.float32]
    inks: tuple[Colour, ...]
    indices: tuple[str, ...]
    ends: NDArray[np.intp]
    mates: NDArray[np.float32]
    inside: NDArray[np.float32]


@lru_cache(maxsize=8)
def drawing_plan(scheme: Scheme, colour: Colour | None = None) -> DrawingPlan:
    """Return how the faces of a scheme are drawn: in the colours of their parts, or all in one."""
    pairs: dict[str, list[tuple[int, int]]] = {}
    for contour in scheme.contours:
        following = contour.points[1:] + contour.points[:1] * contour.closed
        pairs.setdefault(contour.part, []).extend(zip(contour.points, following, strict=False))
    lines = tuple((colour or PARTS[part], np.array(ends, np.intp).reshape(-1, 2)) for part, ends in pairs.items())
    # A single colour identifies the lane: its dots keep more of it.
    whiteness = DOT_WHITENESS if colour is None else DOT_WHITENESS / 2
    dots = np.array([mixed(colour or PARTS[part], WHITE, whiteness) for part in scheme.parts], np.float32)
    inks = tuple((round(float(b)), round(float(g)), round(float(r))) for b, g, r in dots)
    indices = tuple(str(index) for index in range(scheme.points))
    ends = np.stack((np.arange(scheme.points),) * 2, axis=1)
    mates = np.eye(scheme.points, dtype=np.float32)
    inside = np.zeros_like(mates)
    jaw = next((contour.points for contour in scheme.contours if contour.part == "jaw"), (0,))
    inside[:, jaw[len(jaw) // 4]] = 1  # below brows and nose, and at the side of them
    lips: set[int] = set()
    for contour in scheme.contours:
        chain = np.array(contour.points)
        around = np.arange(len(chain))[:, None] + (-1, 1)
        ends[chain] = chain[around % len(chain) if contour.closed else np.clip(around, 0, len(chain) - 1)]
        inner = bool(lips) and contour.part == "lip" and lips.isdisjoint(contour.points)
        mates[np.ix_(chain, chain)] = -1 if inner else 1
        if contour.closed or contour.part == "jaw":
            inside[chain] = 0
            inside[np.ix_(chain, chain)] = 1 / len(chain)
        if contour.part == "lip":
            lips.update(contour.points)
    return DrawingPlan(lines, dots, inks, indices, ends, mates, inside)


def outwards(points: NDArray[np.float32], plan: DrawingPlan) -> NDArray[np.float32]:
    """Return unit vectors `[K, 2]` that lead from landmarks `[K, 2]` away from their contours.

    They lead to the outer side of a contour, except at the inner edge of the lips, where the outer edge is.
    """
    along = points[plan.ends[:, 1]] - points[plan.ends[:, 0]]
    length = np.hypot(along[:, 0], along[:, 1])
    across = np.stack((-along[:, 1], along[:, 0]), axis=1) / np.maximum(length, 1e-6)[:, None]
    across[length < 1e-6] = (1, 0)
    # All of a contour are on one side, or they would jump from one to the other.
    side = plan.mates @ ((points - plan.inside @ points) * across).sum(1)
    return across * np.where(side < 0, -1, 1)[:, None].astype(np.float32)


def drawn_truth(frame: Frame, options: OverlayOptions) -> NDArray[np.float32] | None:
    """Return the points `[n, 2]` of the ground truth that are drawn, in pixels of the frame; None if none is."""
    if not options.truth or frame.truth is None:
        return None
    points = frame.truth.points[np.isfinite(frame.truth.points).all(1)]
    return points if len(points) else None


def _faces(result: Result, look: Look, canvas: Canvas) -> tuple[Face, ...]:
    """Return the faces of a result that are drawn, in pixels of the canvas and as the look shows them."""
    options = look.options
    if not (options.points or options.contours or options.box or options.indices):
        return ()
    mirrored = look.mirrored
    return tuple(
        replace(face, box=canvas.box(face.box, mirrored), landmarks=canvas.places(face.landmarks, mirrored))
        for face in result.faces
    )


def index_reach(scale: float, canvas: Canvas) -> float:
    """Return how far from its landmark an index begins, in pixels."""
    return DOT_RADIUS * scale + INDEX_GAP * (canvas.ratio or 1)


def line_width(scale: float) -> int:
    """Return the width of lines in pixels; OpenCV has whole ones only."""
    return max(1, round(LINE_WIDTH * scale))


def brackets(box: Box) -> NDArray[np.float64]:
    """Return the four corners of `box` as lines `[4, 3, 2]`."""
    length = BRACKET * min(box.width, box.height)
    corners = [
        [(x, y + down * length), (x, y), (x + right * length, y)]
        for x, right in ((box.x0, 1), (box.x1, -1))
        for y, down in ((box.y0, 1), (box.y1, -1))
    ]
    # Whole pixels, so that all four look the same.
    return np.rint(np.array(corners))


def frame_of(face: Face) -> Box:
    """Return the face's box with a little room around the landmarks."""
    box, margin = face.box, BOX_MARGIN * max(face.box.width, face.box.height)
    return Box(box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin)
