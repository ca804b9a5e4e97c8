"""Check boxes, lists, buttons and sliders as the window uses them: named, with a tool tip, and reached by Tab.

They draw the marks that a style sheet can take only from image files.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from app.shortcuts.shortcuts import Act, with_key
from app.theme.theme import colours

TICK = ((0.24, 0.52), (0.43, 0.71), (0.77, 0.31))  # in shares of the indicator
CHEVRON = ((-4.0, -2.0), (0.0, 2.0), (4.0, -2.0))  # logical pixels around its middle
CHEVRON_INSET = 17.0  # from the right edge to the chevron's middle, logical pixels
_ARROW_KEYS = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}


class CheckBox(QCheckBox):
    """A check box with a tick that can be seen.

    Clicks leave the focus where it is, so that Space still means pause for users of the mouse.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = QRectF(self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self))
        points = [QPointF(box.left() + x * box.width(), box.top() + y * box.height()) for x, y in TICK]
        _draw_line(self, points, colours().on_accent if self.isEnabled() else colours().faint, 2.0)


class Picker(QComboBox):
    """A list that does not change by accident: the wheel scrolls past it, and arrow keys open it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(14)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def disable(self, row: int, reason: str) -> None:
        """Keep a row from being chosen, and say why in its tool tip."""
        model = self.model()
        assert isinstance(model, QStandardItemModel)  # the default model of every QComboBox
        model.item(row).setEnabled(False)
        self.setItemData(row, reason, Qt.ItemDataRole.ToolTipRole)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ARROW_KEYS:
            self.showPopup()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        kind, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(kind, option, part, self).width()
        # Qt cuts long names in the middle of a letter.
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)
        painter = QStylePainter(self)
        painter.drawComplexControl(kind, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        middle = QPointF(self.width() - CHEVRON_INSET, self.height() / 2)
        _draw_line(self, [middle + QPointF(x, y) for x, y in CHEVRON], colours().muted, 1.6)


def _draw_line(widget: QWidget, points: list[QPointF], colour: str, width: float) -> None:
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPolyline(QPolygonF(points))


def make_check(text: str, hint: str, act: Act | None = None) -> CheckBox:
    """Return a check box; `act` names the key that does the same."""
    box = CheckBox(text)
    box.setToolTip(hint if act is None else with_key(hint, act))
    return box


def make_button(text: str, hint: str, act: Act | None = None, checkable: bool = False) -> QPushButton:
    """Return a button; `act` names the key that does the same."""
    button = QPushButton(text)
    button.setToolTip(hint if act is None else with_key(hint, act))
    button.setAccessibleName(text)
    button.setCheckable(checkable)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def make_tool_button(text: str, name: str, hint: str = "") -> QToolButton:
    """Return a small button; `name` says in words what it does, and so does its tool tip if there is no `hint`."""
    button = QToolButton()
    button.setText(text)
    button.setAccessibleName(name)
    button.setToolTip(hint or name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def make_slider(name: str, hint: str, low: int, high: int, page: int = 10) -> QSlider:
    """Return a slider over whole numbers."""
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setPageStep(page)
    slider.setAccessibleName(name)
    slider.setToolTip(hint)
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return slider
