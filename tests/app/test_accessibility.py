"""Keyboard and screen reader: every control is reached, named and explained, and shows that it has the focus."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from app.shell.banner import Banner, Remedy
from app.theme.theme import DARK, LIGHT, apply_theme
from tests.app import walking

# No control: its keys are those of the window, and a tool tip or a ring would only lie in the way.
PICTURE = "Viewport “Live picture”"
SEEN = (walking.nameless, walking.unexplained, walking.unreachable, walking.skipped)


@pytest.fixture(params=[DARK, LIGHT], ids=["dark", "light"])
def look(request, themed):
    apply_theme(themed, request.param)
    yield request.param
    apply_theme(themed)


@pytest.mark.parametrize("fault", SEEN, ids=lambda fault: fault.__name__)
def test_fault_83_main_window_can_be_used_without_mouse_and_eyes(playing, fault):
    playing.activateWindow()
    assert len(walking.controls(playing)) > 8
    assert [name for name in fault(playing) if name != PICTURE or fault is not walking.unexplained] == []


def test_fault_83_tab_and_back_visit_the_same(playing):
    playing.activateWindow()
    there, back = walking.walk(playing), walking.walk(playing, backwards=True)
    assert there[1:] == back[:0:-1]


def test_fault_83_every_control_shows_the_focus(look, playing):
    playing.activateWindow()
    assert [name for name in walking.without_ring(playing) if name != PICTURE] == []


def test_fault_83_banner_is_reached_by_tab(playing):
    playing.activateWindow()
    banner = playing.banner
    banner.show_message("The camera is gone.", "Plug it in.", remedies=[Remedy("Try again", lambda: None)])
    visited = walking.walk(playing)
    assert {*banner.remedy_buttons, banner.copy_button, banner.close_button} <= set(visited)
    assert "The camera is gone" in banner.accessibleName()


class Trap(QPushButton):
    """A button that keeps the focus."""

    def focusNextPrevChild(self, forward):
        return True


@pytest.mark.parametrize("fault", SEEN, ids=lambda fault: fault.__name__)
def test_the_walk_finds_what_is_wrong(qtbot, fault):
    """The walk itself: one good control, and one that has the fault."""
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    good, bad = (Trap if fault is walking.skipped else QPushButton)("Good"), QPushButton("Bad")
    for button in (good, bad):
        button.setAccessibleName(button.text())
        button.setToolTip("Does something")
        layout.addWidget(button)
    if fault is walking.nameless:
        bad.setAccessibleName("")
    elif fault is walking.unexplained:
        bad.setText("")
        bad.setToolTip("")
    elif fault is walking.unreachable:
        bad.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    window.show()
    qtbot.waitExposed(window)
    good.setFocus()
    assert fault(window) == [walking.describe(bad)]


def test_banner_alone_is_named(qtbot, themed):
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_message("The camera is gone.")
    assert walking.nameless(banner) == walking.unexplained(banner) == []
