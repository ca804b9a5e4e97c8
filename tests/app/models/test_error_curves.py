"""The curves of the models: what is drawn, and what is said in words and under the mouse."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from app.models.error_curves import Curve, ErrorCurves
from app.theme.theme import colours

GOOD = Curve("good", tuple(np.clip(np.linspace(0, 4, 41), 0, 1).tolist()), (0,))
BAD = Curve("bad", tuple(np.linspace(0, 0.5, 41).tolist()))


@pytest.fixture
def chart(qtbot, themed):
    shown = ErrorCurves()
    qtbot.addWidget(shown)
    shown.resize(420, 260)
    shown.show_curves([GOOD, BAD], "lfpw68 test", "bad")
    shown.show()
    return shown


def test_words_say_the_share_in_the_middle(chart):
    assert chart.accessibleDescription() == (
        "bad: 25.0 % of the faces within NME 5 %; good: 100.0 % of the faces within NME 5 %"
    )


def test_the_chosen_curve_is_drawn_where_its_shares_are(chart):
    image, plot = chart.grab().toImage(), chart._plot()

    def colour_at(share_across, share_up):
        x, y = plot.left() + share_across * plot.width(), plot.bottom() - share_up * plot.height()
        return {image.pixelColor(round(x), round(y) + step).name() for step in (-1, 0, 1)}

    assert colours().accent in colour_at(0.5, 0.25)
    assert colours().accent not in colour_at(0.5, 0.6)


def test_the_mouse_reads_off_a_share(chart, qtbot):
    before = chart.grab().toImage()
    qtbot.mouseMove(chart, QPoint(round(chart._plot().right()), 120))
    qtbot.waitUntil(lambda: chart.hovered is not None)
    assert chart.grab().toImage() != before


def test_without_curves_a_sentence_says_how_to_get_them(chart):
    chart.show_curves([], "", "")
    assert "evaluate --save-to-card" in chart.accessibleDescription()
    chart.grab()
