"""The composer: draws the findings of all lanes, and publishes one view."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from engine.core.errors import UnderstudyError
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.texts import reason
from engine.live.distance import DistanceMeter
from engine.live.feed import Context, active_lanes
from engine.live.finder import Finder, bare
from engine.live.settings import LiveSettings, Pace
from engine.live.state import SILENT_STATES
from engine.live.view import NO_PICTURE, Drawing, LaneView, View, ViewBuffer
from engine.render.canvas import Canvas
from engine.render.overlay import OverlayPainter
from engine.render.scene import Layout, Look

NO_DRAWING = Drawing(NO_PICTURE)
Choice = Mapping[int, LaneView | None]


@dataclass
class Lane:
    """The composer's state of a lane.

    Attributes:
        finder: the finder whose findings are drawn.
        painter: draws them.
        shown: what is on screen; None before its first finding and while it rests. Another lane's thread may set it to
            None at any time.
        look: how that was drawn, or failed to be drawn.
        drawn: how many findings were drawn.
        drawing: held while the lane is drawn and counted, on the thread of its finder or on the composer's.
    """

    finder: Finder
    painter: OverlayPainter
    shown: LaneView | None = None
    look: Look | None = None
    drawn: int = 0
    drawing: threading.Lock = field(default_factory=threading.Lock)


class Composer:
    """Draws findings, one of each finder at a time, and publishes views.

    At live pace the newest finding of each lane is shown. At locked pace findings wait until those of all active lanes
    are of the same frame. What is shown is drawn again whenever a setting changes how it looks. The composer has a
    thread of its own for what has to wait or is drawn again; a finding that waits for no other is drawn on the thread
    of its finder, beside those of other lanes.

    Args:
        views: where views go.
        make_painter: makes the painter of a lane.
        context: see `Context`.

    Attributes:
        frame: the first finder's newest frame; None before the first.
    """

    def __init__(self, views: ViewBuffer, make_painter: Callable[[], OverlayPainter], context: Context) -> None:
        self._views, self._make_painter, self._context = views, make_painter, context
        self._changed = threading.Condition()
        self._waiting: dict[int, LaneView] = {}  # findings, by lane
        self._closed = False
        self.frame: Frame | None = None
        self._thread = threading.Thread(target=self._work, name="composer", daemon=True)
        self._lanes: list[Lane] = []
        self._publishing = threading.Lock()  # taken after those of lanes; guards the meter
        self._distances: dict[int, DistanceMeter] = {}  # of lanes from the first on screen, by their numbers
        self._compared: tuple[int, ...] = ()  # lanes on screen, of which these are

    def add(self, finder: Finder) -> None:
        """Add a lane for one more finder."""
        self._lanes.append(Lane(finder, self._make_painter()))

    def put(self, number: int, finding: LaneView) -> None:
        """Accept a finding of a finder; it replaces one that was not drawn yet."""
        if self._closed:
            return
        if number == 0:
            self.frame = finding.result.frame
        settings = self._context.settings()
        active = active_lanes(settings, len(self._lanes))
        if number in active and (len(active) == 1 or settings.pace is Pace.LIVE):
            with self._lanes[number].drawing:
                if self._is_over(finding):
                    self._lanes[number].finder.process_again()
                else:
                    self._show({number: finding}, [number])
            return
        with self._changed:
            self._waiting[number] = finding
            self._changed.notify_all()

    def wait_until_taken(self, number: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds until no finding of a finder waits to be drawn; return whether none does."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or number not in self._waiting, timeout)

    def is_awaited(self, number: int) -> bool:
        """Return whether the first finder's finding waits for that of this finder."""
        with self._changed:
            locked = self._context.settings().pace is Pace.LOCKED
            return locked and 0 in self._waiting and number not in self._waiting

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def close(self) -> None:
        """Stop drawing, and wake all waiting threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the thread; return whether it ended. Then no picture is held any more."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout))
        if self._thread.is_alive():
            return False
        self._waiting, self._lanes, self.frame = {}, [], None
        self._views.clear()
        return True

    def _work(self) -> None:
        while not self._closed:
            try:
                self._step()
            except Exception as error:  # noqa: BLE001  an unexpected error must not end the thread
                self._lanes[0].finder.fail(_sentence(error), error)

    def _step(self) -> None:
        """Show findings that waited, and redraw what the settings or the state of the source change."""
        drawn = {number: lane.drawn for number, lane in enumerate(self._lanes)}
        taken = self._take()
        lanes = tuple(self._lanes)  # one may have been added in the meantime, and what was taken may be its finding
        # A lane that was drawn in the meantime shows what the settings say now.
        idle = [number for number, lane in enumerate(lanes) if number in taken or drawn.get(number) == lane.drawn]
        with ExitStack() as held:
            for number in idle:
                held.enter_context(lanes[number].drawing)
            if not self._closed:
                self._show(taken, idle)

    def _take(self) -> dict[int, LaneView]:
        """Wait up to a tick for findings that can be shown, and take them; drop those that are out of date."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._choose()), self._context.timing.tick)
            chosen = self._choose()
            for number, finding in chosen.items():
                del self._waiting[number]
                if finding is None:
                    self._lanes[number].finder.process_again()
            self._changed.notify_all()
            return {number: finding for number, finding in chosen.items() if finding is not None}

    def _choose(self) -> Choice:
        """Choose which waiting findings to show, by lane; None drops a finding that is out of date."""
        settings, waiting = self._context.settings(), self._waiting
        active = active_lanes(settings, len(self._lanes))
        useless = [number for number, finding in waiting.items() if number not in active or self._is_over(finding)]
        if useless:
            return dict.fromkeys(useless)
        if settings.pace is Pace.LOCKED and len(active) > 1:
            return self._choose_locked(active)
        return dict(waiting)

    def _choose_locked(self, active: tuple[int, ...]) -> Choice:
        """Choose all findings if with them every lane shows the same frame; drop those that will never make it so.

        Those are findings of older frames, and of a frame that the user left before all finders looked at it: they look
        at it no more unless the first one's finding waits for theirs, and the next frame waits until none is left.
        """
        waiting = self._waiting
        findings = [waiting.get(number) or self._lanes[number].shown for number in active]
        frames = [finding.result.frame for finding in findings if finding is not None]
        if len(frames) == len(active) and all(frame is frames[0] for frame in frames):
            return dict(waiting)
        newest = max((frame.id for frame in frames), default=0)
        without_first = 0 not in waiting
        useless = [
            number
            for number, finding in waiting.items()
            if finding.result.frame.id < newest or (without_first and finding.result.frame.epoch.over)
        ]
        return dict.fromkeys(useless)

    def _show(self, fresh: dict[int, LaneView], held: Sequence[int]) -> None:
        """Draw new findings, and lanes whose look has changed, and publish the view; only lanes that are held."""
        settings = self._context.settings()
        active = active_lanes(settings, len(self._lanes))
        for number in held:
            self._lanes[number].drawn += number in fresh
        self._put_to_rest(active, fresh)
        if not fresh and not settings.paused and self._context.state() in SILENT_STATES:
            self._forget_faces(held)
        try:
            drawn = self._draw_lanes(fresh, held, look_of(settings), active)
            with self._publishing:
                self._compare(fresh, settings.on_screen)
                if drawn:
                    self._publish(active)
        finally:
            if 0 in fresh:
                _note_shown(fresh[0].result.frame)
        for number, finding in fresh.items():
            if finding.result.model:
                self._lanes[number].finder.check_numbers(finding.result)

    def _put_to_rest(self, active: tuple[int, ...], fresh: Mapping[int, LaneView]) -> None:
        """Empty the lanes that are not active.

        Also one that another thread may be drawing, or its picture would be back if it rested only for a moment.
        """
        for number, lane in enumerate(self._lanes):
            if number not in active and (lane.shown is not None or number in fresh):
                lane.shown = lane.look = None
                lane.finder.process_again()

    def _compare(self, fresh: dict[int, LaneView], on_screen: tuple[int, ...]) -> None:
        """Measure how far the lanes on screen are from the first of them."""
        if on_screen != self._compared:
            self._compared = on_screen
            self._distances = {number: DistanceMeter() for number in on_screen[1:]}
        for number, finding in fresh.items():
            if not finding.result.model:
                continue
            if number == on_screen[0]:
                for meter in self._distances.values():
                    meter.add(0, finding.result)
            elif number in self._distances:
                self._distances[number].add(1, finding.result)

    def _is_over(self, finding: LaneView) -> bool:
        """Return whether a finding is out of date; one of a frame on screen is not."""
        frame = finding.result.frame
        on_screen = [lane.shown for lane in self._lanes]
        return frame.epoch.over and all(shown is None or shown.result.frame is not frame for shown in on_screen)

    def _forget_faces(self, held: Sequence[int]) -> None:
        """Remove faces that would be taken for live ones."""
        for lane in (self._lanes[number] for number in held):
            shown = lane.shown
            if shown is not None and shown.result.faces:
                lane.shown, lane.look = replace(shown, result=bare(shown.result.frame), signals=()), None

    def _draw_lanes(self, fresh: dict[int, LaneView], held: Sequence[int], look: Look, active: tuple[int, ...]) -> bool:
        """Draw every lane that has something new to show; return whether one had."""
        drawn = False
        for number in reversed(held):  # a lane's picture may show the finding of a later one
            lane = self._lanes[number]
            finding = fresh.get(number) or lane.shown
            if finding is None or number not in active:
                continue
            other = self._other(number, finding, look)
            # While findings come, a new finding of the other lane alone is drawn with the next picture.
            is_stale = look != lane.look or (not fresh and other is not finding.other)
            if number in fresh or is_stale:
                drawn |= self._draw(number, finding, look, other, number in fresh)
        return drawn

    def _other(self, number: int, finding: LaneView, look: Look) -> Result | None:
        """Return the other lane's result, where two are drawn on one picture and this lane is the first of them."""
        first, second = look.pair
        if not look.draws_two or number != first or second >= len(self._lanes):
            return None
        shown = self._lanes[second].shown
        if shown is None or not shown.result.model or shown.result.frame.epoch is not finding.result.frame.epoch:
            return None
        return shown.result

    def _draw(self, number: int, finding: LaneView, look: Look, other: Result | None, is_fresh: bool) -> bool:
        """Draw a lane and count what is new, or the bare frame if that fails; return whether something was drawn."""
        lane, start, cpu = self._lanes[number], time.perf_counter(), time.thread_time()
        lane.look = look
        drawing = self._paint(number, finding, look, other)
        if drawing is None and is_fresh:
            finding, other = replace(finding, result=bare(finding.result.frame), signals=()), None
            drawing = self._paint(number, finding, look, None)
        # While it was drawn, another thread may have emptied a lane that rests now.
        if drawing is None or number not in active_lanes(self._context.settings(), len(self._lanes)):
            return False
        if is_fresh and finding.result.model:
            draw_ms, draw_cpu_ms = (time.perf_counter() - start) * 1e3, (time.thread_time() - cpu) * 1e3
            lane.finder.count(finding.result, draw_ms, draw_cpu_ms)
        picture, ink = drawing.picture, drawing.ink if drawing.ink.canvas else None
        lane.shown = replace(finding, stats=lane.finder.stats, picture=picture, look=look, ink=ink, other=other)
        return True

    def _paint(self, number: int, finding: LaneView, look: Look, other: Result | None) -> Drawing | None:
        """Return a lane's picture with its ink; None if drawing failed, which its finder reports."""
        if not look.has_picture_of(number):
            return NO_DRAWING
        lane, result, pane = self._lanes[number], finding.result, self._context.pane()
        drawing = self._views.writable(number, result.frame.height, result.frame.width)
        try:
            lane.painter.paint_frame(drawing.picture, result, look, lane.finder.stats, finding.signals)
            drawing.ink.clear()
            if pane is not None:
                canvas = Canvas.on_screen(result.frame, pane)
                lane.painter.ink_painter.draw(drawing.ink, canvas, result, look, finding.signals, other)
        except Exception as error:  # noqa: BLE001  a filter may throw anything
            lane.finder.fail(_sentence(error), error)
            return None
        return drawing

    def _publish(self, active: tuple[int, ...]) -> None:
        shown = [lane.shown for lane in self._lanes[: active[-1] + 1]]
        while shown and shown[-1] is None:
            shown.pop()
        if not shown or shown[0] is None:
            return
        for number, meter in self._distances.items():
            if number < len(shown) and (lane := shown[number]) is not None:
                shown[number] = replace(lane, distance=meter.value, distance_now=meter.newest)
        self._views.publish(View(tuple(shown)))
        self._context.notify()


def look_of(settings: LiveSettings) -> Look:
    """Return how pictures are drawn with these settings; equal for settings that give the same picture."""
    magnification = settings.magnification if settings.layout is Layout.DIFFERENCE else 0.0
    look = Look(settings.overlay, settings.mirrored, settings.layout, magnification, settings.filter)
    if settings.layout.shows_two and len(settings.on_screen) == 2:
        first, second = settings.on_screen
        return replace(look, pair=(first, second))
    return look


def _note_shown(frame: Frame) -> None:
    """Note in its epoch that a frame is on screen, or could not be drawn."""
    frame.epoch.shown, frame.epoch.handled = (frame.number, frame.time), frame.id


def _sentence(error: Exception) -> UnderstudyError:
    if isinstance(error, UnderstudyError):
        return error
    why, fix = "the filter or the drawing is faulty", "switch the filter off"
    return UnderstudyError(f"The picture could not be drawn ({reason(error)})", why, fix)
