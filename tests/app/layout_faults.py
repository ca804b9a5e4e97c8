"""Finds what nobody could read in a window: texts that are cut off, outside, or on top of each other.

What Qt paints is measured by the rectangles of its widgets; what our own widgets paint, by every text that they give
to a painter while they are painted once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations

from PySide6.QtCore import QModelIndex, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QFontMetricsF, QPainter, QPixmap, QRegion
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)

from app.live.viewport.split_line import SplitLine
from app.shell.banner import Banner
from app.shortcuts.cheat_sheet import HotkeySheet
from app.widgets.controls import Picker
from tests.app.walking import describe

SLACK = 1.0  # logical pixels, of rounding
OVER = (Banner, HotkeySheet, SplitLine)  # meant to lie over something else
INNER = (QAbstractScrollArea, QComboBox, QStackedWidget, QTabBar)  # whose children Qt lays out
TAB_PADDING = 14  # as in the style sheet
BUTTON_EDGE = 3  # logical pixels at least between the text of a small button and its edges
LEAST_SCROLLED = 40  # logical pixels of which something that scrolls must be seen


@dataclass(frozen=True)
class Painted:
    """A text that a widget painted: its rectangle, and the room it was given, in the widget's logical pixels."""

    text: str
    area: QRectF
    room: QRectF


def layout_faults(window: QWidget) -> list[str]:
    """Return what is wrong with what the window shows now, a line for each fault."""
    shown = [widget for widget in (window, *window.findChildren(QWidget)) if widget.isVisible()]
    found = [fault for widget in shown for fault in (*cut_texts(widget), *outside(widget), *overlaps(widget))]
    return found + [fault for widget in shown if _paints(widget) for fault in painted_faults(widget)]


# Qt's own widgets


def cut_texts(widget: QWidget) -> Iterator[str]:
    """Report texts for which a widget of Qt has no room; shortened ones are right where the tool tip has the whole."""
    for text, wanted, given in _texts(widget):
        if wanted > given + SLACK and text not in _tip(widget):
            yield f"cut: “{text}” wants {wanted:.0f} of {given:.0f} pixels in {describe(widget)}"
    if isinstance(widget, QAbstractItemView) and not isinstance(widget, QHeaderView):
        yield from _cut_cells(widget)


def _tip(widget: QWidget) -> str:
    return widget.tip() if isinstance(widget, Picker) else widget.toolTip()


def _texts(widget: QWidget) -> Iterator[tuple[str, float, float]]:
    """Yield each text of a widget, how many pixels it wants, and how many it has, across or up."""
    metrics = widget.fontMetrics()
    if isinstance(widget, QLabel) and widget.text():
        if widget.wordWrap():
            yield widget.text(), widget.heightForWidth(widget.width()), widget.height()
            longest = max((metrics.horizontalAdvance(word) for word in widget.text().split()), default=0)
            yield widget.text(), longest, widget.contentsRect().width()
        else:
            yield widget.text(), widget.sizeHint().width(), widget.width()
            yield widget.text(), widget.sizeHint().height(), widget.height()
    elif isinstance(widget, QPushButton | QCheckBox) and widget.text():
        kind = QStyle.SubElement
        part = kind.SE_CheckBoxContents if isinstance(widget, QCheckBox) else kind.SE_PushButtonContents
        option = QStyleOptionButton()
        widget.initStyleOption(option)
        room = widget.style().subElementRect(part, option, widget)
        size = metrics.size(Qt.TextFlag.TextShowMnemonic, widget.text())
        yield widget.text(), size.width(), room.width()
        yield widget.text(), size.height(), widget.height()
    elif isinstance(widget, QToolButton) and widget.text():
        beside = widget.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        wanted = widget.sizeHint().width() if beside else metrics.horizontalAdvance(widget.text())
        yield widget.text(), wanted, widget.width() - (0 if beside else 2 * BUTTON_EDGE)
        yield widget.text(), metrics.height(), widget.height()
    elif isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        kind, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = widget.style().subControlRect(kind, option, part, widget)
        yield widget.currentText(), metrics.horizontalAdvance(widget.currentText()), room.width()
        yield widget.currentText(), metrics.height(), widget.height()
    elif isinstance(widget, QLineEdit) and not widget.text():
        yield widget.placeholderText(), metrics.horizontalAdvance(widget.placeholderText()), widget.width() - 24
    elif isinstance(widget, QTabBar):
        for tab in range(widget.count()):
            wanted = metrics.horizontalAdvance(widget.tabText(tab)) + 2 * TAB_PADDING
            yield widget.tabText(tab), wanted, widget.tabRect(tab).width()
            yield widget.tabText(tab), widget.tabRect(tab).right(), widget.width()
    elif isinstance(widget, QHeaderView) and widget.model() is not None:
        for section in range(widget.count()):
            name = str(widget.model().headerData(section, widget.orientation()))
            yield name, widget.sectionSizeHint(section), widget.sectionSize(section)


def _cut_cells(view: QAbstractItemView) -> Iterator[str]:
    model, seen, top = view.model(), view.viewport().rect(), QModelIndex()
    for row in range(model.rowCount(top)):
        for column in range(1 if isinstance(view, QListView) else model.columnCount(top)):
            index = model.index(row, column)
            area, text = view.visualRect(index), str(index.data() or "")
            wanted = view.sizeHintForIndex(index).width()
            if isinstance(view, QListView):
                wanted = view.fontMetrics().horizontalAdvance(text) + 6
            tip = str(index.data(Qt.ItemDataRole.ToolTipRole) or "")
            if area.intersects(seen) and wanted > area.width() + SLACK and text not in tip:
                yield f"cut: “{text}” wants {wanted} of {area.width()} pixels in {describe(view)}"


def outside(widget: QWidget) -> Iterator[str]:
    """Report children that are not within their parent, unless it scrolls."""
    if isinstance(widget, QScrollArea) and widget.widget() is not None:
        never = widget.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        if never and widget.widget().width() > widget.viewport().width():
            yield f"outside: {describe(widget)} does not scroll sideways, but what is in it is wider"
        if widget.viewport().height() < min(LEAST_SCROLLED, widget.widget().height()):
            yield f"outside: {describe(widget)} has no room to scroll"
    if isinstance(widget, INNER) or isinstance(widget.parentWidget(), QAbstractScrollArea):
        return
    for child in _children(widget):
        if not child.isWindow() and not widget.rect().contains(child.geometry()):
            yield f"outside: {_named(child)} is not within {_named(widget)} of {_size(widget.rect())}"


def overlaps(widget: QWidget) -> Iterator[str]:
    """Report children that lie on one another and are not meant to."""
    if isinstance(widget, INNER):
        return
    apart = [child for child in _children(widget) if not isinstance(child, OVER)]
    for first, second in combinations(apart, 2):
        if first.geometry().intersects(second.geometry()):
            yield f"overlap: {_named(first)} and {_named(second)}"


def _children(widget: QWidget) -> list[QWidget]:
    children = widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return [child for child in children if child.isVisible() and not child.isWindow() and not child.size().isEmpty()]


def _named(widget: QWidget) -> str:
    return f"{describe(widget)} at {_size(widget.geometry())}"


def _size(area: QRect) -> str:
    return f"{area.x()},{area.y()} {area.width()}\u00d7{area.height()}"


# What we paint


def _paints(widget: QWidget) -> bool:
    return any("paintEvent" in vars(kind) and kind.__module__.startswith("app.") for kind in type(widget).__mro__)


def painted_faults(widget: QWidget) -> list[str]:
    """Report texts painted by our own widget that are cut, shortened without a tool tip, or on one another."""
    name, rect, found = _named(widget), QRectF(widget.rect()).adjusted(-SLACK, -SLACK, SLACK, SLACK), []
    painted, shortened = paint(widget)
    found += [f"cut: “{text}” is shortened in {name}" for text in shortened if text not in _tip(widget)]
    for its in painted:
        if not its.room.adjusted(-SLACK, -SLACK, SLACK, SLACK).contains(its.area):
            found.append(f"cut: “{its.text}” has too little room in {name}")
        if not rect.contains(its.area):
            found.append(f"outside: “{its.text}” of {name}")
    for first, second in combinations(painted, 2):
        if first.area.intersects(second.area):
            found.append(f"overlap: “{first.text}” and “{second.text}” in {name}")
    over = [child for child in _children(widget) if not isinstance(child, OVER)]
    for its in painted:
        found += [
            f"overlap: “{its.text}” of {name} is below {_named(child)}"
            for child in over
            if its.area.intersects(QRectF(child.geometry())) and (not _paints(child) or paint(child)[0])
        ]
    return found


def paint(widget: QWidget) -> tuple[list[Painted], list[str]]:
    """Let a widget paint itself once more; return the texts it painted, and those that it shortened."""
    for name, value in vars(widget).items():
        if isinstance(value, QPixmap):  # of a widget that paints once and then copies
            setattr(widget, name, None)
    picture = QPixmap(widget.size() * widget.devicePixelRatioF())
    picture.setDevicePixelRatio(widget.devicePixelRatioF())
    with _recording() as (painted, shortened):
        widget.render(picture, QPoint(), QRegion(widget.rect()), QWidget.RenderFlag.DrawWindowBackground)
    return painted, shortened


@contextmanager
def _recording() -> Iterator[tuple[list[Painted], list[str]]]:
    painted, shortened = list[Painted](), list[str]()
    draw, elided = QPainter.drawText, {kind: kind.elidedText for kind in (QFontMetrics, QFontMetricsF)}

    def draw_text(painter: QPainter, *args: object) -> object:
        its = _measured(painter, args)
        if its is not None and its.text.strip() and painter.opacity() > 0:
            painted.append(its)
        return draw(painter, *args)

    def shorten(kind: type) -> object:
        def elided_text(metrics: object, text: str, *rest: object) -> str:
            short = elided[kind](metrics, text, *rest)
            if short != text:
                shortened.append(text)
            return short

        return elided_text

    QPainter.drawText = draw_text
    for kind in elided:
        kind.elidedText = shorten(kind)
    try:
        yield painted, shortened
    finally:
        QPainter.drawText = draw
        for kind, former in elided.items():
            kind.elidedText = former


def _measured(painter: QPainter, args: Sequence[object]) -> Painted | None:
    """Return where the ink of a text comes to lie, by the arguments of `QPainter.drawText`."""
    metrics, place = QFontMetricsF(painter.font()), painter.transform()
    if isinstance(args[0], QPointF | QPoint):
        text = str(args[1])
        area = metrics.tightBoundingRect(text).translated(QPointF(args[0]))
        return Painted(text, place.mapRect(area), place.mapRect(area))
    room, flags, text = QRectF(args[0]), int(args[1]), str(args[2])
    area = painter.boundingRect(room, flags, text)
    whole = place.mapRect(room)
    if "\n" not in text and area.height() < 1.5 * metrics.height():  # a line, of which only the ink counts
        area = metrics.tightBoundingRect(text).translated(area.left(), area.top() + metrics.ascent())
    return Painted(text, place.mapRect(area), whole)
