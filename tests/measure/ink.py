"""What ink and filters cost in the pixels of a frame and of the screen: `python -m tests.measure.ink --pane 2200x1650`.

Milliseconds of processor time of all threads, as Qt paints with several.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QImage, QPainter

from app.cli.terminal import table
from app.live.viewport.screen_ink import ScreenInk
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.stats import Stats
from engine.filters.library import FilterLibrary, load_filter
from engine.inference.detector import DEFAULT_DETECTOR, make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.live.view import LaneView
from engine.render.canvas import Canvas, Pane
from engine.render.ink import Ink, InkPainter
from engine.render.scene import Look, OverlayOptions
from engine.sources.sample import SampleClip

ROUNDS = 30
LOOK = Look(OverlayOptions(numbers=False))


def median_ms(work: Callable[[], object]) -> float:
    """Return the usual processor time of some work."""
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        spent.append(1e3 * (time.process_time() - start))
    return float(np.median(spent))


def drawn(result: Result, pane: Pane) -> list[tuple[str, ...]]:
    """Return what it costs to draw landmarks and filters in the frame's own pixels and in those of the pane."""
    canvases, painter = (Canvas.of(result.frame), Canvas.on_screen(result.frame, pane)), InkPainter()
    costs = [median_ms(lambda its=its: painter.draw(Ink(), its, result, LOOK)) for its in canvases]
    rows = [("landmarks drawn", *(f"{cost:.1f}" for cost in costs))]
    for entry in FilterLibrary().entries():
        filter_, costs = load_filter(entry.folder), []
        for its in canvases:
            faces = [
                replace(face, box=its.box(face.box), landmarks=its.places(face.landmarks)) for face in result.faces
            ]
            picture = enlarged(result.frame, its)
            costs.append(median_ms(lambda its=filter_, on=picture, of=faces: its.paint(on, of, seconds=0.0)))
        rows.append((f"filter {entry.name}", *(f"{cost:.1f}" for cost in costs)))
    cost = median_ms(lambda: enlarged(result.frame, canvases[1]))
    return [*rows, ("picture enlarged by OpenCV", "", f"{cost:.1f}")]


def painted(result: Result, pane: Pane) -> list[tuple[str, ...]]:
    """Return what it costs to paint the picture in the pane, and the landmarks that were drawn for it."""
    picture, ink = enlarged(result.frame, Canvas.of(result.frame)), Ink()
    InkPainter().draw(ink, Canvas.on_screen(result.frame, pane), result, LOOK)
    lane = LaneView(result, (), Stats(None, {}, None, 1.0, 0, 1), picture, LOOK, ink)
    image = QImage(picture.data, result.frame.width, result.frame.height, QImage.Format.Format_RGB32)
    place, on_screen = QRect(0, 0, pane.width, pane.height), ScreenInk()
    screen = QImage(place.size(), QImage.Format.Format_RGB32)
    painter = QPainter(screen)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    costs = [
        median_ms(work)
        for work in (
            lambda: painter.drawImage(place, image),
            lambda: on_screen.paint(painter, lane, place, pane.ratio),
        )
    ]
    painter.end()
    return [
        (name, "", f"{ms:.1f}") for name, ms in zip(("picture painted", "landmarks laid on it"), costs, strict=True)
    ]


def enlarged(frame: Frame, canvas: Canvas) -> NDArray[np.uint8]:
    """Return a frame as a canvas shows it, `[H, W, 4]` uint8 BGRA."""
    return cv2.cvtColor(cv2.resize(frame.image, (canvas.width, canvas.height)), cv2.COLOR_RGB2BGRA)


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pane", default="2200x1650", help="size of the picture on the screen, in device pixels")
    parser.add_argument("--ratio", type=float, default=2.0, help="device pixels of a logical one")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _application = QGuiApplication([])  # without one, Qt paints no pictures
    pane = Pane(*map(int, options.pane.split("x")), options.ratio)
    frame = Frame(0, 0.0, SampleClip().frame(0)[0], "Sample")
    result = Pipeline(make_detector(DEFAULT_DETECTOR), ModelLibrary().load(DEFAULT_MODEL)).process(frame)
    rows = [("processor time, ms", "frame", "pane"), *drawn(result, pane), *painted(result, pane)]
    sys.stdout.write(f"{table(rows)}\n")


if __name__ == "__main__":
    main()
