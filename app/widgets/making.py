"""Controls as the side panel wants them: named, with a tool tip, reached by Tab, and no thief of the focus."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSlider

from app.shortcuts.shortcuts import Act, with_key
from app.widgets.controls import CheckBox


def make_check(text: str, hint: str, act: Act | None = None, checked: bool = False) -> CheckBox:
    """Return a check box; `act` names the key that does the same."""
    box = CheckBox(text)
    box.setToolTip(hint if act is None else with_key(hint, act))
    box.setChecked(checked)
    return box


def make_button(text: str, hint: str, act: Act | None = None, checkable: bool = False) -> QPushButton:
    """Return a button; `act` names the key that does the same."""
    button = QPushButton(text)
    button.setToolTip(hint if act is None else with_key(hint, act))
    button.setAccessibleName(text)
    button.setCheckable(checkable)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def make_slider(name: str, hint: str, low: int, high: int, value: int, page: int = 10) -> QSlider:
    """Return a slider over whole numbers."""
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setPageStep(page)
    slider.setValue(value)
    slider.setAccessibleName(name)
    slider.setToolTip(hint)
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return slider
