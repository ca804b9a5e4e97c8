"""A view on a screen of some scale, in a process of its own, because Qt reads the scale once.

Shows pictures with marks at known pixels in every layout, looks where they land, and writes what it saw as JSON:
the scale, the largest distance of a mark from where it belongs, and of the split line from the mouse that dragged it,
both in device pixels; and whether the plates are where they belong.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.live.viewport.viewport import Viewport
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.stats import Meter
from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render.scene import Layout

SIZE = (161, 121)  # of the pictures: odd, so that nothing falls on whole pixels by chance
MARKS = ((20, 30), (80, 60), (147, 101))  # x, y of the middle of each mark
RADIUS = 2  # pixels
STAGE = (803, 601)  # logical pixels
RED, GREEN = (0, 0, 90, 255), (0, 90, 0, 255)  # BGRA; marks are blue, which neither has


def lane(colour: tuple[int, ...]) -> LaneView:
    """Return what a lane shows: a plain colour with the marks."""
    picture = np.empty((SIZE[1], SIZE[0], 4), np.uint8)
    picture[:] = colour
    for x, y in MARKS:
        picture[y - RADIUS : y + RADIUS + 1, x - RADIUS : x + RADIUS + 1] = (255, 0, 0, 255)
    result = Result(Frame(0, 0.0, np.ascontiguousarray(picture[..., :3]), "marks"), (), "m", {}, detected=False)
    return LaneView(result, (), Meter().stats(), picture)


def grabbed(view: Viewport) -> np.ndarray:
    """Return what is on screen, `[H, W, 4]` BGRA in device pixels."""
    image = view.grab().toImage()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width()].astype(int)


def mark_error(view: Viewport) -> float:
    """Return the largest distance of a mark from where it belongs, over all pictures on screen."""
    blue = grabbed(view)[..., 0]
    ratio, worst = view.devicePixelRatioF(), 0.0
    for area in view.pane_areas():
        scale = np.array([area.width() / SIZE[0], area.height() / SIZE[1]]) * ratio
        corner = np.array([area.left(), area.top()]) * ratio
        for mark in MARKS:
            wanted = corner + (np.array(mark) + 0.5) * scale
            reach = np.ceil(scale * (RADIUS + 3)).astype(int)
            left, top = np.maximum(wanted.astype(int) - reach, 0)
            window = blue[top : top + 2 * reach[1], left : left + 2 * reach[0]].astype(float)
            rows, columns = np.mgrid[: window.shape[0], : window.shape[1]] + 0.5
            assert window.sum() > 0, f"no mark near {wanted}"
            seen = np.array([(columns * window).sum(), (rows * window).sum()]) / window.sum() + (left, top)
            worst = max(worst, float(np.abs(seen - wanted).max()))
    return worst


def split_error(view: Viewport) -> float:
    """Return the largest distance of the line between both pictures from the mouse that dragged it."""
    line, worst = view.split_line, 0.0
    ratio, area = view.devicePixelRatioF(), view.picture_area()
    for share in (0.2, 0.37, 0.5, 0.83):
        mouse = QPointF(area.left() + share * area.width(), area.center().y()).toPoint()
        drag(line, view, mouse)
        row = grabbed(view)[round((area.top() + 8) * ratio)]
        (bright,) = np.nonzero(row[:, :3].min(-1) > 150)  # the line: neither picture has all three colours
        worst = max(worst, abs(float(bright.mean()) + 0.5 - mouse.x() * ratio))
    return worst


def drag(line: object, view: Viewport, mouse: QPoint) -> None:
    """Take the line in its middle and let it go at `mouse`, in logical pixels of the view."""
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    middle = line.rect().center()
    QTest.mousePress(line, button, none, middle)
    QTest.mouseMove(line, line.mapFromParent(mouse))
    QApplication.processEvents()
    QTest.mouseRelease(line, button, none, line.mapFromParent(mouse))


def move_to(view: Viewport, number: int) -> None:
    """Move the window to a screen, as a mouse does."""
    view.move(QApplication.screens()[number].geometry().topLeft() + QPoint(20, 20))
    QApplication.processEvents()


def plates_of(view: Viewport) -> list[tuple[int, int, float]]:
    """Return where each plate is, and at which scale it is painted."""
    plates = [plate for plate in view.lane_plates.plates if plate.isVisible()]
    return [(plate.x(), plate.y(), plate._painted.devicePixelRatio()) for plate in plates]


def main() -> None:
    """Look at every layout; with the argument “moved” on the second screen, after it was shown on the first."""
    application = QApplication([])
    view, moved = Viewport(), "moved" in sys.argv[1:]
    view.show_numbers(moved)
    view.resize(*STAGE)
    view.show()
    application.processEvents()
    both = View((lane(RED), lane(GREEN)))
    errors, plates = {}, {}
    for layout in (Layout.SINGLE, Layout.SIDE_BY_SIDE, Layout.SPLIT):
        if moved:
            move_to(view, 0)
        view.show_view(both, LiveSettings(layout=layout))
        application.processEvents()
        if moved:
            move_to(view, 1)
        seen = grabbed(view)  # what a plate shows is painted now
        assert abs(seen.shape[1] - STAGE[0] * view.devicePixelRatioF()) <= 1
        errors[layout.value] = mark_error(view)
        before = plates_of(view)
        view._place()
        view.grab()
        plates[layout.value] = before == plates_of(view)
    report = {"scale": view.devicePixelRatioF(), "marks": errors, "split": split_error(view), "plates": plates}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
