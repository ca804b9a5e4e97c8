"""The live picture: in place to the pixel in every layout, with true captions and numbers."""

import gc
import time
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QAccessible, QColor, QImage, QPainter
from PySide6.QtTest import QTest

from app.live.viewport import plates as plates_module
from app.live.viewport.stats_report import short_line, spoken
from app.live.viewport.viewport import Viewport
from app.models.facts import cards_of
from app.theme.theme import ON_DARK, STAGE
from engine.core.errors import ModelError
from engine.inference.library import ModelLibrary
from engine.live.settings import LiveSettings, Pace
from engine.live.view import View
from engine.render.montage import GAP
from engine.render.palette import LANES
from engine.render.scene import Layout
from tests.fakes.views import BLUE, GREEN, RED, STATS, lane, one, plain, result, two


@pytest.fixture
def view(qtbot):
    shown = Viewport()
    qtbot.addWidget(shown)
    shown.resize(400, 300)
    shown.show()
    qtbot.waitExposed(shown)
    shown.show_numbers(False)
    return shown


@pytest.fixture
def large(view):
    """Return a view with room for everything."""
    view.resize(1000, 700)
    view.show_numbers(True)
    return view


def show(view, pixels):
    """Show a picture of a single lane."""
    view.show_view(one(pixels))


def plates(view):
    """Return the plates on screen."""
    return [plate for plate in view.lane_plates.plates if plate.isVisible()]


def texts(plate):
    return [line.text for line in plate.report.lines]


def colour_at(view, x, y):
    image = view.grab().toImage()
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(x * ratio), round(y * ratio)).name()


def test_picture_fills_the_width_and_the_stage_shows_above_and_below(view):
    show(view, plain(RED))
    assert view.picture_area() == QRectF(0, 50, 400, 200)
    assert colour_at(view, 200, 150) == "#ff0000"
    assert colour_at(view, 200, 51) == "#ff0000"
    assert colour_at(view, 200, 48) == STAGE


def test_tall_picture_leaves_the_sides_free(view):
    show(view, plain(BLUE, 100, 200))
    assert view.picture_area() == QRectF(125, 0, 150, 300)
    assert colour_at(view, 200, 5) == "#0000ff"
    assert colour_at(view, 120, 150) == STAGE


def test_picture_is_not_copied(view):
    pixels = plain(RED)
    show(view, pixels)
    pixels[:] = BLUE
    assert colour_at(view, 200, 150) == "#0000ff"


def test_picture_of_another_size_takes_its_place(view):
    show(view, plain(RED, 200, 100))
    show(view, plain(BLUE, 640, 480))
    assert view.picture_area() == QRectF(0, 0, 400, 300)
    assert colour_at(view, 3, 3) == "#0000ff"


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_fault_53_edges_fall_on_device_pixels_at_every_scale(view, ratio, monkeypatch):
    """Paint as a screen of that scale does and look where a one-pixel cross of the picture lands."""
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: ratio)
    pixels = plain(RED, 201, 101)
    pixels[50, 100] = BLUE
    show(view, pixels)
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
    show(view, plain((255, 255, 255, 255)))
    assert colour_at(view, 10, 60) == "#ffffff"
    view.show_notice("Camera disconnected")
    assert QColor(colour_at(view, 10, 60)).lightness() < 120
    words = np.array([QColor(colour_at(view, x, 150)).lightness() for x in range(130, 270)])
    assert words.max() > 180, "the words are not to be seen"
    assert view.accessibleDescription() == "Camera disconnected"
    view.show_notice("")
    assert colour_at(view, 10, 60) == "#ffffff"


def test_hint_frames_the_stage_and_goes_away(view):
    show(view, plain(RED))
    before = colour_at(view, 8, 150)
    view.show_hint("Drop to open")
    assert colour_at(view, 8, 150) != before
    view.show_hint("")
    assert colour_at(view, 8, 150) == before


def test_plates_give_way_to_a_hint(large):
    show(large, plain(RED))
    large.show_hint("Drop to open")
    large.grab()
    assert all(plate.yields for plate in plates(large))
    large.show_hint("")
    large.grab()
    assert not any(plate.yields for plate in plates(large))


def test_empty_view_is_a_dark_stage(view):
    assert view.pixels is None
    assert colour_at(view, 200, 150) == STAGE


# Two lanes


def test_two_pictures_stand_side_by_side_with_a_thin_gap(view):
    view.resize(600, 300)
    view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    first, second = view.pane_areas()
    assert first.size() == second.size()
    assert 0 < second.left() - first.right() < 10
    assert colour_at(view, first.center().x(), first.bottom() - 4) == "#ff0000"
    assert colour_at(view, second.center().x(), second.bottom() - 4) == "#0000ff"
    assert colour_at(view, first.right() + 3, first.center().y()) == STAGE
    assert view.picture_area() == first.united(second)


def test_two_pictures_stand_below_each_other_where_that_makes_them_larger(view):
    view.resize(320, 600)
    view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    first, second = view.pane_areas()
    assert first.left() == second.left()
    assert second.top() > first.bottom()
    assert first.width() > 300


def test_the_place_of_a_second_picture_that_is_not_there_yet_says_so(view):
    view.show_view(two(plain(RED), None), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    first, second = (area.toRect() for area in view.pane_areas())
    image = view.grab().toImage()
    assert QColor(image.pixel(first.center())).name() == "#ff0000"
    across, down = range(second.left() + 10, second.right() - 10), range(second.top() + 10, second.bottom() - 10)
    seen = {QColor(image.pixel(x, y)).lightness() for x in across for y in down}
    assert max(seen) > 100, "no words are to be seen"
    assert min(seen) < 20


def test_fault_30_a_second_picture_of_another_shape_keeps_it(view):
    view.resize(600, 300)
    view.show_view(two(plain(RED), plain(BLUE, 100, 100)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    _, second = view.pane_areas()
    assert colour_at(view, second.left() + 4, second.center().y()) == STAGE
    assert colour_at(view, second.center().x(), second.bottom() - 4) == "#0000ff"


@pytest.fixture
def halves(view):
    """Return the view with a red first and a blue second lane, split in the middle."""
    view.show_view(two(plain(RED, 200, 150), plain(BLUE, 200, 150)), LiveSettings(layout=Layout.SPLIT))
    return view


def test_the_line_parts_the_two_lanes(halves):
    assert colour_at(halves, 192, 150) == "#ff0000"
    assert colour_at(halves, 208, 150) == "#0000ff"
    assert halves.split_line.isVisible()
    halves.move_split(0.25)
    assert colour_at(halves, 92, 150) == "#ff0000"
    assert colour_at(halves, 108, 150) == "#0000ff"


@pytest.mark.parametrize("view_of", [lambda: two(plain(RED), None), lambda: one(plain(RED))])
def test_a_split_without_a_second_lane_shows_the_first_whole(view, view_of):
    view.show_view(view_of(), LiveSettings(layout=Layout.SPLIT))
    assert colour_at(view, 300, 150) == "#ff0000"
    assert not view.split_line.isVisible()


def test_the_line_comes_with_the_second_lane_and_goes_with_it(view):
    split = LiveSettings(layout=Layout.SPLIT)
    for second in (None, plain(BLUE), None):
        view.show_view(two(plain(RED), second), split)
        assert view.split_line.isVisible() == (second is not None)


@pytest.mark.parametrize("layout", [Layout.SINGLE, Layout.SIDE_BY_SIDE, Layout.SPLIT])
def test_nothing_is_placed_again_for_a_view_like_the_last_one(view, monkeypatch, layout):
    views, placed = [two(plain(RED), plain(BLUE)) for _ in range(2)], []
    view.show_view(views[0], LiveSettings(layout=layout))
    monkeypatch.setattr(view.lane_plates, "place", lambda *where: placed.append(where))
    view.show_view(views[1], LiveSettings(layout=layout))
    assert placed == []


def test_the_line_goes_when_another_layout_comes(halves):
    halves.show_view(one(plain(RED)))
    assert not halves.split_line.isVisible()


def line_column(view, ratio):
    """Return the first column of device pixels that shows the second lane, below the shadow of the line."""
    canvas = QImage(round(view.width() * ratio), round(view.height() * ratio), QImage.Format.Format_RGB32)
    canvas.setDevicePixelRatio(ratio)
    view.split_line.hide()
    painter = QPainter(canvas)
    view.render(painter, QPoint(0, 0))
    painter.end()
    pixels = np.frombuffer(canvas.constBits(), np.uint8).reshape(canvas.height(), canvas.bytesPerLine() // 4, 4)
    row = pixels[round(150 * ratio), : canvas.width()].astype(int)
    red, blue = (row[:, 2] - row[:, 0] > 200).nonzero()[0], (row[:, 0] - row[:, 2] > 200).nonzero()[0]
    return (red.max() + 1 + blue.min()) / 2


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 1.75, 2.0])
@pytest.mark.parametrize("x", [37, 121, 268, 391])
def test_fault_53_the_line_follows_the_mouse_to_a_device_pixel(halves, ratio, x, monkeypatch, qtbot):
    monkeypatch.setattr(halves, "devicePixelRatioF", lambda: ratio)
    line = halves.split_line
    middle = QPoint(line.width() // 2, 250)
    QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(line, line.mapFromParent(QPoint(x, 251)))
    QTest.mouseRelease(line, Qt.MouseButton.LeftButton, pos=line.mapFromParent(QPoint(x, 251)))
    assert line_column(halves, ratio) == pytest.approx(x * ratio, abs=1)


def test_a_press_without_a_move_leaves_the_line_where_it_is(halves):
    QTest.mouseClick(halves.split_line, Qt.MouseButton.LeftButton, pos=QPoint(3, 200))
    assert halves.split_place == 0.5


def test_a_double_click_brings_the_line_back_to_the_middle(halves):
    halves.move_split(0.2)
    QTest.mouseDClick(halves.split_line, Qt.MouseButton.LeftButton)
    assert halves.split_place == 0.5


def test_the_line_stays_within_the_picture(halves):
    line = halves.split_line
    for x, place in ((-500, 0.0), (5000, 1.0)):
        QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=QPoint(line.width() // 2, 200))
        QTest.mouseMove(line, line.mapFromParent(QPoint(x, 200)))
        QTest.mouseRelease(line, Qt.MouseButton.LeftButton, pos=line.mapFromParent(QPoint(x, 200)))
        assert halves.split_place == place


def test_the_mouse_can_see_that_the_line_can_be_dragged(halves):
    line = halves.split_line
    assert line.cursor().shape() == Qt.CursorShape.SplitHCursor
    assert line.geometry().contains(200, 40)
    assert line.width() >= 24


def test_the_keys_move_the_line(halves, qtbot):
    moves = []
    halves.split_moved.connect(moves.append)
    line = halves.split_line
    qtbot.keyClick(line, Qt.Key.Key_Left)
    qtbot.keyClick(line, Qt.Key.Key_Right)
    qtbot.keyClick(line, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(line, Qt.Key.Key_Home)
    qtbot.keyClick(line, Qt.Key.Key_End)
    qtbot.keyClick(line, Qt.Key.Key_Right)
    assert moves == pytest.approx([0.49, 0.5, 0.6, 0.0, 1.0])


def test_the_line_is_a_slider_to_those_who_cannot_see_it(halves):
    line = halves.split_line
    assert line.focusPolicy() & Qt.FocusPolicy.TabFocus
    spoken = QAccessible.queryAccessibleInterface(line)
    assert spoken.role() == QAccessible.Role.Slider
    assert "Split line" in spoken.text(QAccessible.Text.Name)
    halves.move_split(0.3)
    assert line.value() == 30
    line.setSliderPosition(70)
    line.triggerAction(line.SliderAction.SliderMove)
    assert halves.split_place == pytest.approx(0.7)


def test_the_line_stands_where_it_was_when_the_window_changes_its_size(halves):
    halves.move_split(0.25)
    halves.resize(800, 600)
    area = halves.picture_area()
    assert area.width() > 600
    middle = QRectF(halves.split_line.geometry()).center().x()
    assert middle == pytest.approx(area.left() + 0.25 * area.width(), abs=1)


# What is saved of it


def test_what_is_saved_is_what_the_layout_shows(view):
    assert view.composed_pixels() is None
    view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SINGLE))
    assert (view.composed_pixels() == RED).all()
    view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    both = view.composed_pixels()
    assert both.shape == (100, 400 + GAP, 4)
    assert (both[:60, :200] == RED).all()
    assert (both[:60, -200:] == BLUE).all()
    view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SPLIT))
    view.move_split(0.25)
    parted = view.composed_pixels()
    assert (parted[:60, :50] == RED).all()
    assert (parted[:60, 50:] == BLUE).all()


@pytest.mark.parametrize("layout", [Layout.SIDE_BY_SIDE, Layout.SPLIT, Layout.OVERLAID, Layout.DIFFERENCE])
def test_what_is_saved_of_two_models_names_them_in_their_colours(view, layout):
    view.show_view(two(plain(RED, 640, 480), plain(RED, 640, 480)), LiveSettings(layout=layout))
    foot = view.composed_pixels()[-40:, :, :3].reshape(-1, 3)
    for colour in (LANES[0], LANES[1]):
        assert (foot == colour).all(1).any()


@pytest.mark.parametrize("layout", list(Layout))
def test_what_is_saved_is_a_copy(view, layout):
    pixels = plain(RED)
    view.show_view(two(pixels, plain(BLUE)), LiveSettings(layout=layout))
    saved = view.composed_pixels()
    before = saved.copy()
    pixels[:] = GREEN
    assert (saved == before).all()


# Captions and numbers


def test_a_single_lane_without_numbers_is_the_picture_alone(view):
    show(view, plain(RED))
    assert plates(view) == []


def test_compared_models_are_named_even_without_numbers(view):
    view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    first, second = plates(view)
    assert texts(first)[0] == "student-68"
    assert texts(second)[0] == "teacher-98"
    assert first.report.stats is None


def test_cards_show_what_the_models_are(large):
    large.lane_plates.set_models(cards_of(ModelLibrary().entries()))
    show(large, plain(RED))
    (plate,) = plates(large)
    assert texts(plate)[1].startswith("Student · 68 points · ")
    assert plate.report.stats is STATS


def test_cards_that_come_after_a_still_picture_are_shown_too(large, qtbot):
    show(large, plain(RED))
    assert len(texts(plates(large)[0])) == 1
    large.lane_plates.set_models(cards_of(ModelLibrary().entries()))
    qtbot.waitUntil(lambda: len(texts(plates(large)[0])) > 1, timeout=2000)


def test_the_latency_has_one_name_and_one_figure_whatever_the_source(large, qtbot):
    picture = result("student-68-lite")
    sources = result(seconds=1.5), replace(picture, frame=replace(picture.frame, name="face.png")), result("teacher-68")
    for number, each in enumerate(sources):
        for step in range(2):
            frame = replace(each.frame, id=2 * number + step, captured=time.monotonic())
            large.show_view(one(plain(RED), replace(each, frame=frame)))
            large.grab()
        qtbot.waitUntil(lambda: plates(large)[0].report.screen is not None, timeout=2000)
        said = spoken(plates(large)[0].report)
        assert said.count("capture to screen") == 1
        assert "after capture" not in said


def test_distance_belongs_to_the_pair_and_is_reported_once(large):
    large.show_view(two(plain(RED), plain(BLUE), distance=2.5), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    first, second = plates(large)
    assert (first.report.distance, second.report.distance) == (None, 2.5)


@pytest.mark.parametrize("layout", [Layout.SIDE_BY_SIDE, Layout.SPLIT, Layout.OVERLAID, Layout.DIFFERENCE])
def test_no_plate_stands_outside_or_on_another(large, layout):
    large.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=layout))
    first, second = plates(large)
    assert not first.geometry().intersects(second.geometry())
    assert large.rect().contains(first.geometry())
    assert large.rect().contains(second.geometry())


def test_numbers_stand_below_two_pictures_and_hide_no_face(large):
    large.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    for details in (True, False):
        plates(large)[0].details_wanted.emit(details)
        for plate, area in zip(plates(large), large.pane_areas(), strict=True):
            assert plate.y() >= area.bottom()
            assert plate.x() == pytest.approx(area.left(), abs=1)
            assert large.rect().contains(plate.geometry())


def test_the_details_of_both_lanes_open_together(large):
    large.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    before = [plate.height() for plate in plates(large)]
    QTest.mouseClick(plates(large)[1], Qt.MouseButton.LeftButton)
    assert all(plate.height() > height for plate, height in zip(plates(large), before, strict=True))


FOUR = LiveSettings(layout=Layout.SIDE_BY_SIDE, lanes=4)
MODELS = ("student-68", "student-68-lite", "teacher-tolerant-68", "student-kd-68")


def four(count=4, size=(640, 480)):
    """Return the view of three or four lanes, each further one 2.5 % from the first."""
    colours = (RED, GREEN, BLUE, (0, 200, 200, 255))
    lanes = [lane(plain(colour, *size), result(name)) for colour, name in zip(colours, MODELS, strict=True)][:count]
    return View((lanes[0], *(replace(each, distance=2.5) for each in lanes[1:])))


@pytest.mark.parametrize("count", [3, 4])
@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 640)])
@pytest.mark.parametrize("stage", [(1008, 500), (1328, 780)], ids=["1280x720", "1600x1000"])
def test_three_or_four_lanes_have_a_pane_and_a_plate_each_and_none_hides_a_face(large, count, size, stage):
    large.resize(*stage)
    large.show_view(four(count, size), replace(FOUR, lanes=count))
    areas, shown = [area.toRect() for area in large.pane_areas()], plates(large)
    assert len(areas) == len(shown) == count
    places = [*areas, *(plate.geometry() for plate in shown)]
    assert all(large.rect().contains(place) for place in places)
    assert not any(one.intersects(other) for one, other in combinations(places, 2))
    for plate, area, name in zip(shown, areas, MODELS, strict=False):
        assert plate.y() >= area.bottom()
        assert plate.x() == pytest.approx(area.left(), abs=1)
        assert plate.report.lines[0].text == name
    for area, colour in zip(areas, ("#ff0000", "#00ff00", "#0000ff", "#c8c800"), strict=False):
        assert colour_at(large, area.center().x(), area.center().y()) == colour


def test_short_plates_say_model_speed_latency_and_distance_and_the_rest_on_request(large):
    large.resize(1008, 500)
    large.show_view(four(), FOUR)
    assert [plate.report.lines[0].colour for plate in plates(large)] == list(ON_DARK)
    said = [short_line(plate.report) for plate in plates(large)]
    assert said == ["29.7 results/s · \u2013 ms"] + ["29.7 results/s · \u2013 ms · difference 2.50 %"] * 3
    assert all(plate.sizeHint().height() < 60 for plate in plates(large))
    large.lane_plates._data = None
    large.show_view(four(), FOUR)
    assert "jitter while still" in plates(large)[0].accessibleDescription()


def test_fault_90_a_lane_whose_model_died_says_so_in_its_pane_while_the_others_are_seen(large):
    large.resize(1008, 500)
    dead = replace(lane(plain(BLUE, 640, 480), result("")), distance=None)
    lanes = four().lanes
    large.show_view(View((*lanes[:2], dead, lanes[3])), FOUR)
    middles = [area.center().toPoint() for area in large.pane_areas()]
    before = large.grab().toImage()
    error = ModelError("The model failed on a frame (invoke failed)", "the model is faulty", "choose another model")
    large.show_errors((None, None, error, None))
    after = large.grab().toImage()
    areas = [area.toRect() for area in large.pane_areas()]
    assert [before.copy(area) == after.copy(area) for area in areas] == [True, True, False, True]
    assert QColor(after.pixel(areas[2].topLeft() + QPoint(3, 3))).lightness() < 80, "dimmed"
    assert len(middles) == 4
    large.show_view(four(), FOUR)
    large.show_errors((None, None, error, None))
    assert colour_at(large, middles[2].x(), middles[2].y()) == "#0000ff", "it works again"


def test_a_lane_without_a_picture_yet_has_its_place(large):
    large.show_view(View(four().lanes[:2]), FOUR)
    assert len(large.pane_areas()) == 4
    assert len(plates(large)) == 2
    assert large.composed_pixels().shape == (2 * 480 + GAP, 2 * 640 + GAP, 4)


@pytest.mark.parametrize("layout", [Layout.SPLIT, Layout.OVERLAID, Layout.DIFFERENCE])
def test_a_layout_of_two_shows_any_two_of_four_lanes_in_their_colours(large, layout):
    lanes = [lane(np.empty((0, 0, 4), np.uint8), result(name)) for name in MODELS]
    lanes[1] = lane(plain(GREEN, 640, 480), result(MODELS[1]), other=lanes[3].result)
    if layout is Layout.SPLIT:
        lanes[3] = lane(plain(BLUE, 640, 480), result(MODELS[3]))
    large.show_view(View(tuple(lanes)), replace(FOUR, layout=layout, pair=(1, 3)))
    assert [plate.report.lines[0].text for plate in plates(large)] == [MODELS[1], MODELS[3]]
    assert [plate.report.lines[0].colour for plate in plates(large)] == [ON_DARK[1], ON_DARK[3]]
    assert (large.pixels[..., 1] == 255).all()
    saved = large.composed_pixels()
    assert saved.shape == (480, 640, 4)
    for colour in (LANES[1], LANES[3]):
        assert (saved[440:, :, :3] == colour).all(2).any()


def test_overlaid_lanes_are_marked_in_the_colours_of_their_landmarks(large):
    large.show_view(two(plain(RED, 640, 480), np.empty((0, 0, 4), np.uint8)), LiveSettings(layout=Layout.OVERLAID))
    for plate, colour in zip(plates(large), ON_DARK[:2], strict=True):
        assert plate.report.lines[0].colour == colour
        image = plate.grab().toImage()
        found = [QColor(image.pixel(x, y)).name() for x in range(10, 26) for y in range(10, 32)]
        assert colour in found


def test_the_difference_has_a_legend_and_other_layouts_have_none(large):
    def lower_left():
        image = large.grab().toImage()
        area = large.picture_area()
        places = [(area.left() + x, area.bottom() - y) for x in range(14, 240, 2) for y in range(14, 90, 2)]
        return {QColor(image.pixel(round(x), round(y))).name() for x, y in places}

    pictures = plain(RED, 640, 480), plain(BLUE, 640, 480)
    large.show_view(two(*pictures), LiveSettings(layout=Layout.OVERLAID))
    assert lower_left() == {"#ff0000"}
    large.show_view(two(*pictures), LiveSettings(layout=Layout.DIFFERENCE, magnification=5.0))
    hues = {QColor(colour).hue() // 30 for colour in lower_left() if QColor(colour).saturation() > 100}
    assert {1, 7} <= hues, "the scale runs from blue to yellow and red"
    assert large.lane_plates.legend[1].text == "magnified 5\u00d7"


def test_a_caption_follows_its_model_at_once(large):
    large.show_view(one(plain(RED), result("student-68")))
    large.show_view(one(plain(RED), result("student-68-lite")))
    assert texts(plates(large)[0])[0] == "student-68-lite"


def test_digits_change_no_faster_than_they_can_be_read(large):
    show(large, plain(RED))
    reported = plates(large)[0].report
    large.show_view(replace(one(plain(RED)), lanes=(lane(plain(RED), stats=replace(STATS, fps=11.0)),)))
    assert plates(large)[0].report is reported
    time.sleep(0.26)
    large.show_view(replace(one(plain(RED)), lanes=(lane(plain(RED), stats=replace(STATS, fps=11.0)),)))
    assert plates(large)[0].report.stats.fps == 11.0


def test_what_is_reported_catches_up_when_the_picture_stops(large, qtbot, monkeypatch):
    """A pause may fall between two renewals of the plates; what they said of the frame before must not stay."""
    moment = time.monotonic()
    late, same = (result("teacher-68", number, captured=moment - ago) for number, ago in ((8, 0.033), (9, 0.0)))
    first, nothing = result(number=9, captured=moment), np.empty((0, 0, 4), np.uint8)
    with monkeypatch.context() as still:  # however slow the machine is, the plates are not due
        still.setattr(plates_module.time, "monotonic", lambda: moment)
        large.show_view(two(plain(RED), nothing, first, late), LiveSettings(layout=Layout.OVERLAID))
        assert texts(plates(large)[1])[-1] == "of a frame 33 ms earlier"
        large.show_view(two(plain(RED), nothing, first, same), LiveSettings(layout=Layout.OVERLAID), live=False)
        assert texts(plates(large)[1])[-1] == "of a frame 33 ms earlier"
    qtbot.waitUntil(lambda: texts(plates(large)[1])[-1] == "same frame", timeout=2000)


def test_the_age_of_the_last_frame_is_reported_once_it_was_painted(large, qtbot):
    large.show_numbers(False)
    first = result(number=1)
    large.show_view(two(plain(RED), plain(BLUE), first, first), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    large.grab()
    time.sleep(0.3)
    second = result(number=2)
    large.show_view(two(plain(RED), plain(BLUE), second, second), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    large.grab()
    assert "after capture" not in texts(plates(large)[0])[-1]
    qtbot.waitUntil(lambda: "after capture" in texts(plates(large)[0])[-1], timeout=2000)
    qtbot.waitUntil(lambda: not large.lane_plates.update_due.isActive(), timeout=2000)


# Camera to screen


def test_each_new_frame_is_measured_when_it_is_painted(view, qtbot):
    reported = []
    view.painted.connect(lambda *counted: reported.append(counted))
    for number in range(4):
        time.sleep(0.002)
        frame = result(number=number, captured=time.monotonic() - 0.0001)
        time.sleep(0.02)
        view.show_view(one(plain(RED), frame))
        view.grab()
        view.grab()
    assert [counted[0] for counted in reported] == [0, 0, 0]  # the first may have waited for the window
    assert all(20 <= counted[2] < 200 for counted in reported)
    assert view.lane_plates.latencies[0].spread.p50 == pytest.approx(sorted(counted[2] for counted in reported)[1])


def test_fault_34_a_standing_picture_is_no_latency(view):
    reported = []
    view.painted.connect(lambda *counted: reported.append(counted))
    view.show_view(one(plain(RED), result(number=1)))
    view.grab()
    time.sleep(0.05)
    view.show_view(two(plain(RED), plain(BLUE), result(number=1)), LiveSettings(layout=Layout.SPLIT), live=False)
    view.grab()
    assert reported == []


def test_a_frame_that_waited_while_another_page_was_open_is_no_latency(view):
    reported = []
    view.painted.connect(lambda *counted: reported.append(counted))
    view.show_view(one(plain(RED), result(number=1)))
    view.grab()
    waiting = result(number=2)
    waiting = replace(waiting, frame=replace(waiting.frame, captured=time.monotonic()))
    view.hide()
    view.show_view(one(plain(RED), waiting))
    view.show()
    view.grab()
    assert reported == []
    fresh = replace(waiting, frame=replace(waiting.frame, id=3, captured=time.monotonic()))
    view.show_view(one(plain(RED), fresh))
    view.grab()
    assert len(reported) == 1


def test_locked_lanes_are_said_to_show_the_same_frame(large):
    frame = result(number=3)
    other = replace(result("teacher-98"), frame=frame.frame)
    large.show_view(
        two(plain(RED), plain(BLUE), frame, other), LiveSettings(layout=Layout.SIDE_BY_SIDE, pace=Pace.LOCKED)
    )
    assert all(any("same frame" in text for text in texts(plate)) for plate in plates(large))


@pytest.mark.parametrize("size", [(528, 626), (1000, 440), (400, 300)], ids=["tall", "wide", "small"])
@pytest.mark.parametrize("layout", [Layout.SINGLE, Layout.SPLIT])
def test_numbers_leave_the_picture_where_there_is_room_beside_or_below(view, size, layout):
    view.resize(*size)
    view.show_numbers(True)
    view.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=layout))
    shown = plates(view)
    assert len(shown) == (1 if layout is Layout.SINGLE else 2)
    area = view.picture_area().toAlignedRect()
    covered = any(plate.geometry().intersects(area) for plate in shown)
    full = min(size[0] / 640, size[1] / 480)
    if covered:  # then the picture has all the room there is
        assert area.width() == pytest.approx(640 * full, abs=2)
    else:
        assert area.width() >= 0.89 * 640 * full
        assert all(view.rect().contains(plate.geometry()) for plate in shown)
    assert covered == (size == (400, 300) or (size, layout) == ((1000, 440), Layout.SPLIT))


@pytest.mark.parametrize("layout", [Layout.OVERLAID, Layout.SIDE_BY_SIDE, Layout.SPLIT])
@pytest.mark.parametrize("numbers", [True, False])
def test_plates_never_lie_on_each_other_however_small_the_view(view, layout, numbers):
    view.lane_plates.set_models(cards_of(ModelLibrary().entries()))
    view.show_numbers(numbers)
    view.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=layout))
    for size in ((1000, 700), (560, 420), (430, 320), (320, 240), (1000, 700)):
        view.resize(*size)
        first, second = (plate.geometry() for plate in plates(view))
        assert not first.intersects(second)
        assert view.rect().contains(first)
        assert view.rect().contains(second)


def test_plates_without_room_keep_to_their_captions_and_leave_the_face_free(view):
    view.show_numbers(True)
    view.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=Layout.OVERLAID))
    brief = [plate.height() for plate in plates(view)]
    assert all(height < 0.25 * view.height() for height in brief)
    view.resize(1000, 700)
    assert all(plate.height() > 1.5 * height for plate, height in zip(plates(view), brief, strict=True))


@pytest.mark.parametrize("layout", [Layout.SINGLE, Layout.SIDE_BY_SIDE, Layout.SPLIT, Layout.OVERLAID])
def test_plates_leave_the_middle_of_small_pictures_free(view, layout):
    view.resize(528, 580)
    view.lane_plates.set_models(cards_of(ModelLibrary().entries()))
    view.show_numbers(True)
    view.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=layout))
    for area in view.pane_areas():
        middle = area.center().toPoint()
        assert not any(plate.geometry().contains(middle) for plate in plates(view))


def test_the_picture_makes_room_for_details(view):
    view.resize(1200, 640)
    view.show_numbers(True)
    view.show_view(two(plain(RED, 640, 480), plain(BLUE, 640, 480)), LiveSettings(layout=Layout.OVERLAID))
    area = view.picture_area().toAlignedRect()
    plates(view)[0].details_wanted.emit(True)
    room = view.picture_area().toAlignedRect()
    assert 0.45 * area.height() <= room.height() < area.height()
    assert not any(plate.geometry().intersects(room) for plate in plates(view))
    plates(view)[0].details_wanted.emit(False)
    assert view.picture_area().toAlignedRect() == area


def test_fault_73_what_is_painted_is_right_though_nobody_else_holds_the_picture(view):
    """A QImage does not own its memory: without the view, garbage or a crash would be painted."""
    for number in range(10):
        level = 40 + 15 * number
        view.show_view(one(plain((level, level, level, 255), 640, 480)))
        gc.collect()
        np.full((4, 640, 480, 4), 255, np.uint8)  # takes the memory that was freed
        assert view.grab().toImage().pixelColor(200, 150).getRgb() == (level, level, level, 255)


def test_fault_82_in_a_language_from_right_to_left_the_picture_is_not_mirrored(view, qapp):
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        pixels = plain(RED)
        pixels[:, 100:] = BLUE
        view.show_view(one(pixels))
        assert (colour_at(view, 100, 150), colour_at(view, 300, 150)) == ("#ff0000", "#0000ff")
        view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SPLIT))
        view.move_split(0.25)
        assert (colour_at(view, 60, 150), colour_at(view, 200, 150)) == ("#ff0000", "#0000ff")
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)


def test_a_frame_measures_no_plate_while_their_numbers_stay(view, monkeypatch):
    moment = time.monotonic()
    monkeypatch.setattr(plates_module.time, "monotonic", lambda: moment)  # no numbers are due
    view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
    view.grab()
    measured, room = [], view.lane_plates.room
    monkeypatch.setattr(view.lane_plates, "room", lambda: measured.append(True) or room())
    for _ in range(5):
        view.show_view(two(plain(RED), plain(BLUE)), LiveSettings(layout=Layout.SIDE_BY_SIDE))
        view.grab()
    assert measured == []
