"""Sections of the side panel are folded by mouse or key, and stay so at the next start."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.live.panel.panel import ControlPanel
from app.settings.store import SettingsStore

NAMES = ("source", "models", "overlay", "filter", "signals", "output")


@pytest.fixture
def new_panel(tmp_path, qtbot):
    """Return a function that makes the panel as a start of the program does."""

    def make():
        store = SettingsStore(tmp_path / "settings.toml")
        panel = ControlPanel(store)
        store.update("signals", True)
        qtbot.addWidget(panel)
        panel.show()
        qtbot.waitExposed(panel)
        return panel, store

    return make


def sections(panel):
    every = (panel.source, panel.lanes, panel.overlays, panel.filters, panel.signals_section, panel.outputs)
    return dict(zip(NAMES, every, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_heading_folds_its_section_and_the_next_start_remembers_it(new_panel, qtbot, name):
    panel, store = new_panel()
    section = sections(panel)[name]
    before = section.body.isVisible()
    assert before is (name != "output"), "what is sent and recorded is folded at first"
    others = {other: its.body.isVisible() for other, its in sections(panel).items() if other != name}
    qtbot.mouseClick(section.head, Qt.MouseButton.LeftButton)
    assert section.body.isVisible() is not before
    assert {other: its.body.isVisible() for other, its in sections(panel).items() if other != name} == others
    store.close()
    again, _ = new_panel()
    assert sections(again)[name].body.isVisible() is not before


def test_space_on_the_heading_folds_too_and_its_height_goes_to_the_others(new_panel, qtbot):
    panel, _ = new_panel()
    section, below = panel.overlays, panel.filters
    top = below.mapTo(panel, below.rect().topLeft()).y()
    section.head.setFocus()
    qtbot.keyClick(section.head, Qt.Key.Key_Space)
    assert not section.body.isVisible()
    assert section.head.arrowType() is Qt.ArrowType.RightArrow
    qtbot.waitUntil(lambda: below.mapTo(panel, below.rect().topLeft()).y() < top)
    qtbot.keyClick(section.head, Qt.Key.Key_Space)
    assert section.body.isVisible()
    assert section.head.arrowType() is Qt.ArrowType.DownArrow


def test_a_key_changes_what_is_folded_away(new_panel):
    panel, store = new_panel()
    panel.overlays.head.click()
    panel.overlays.boxes["pose"].click()
    assert store.settings.live.overlay.pose
