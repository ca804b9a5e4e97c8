"""Nothing that a person reads is cut off or on top of something else, in any view, size, theme and scale."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.widgets.charts import Chart
from engine.core.paths import asset_path
from tests.app import layout_faults
from tests.app.layout_views import faults_of
from tests.golden.still_window import FOUR, StillWindow
from tests.test_repository import ROOT

SIZES = (640, 420), (1280, 720), (1600, 1000)
SHARP = "1920x1080"  # logical pixels: a screen of 3840 by 2160 at a scale of 2
LONGEST = 300  # seconds

needs_models = pytest.mark.skipif(
    not all(asset_path("models", f"{model}.tflite").is_file() for model in FOUR),
    reason="the models were not trained yet",
)


@needs_models
def test_every_view_can_be_read_in_every_size_and_theme(qapp, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        still = StillWindow(qapp, tmp_path, patch.setattr)
        found = faults_of(still, tmp_path, SIZES)
        still.close()
    assert found == {}


@needs_models
def test_every_view_can_be_read_on_a_sharp_screen():
    command = [sys.executable, "-m", "tests.app.layout_views", SHARP]
    surroundings = {**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, timeout=LONGEST, check=True)
    assert json.loads(done.stdout) == {"ratio": 2.0, "faults": {}}


# The measuring itself


class Words(Chart):
    """Paints two words."""

    def __init__(self, places, shortened=False):
        super().__init__("")
        self._places, self._shortened_to = places, 10 if shortened else 500

    def paintEvent(self, event):
        painter = QPainter(self)
        for word, place in zip(("first", "second"), self._places, strict=True):
            text = painter.fontMetrics().elidedText(word, Qt.TextElideMode.ElideRight, self._shortened_to)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft, text)


Words.__module__ = "app.words"  # as one of ours


def painting(first, second=(100, 10, 60, 20), **how):
    return Words((QRectF(*first), QRectF(*second)), **how)


def squeezed(widget, width, height=40):
    widget.setFixedSize(width, height)
    return widget


def named_combo():
    combo = QComboBox()
    combo.addItem("a model with a long name")
    return combo


def overlapping():
    whole = QWidget()
    for x in (0, 30):
        QPushButton("A", whole).setGeometry(QRect(x, 0, 60, 40))
    return whole


def sticking_out():
    whole = QWidget()
    QWidget(whole).setGeometry(QRect(100, 0, 300, 20))
    return whole


def wide_in_a_column():
    area = QScrollArea()
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(squeezed(QLabel("A"), 600))
    return area


GOOD = {
    "label": lambda: QLabel("A short text"),
    "button": lambda: QPushButton("Go"),
    "words": lambda: painting((10, 10, 60, 20)),
}
BAD = {
    "label": (lambda: squeezed(QLabel("A text for which there is no room"), 60), "cut"),
    "wrapped": (lambda: squeezed(QLabel("A text for which there is no room", wordWrap=True), 60, 30), "cut"),
    "button": (lambda: squeezed(QPushButton("Measure everything"), 60), "cut"),
    "small button": (lambda: squeezed(QToolButton(text="Measure"), 30), "cut"),
    "combo": (lambda: squeezed(named_combo(), 80), "cut"),
    "siblings": (overlapping, "overlap"),
    "child": (sticking_out, "outside"),
    "column": (wide_in_a_column, "outside"),
    "words on words": (lambda: painting((10, 10, 60, 20), (20, 12, 60, 20)), "overlap"),
    "words outside": (lambda: painting((180, 10, 60, 20)), "outside"),
    "words in no room": (lambda: painting((10, 10, 8, 20)), "cut"),
    "shortened words": (lambda: painting((10, 10, 60, 20), shortened=True), "cut"),
}


def shown(qtbot, widget):
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.addWidget(widget)
    window.setFixedSize(220, 120)
    window.show()
    qtbot.waitExposed(window)
    return window


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_has_no_fault(qtbot, themed, name):
    assert layout_faults.layout_faults(shown(qtbot, GOOD[name]())) == []


@pytest.mark.parametrize("name", BAD)
def test_every_kind_of_fault_is_found(qtbot, themed, name):
    make, kind = BAD[name]
    found = layout_faults.layout_faults(shown(qtbot, make()))
    assert {fault.split(":")[0] for fault in found} == {kind}, found


def test_a_shortened_text_is_right_where_the_tool_tip_has_the_whole(qtbot, themed):
    label = squeezed(QLabel("A text for which there is no room"), 60)
    label.setToolTip(label.text())
    assert layout_faults.layout_faults(shown(qtbot, label)) == []
