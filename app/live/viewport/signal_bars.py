"""The signals of the largest face, each as a number and a bar."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.live.viewport.plate import line_height
from app.theme.theme import colours
from app.widgets.fonts import plate_font
from engine.core.face_signals import FaceSignals
from engine.core.stats import REFRESH

WIDEST_ANGLE = 60.0  # degrees at the ends of the bars
UNKNOWN = "\u2013"  # a dash
MINUS = "\u2212"
WIDEST_VALUE = "100 %"
BARS_EVERY = 1 / 15  # seconds
# Logical pixels.
WIDTH = 210
LABEL_GAP, BAR_HEIGHT, ROW_GAP, GROUP_GAP = 12.0, 4.0, 4.0, 6.0


@dataclass(frozen=True)
class Signal:
    """One signal as it is shown.

    Attributes:
        label: its name.
        value: the number with its unit.
        start, end: the filled part, in shares of the bar's width; None for a signal without a bar.
        middle: whether the bar has its zero in the middle.
        gap: whether it begins a new group.
    """

    label: str
    value: str
    start: float | None = None
    end: float | None = None
    middle: bool = False
    gap: bool = False


class SignalBars(QWidget):
    """Shows how the head is turned, how far eyes and mouth are open, and how often the eyes blinked.

    Bars follow the face; digits change four times a second, because faster ones cannot be read. Both are those of the
    last face in the end, as in a pause.

    Args:
        clock: returns seconds, as `time.monotonic` does.

    Attributes:
        shown: what is on screen.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self.shown = self.describe(None)
        self._face = False
        self._bars_at = self._digits_at = -math.inf
        self._newest: FaceSignals | None = None
        self._due = QTimer(self, singleShot=True, interval=round(REFRESH * 1000))
        self._due.timeout.connect(self._catch_up)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Signals of the largest face"))
        self.setAccessibleDescription(self.tr("no face"))
        self.setToolTip(
            self.tr(
                "Yaw is positive towards the right of the picture, pitch upwards, roll clockwise. Left and right eye "
                "are the person's own. An eye is 100 % open when it is as open as it usually is, a mouth when it is "
                "wide open. Blinks are counted since this face is followed."
            )
        )

    def show_signals(self, signals: FaceSignals | None) -> None:
        """Show the signals of a face from now on; None where there is no face or its signals are unknown."""
        now, face, self._newest = self._clock(), signals is not None, signals
        if face == self._face and (not face or now - self._bars_at < BARS_EVERY):
            if face:
                self._catch_up_later()
            return
        fresh = self.describe(signals)
        if face == self._face and now - self._digits_at < REFRESH:
            self._catch_up_later()
            fresh = tuple(replace(new, value=old.value) for new, old in zip(fresh, self.shown, strict=True))
        else:
            self._digits_at = now
            self._due.stop()
            said = ", ".join(f"{signal.label} {signal.value}" for signal in fresh)
            self.setAccessibleDescription(said if face else self.tr("no face"))
        self._bars_at, self._face = now, face
        self.shown = fresh
        self.update()

    def describe(self, signals: FaceSignals | None) -> tuple[Signal, ...]:
        """Return what is shown of a face's signals; every signal unknown where there are none."""
        if signals is None:
            signals = FaceSignals(0, None, math.nan, math.nan, -1, math.nan)
        blinks = UNKNOWN if signals.blinks < 0 else str(signals.blinks)
        return (
            _angle(self.tr("yaw"), signals.yaw),
            _angle(self.tr("pitch"), signals.pitch),
            _angle(self.tr("roll"), signals.roll),
            _share(self.tr("left eye open"), signals.eye_left, gap=True),
            _share(self.tr("right eye open"), signals.eye_right),
            _share(self.tr("mouth open"), signals.mouth),
            Signal(self.tr("blinks"), blinks),
        )

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, math.ceil(self._rows()[-1] + self._row_height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(plate_font(self.font()))
        for signal, y in zip(self.shown, self._rows(), strict=True):
            self._paint_row(painter, signal, y)
        if not self._face:
            painter.setPen(QColor(colours().muted))
            words = self.tr("no face")
            blinks = self._rows()[-1] + self._metrics().ascent()
            x = (self.width() - self._metrics().horizontalAdvance(words)) / 2
            painter.drawText(QPointF(x, blinks), words)

    def _catch_up_later(self) -> None:
        """Make sure that the newest signals are shown soon, even if no others come."""
        if not self._due.isActive():
            self._due.start()

    def _catch_up(self) -> None:
        self._bars_at = self._digits_at = -math.inf
        self.show_signals(self._newest)

    def _paint_row(self, painter: QPainter, signal: Signal, y: float) -> None:
        metrics, shades = self._metrics(), colours()
        baseline = y + metrics.ascent()
        painter.setPen(QColor(shades.muted))
        painter.drawText(QPointF(0, baseline), signal.label)
        painter.setPen(QColor(shades.text if self._face else shades.muted))
        painter.drawText(QPointF(self.width() - metrics.horizontalAdvance(signal.value), baseline), signal.value)
        if signal.start is None or signal.end is None:
            return
        left = max(metrics.horizontalAdvance(its.label) for its in self.shown) + LABEL_GAP
        right = self.width() - metrics.horizontalAdvance(WIDEST_VALUE) - LABEL_GAP
        bar = QRectF(left, y + (metrics.height() - BAR_HEIGHT) / 2, max(right - left, 0.0), BAR_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(shades.hover))
        painter.drawRoundedRect(bar, BAR_HEIGHT / 2, BAR_HEIGHT / 2)
        filled = QRectF(bar)
        filled.setLeft(bar.left() + signal.start * bar.width())
        filled.setRight(bar.left() + signal.end * bar.width())
        painter.setBrush(QColor(shades.accent))
        painter.drawRoundedRect(filled, min(BAR_HEIGHT, filled.width()) / 2, BAR_HEIGHT / 2)
        if signal.middle:
            painter.setBrush(QColor(shades.edge))
            painter.drawRect(QRectF(bar.center().x() - 0.5, bar.top() - 2, 1, bar.height() + 4))

    def _rows(self) -> list[float]:
        y, rows = 0.0, []
        for signal in self.shown:
            y += GROUP_GAP * signal.gap
            rows.append(y)
            y += self._row_height()
        return rows

    def _row_height(self) -> float:
        return line_height(self._metrics()) + ROW_GAP

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(plate_font(self.font()))


def _angle(label: str, degrees: float) -> Signal:
    """Return an angle on a bar that grows from its middle to either side."""
    if not math.isfinite(degrees):
        return Signal(label, UNKNOWN, 0.5, 0.5, middle=True)
    whole = round(degrees)
    value = f"{MINUS if whole < 0 else ''}{abs(whole)}\u00b0"
    end = 0.5 + min(max(degrees / WIDEST_ANGLE, -1.0), 1.0) / 2
    return Signal(label, value, min(0.5, end), max(0.5, end), middle=True)


def _share(label: str, share: float, gap: bool = False) -> Signal:
    if not math.isfinite(share):
        return Signal(label, UNKNOWN, 0.0, 0.0, gap=gap)
    share = min(max(share, 0.0), 1.0)
    return Signal(label, f"{share * 100:.0f} %", 0.0, share, gap=gap)
