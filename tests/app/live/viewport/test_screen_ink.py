"""Ink on the screen: of one size in its pixels and in its place, whatever the picture, the pane and the scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage, QPainter

from app.live.viewport.viewport import Viewport
from engine.core.faces import Face, Result
from engine.core.frame import Frame
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.core.stats import Spread
from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render.canvas import Canvas, Pane
from engine.render.ink import LINE_ALPHA, Ink, InkPainter
from engine.render.overlay import OverlayPainter
from engine.render.palette import PARTS
from engine.render.scene import Layout, Look, OverlayOptions
from tests.fakes.views import STATS

GREY = 90
SIZES = (112, 112), (640, 480), (3840, 2160)
POINTS = Look(OverlayOptions(contours=False, numbers=False))
CONTOURS = Look(OverlayOptions(points=False, numbers=False))


@pytest.fixture
def view(qtbot):
    shown = Viewport()
    qtbot.addWidget(shown)
    shown.show_numbers(False)
    shown.show_plates(False)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def landmarks(width, height):
    """Return points in rows, far apart, on no whole pixels, in a picture of that size."""
    index = np.arange(68)
    columns, rows = index % 9, index // 9
    side = min(width, height)
    places = np.stack((columns, rows), axis=1) * 0.09 + (0.13, 0.17)
    return (places * side + ((width - side) / 2, (height - side) / 2) + 0.137).astype(np.float32)


def lane(width, height, look=POINTS, level=GREY, shift=0.0):
    image = np.full((height, width, 3), level, np.uint8)
    points = landmarks(width, height) + np.float32(shift)
    face = Face(1, landmark_box(points), 0.9, IBUG_68, points, np.ones(68, np.float32), 0.0)
    result = Result(Frame(0, 0.0, image, "test"), (face,), "student-68", {}, False)
    picture = np.empty((height, width, 4), np.uint8)
    OverlayPainter().paint_frame(picture, result, look, STATS)
    return LaneView(result, (), STATS, picture, look)


def grabbed(view, ratio, monkeypatch):
    """Return what a screen of that scale shows, `[H, W]`, the lightest channel of each pixel as float."""
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: ratio)
    canvas = QImage(round(view.width() * ratio), round(view.height() * ratio), QImage.Format.Format_RGB32)
    canvas.setDevicePixelRatio(ratio)
    painter = QPainter(canvas)
    view.render(painter, QPoint(0, 0))
    painter.end()
    pixels = np.frombuffer(canvas.constBits(), np.uint8).reshape(canvas.height(), canvas.bytesPerLine() // 4, 4)
    return pixels[:, : canvas.width(), :3].max(2).astype(float)


def places_on(view, ratio, shown):
    """Return where the landmarks of a lane are on the screen, in device pixels."""
    area, frame = view.picture_area(), shown.result.frame
    scale = area.width() * ratio / frame.width, area.height() * ratio / frame.height
    corner = area.left() * ratio, area.top() * ratio
    return (shown.result.faces[0].landmarks + 0.5) * scale + corner - 0.5


def dot_at(screen, place, reach=9):
    """Return the diameter of the dot around a place, and how far its centre is from there, in device pixels."""
    left, top = np.rint(place).astype(int) - reach
    part = screen[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
    cover = np.clip((part - GREY) / (part.max() - GREY), 0, 1)
    rows, columns = np.indices(cover.shape)
    centre = np.array(((columns * cover).sum(), (rows * cover).sum())) / cover.sum() + (left, top)
    return 2 * np.sqrt(cover.sum() / np.pi), np.hypot(*(centre - place))


def width_of_line(screen, start, end):
    """Return the width of a level line half way between two places, in device pixels."""
    x, y = np.rint((start + end) / 2).astype(int)
    cut = np.clip(screen[y - 4 : y + 5, x] - GREY, 0, None)
    return cut.sum() / (LINE_ALPHA * (max(PARTS["jaw"]) - GREY))


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_fault_53_dots_and_lines_have_one_size_on_the_screen_and_stand_on_the_landmarks(view, ratio, monkeypatch):
    diameters, widths = [], []
    for side in (500, 1100, 3800):
        view.resize(round(side / ratio), round(side * 9 / 16 / ratio))
        for size in SIZES:
            shown = lane(*size)
            view.show_view(View((shown,)))
            screen = grabbed(view, ratio, monkeypatch)
            places = places_on(view, ratio, shown)
            for place in places[::7]:
                diameter, off = dot_at(screen, place)
                assert off < 0.5
                diameters.append(diameter)
            view.show_view(View((lane(*size, CONTOURS),)))
            screen = grabbed(view, ratio, monkeypatch)
            widths += [width_of_line(screen, places[point], places[point + 1]) for point in (1, 3, 11, 13)]
    assert max(diameters) - min(diameters) < 1
    assert max(widths) - min(widths) < 1
    assert np.median(diameters) == pytest.approx(3.6 * ratio, abs=0.8)
    assert 0.8 * ratio < np.median(widths) < 2 * ratio


def test_a_resize_shows_crisp_ink_at_once_without_another_view(view, monkeypatch):
    shown = lane(112, 112)
    view.resize(400, 400)
    view.show_view(View((shown,)))
    before = grabbed(view, 1.0, monkeypatch)
    view.resize(900, 900)
    after = grabbed(view, 1.0, monkeypatch)
    assert dot_at(after, places_on(view, 1.0, shown)[30])[0] == pytest.approx(3.6, abs=0.8)
    view.resize(400, 400)
    assert np.array_equal(grabbed(view, 1.0, monkeypatch), before)


def test_ink_that_was_drawn_for_the_pane_is_painted_and_any_other_is_not(view, monkeypatch):
    view.resize(400, 400)
    shown = lane(112, 112)
    view.show_view(View((shown,)))
    own = grabbed(view, 1.0, monkeypatch)
    reported = view._pane
    assert reported == Pane(400, 400, 1.0)
    drawn = []
    draw = InkPainter.draw
    monkeypatch.setattr(InkPainter, "draw", lambda *given: (drawn.append(given[2]), draw(*given)))
    for pane in (reported, Pane(399, 400, 1.0), Pane(400, 400, 2.0)):
        ink = Ink()
        draw(InkPainter(), ink, Canvas.on_screen(shown.result.frame, pane), shown.result, shown.look)
        view.show_view(View((replace(shown, ink=ink),)))
        assert np.array_equal(grabbed(view, 1.0, monkeypatch), own)
        assert len(drawn) == (0 if pane is reported else 1)
        drawn.clear()


def test_the_pane_is_reported_whenever_it_changes(view):
    panes = []
    view.pane_changed.connect(panes.append)
    view.resize(400, 400)
    assert panes == [], "no picture yet"
    view.show_view(View((lane(112, 112),)))
    view.show_view(View((lane(112, 112),)))
    assert panes == [Pane(400, 400, 1.0)]
    view.resize(500, 600)
    assert panes[1:] == [Pane(500, 500, 1.0)]
    view.show_view(View((lane(200, 100),)))
    assert panes[2:] == [Pane(500, 250, 1.0)]


def test_ink_is_redrawn_for_a_new_finding_on_a_frame_of_the_same_size(view, monkeypatch):
    view.resize(400, 400)
    first, second = lane(112, 112), lane(112, 112, shift=2.0)
    view.show_view(View((first,)))
    grabbed(view, 1.0, monkeypatch)
    view.show_view(View((second,)))
    screen = grabbed(view, 1.0, monkeypatch)
    assert dot_at(screen, places_on(view, 1.0, second)[33])[1] < 0.5


def test_each_half_of_a_split_picture_has_the_ink_of_its_lane(view, monkeypatch):
    left, right = lane(640, 480), lane(640, 480, level=30)
    stats = replace(STATS, latency_ms={"landmark": Spread(1.0, 2.0)})
    view.resize(640, 480)
    view.show_view(View((left, replace(right, stats=stats))), LiveSettings(layout=Layout.SPLIT))
    view.move_split(0.5)
    places = places_on(view, 1.0, left)
    screen = grabbed(view, 1.0, monkeypatch)
    for place in places[np.abs(places[:, 0] - 320) > 20][::5]:
        x, y = np.rint(place).astype(int)
        assert screen[y, x] > 180
        assert screen[y - 8, x] == (GREY if x < 320 else 30)
