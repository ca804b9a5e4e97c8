"""Controls that show a setting and change it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QSlider

from app.settings.schema import range_of, value_at
from app.settings.store import SettingsStore
from app.settings.words import WORDS, hint_of, label_of
from app.shortcuts.shortcuts import with_key
from app.widgets.controls import CheckBox, named

Control = QAbstractButton | QComboBox | QSlider


def follow(store: SettingsStore, path: str, show: Callable[[Any], object]) -> None:
    """Call `show` with what is at a path: now, and whenever it changes."""

    def on_changed(changed: str) -> None:
        if f"{changed}.".startswith(f"{path}.") or path.startswith(f"{changed}."):
            show(value_at(store.settings, path))

    store.changed.connect(on_changed)
    show(value_at(store.settings, path))


def bind(
    store: SettingsStore,
    control: Control,
    path: str,
    *,
    values: tuple[object, object] = (False, True),
    scale: int = 1,
) -> None:
    """Let a control show a setting and change it.

    Args:
        store: holds the setting.
        control: a button that can be checked; a slider; or a list whose items have the values of the setting's enum as
            their data.
        path: of the setting.
        values: of the setting while a button is unchecked and checked.
        scale: steps of a slider for one unit of the setting.
    """
    if isinstance(control, QAbstractButton):
        follow(store, path, lambda value: control.setChecked(value == values[1]))
        control.toggled.connect(lambda on: store.update(path, values[on]))
    elif isinstance(control, QSlider):
        follow(store, path, lambda value: control.setValue(round(value * scale)))
        control.valueChanged.connect(lambda steps: _slide(store, path, steps, scale))
    else:
        follow(store, path, lambda value: control.setCurrentIndex(control.findData(value.value)))
        control.currentIndexChanged.connect(lambda row: _choose(store, path, control.itemData(row)))


def bound_check(store: SettingsStore, path: str, values: tuple[object, object] = (False, True)) -> CheckBox:
    """Return a check box for a setting; see `bind`."""
    box = CheckBox(label_of(path), tool_tip(path))
    bind(store, box, path, values=values)
    return box


def bound_slider(store: SettingsStore, path: str, *, scale: int = 1, page: int = 10) -> QSlider:
    """Return a slider over the range of a setting; see `bind`. The page keys move it by `page` steps."""
    allowed = range_of(path)
    low, high = round(allowed.low * scale), round(allowed.high * scale)
    slider = named(QSlider(Qt.Orientation.Horizontal), label_of(path), tool_tip(path))
    slider.setRange(low, high)
    slider.setPageStep(page)
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    bind(store, slider, path, scale=scale)
    return slider


def tool_tip(path: str) -> str:
    """Return what a setting does, and in brackets the key that changes it."""
    return with_key(hint_of(path), path) if WORDS[path].key else hint_of(path)


def _slide(store: SettingsStore, path: str, steps: int, scale: int) -> None:
    # A value between two steps stays as it is until the slider is moved.
    if steps != round(value_at(store.settings, path) * scale):
        store.update(path, steps / scale)


def _choose(store: SettingsStore, path: str, data: object) -> None:
    value = value_at(store.settings, path)
    assert isinstance(value, Enum)
    if data is not None:
        store.update(path, type(value)(data))
