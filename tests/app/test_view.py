import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from app.theme import STAGE
from app.view import LiveView

RED = (0, 0, 255, 255)  # BGRA
BLUE = (255, 0, 0, 255)


@pytest.fixture
def view(qtbot):
    shown = LiveView()
    qtbot.addWidget(shown)
    shown.resize(400, 300)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def plain(colour, width=200, height=100):
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[:] = colour
    return pixels


def colour_at(view, x, y):
    image = view.grab().toImage()
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(x * ratio), round(y * ratio)).name()


def test_picture_fills_the_width_and_the_stage_shows_above_and_below(view):
    view.show_picture(plain(RED))
    assert view.picture_area() == QRectF(0, 50, 400, 200)
    assert colour_at(view, 200, 150) == "#ff0000"
    assert colour_at(view, 200, 51) == "#ff0000"
    assert colour_at(view, 200, 48) == STAGE


def test_tall_picture_leaves_the_sides_free(view):
    view.show_picture(plain(BLUE, 100, 200))
    assert view.picture_area() == QRectF(125, 0, 150, 300)
    assert colour_at(view, 200, 5) == "#0000ff"
    assert colour_at(view, 120, 150) == STAGE


def test_picture_is_not_copied(view):
    pixels = plain(RED)
    view.show_picture(pixels)
    pixels[:] = BLUE
    assert colour_at(view, 200, 150) == "#0000ff"


def test_picture_of_another_size_takes_its_place(view):
    view.show_picture(plain(RED, 200, 100))
    view.show_picture(plain(BLUE, 640, 480))
    assert view.picture_area() == QRectF(0, 0, 400, 300)
    assert colour_at(view, 3, 3) == "#0000ff"


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_fault_53_edges_fall_on_device_pixels_at_every_scale(view, ratio, monkeypatch):
    """Paint as a screen of that scale does and look where a one-pixel cross of the picture lands."""
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: ratio)
    pixels = plain(RED, 201, 101)
    pixels[50, 100] = BLUE
    view.show_picture(pixels)
    canvas = QImage(round(400 * ratio), round(300 * ratio), QImage.Format.Format_RGB32)
    canvas.setDevicePixelRatio(ratio)
    painter = QPainter(canvas)
    view.render(painter, QPoint(0, 0))
    painter.end()
    area = view.picture_area()
    for edge in (area.left(), area.top(), area.right(), area.bottom()):
        assert edge * ratio == pytest.approx(round(edge * ratio), abs=1e-6)
    rows, columns = blue_pixels(canvas)
    scale = area.width() * ratio / 201
    assert columns.mean() + 0.5 == pytest.approx(area.left() * ratio + 100.5 * scale, abs=1)
    assert rows.mean() + 0.5 == pytest.approx(area.top() * ratio + 50.5 * scale, abs=1)
    assert canvas.pixelColor(0, 0) == QColor(STAGE)


def blue_pixels(canvas):
    pixels = np.frombuffer(canvas.constBits(), np.uint8).reshape(canvas.height(), canvas.bytesPerLine() // 4, 4)
    rows, columns = np.nonzero(pixels[:, : canvas.width(), 0] > 128)
    return rows, columns


def test_notice_dims_the_picture_and_speaks(view):
    view.show_picture(plain((255, 255, 255, 255)))
    assert colour_at(view, 10, 60) == "#ffffff"
    view.show_notice("Camera disconnected")
    assert QColor(colour_at(view, 10, 60)).lightness() < 120
    words = np.array([QColor(colour_at(view, x, 150)).lightness() for x in range(130, 270)])
    assert words.max() > 180, "the words are not to be seen"
    assert view.accessibleDescription() == "Camera disconnected"
    view.show_notice("")
    assert colour_at(view, 10, 60) == "#ffffff"


def test_hint_frames_the_stage_and_goes_away(view):
    view.show_picture(plain(RED))
    before = colour_at(view, 8, 150)
    view.show_hint("Drop to open")
    assert colour_at(view, 8, 150) != before
    view.show_hint("")
    assert colour_at(view, 8, 150) == before


def test_empty_view_is_a_dark_stage(view):
    assert view.pixels is None
    assert colour_at(view, 200, 150) == STAGE
