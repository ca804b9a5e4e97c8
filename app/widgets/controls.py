"""Check boxes, lists and buttons as the window uses them: named, with a tool tip, and reached by Tab.

They draw the marks that a style sheet can take only from image files.
"""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QStandardItemModel,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QToolTip,
    QWidget,
)

from app.shortcuts.shortcuts import Act, with_key
from app.theme.theme import colours

TICK = ((0.24, 0.52), (0.43, 0.71), (0.77, 0.31))  # in shares of the indicator
CHEVRON = ((-4.0, -2.0), (0.0, 2.0), (4.0, -2.0))  # logical pixels around its middle
CHEVRON_INSET = 17.0  # from the right edge to the chevron's middle, logical pixels
W = TypeVar("W", bound=QWidget)
_ARROW_KEYS = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}


def named(control: W, name: str, hint: str, act: Act | None = None) -> W:
    """Give a control its name and its tool tip, and return it; `act` names the key that does the same."""
    control.setAccessibleName(name)
    control.setToolTip(hint if act is None else with_key(hint, act))
    return control


class CheckBox(QCheckBox):
    """A check box with a tick that can be seen; see `named`.

    Clicks leave the focus where it is, so that Space still means pause for users of the mouse.
    """

    def __init__(self, text: str, hint: str = "", act: Act | None = None) -> None:
        super().__init__(text)
        named(self, text, hint, act).setFocusPolicy(Qt.FocusPolicy.TabFocus)

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
    """A list that does not change by accident: the wheel scrolls past it, and arrow keys open it; see `named`."""

    def __init__(self, name: str = "", hint: str = "", act: Act | None = None) -> None:
        super().__init__()
        named(self, name, hint, act).setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(14)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def add(self, text: str, data: object, hint: str, usable: bool = True) -> None:
        """Add a row with a tool tip; where it is not usable, it cannot be chosen."""
        self.addItem(text, data)
        self.setItemData(self.count() - 1, hint, Qt.ItemDataRole.ToolTipRole)
        self.set_usable(self.count() - 1, usable)

    def set_usable(self, row: int, usable: bool) -> None:
        """Let the user choose a row, or not."""
        model = self.model()
        assert isinstance(model, QStandardItemModel)  # the default model of every QComboBox
        model.item(row).setEnabled(usable)

    def tip(self) -> str:
        """Return the tool tip as it is shown: below the whole name of what is chosen, where there is no room for it."""
        name = self.currentText()
        is_cut = self.fontMetrics().horizontalAdvance(name) > self._room(self._style_option())
        return f"{name}\n{self.toolTip()}" if is_cut else self.toolTip()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip(), self)
            return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ARROW_KEYS:
            self.showPopup()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = self._style_option()
        # Qt cuts long names in the middle of a letter.
        option.currentText = self.fontMetrics().elidedText(
            option.currentText, Qt.TextElideMode.ElideRight, self._room(option)
        )
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        middle = QPointF(self.width() - CHEVRON_INSET, self.height() / 2)
        _draw_line(self, [middle + QPointF(x, y) for x, y in CHEVRON], colours().muted, 1.6)

    def _style_option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return option

    def _room(self, option: QStyleOptionComboBox) -> int:
        """Return how many pixels there are for the name of what is chosen."""
        kind, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        return self.style().subControlRect(kind, option, part, self).width()


def _draw_line(widget: QWidget, points: list[QPointF], colour: str, width: float) -> None:
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPolyline(QPolygonF(points))


def make_button(text: str, hint: str, act: Act | None = None, checkable: bool = False) -> QPushButton:
    """Return a button; see `named`."""
    button = named(QPushButton(text), text, hint, act)
    button.setCheckable(checkable)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def make_tool_button(text: str, name: str, hint: str = "") -> QToolButton:
    """Return a small button; `name` says in words what it does, and so does its tool tip if there is no `hint`."""
    button = named(QToolButton(), name, hint or name)
    button.setText(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
