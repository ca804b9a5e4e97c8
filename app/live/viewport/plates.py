"""The plates of both lanes: what they say, how often they change, and where they stand."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSizeF, QTimer
from PySide6.QtWidgets import QWidget

from app.live.viewport.captions import Line, Told, lane_lines, legend_lines, results_on_screen
from app.live.viewport.panes import PlatePlace
from app.live.viewport.screen_latency import ScreenLatency
from app.live.viewport.stats_plate import LaneNumbers
from app.live.viewport.stats_report import LaneReport
from app.models.model_facts import ModelFacts
from engine.core.faces import Result
from engine.core.stats import REFRESH
from engine.live.settings import Pace
from engine.live.view import View
from engine.render.scene import Layout

INSET = 12.0  # logical pixels between a plate and the edge it stands at


class LanePlates:
    """Keeps the plate of each lane true to what is on screen.

    Args:
        parent: the widget that they lie on.

    Attributes:
        plates: of the first and the second lane.
        latencies: how long the frames of each lane take until they are painted.
        legend: what stands above the scale of the difference view; empty in other layouts.
        late: times out when there is something left to `tell` that came too soon, or was not known yet.
        details: whether all numbers are shown, not only the most important ones.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.plates = (LaneNumbers(parent), LaneNumbers(parent))
        self.latencies = (ScreenLatency(), ScreenLatency())
        self.legend: tuple[Line, ...] = ()
        self.numbers = True
        self.details = False
        self.late = QTimer(parent)
        self.late.setSingleShot(True)
        self.late.setInterval(round(REFRESH * 1000))
        self._models: Mapping[str, ModelFacts] = {}
        self._told: Told | None = None
        self._told_at = 0.0
        for plate in self.plates:
            plate.hide()
            plate.details_wanted.connect(self._show_details)

    def know(self, models: Mapping[str, ModelFacts]) -> None:
        """Use these facts from now on, by the names that results carry."""
        self._models = models
        self._told = None

    def show_numbers(self, shown: bool) -> None:
        """Show the numbers, or captions alone."""
        self.numbers = shown
        self._told = None

    def tell(self, view: View, layout: Layout, pace: Pace, magnification: float) -> bool:
        """Let the plates speak of a view, not more often than digits can be read; return whether they changed."""
        told = Told(results_on_screen(view, layout), layout, pace, magnification, self._models, self._ages())
        now = time.monotonic()
        if self._told is not None and _kind(told) == _kind(self._told) and now - self._told_at < REFRESH:
            self._make_up()
            return False
        self._told, self._told_at = told, now
        self.late.stop()
        self.legend = legend_lines(told)
        for lane, plate in enumerate(self.plates):
            report = self._report(view, told, lane)
            plate.setVisible(report is not None)
            if report is not None:
                plate.show_report(report)
        return True

    def painted(self, view: View, layout: Layout, live: bool) -> list[tuple[int, float, float]]:
        """Count what has just been painted.

        Returns:
            For each lane with a new frame that counts: the lane, `time.monotonic()`, and the milliseconds since the
            frame's capture.
        """
        now, counted = time.monotonic(), []
        for lane, result in enumerate(results_on_screen(view, layout)):
            latency = None if result is None else self.latencies[lane].painted(result, now, live)
            if latency is not None:
                counted.append((lane, now, latency))
        if self._told is not None and self._told.ages != self._ages():
            self._make_up()
        return counted

    def count(self) -> int:
        """Return how many plates are shown."""
        return sum(not plate.isHidden() for plate in self.plates)

    def room(self) -> QSizeF:
        """Return the room that the largest plate takes with a gap beside it, in logical pixels; empty without any."""
        sizes = [plate.whole_size() for plate in self.plates if not plate.isHidden()]
        width = max((size.width() + 2 * INSET for size in sizes), default=0.0)
        return QSizeF(width, max((size.height() + INSET for size in sizes), default=0.0))

    def place(self, place: PlatePlace, areas: tuple[QRectF, ...], stage: QRectF) -> None:
        """Put the plates where they belong.

        Args:
            place: where that is.
            areas: of both pictures, or of the one that both lanes share, in logical pixels.
            stage: the parent's area.
        """
        if not areas:
            return
        first, second = self.plates
        beside = 2 if len(areas) == 1 and self.count() > 1 else 1  # plates on one picture
        for plate in self.plates:
            plate.shorten((areas[0].width() - INSET) / beside - INSET if place is PlatePlace.BRIEF else None)
        left = QPointF(areas[0].left(), areas[0].top())
        right = QPointF(areas[-1].left() if len(areas) == 2 else areas[0].right() - second.width(), areas[-1].top())
        if place is PlatePlace.BELOW:
            left.setY(areas[0].bottom() + INSET)
            right.setY(areas[-1].bottom() + INSET)
        elif place is PlatePlace.BESIDE:
            left = QPointF(INSET, areas[0].top() + INSET)
            right = QPointF(
                INSET if len(areas) == 2 else stage.right() - INSET - second.width(), areas[-1].top() + INSET
            )
        else:
            left += QPointF(INSET, INSET)
            right += QPointF(INSET if len(areas) == 2 else -INSET, INSET)
        for plate, corner in ((first, left), (second, right)):
            if plate.pos() != corner.toPoint():
                plate.move(corner.toPoint())

    def _report(self, view: View, told: Told, lane: int) -> LaneReport | None:
        """Return what a lane's plate says; None where it has nothing to say."""
        lines, result = lane_lines(told, lane), told.results[lane]
        shown = view.first if lane == 0 else view.second
        if not lines or result is None or shown is None or (told.layout is Layout.SINGLE and not self.numbers):
            return None
        if not self.numbers:
            return LaneReport(lines)
        facts = [self._models.get(its.model) for its in told.results if its is not None]
        return LaneReport(
            lines,
            shown.stats,
            self.latencies[lane].spread,
            from_camera=_is_from_camera(result),
            agreement=view.agreement if lane == 1 else None,  # it belongs to the pair: told once
            roles=tuple(its.role_words for its in facts if its is not None),
        )

    def _ages(self) -> tuple[float | None, float | None]:
        return self.latencies[0].latest, self.latencies[1].latest

    def _make_up(self) -> None:
        """See to it that what is not told now will be, even if no other frame comes."""
        if not self.late.isActive():
            self.late.start()

    def _show_details(self, shown: bool) -> None:
        self.details = shown
        for plate in self.plates:
            plate.show_details(shown)
        self._parent.update()


def _is_from_camera(result: Result) -> bool:
    """Tell whether a frame is live: those of films have a time, and pictures have names."""
    return result.frame.time is None and not result.frame.name


def _kind(told: Told) -> tuple[object, ...]:
    """Return what must be told at once when it changes."""
    models = tuple(None if result is None else result.model for result in told.results)
    return told.layout, told.pace, told.magnification, models
