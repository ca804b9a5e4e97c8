"""Walking a window as a person without a mouse, or without eyes, does."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget


def controls(window: QWidget) -> list[QWidget]:
    """Return everything that can be seen, used and reached by Tab."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.isVisibleTo(window) and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]


def unreachable(window: QWidget) -> list[str]:
    """Return controls that react to the mouse alone."""
    clickable = [widget for widget in window.findChildren(QAbstractButton) if widget.isVisibleTo(window)]
    return [describe(widget) for widget in clickable if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus]


def nameless(window: QWidget) -> list[str]:
    """Return controls of which a screen reader cannot say what they are."""
    return [describe(widget) for widget in controls(window) if not widget.accessibleName().strip()]


def unexplained(window: QWidget) -> list[str]:
    """Return controls that say by neither text nor tool tip what they do."""
    silent = []
    for widget in controls(window):
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if not (text.strip() or widget.toolTip().strip()):
            silent.append(describe(widget))
    return silent


def walk(window: QWidget, backwards: bool = False) -> list[QWidget]:
    """Press Tab, or Shift+Tab, until the focus is back where it began; return what it visited.

    Raises:
        AssertionError: it never comes back, or is lost on the way.
    """
    keys = Qt.KeyboardModifier.ShiftModifier if backwards else Qt.KeyboardModifier.NoModifier
    start = window.focusWidget()
    assert start is not None, "nothing has the focus"
    visited = [start]
    for _ in range(3 * len(controls(window)) + 3):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab, keys)
        QApplication.processEvents()
        now = window.focusWidget()
        assert now is not None, f"after {describe(visited[-1])} the focus is lost"
        if now is start:
            return visited
        visited.append(now)
    raise AssertionError(f"Tab never comes back to {describe(start)}: {[describe(widget) for widget in visited]}")


def skipped(window: QWidget) -> list[str]:
    """Return controls that Tab does not visit."""
    visited = walk(window)
    return [describe(widget) for widget in controls(window) if widget not in visited]


def without_ring(window: QWidget) -> list[str]:
    """Return controls that look the same with and without the focus."""
    same = []
    for widget in controls(window):
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        focused = widget.grab().toImage()
        widget.clearFocus()
        if widget.grab().toImage() == focused:
            same.append(describe(widget))
    return same


def describe(widget: QWidget) -> str:
    """Return what a reader of a failed test needs to find a widget."""
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return f"{type(widget).__name__} “{widget.accessibleName() or text or widget.objectName()}”"
