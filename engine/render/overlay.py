"""The overlay: the result of a frame, drawn on its picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.core.stats import Stats
from engine.render.canvas import Canvas
from engine.render.ink import Ink, InkPainter, drawn_truth
from engine.render.panel import Panel
from engine.render.scene import Look
from engine.render.text import TextPainter


class OverlayPainter:
    """Paints a result on its frame's picture. It keeps buffers, so each thread and lane needs its own.

    Attributes:
        ink_painter: draws what `paint` lays on the frame, for any canvas that shows it.
    """

    def __init__(self) -> None:
        texts = TextPainter()
        self.ink_painter = InkPainter(texts)
        self._panel, self._ink = Panel(texts), Ink()
        self._flipped = np.empty((0, 0, 3), np.uint8)

    def paint(
        self,
        out: NDArray[np.uint8],
        result: Result,
        look: Look,
        stats: Stats,
        signals: Sequence[FaceSignals | None] = (),
        other: Result | None = None,
    ) -> None:
        """Write a result's frame with its overlay into `out`.

        Args:
            out: `[H, W, 4]` uint8 BGRA of the frame's size; every pixel of it is written, alpha is 255.
            result: what was found on the frame.
            look: how it is drawn.
            stats: the numbers for the panel.
            signals: of each of the result's faces; empty, or None for a face, where there are none.
            other: the other lane's result, of this frame or of one shortly before, for comparison.

        Raises:
            ValueError: `out` has another shape or type.
        """
        self.paint_frame(out, result, look, stats, signals)
        self.ink_painter.draw(self._ink, Canvas.of(result.frame), result, look, signals, other)
        self._ink.lay(out)

    def paint_frame(
        self,
        out: NDArray[np.uint8],
        result: Result,
        look: Look,
        stats: Stats,
        signals: Sequence[FaceSignals | None] = (),
    ) -> None:
        """Write a result's frame into `out` without ink: with its filter and the panel; see `paint`."""
        frame = result.frame
        if out.shape != (frame.height, frame.width, 4) or out.dtype != np.uint8:
            raise ValueError(f"out must be uint8 ({frame.height}, {frame.width}, 4), not {out.dtype} {out.shape}")
        self._convert(frame.image, look.mirrored, out)
        if look.filter is not None:
            look.filter.paint(out, result.faces, signals, look.mirrored)
        # The panel comes before the ink, so that it never hides a landmark.
        if look.options.numbers:
            self._panel.draw(out, stats, frame.captured, drawn_truth(frame, look.options) is not None)

    def _convert(self, image: NDArray[np.uint8], mirrored: bool, out: NDArray[np.uint8]) -> None:
        if mirrored:
            if self._flipped.shape != image.shape:
                self._flipped = np.empty_like(image)
            image = cv2.flip(image, 1, dst=self._flipped)
        cv2.cvtColor(image, cv2.COLOR_RGB2BGRA, dst=out)
