"""The chart below the picture: the last half minute of latency, and of how far apart the models are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QTimer
from PySide6.QtGui import QColor, QFontMetricsF, QHideEvent, QPainter, QPaintEvent, QShowEvent

from app.theme.theme import GAP, MARGIN, colours, lane_colour
from app.widgets.charts import SPAN, Chart, Trace, draw_marks
from app.widgets.fonts import plate_font
from engine.core.stats import REFRESH
from engine.live.settings import MOST_LANES, LiveSettings
from engine.live.view import View
from engine.render.panel import number

# Where the axes may end: in milliseconds, and in percent of the eye distance.
LATENCY_TOPS = (50.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 1500.0, 2000.0, 3000.0, 5000.0)
DISTANCE_TOPS = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
SPOKEN_EVERY = 2.0  # seconds between two changes of what is read aloud
HEIGHT = 112  # logical pixels, as all below
AXIS = 58.0  # room for the numbers of an axis
MARK, MARK_GAP, NAME_GAP = 8.0, 6.0, 14.0
LATENCY_SHARE = 0.62  # of the width, next to the distances


@dataclass(frozen=True)
class Plot:
    """One of the two charts.

    Attributes:
        title: what is measured, with its unit.
        short: the same where there is little room.
        unit: of the axis.
        tops: where the axis may end; it ends at the first that holds every value.
        traces: what is drawn, each with its name and its colour.
    """

    title: str
    short: str
    unit: str
    tops: tuple[float, ...]
    traces: tuple[tuple[str, str, Trace], ...]

    def top(self, now: float) -> float:
        """Return where the axis ends."""
        largest = max((trace.largest(now) for _, _, trace in self.traces), default=0.0)
        return next((top for top in self.tops if top >= largest), self.tops[-1])


class StripChart(Chart):
    """Draws the milliseconds from capture to screen of each lane, and how far apart the lanes are, four times a second.

    A point is the mean of a quarter of a second. Where no frames came, there is no line.

    Args:
        clock: returns seconds, as `time.monotonic` does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("")
        self._clock = clock
        self._latency = tuple(Trace() for _ in range(MOST_LANES))
        self._distance = tuple(Trace() for _ in range(MOST_LANES))  # of each lane from the first on screen
        self._names: dict[int, str] = {}  # of the models on screen, by the numbers of their lanes
        self._drawn = [""] * MOST_LANES  # names of the models whose latencies are drawn
        self._spoken_at = -math.inf
        self._timer = QTimer(self, interval=round(REFRESH * 1000))
        self._timer.timeout.connect(self._refresh)
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(240)
        self.setAccessibleName(
            self.tr("Latency of the last {0:.0f} seconds, and how far apart the models are").format(SPAN)
        )

    def add(self, view: View, settings: LiveSettings) -> None:
        """Count how far apart lanes are on the newest frame, but in a pause.

        A lane whose model changed starts an empty line.
        """
        shown = {lane: its for lane in settings.on_screen if (its := view.lane(lane)) is not None}
        if [*self._names][:1] != [*shown][:1]:
            self._forget_distance()
        self._names = {lane: its.result.model for lane, its in shown.items()}
        for lane, name in self._names.items():
            if name not in ("", self._drawn[lane]):  # a frame without a model changes nothing
                self._drawn[lane] = name
                self._latency[lane].clear()
                self._forget_distance()
        for lane in [] if settings.paused else [*shown][1:]:
            self._distance[lane].add(self._clock(), shown[lane].distance_now)

    def add_latency(self, lane: int, moment: float, milliseconds: float) -> None:
        """Count a painted frame: its lane, `time.monotonic()` at that moment, and its age; see `Viewport.painted`."""
        self._latency[lane].add(moment, milliseconds)

    def clear(self) -> None:
        """Drop all values, as for another source."""
        for trace in self._latency:
            trace.clear()
        self._forget_distance()
        self.update()

    def plots(self) -> tuple[Plot, ...]:
        """Return what is drawn: the latency, and where there are several lanes their distances from the first."""
        names = self._names or {0: ""}
        lanes = tuple((name, lane_colour(lane), self._latency[lane]) for lane, name in names.items())
        latency = Plot(self.tr("capture to screen"), self.tr("to screen"), self.tr("ms"), LATENCY_TOPS, lanes)
        further = [*names][1:]
        if not further:
            return (latency,)
        traces = tuple(("", lane_colour(lane), self._distance[lane]) for lane in further)
        if len(further) == 1:  # it is that of both
            traces = (("", colours().accent, self._distance[further[0]]),)
        return latency, Plot(
            self.tr("difference, % of eye distance"), self.tr("difference, %"), "%", DISTANCE_TOPS, traces
        )

    def present_words(self) -> str:
        """Return the present values as a sentence."""
        said = []
        for plot in self.plots():
            for name, _, trace in plot.traces:
                value = trace.value(self._clock())
                words = self.tr("nothing now") if value is None else f"{number(value)} {plot.unit}"
                said.append(f"{' '.join(part for part in (name, plot.title) if part)}: {words}")
        return "; ".join(said)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, now = QPainter(self), self._clock()
        painter.setFont(plate_font(self.font()))
        painter.fillRect(self.rect(), QColor(colours().panel))
        for plot, area in zip(self.plots(), self._areas(), strict=True):
            self._paint_plot(painter, plot, area, now)

    def _forget_distance(self) -> None:
        for trace in self._distance:
            trace.clear()

    def _refresh(self) -> None:
        self.update()
        if self._clock() - self._spoken_at >= SPOKEN_EVERY:
            self._spoken_at = self._clock()
            self.setAccessibleDescription(self.present_words())

    def _areas(self) -> tuple[QRectF, ...]:
        inner = QRectF(self.rect()).adjusted(MARGIN, GAP, -MARGIN, -GAP)
        if len(self._names) < 2:
            return (inner,)
        left, right = QRectF(inner), QRectF(inner)
        left.setRight(inner.left() + inner.width() * LATENCY_SHARE - MARGIN)
        right.setLeft(inner.left() + inner.width() * LATENCY_SHARE + MARGIN)
        return left, right

    def _paint_plot(self, painter: QPainter, plot: Plot, area: QRectF, now: float) -> None:
        metrics = QFontMetricsF(painter.font())
        strip = area.adjusted(AXIS, metrics.height() + GAP, 0, -metrics.height() - 2)
        top = plot.top(now)
        draw_marks(painter, strip, ((0.0, "0"), (0.5, ""), (1.0, f"{top:g} {plot.unit}")), colours().line)
        baseline = strip.bottom() + 2 + metrics.ascent()
        ago, present = self.tr("{0:.0f} s ago").format(SPAN), self.tr("now")
        if metrics.horizontalAdvance(f"{ago} {present}") <= strip.width():
            painter.drawText(QPointF(strip.left(), baseline), ago)
        painter.drawText(QPointF(strip.right() - metrics.horizontalAdvance(present), baseline), present)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for _, colour, trace in plot.traces:
            self._paint_trace(painter, trace, colour, strip, top, now)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        moment = self._hovered_moment(strip, now)
        if moment is not None and self.hovered is not None:
            painter.setPen(QColor(colours().edge))
            painter.drawLine(QPointF(self.hovered, strip.top()), QPointF(self.hovered, strip.bottom()))
        self._paint_head(painter, plot, area, now, moment)

    def _paint_trace(self, painter: QPainter, trace: Trace, colour: str, strip: QRectF, top: float, now: float) -> None:
        painter.setPen(QColor(colour))
        right, bottom = strip.right(), strip.bottom()
        across, up = strip.width() / SPAN, strip.height() / top
        for segment in trace.segments(now):
            # The middle of the last quarter of a second is still to come.
            points = [
                QPointF(right - max(now - moment, 0.0) * across, bottom - min(value, top) * up)
                for moment, value in segment
            ]
            if len(points) == 1:
                painter.drawLine(points[0] - QPointF(1, 0), points[0] + QPointF(1, 0))
            else:
                painter.drawPolyline(points)

    def _paint_head(self, painter: QPainter, plot: Plot, area: QRectF, now: float, moment: float | None) -> None:
        """Paint title and values: for want of room a shorter title without names, and at last without values.

        The present latency stands on the plates, so here it has a figure only for the moment under the mouse.
        """
        metrics = QFontMetricsF(painter.font())
        titles = [plot.title, plot.short]
        if moment is not None:
            titles = [self.tr("{0}, {1:.1f} s ago").format(title, now - moment) for title in titles]
        values = [trace.value(now if moment is None else moment) for _, _, trace in plot.traces]
        if moment is None and plot.tops is LATENCY_TOPS:
            words = ["" for _ in values]
        else:
            words = ["\u2013" if value is None else f"{number(value)} {plot.unit}" for value in values]
        names, nothing = [name for name, _, _ in plot.traces], [""] * len(words)
        heads = [(titles[0], names, words), *((title, nothing, words) for title in titles), (plot.short, [], [])]
        title, names, words = next((head for head in heads if _head_width(metrics, *head) <= area.width()), heads[-1])
        baseline, x = area.top() + metrics.ascent(), area.left()
        painter.setPen(QColor(colours().muted))
        painter.drawText(QPointF(x, baseline), title)
        x += metrics.horizontalAdvance(title)
        for (_, colour, _), name, value in zip(plot.traces, names, words, strict=False):  # without values no marks
            x += NAME_GAP
            painter.fillRect(QRectF(x, baseline - metrics.capHeight() / 2 - 1, MARK, 2), QColor(colour))
            x += MARK
            for text, shade in ((name, colours().muted), (value, colours().text)):
                painter.setPen(QColor(shade))
                painter.drawText(QPointF(x + MARK_GAP, baseline), text)
                x += metrics.horizontalAdvance(text) + MARK_GAP * bool(text)

    def _hovered_moment(self, strip: QRectF, now: float) -> float | None:
        """Return the moment under the mouse; None where it is not over a chart."""
        if self.hovered is None or not strip.left() <= self.hovered <= strip.right():
            return None
        return now - (strip.right() - self.hovered) / strip.width() * SPAN


def _head_width(metrics: QFontMetricsF, title: str, names: Sequence[str], values: Sequence[str]) -> float:
    """Return how wide a title is with a mark, a name and a value for each trace, in logical pixels."""
    texts = [text for text in (*names, *values) if text]
    marks = len(values) * (NAME_GAP + MARK)
    return metrics.horizontalAdvance(title) + marks + sum(metrics.horizontalAdvance(text) + MARK_GAP for text in texts)
