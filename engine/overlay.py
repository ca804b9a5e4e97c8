"""The overlay: what was found on a frame, drawn on its picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.frame import Truth
from engine.geometry import Box, landmark_box
from engine.landmarks.schemes import Scheme
from engine.layer import Layer, Region
from engine.palette import PARTS, TEXT, TRUTH, WHITE, Colour, mixed
from engine.panel import Panel
from engine.readings import Readings
from engine.result import Face, Result
from engine.text import DESCENT, TextPainter, readable_size

# The measures of ink, in pixels, hold for a face of 200 pixels in a picture of 480. Larger pictures are shown smaller and
# larger faces bear more, so ink grows with the geometric mean of both.
USUAL_FACE, USUAL_PICTURE = 200.0, 480.0
LINE_WIDTH = 0.8
DOT_RADIUS = 1.5
RING_RADIUS, RING_WIDTH = 3.0, 0.9
LINE_ALPHA = 0.85
HALO, TEXT_HALO = 0.4, 0.55  # alpha of the dark edge around ink
SMALLEST_INK = 0.6  # of those measures
SMALL_FACE = 60.0  # pixels: below, ink shrinks with the face, however large the picture
DOT_WHITENESS = 0.7
# Confidence at or below which a point counts as hidden, and above which it is drawn in full.
HIDDEN, SEEN = 0.3, 0.7
HIDDEN_ALPHA = 0.25
BOX_MARGIN = 0.06  # of the box's larger side
WIDEST_LABEL = 1.3  # box widths: wider ones are left out, or small faces would vanish behind words
BRACKET = 0.16  # length of the box's corners, of its smaller side


@dataclass(frozen=True)
class OverlayOptions:
    """What is drawn.

    Attributes:
        points: a dot at each landmark, faint where it is probably hidden.
        contours: lines along the parts of the face.
        box: corners around each face, with its number and score.
        numbers: the panel of readings.
        truth: rings at the ground truth, where the frame has it.
    """

    points: bool = True
    contours: bool = True
    box: bool = False
    numbers: bool = True
    truth: bool = False


class Composer:
    """Makes pictures to be shown or recorded out of results. Buffers are kept, so each thread needs its own."""

    def __init__(self) -> None:
        self._painter = TextPainter()
        self._panel = Panel(self._painter)
        self._layer = Layer()
        self._flipped = np.empty((0, 0, 3), np.uint8)

    def compose(
        self, result: Result, readings: Readings, options: OverlayOptions, mirrored: bool, out: NDArray[np.uint8]
    ) -> None:
        """Write the frame of `result` with its overlay into `out`.

        Args:
            result: what was found on the frame.
            readings: the numbers for the panel.
            options: what is drawn.
            mirrored: whether the picture is shown as in a mirror; text is not.
            out: `[H, W, 4]` uint8 BGRA of the frame's size; every pixel of it is written, alpha is 255.

        Raises:
            ValueError: `out` has another shape or type.
        """
        frame = result.frame
        if out.shape != (frame.height, frame.width, 4) or out.dtype != np.uint8:
            raise ValueError(f"out must be uint8 ({frame.height}, {frame.width}, 4), not {out.dtype} {out.shape}")
        self._convert(frame.image, mirrored, out)
        truth = frame.truth if options.truth else None
        # The panel comes first, so that it never hides a landmark.
        if options.numbers:
            self._panel.draw(out, readings, frame.captured, truth is not None)
        faces = result.faces if options.points or options.contours or options.box else ()
        if mirrored:
            faces = tuple(mirrored_face(face, frame.width) for face in faces)
            truth = truth and mirrored_truth(truth, frame.width)
        # Truth and the largest face mostly lie together: one layer for both saves time.
        for face, its_truth in zip_longest(faces, (truth,) if truth else ()):
            self._draw_ink(face, its_truth, options, out)

    def _convert(self, image: NDArray[np.uint8], mirrored: bool, out: NDArray[np.uint8]) -> None:
        if mirrored:
            if self._flipped.shape != image.shape:
                self._flipped = np.empty_like(image)
            image = cv2.flip(image, 1, dst=self._flipped)
        cv2.cvtColor(image, cv2.COLOR_RGB2BGRA, dst=out)

    def _draw_ink(self, face: Face | None, truth: Truth | None, options: OverlayOptions, out: NDArray[np.uint8]) -> None:
        """Draw a face and a truth, or one of them, through one layer."""
        boxes = [landmark_box(points) for points in (face and face.landmarks, truth and truth.points) if drawable(points)]
        if not boxes:
            return
        scale = ink_scale(boxes[0], out)
        label = None
        if face is not None and options.box:
            corners = widened(face.box, BOX_MARGIN)
            label = self._label(face, corners, out)
            boxes += [corners, label.box]
        self._layer.clear(Region.around(joined(boxes), (RING_RADIUS + RING_WIDTH) * scale + 2, out))
@dataclass(frozen=True)
class DrawingPlan:
    """How a scheme is drawn.

    Attributes:
        lines: per part of the face its colour and its lines as pairs of landmarks, `[n, 2]` int.
        dots: `[K, 3]` float32 BGR, colour of each landmark.
    """

    lines: tuple[tuple[Colour, NDArray[np.intp]], ...]
    dots: NDArray[np.float32]


@lru_cache(maxsize=8)
def drawing_plan(scheme: Scheme) -> DrawingPlan:
    """Return how the faces of a scheme are drawn."""
    pairs: dict[str, list[tuple[int, int]]] = {}
    for contour in scheme.contours:
        following = contour.points[1:] + contour.points[:1] * contour.closed
        pairs.setdefault(contour.part, []).extend(zip(contour.points, following, strict=False))
    lines = tuple((PARTS[part], np.array(ends, np.intp)) for part, ends in pairs.items())
    dots = np.array([mixed(PARTS[part], WHITE, DOT_WHITENESS) for part in scheme.parts], np.float32)
    return DrawingPlan(lines, dots)


def ink_scale(box: Box, picture: NDArray[np.uint8]) -> float:
    """Return how large ink on a face of `box` in `picture` `[H, W, 4]` is; 1 for the usual face."""
    height, width = picture.shape[:2]
    face = min(max(box.width, box.height, 1.0), max(height, width))
    usual = math.sqrt(face / USUAL_FACE * min(height, width) / USUAL_PICTURE)
    return max(SMALLEST_INK, min(usual, face / SMALL_FACE))


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
    # Whole pixels, so that all four look alike.
    return np.rint(np.array(corners))


def mirrored_points(points: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return points `[K, 2]` as a mirror shows them in a picture of `width`."""
    return np.array((width - 1, 0), np.float32) + points * np.array((-1, 1), np.float32)


def mirrored_box(box: Box, width: int) -> Box:
    """Return `box` as a mirror shows it in a picture of `width`."""
    return Box(width - 1 - box.x1, box.y0, width - 1 - box.x0, box.y1)


def widened(box: Box, share: float) -> Box:
    """Return `box` with `share` of its larger side added on each side."""
    margin = share * max(box.width, box.height)
    return Box(box.x0 - margin, box.y0 - margin, box.x1 + margin, box.y1 + margin)


def joined(one: Box, other: Box) -> Box:
    """Return the smallest box around both."""
    return Box(min(one.x0, other.x0), min(one.y0, other.y0), max(one.x1, other.x1), max(one.y1, other.y1))
