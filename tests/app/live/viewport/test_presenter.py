"""The presenter's layer: what it says, how large it is, and that it leaves the face free."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.live.viewport.presenter import Presenter
from app.live.viewport.viewport import Viewport
from app.theme.theme import STAGE
from engine.core.stats import Spread, Stats
from engine.live.settings import LiveSettings
from engine.live.view import View
from engine.render.scene import Layout
from tests.fakes.views import RED, lane, plain, result


class BigLane(NamedTuple):
    """What is shown of a lane."""

    model: str
    stats: Stats
    screen: Spread | None = None


STUDENT = BigLane("student-68", Stats(29.97, {"total": Spread(8.34, 20.0)}, 2.33, 1.0, 0, 90), Spread(21.4, 30.0))
TEACHER = BigLane(
    "teacher-tolerant-68", Stats(4.24, {"total": Spread(243.2, 300.0)}, None, 1.0, 80, 12), Spread(256.4, 300.0)
)
YOUNG = BigLane("student-68", Stats(None, {}, None, 0.0, 0, 0))


@pytest.fixture
def stage(qtbot, themed):
    """Return a black view in the size of a small projector, with the layer over it."""
    shown = Viewport()
    shown.resize(1280, 800)
    shown.layer = Presenter(shown)
    qtbot.addWidget(shown)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def show(layer, lanes, agreement=None):
    first, *further = (lane(plain(RED), result(its.model), its.stats) for its in lanes)
    view = View((first, *(replace(each, agreement=agreement) for each in further)))
    layout = Layout.SIDE_BY_SIDE if further else Layout.SINGLE
    layer.show_view(view, LiveSettings(layout=layout, lanes=len(lanes)), [its.screen for its in lanes])


def test_four_lanes_have_a_line_each_with_the_agreement_of_the_further_ones(stage):
    show(stage.layer, [STUDENT, TEACHER, TEACHER, STUDENT], 3.12)
    rows = stage.layer.text.split("\n")
    assert [row.split()[0] for row in rows] == ["model", *(each.model for each in (STUDENT, TEACHER, TEACHER, STUDENT))]
    assert [row.split()[-1] for row in rows] == ["%", "\u2013", "3.1", "3.1", "3.1"]
    assert stage.rect().contains(stage.layer.geometry())
    assert stage.layer.height() < 0.45 * stage.height()


def capitals(stage):
    """Return the heights in pixels of the rows of bright letters, from top to bottom."""
    image = stage.layer.grab().toImage()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    bright = (pixels[..., :3].min(-1) > 120).any(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bright.astype(int), [0]])))
    return list(np.diff(edges)[::2])


def test_layer_shows_the_numbers_of_a_lane(stage):
    show(stage.layer, [STUDENT])
    assert stage.layer.text == "model  results/s  to screen ms  NME %\nstudent-68  30  21  2.3"


def test_the_latency_ends_on_the_screen_and_is_not_the_sum_of_the_stages(stage):
    show(stage.layer, [BigLane("student-68", STUDENT.stats, None)])
    assert stage.layer.text.splitlines()[1] == "student-68  30  \u2013  2.3"


def test_without_truth_it_shows_agreement_and_does_not_call_it_accuracy(stage):
    lanes = [
        BigLane("student-68", Stats(30.0, {"total": Spread(8.3, 9.0)}, None, 1.0, 0, 9), Spread(9.51, 12.0)),
        TEACHER,
    ]
    show(stage.layer, lanes, agreement=1.84)
    assert stage.layer.text.splitlines() == [
        "model  results/s  to screen ms  agreement %",
        "student-68  30  9.5  1.8",
        "teacher-tolerant-68  4.2  256",
    ]


def test_what_is_not_known_yet_is_a_dash(stage):
    show(stage.layer, [YOUNG])
    assert stage.layer.text.splitlines()[1] == "student-68  \u2013  \u2013"


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (1024, 768)])
def test_letters_can_be_read_from_ten_metres(stage, size):
    """22 minutes of arc on a picture two metres high, see `app.live.viewport.presenter`."""
    stage.resize(*size)
    show(stage.layer, [BigLane("student-68", STUDENT.stats)])
    stage.layer.show()
    heights = capitals(stage)
    assert max(heights) >= 0.055 * size[1], "the numbers"
    assert min(heights) >= 0.028 * size[1], "the labels"


@pytest.mark.parametrize("size", [(1280, 800), (3840, 2160), (640, 420), (320, 240), (2400, 400)])
@pytest.mark.parametrize("lanes", [[STUDENT], [STUDENT, TEACHER]])
def test_layer_stays_on_the_lower_edge_and_off_the_face(stage, size, lanes):
    show(stage.layer, lanes, 1.8 if len(lanes) > 1 else None)
    stage.layer.show()
    stage.resize(*size)
    place = stage.layer.geometry()
    assert stage.rect().contains(place)
    assert place.top() >= 0.7 * size[1]
    assert abs(place.center().x() - size[0] / 2) <= 1


def test_changing_digits_move_nothing(stage):
    show(stage.layer, [STUDENT])
    before = stage.layer.geometry()
    for fps in (7.1, 11.1, 28.8, 88.8):
        show(stage.layer, [BigLane("student-68", Stats(fps, {}, fps / 10, 1.0, 0, 9), Spread(fps, 99.0))])
        assert stage.layer.geometry() == before


def test_new_numbers_are_painted(stage):
    show(stage.layer, [STUDENT])
    stage.layer.show()
    before = stage.layer.grab().toImage()
    show(stage.layer, [BigLane("student-68", TEACHER.stats)])
    assert stage.layer.grab().toImage() != before


def test_long_names_are_set_smaller_instead_of_cut_off(stage):
    show(stage.layer, [BigLane("a-model-with-a-name-that-does-not-end-so-soon-98", STUDENT.stats), TEACHER])
    assert stage.layer.width() <= 0.95 * stage.width()


def test_the_mouse_and_the_keyboard_do_not_notice_it(qtbot):
    below = QWidget()
    qtbot.addWidget(below)
    below.resize(800, 600)
    layer = Presenter(below)
    show(layer, [STUDENT])
    layer.show()
    below.show()
    assert layer.focusPolicy() is Qt.FocusPolicy.NoFocus
    assert below.childAt(layer.geometry().center()) is None, "clicks go through"


def test_plate_is_dark_in_every_theme(stage):
    show(stage.layer, [STUDENT])
    stage.layer.show()
    place = stage.layer.geometry()
    edge = stage.grab().toImage().pixelColor(place.left() + 4, place.center().y())
    assert edge.name() == STAGE
