"""Several models on each frame of one source, side by side, without a window."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.batch.frames import read_frames
from engine.core.errors import ModelError, SourceError, UnderstudyError
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.texts import reason
from engine.evaluation.session_report.meter import SessionMeter
from engine.inference.landmarker import not_finite_error
from engine.inference.pipeline import Pipeline
from engine.sources.base import Source, SourceKind

log = logging.getLogger(__name__)


@dataclass
class Lane:
    """One model on its way through a session.

    Attributes:
        name: no other lane has it.
        pipeline: belongs to this lane alone.
        failure: a sentence on what ended the lane; "" while it runs.
    """

    name: str
    pipeline: Pipeline
    failure: str = ""


def compare_live(
    source: Source, lanes: Sequence[Lane], limit: int | None = None, stop: Callable[[], bool] = lambda: False
) -> tuple[SessionMeter, str]:
    """Let every lane process every frame of a source that was not read yet, one lane after the other.

    A lane that fails says so in `failure`, and the others go on. Return what was measured, and a sentence on why it
    ended before the end of the source, "" if it did not. It ends after `limit` frames, as soon as `stop` returns True,
    and when the last lane failed; `limit` of None is as in `engine.batch.frames.process_frames`.

    Raises:
        SourceError: the source gave no frame.
    """
    meter = SessionMeter(len(lanes), continuous=source.kind is not SourceKind.PICTURES)
    try:
        for count, (frame, _) in enumerate(read_frames(source, limit, stop)):
            meter.add(frame, _results(lanes, frame, first=count % len(lanes)))
            if all(lane.failure for lane in lanes):
                return meter, "All lanes failed, so the session ended."
    except SourceError as error:
        if not meter.moments:
            raise
        return meter, str(error)
    return meter, source.remark


def _results(lanes: Sequence[Lane], frame: Frame, first: int) -> list[Result | None]:
    """Return what each lane finds; another lane begins at each frame, as the first one loads the frame from memory."""
    results: list[Result | None] = [None] * len(lanes)
    for step in range(len(lanes)):
        index = (first + step) % len(lanes)
        if not lanes[index].failure:
            results[index] = _result(lanes[index], frame)
    return results


def _result(lane: Lane, frame: Frame) -> Result | None:
    try:
        result = lane.pipeline.process(frame)
        if result.not_finite:
            raise not_finite_error(result.model)
        return result
    except UnderstudyError as error:
        lane.failure = str(error)
    except Exception as error:
        log.exception("The lane %s failed", lane.name)
        what = f"{lane.name} failed at frame {frame.number} ({reason(error)})"
        lane.failure = str(ModelError(what, "its file is damaged", "choose another model; the others went on"))
    return None
