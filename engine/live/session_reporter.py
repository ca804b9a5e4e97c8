"""Measuring a live session while it runs, and writing its report: figures, curves, worst frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from engine.core.errors import RecordingError
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.evaluation.session_report.files import PAGE, ensure_writable, write_report
from engine.evaluation.session_report.meter import SessionMeter
from engine.evaluation.session_report.report import LaneModel, Setting, lane_model, lane_name, make_report
from engine.inference.card import Card
from engine.inference.landmarker import model_of
from engine.inference.runtimes import requested_name
from engine.output.worker import OnError, OutputWorker
from engine.sources.base import SourceKind

MOST_WAITING = 200_000_000  # bytes of pictures that may wait to be measured; further results are dropped
PATIENCE = 3.0  # seconds for which a frame waits for the results of slower lanes
MOST_PICTURES = 12  # frames that keep their picture while they wait: a slow lane works on one of the oldest
LONGEST = 200_000  # frames that are measured: nearly two hours of 30 a second
WRITING_SECONDS = 120.0  # that the files of as many frames of four lanes may take; half a minute is usual


@dataclass(frozen=True)
class Reported:
    """The outcome of a session report: its page, and the frames that were measured."""

    path: Path
    frames: int


@dataclass(frozen=True)
class LaneFacts:
    """What is known of a lane besides its results.

    Attributes:
        model: that was requested, by name or path.
        card: of the model that runs; None where it is not known.
        error: what is wrong with it, in sentences; "" if nothing is.
        rests: whether the layout does not show it.
    """

    model: str
    card: Card | None = None
    error: str = ""
    rests: bool = False


@dataclass
class WaitingFrame:
    """A frame whose results are not complete yet: `results` by lane, and whether it still has its picture."""

    frame: Frame
    has_picture: bool
    results: dict[int, Result] = field(default_factory=dict)


class SessionReporter(OutputWorker[tuple[int, Result, Setting]]):
    """Measures the results of all lanes of one source, and writes their report when it is stopped.

    Each frame of a file counts once, however often it is repeated or sought. Where a lane gets another model or begins
    to average with the mirror image, or smoothing or pace change, measuring begins again. A lane that has given nothing
    for `PATIENCE` seconds is not waited for.

    Args:
        folder: for the files of the report; made where it is missing.
        setting: how the lanes run, and on what.
        lanes: how many are expected.
        facts_of: returns what else is known of a lane; called on this output's thread, while results come.
        on_error: called with the error that ended it, see `OutputWorker`.
        from_sought: whether what is measured begins with the next frame that is sought.

    Attributes:
        setting: how the lanes run now; may be replaced at any time, of which smoothing and pace count.
    """

    failure, remedy = RecordingError, "write it into another place"

    def __init__(
        self,
        folder: Path,
        setting: Setting,
        lanes: int,
        facts_of: Callable[[int], LaneFacts],
        on_error: OnError | None = None,
        from_sought: bool = False,
    ) -> None:
        super().__init__(f"The session report {folder}", MOST_WAITING, on_error)
        self._first = None if from_sought else 0  # id of the frame from which on it measures, once that is known
        self.folder = folder
        self.setting = self._setting = setting
        self._facts_of = facts_of
        self._expected = lanes
        self._begin_again()
        self._thread.start()

    def add(self, lane: int, result: Result) -> bool:
        """Count a result of a lane; returns at once. False means that it was dropped."""
        return self._give((lane, result, self.setting), result.frame.image.nbytes)

    def stop(self, timeout: float = WRITING_SECONDS) -> Reported:
        """Write the report and return what it holds.

        Raises:
            RecordingError: it cannot be written, for a reason that was not reported yet, nothing was measured, or it
                takes longer than `timeout` seconds.
        """
        self._finish(timeout, "wait a while")
        return Reported(self.folder / PAGE, len(self._meter.moments))

    def _begin_again(self, remark: str = "") -> None:
        self._meter = SessionMeter(self._expected, continuous=self._setting.kind != SourceKind.PICTURES.value)
        self._setting = replace(self._setting, began=datetime.now(), remark=remark)
        self._models: dict[int, str] = {}  # names, by lane, as results have them
        self._cards: dict[int, Card] = {}
        self._facts: dict[int, LaneFacts] = {}  # the last ones, by lane
        self._incomplete: dict[int, WaitingFrame] = {}  # by the id of the frame
        self._newest: dict[int, tuple[int, float]] = {}  # of each lane: id of its newest frame, and when it was taken
        self._highest = (-1, -1)  # id and number of the furthest frame
        self._measured = -1  # id of the last frame that was measured
        self._source: tuple[str, Path | None] | None = None

    def _write(self) -> None:
        ensure_writable(self.folder)
        for lane, result, setting in self._items():
            self._follow(setting)
            self._take_in(lane, result)
        self._measure(all_of_them=True)
        if not self._meter.moments:
            raise RecordingError(f"There is no report in {self.folder}", "no frame was measured", "measure for longer")
        models = [self._model(lane) for lane in range(len(self._meter.lanes))]
        write_report(make_report(self._meter, models, self._setting), self.folder)

    def _follow(self, setting: Setting) -> None:
        """Begin again where results come from another smoothing or pace: the figures of both would be mixed."""
        now = {"smoothing": setting.smoothing, "pace": setting.pace}
        changed = [f"{name} was set to {value}" for name, value in now.items() if value != getattr(self._setting, name)]
        if changed:
            self._setting = replace(self._setting, smoothing=setting.smoothing, pace=setting.pace)
            self._begin_again(f"Measuring began again when {' and '.join(changed)}.")

    def _take_in(self, lane: int, result: Result) -> None:
        """Put a result to those of the same frame, and measure the frames that are complete."""
        frame, model = result.frame, result.model
        if self._first is None and frame.asked:
            self._first = frame.id
        if self._first is None or frame.id < self._first:
            return
        if self._models.setdefault(lane, model) != model:
            former = self._models[lane]
            self._begin_again(f"Measuring began again when {model} took the place of {former}.")
            self._models[lane] = model
        self._source = self._source or (frame.source, frame.file)
        if self._source != (frame.source, frame.file) or len(self._meter.moments) >= LONGEST:
            return
        while lane >= len(self._meter.lanes):
            self._meter.add_lane()
        self._facts = {number: self._facts_of(number) for number in range(len(self._meter.lanes))}
        card = self._facts[lane].card
        if lane not in self._cards and card is not None and card.name == model_of(model):
            self._cards[lane] = card
        self._newest[lane] = frame.id, frame.captured
        waiting = self._incomplete.get(frame.id)
        if waiting is None and self._is_new(frame):
            self._highest = max(self._highest, (frame.id, frame.number))
            has_picture = len(self._incomplete) < MOST_PICTURES
            waiting = WaitingFrame(frame if has_picture else _without_picture(frame), has_picture)
            self._incomplete[frame.id] = waiting
        if waiting is not None:
            waiting.results[lane] = result if waiting.has_picture else replace(result, frame=waiting.frame)
        self._measure()

    def _is_new(self, frame: Frame) -> bool:
        """Return whether a frame is neither a repeated one nor one that was measured without this lane.

        A lane may come late with a frame that faster ones left out.
        """
        return frame.number > self._highest[1] if frame.id > self._highest[0] else frame.id > self._measured

    def _measure(self, all_of_them: bool = False) -> None:
        """Measure the oldest frames, for as long as no lane may still give a result on them."""
        lanes = range(len(self._meter.lanes))
        now = max((taken for _, taken in self._newest.values()), default=0.0)
        for number, waiting in sorted(self._incomplete.items()):
            for lane in lanes:
                newest, taken = self._newest.get(lane, (-1, waiting.frame.captured))
                if newest < number and now - taken < PATIENCE and not all_of_them:
                    return
            del self._incomplete[number]
            self._measured = number
            results = [waiting.results.get(lane) for lane in lanes]
            self._meter.add(waiting.frame, results, waiting.has_picture)

    def _model(self, lane: int) -> LaneModel:
        facts = self._facts[lane]
        lanes = range(lane + 1)
        *before, model = (self._models.get(other) or requested_name(self._facts[other].model) for other in lanes)
        name = lane_name(model, before)
        failure = facts.error
        if lane not in self._models:
            idle = "the layout did not show it, so it rested" if facts.rests else "it gave no result in that time"
            failure = f"{name} is left out: {failure or idle + '.'}"
        card = self._cards.get(lane)
        return LaneModel(name, "", 0, "", 0, "", failure) if card is None else lane_model(name, card, failure)


def _without_picture(frame: Frame) -> Frame:
    """Return a frame whose picture takes no memory: black, of the same size."""
    return replace(frame, image=np.broadcast_to(np.uint8(0), frame.image.shape))
