"""The plates of the lanes: their content, how often it changes, their places, and the latency on them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSizeF, QTimer
from PySide6.QtWidgets import QWidget

from app.live.viewport.captions import CaptionData, Line, lane_lines, legend_lines
from app.live.viewport.panes import PlatePlace
from app.live.viewport.stats_plate import StatsPlate
from app.live.viewport.stats_report import StatsReport
from app.models.facts import role_words
from engine.core.faces import Result
from engine.core.stats import REFRESH, WINDOW, Spread, spread_of
from engine.inference.card import Card
from engine.inference.landmarker import model_of
from engine.live.settings import MOST_LANES, LiveSettings
from engine.live.view import View
from engine.render.scene import Layout

LONGEST = 5.0  # seconds from capture to screen: longer ones come from a standstill, as when the machine slept
INSET = 12.0  # logical pixels between a plate and the nearest edge
SHORT_GAP = 4.0  # the same between a picture and the short plate below it


class LanePlates:
    """The plates of the lanes, updated with what is on screen.

    Args:
        parent: the widget that they cover.

    Attributes:
        plates: of the lanes, by the order in which they are on screen.
        latencies: how long the frames of each lane take until they are painted, by the lane's number.
        legend: the lines above the scale of the difference view; empty in other layouts.
        update_due: times out when a postponed update is due.
        shown: whether there are plates at all.
        details: whether all numbers are shown, not only the most important ones.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.plates = tuple(StatsPlate(parent) for _ in range(MOST_LANES))
        self.latencies = tuple(ScreenLatency() for _ in range(MOST_LANES))
        self.legend: tuple[Line, ...] = ()
        self.numbers = self.shown = True
        self.details = False
        self.update_due = QTimer(parent, singleShot=True, interval=round(REFRESH * 1000))
        self._models: Mapping[str, Card] = {}
        self._data: CaptionData | None = None
        self._updated_at = 0.0
        for plate in self.plates:
            plate.hide()
            plate.details_wanted.connect(self._show_details)

    def set_models(self, models: Mapping[str, Card]) -> None:
        """Use these cards from now on, by model name, also for a picture that stands still."""
        self._models = models
        self._data = None
        self._update_later()

    def show(self, shown: bool) -> None:
        """Show the plates, or none."""
        self.shown = shown
        self._data = None

    def show_numbers(self, shown: bool) -> None:
        """Show the numbers, or captions alone."""
        self.numbers = shown
        self._data = None

    def update(self, view: View, settings: LiveSettings) -> bool:
        """Show a view's numbers, at most four times a second; return whether the plates changed."""
        ages = tuple(self.latencies[number].latest for number in settings.on_screen)
        data = CaptionData(view.results(settings), settings, self._models, ages, self.numbers)
        now = time.monotonic()
        if self._data is not None and _kind(data) == _kind(self._data) and now - self._updated_at < REFRESH:
            self._update_later()
            return False
        self._data, self._updated_at = data, now
        self.update_due.stop()
        self.legend = legend_lines(data)
        for place, plate in enumerate(self.plates):
            report = self._report(view, data, place) if self.shown and place < len(data.results) else None
            plate.setVisible(report is not None)
            if report is not None:
                plate.show_report(report)
        return True

    def painted(self, view: View, settings: LiveSettings, live: bool) -> list[tuple[int, float, float]]:
        """Count what has just been painted.

        Returns:
            For each lane with a new frame that counts: the lane, `time.monotonic()`, and the milliseconds since the
            frame's capture.
        """
        now, counted, shown = time.monotonic(), [], settings.on_screen
        for lane, result in zip(shown, view.results(settings), strict=True):
            latency = None if result is None else self.latencies[lane].painted(result, now, live)
            if latency is not None:
                counted.append((lane, now, latency))
        if self._data is not None and self._data.ages != tuple(self.latencies[lane].latest for lane in shown):
            self._update_later()
        return counted

    def stand_still(self) -> None:
        """Note that nothing is painted for a while: what waited meanwhile does not count."""
        for latency in self.latencies:
            latency.stand_still()

    def count(self) -> int:
        """Return how many plates are shown."""
        return sum(not plate.isHidden() for plate in self.plates)

    def room(self) -> QSizeF:
        """Return the size of the largest plate with a gap around it, in logical pixels; empty without any."""
        sizes = [plate.whole_size() for plate in self.plates if not plate.isHidden()]
        width = max((size.width() + 2 * INSET for size in sizes), default=0.0)
        return QSizeF(width, max((size.height() + INSET for size in sizes), default=0.0))

    def short_room(self) -> QSizeF:
        """Return the size of the largest plate with only the most important numbers, and a gap above it."""
        sizes = [plate.short_size() for plate in self.plates if not plate.isHidden()]
        width = max((size.width() for size in sizes), default=0)
        return QSizeF(width, max((size.height() + SHORT_GAP for size in sizes), default=0.0))

    def place(self, place: PlatePlace, areas: tuple[QRectF, ...], stage: QRectF, reach: float = 0.0) -> None:
        """Put the plates where they belong.

        Args:
            place: which place that is.
            areas: of all pictures, or of the one that two lanes share, in logical pixels.
            stage: the parent's area.
            reach: how wide a plate below its picture may be, in logical pixels.
        """
        if not areas:
            return
        beside = 2 if len(areas) == 1 and self.count() > 1 else 1  # plates on one picture
        on_picture = (areas[0].width() - INSET) / beside - INSET
        widest = {PlatePlace.BRIEF: on_picture, PlatePlace.SHORT: reach}.get(place)
        below = place in (PlatePlace.BELOW, PlatePlace.SHORT)
        aside, under = 0.0 if below else INSET, SHORT_GAP if place is PlatePlace.SHORT else INSET
        for number, plate in enumerate(self.plates):
            plate.shorten(widest, tight=place is PlatePlace.SHORT)
            flush_right, area = number == 1 and len(areas) == 1, areas[min(number, len(areas) - 1)]
            left, right = (stage.left(), stage.right()) if place is PlatePlace.BESIDE else (area.left(), area.right())
            x = right - aside - plate.width() if flush_right else left + aside
            corner = QPointF(x, (area.bottom() if below else area.top()) + under).toPoint()
            if plate.pos() != corner:
                plate.move(corner)

    def _report(self, view: View, data: CaptionData, place: int) -> StatsReport | None:
        lines, result, number = lane_lines(data, place), data.results[place], data.settings.on_screen[place]
        shown = view.lane(number)
        if not lines or result is None or shown is None or (data.settings.layout is Layout.SINGLE and not self.numbers):
            return None
        if not self.numbers:
            return StatsReport(lines)
        compared = (data.results[0], result)
        cards = [self._models.get(model_of(its.model)) for its in compared if its is not None]
        return StatsReport(
            lines,
            shown.stats,
            self.latencies[number].spread,
            distance=shown.distance if place > 0 else None,  # it is that of the two: shown once
            roles=tuple(role_words(card) for card in cards if card is not None),
        )

    def _update_later(self) -> None:
        """Make sure that the plates are updated soon, even if no other frame comes."""
        if not self.update_due.isActive():
            self.update_due.start()

    def _show_details(self, shown: bool) -> None:
        self.details = shown
        for plate in self.plates:
            plate.show_details(shown)
        self._parent.update()


class ScreenLatency:
    """Measures how long the frames of one lane take from capture until they are painted; each counts once.

    Frames captured before the picture last stood still do not count, as they waited; nor do those of more than
    `LONGEST` seconds.

    Args:
        window: number of frames of the spread.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._values: deque[float] = deque(maxlen=window)
        self._painted: tuple[int, float] | None = None  # the last frame's id and capture
        self._model = self._source = ""
        self._live_since: float | None = None
        self.latest: float | None = None  # of the frame on screen, in milliseconds

    @property
    def spread(self) -> Spread | None:
        """Median and 95th percentile in milliseconds over the window; None before the first frame."""
        return spread_of(self._values) if self._values else None

    def stand_still(self) -> None:
        """Note that frames wait from now on until one is painted."""
        self._live_since = None

    def painted(self, result: Result, now: float, live: bool = True) -> float | None:
        """Count a result that is on screen.

        Args:
            result: what was painted; another model or another source begins a new window.
            now: `time.monotonic()` in seconds.
            live: whether frames come; False while the picture stands still.

        Returns:
            Milliseconds since the capture, also kept as `latest`; None for a frame that was painted before or that
            does not count.
        """
        if not live:
            self.stand_still()
        elif self._live_since is None:
            self._live_since = now
        model = result.model or self._model  # a frame without a model changes nothing
        if (model, result.frame.source) != (self._model, self._source):
            self._model, self._source = model, result.frame.source
            self._values.clear()
        shown, self._painted = self._painted, (result.frame.id, result.frame.captured)
        if shown == self._painted:
            return None
        seconds, since = now - result.frame.captured, self._live_since
        self.latest = None
        if since is None or result.frame.captured < since or not 0 <= seconds <= LONGEST:
            return None
        self.latest = seconds * 1e3
        self._values.append(self.latest)
        return self.latest


def _kind(data: CaptionData) -> tuple[object, ...]:
    """Return the content that must be shown at once when it changes."""
    models = tuple(None if result is None else result.model for result in data.results)
    settings = data.settings
    return settings.layout, settings.on_screen, settings.pace, settings.magnification, models
