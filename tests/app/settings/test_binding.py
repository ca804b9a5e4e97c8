"""Controls and settings agree at all times, and every default and range is written only in the record."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QSlider

from app.live.panel.panel import ControlPanel
from app.settings.binding import bind, bound_check, bound_slider, follow
from app.settings.schema import LaneSettings, Settings, range_of, setting_types, value_at
from app.settings.store import SettingsStore
from app.settings.words import WORDS
from app.widgets.controls import Picker
from engine.inference.library import ModelEntry
from engine.live.settings import LiveSettings, Pace
from engine.render.scene import Layout, Look, OverlayOptions
from tests.fakes.models import FAKE_CARD


@pytest.fixture
def store(tmp_path, qapp):
    return SettingsStore(tmp_path / "settings.toml")


@pytest.fixture
def panel(store, qtbot):
    shown = ControlPanel(store)
    qtbot.addWidget(shown)
    return shown


def heard(store):
    """Return a list that every change is added to."""
    paths = []
    store.changed.connect(paths.append)
    return paths


def test_check_box_goes_both_ways(store, qtbot):
    box, paths = bound_check(store, "live.overlay.pose"), heard(store)
    qtbot.addWidget(box)
    assert not box.isChecked()
    box.click()
    assert store.settings.live.overlay == OverlayOptions(pose=True)
    store.update("live.overlay.pose", False)
    assert not box.isChecked()
    store.toggle("live.overlay.pose")
    assert box.isChecked()
    assert paths == ["live.overlay.pose"] * 3, "once each, and nothing comes back"


def test_check_box_for_one_of_two_goes_both_ways(store, qtbot):
    box = bound_check(store, "live.pace", (Pace.LIVE, Pace.LOCKED))
    qtbot.addWidget(box)
    box.click()
    assert store.settings.live.pace is Pace.LOCKED
    store.toggle("live.pace")
    assert not box.isChecked()


def test_slider_goes_both_ways_and_leaves_what_lies_between_its_steps(store, qtbot):
    slider, paths = bound_slider(store, "live.smoothing", scale=100), heard(store)
    qtbot.addWidget(slider)
    slider.setValue(60)
    assert store.settings.live.smoothing == 0.6
    store.update("live.smoothing", 0.123)
    assert slider.value() == 12
    assert store.settings.live.smoothing == 0.123
    assert paths == ["live.smoothing"] * 2


def test_list_goes_both_ways(store, qtbot):
    picker = Picker()
    qtbot.addWidget(picker)
    for layout in Layout:
        picker.addItem(layout.name, layout.value)
    bind(store, picker, "live.layout")
    assert picker.currentText() == "SINGLE"
    picker.setCurrentIndex(3)
    assert store.settings.live.layout is Layout.OVERLAID
    store.update("live.layout", Layout.SPLIT)
    assert picker.currentText() == "SPLIT"
    picker.clear()
    assert store.settings.live.layout is Layout.SPLIT, "an empty list chooses nothing"


def test_followers_hear_of_changes_above_and_below(store):
    said = {path: [] for path in ("live.paused", "live", "theme")}
    for path, values in said.items():
        follow(store, path, values.append)
    store.update("live", replace(store.settings.live, paused=True))
    store.update("live.paused", False)
    assert said["live.paused"] == [False, True, False]
    assert [live.paused for live in said["live"]] == [False, True, False]
    assert len(said["theme"]) == 1


# The panel


def test_a_fresh_panel_shows_the_defaults_of_the_record(panel):
    usual = LiveSettings()
    overlays, lanes = panel.overlays, panel.lanes
    assert {name: box.isChecked() for name, box in overlays.boxes.items()} == vars(usual.overlay)
    assert overlays.mirrored.isChecked() is usual.mirrored
    assert overlays.smoothing.value() == round(100 * usual.smoothing)
    assert lanes.layouts.currentData() == usual.layout.value
    assert lanes.locked.isChecked() is (usual.pace is Pace.LOCKED)
    assert lanes.magnification.value() == usual.magnification
    assert panel.pause.isChecked() is usual.paused
    assert panel.signals_section.isHidden() is not Settings().signals


def test_sliders_have_the_ranges_of_the_record(panel):
    for slider, path, scale in (
        (panel.overlays.smoothing, "live.smoothing", 100),
        (panel.lanes.magnification, "live.magnification", 1),
    ):
        allowed = range_of(path)
        assert (slider.minimum(), slider.maximum()) == (allowed.low * scale, allowed.high * scale)
        assert allowed.low <= value_at(Settings(), path) <= allowed.high


def test_a_look_draws_arrows_as_the_settings_do(store):
    magnification = next(field.default for field in fields(Look) if field.name == "magnification")
    assert magnification == LiveSettings().magnification


def test_the_panel_follows_the_store_and_shows_numbers_between_steps(panel, store):
    store.update("live", LiveSettings(layout=Layout.DIFFERENCE, magnification=7.5, smoothing=0.256, paused=True))
    assert panel.lanes.magnification.value() == 8
    assert panel.lanes.magnification_label.text() == "Arrows \u00d77.5"
    assert panel.overlays.smoothing_label.text() == "Smoothing 26 %"
    assert panel.pause.text() == "Resume"
    assert panel.lanes.rows_of_lanes[1].isHidden()
    store.update("lanes.models", ("student-68", "student-98"))
    assert not panel.lanes.rows_of_lanes[1].isHidden()
    assert (store.settings.live.magnification, store.settings.live.smoothing) == (7.5, 0.256)


def test_the_mirror_image_is_offered_where_a_teacher_is_shown(panel, store):
    panel.lanes.set_entries([ModelEntry("big", Path("big.tflite"), replace(FAKE_CARD, role="teacher"), None)])
    assert panel.lanes.flip.isHidden()
    store.update("lanes", LaneSettings(("student-68", "big")))
    assert panel.lanes.flip.isHidden(), "the second lane rests"
    store.update("live.layout", Layout.SPLIT)
    assert not panel.lanes.flip.isHidden()
    assert "twice the time" in panel.lanes.flip.toolTip()
    panel.lanes.flip.setChecked(True)
    assert store.settings.live.flip
    store.update("lanes", LaneSettings(("big",)))
    store.update("live.layout", Layout.SINGLE)
    assert not panel.lanes.flip.isHidden()


def test_a_model_whose_twin_runs_in_its_place_is_one_in_the_list(panel):
    twin = ModelEntry("a-int8", Path("a-int8.tflite"), replace(FAKE_CARD, name="a-int8"), None)
    panel.lanes.set_entries([ModelEntry("a", Path("a.tflite"), replace(FAKE_CARD, name="a"), None, twin)])
    picker = panel.lanes.first
    picker.select("a-int8")
    assert (picker.count(), picker.currentText(), picker.currentData()) == (1, "a · int8", "a")


# The words


def test_words_are_of_settings_that_exist_and_every_overlay_has_some():
    assert set(WORDS) <= set(setting_types())
    overlays = [path.removeprefix("live.overlay.") for path in WORDS if path.startswith("live.overlay.")]
    assert overlays == [field.name for field in fields(OverlayOptions)], "in the order of the record"
    keys = [words.key for words in WORDS.values() if words.key]
    assert len(keys) == len(set(keys))


def test_controls_say_what_the_words_say(panel):
    assert panel.overlays.boxes["pose"].text() == WORDS["live.overlay.pose"].label
    assert panel.overlays.boxes["pose"].toolTip() == "Show the axes of each head (6)"
    assert panel.lanes.layouts.toolTip() == "How the models are shown (C)"
    assert panel.overlays.smoothing.toolTip() == WORDS["live.smoothing"].hint, "no key, no brackets"
    assert isinstance(panel.overlays.smoothing, QSlider)
    assert panel.signals_section.head.toolTip().startswith("Show the signals of the largest face (7)")
