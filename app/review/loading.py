"""Loading a log with its curves, marks and clip, off the GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import RecordingError, UnderstudyError
from engine.evaluation.review.clip import Clip, find_clip, open_clip
from engine.evaluation.review.curves import Curves, curves_of
from engine.evaluation.review.marks import Marks
from engine.formats.session_log import SessionLog, read_session_log
from engine.sources.sample import SampleSource

PICTURES_APART = 1.0  # seconds between two pictures, which have no times of their own
FRAMES_APART = 1 / 30  # seconds between two frames of a clip of which no times are known


@dataclass(frozen=True)
class Loaded:
    """A log that is ready to be shown.

    Attributes:
        moments: `[M]` float64, seconds of each of its frames.
        clip: None where it is missing or cannot be shown.
        remark: sentences on what is not as it should be.
    """

    log: SessionLog
    curves: Curves
    moments: NDArray[np.float64]
    marks: Marks
    clip: Clip | None
    remark: str


def load(path: Path, chosen: Path | None, elsewhere: Sequence[Path] = ()) -> Loaded:
    """Read a log and open its clip: the one that was chosen, else one of the log's name beside it or elsewhere.

    Raises:
        UsageError: it is no log.
    """
    log, marks = read_session_log(path), Marks(path)
    clip, said = _clip(log, marks, chosen, elsewhere)
    remark = " ".join(filter(None, (log.remark, said, clip.remark if clip is not None else "", marks.remark)))
    return Loaded(log, curves_of(log), _moments(log), marks, clip, remark)


def _clip(log: SessionLog, marks: Marks, chosen: Path | None, elsewhere: Sequence[Path]) -> tuple[Clip | None, str]:
    """Return the clip, and a sentence on why there is none."""
    path = chosen
    if path is None and marks.clip is not None and marks.clip.exists():
        path = marks.clip
    path = path or find_clip(log, elsewhere)
    try:
        if path is None and log.source == SampleSource.name and not log.clip:
            return open_clip(log, None), ""
        if path is None:
            return None, _missing(log)
        clip = open_clip(log, path)
    except UnderstudyError as error:
        return None, str(error)
    if chosen is not None and find_clip(log) != chosen:
        with suppress(RecordingError):  # it is only for comfort, and putting a mark says so
            marks.remember_clip(chosen.absolute())
    return clip, ""


def _missing(log: SessionLog) -> str:
    if log.pictures:
        return "The folder of the pictures is not known: choose it as the clip."
    if not log.clip:
        return f"“{log.source}” was no file, so there is no clip, and landmarks are shown alone."
    return (
        f"The clip {log.source} is neither beside the log nor in the folder above: choose it, and landmarks lie on it."
    )


def _moments(log: SessionLog) -> NDArray[np.float64]:
    """Return the seconds of each frame; where they are not known or go back, frames are evenly apart."""
    times = log.times
    steps = np.diff(times) / np.diff(log.numbers)
    if log.pictures:
        apart = PICTURES_APART
    elif np.isnan(times).any() or (steps < 0).any():
        forward = steps[steps > 0]
        apart = float(np.median(forward)) if len(forward) else FRAMES_APART
    else:
        return times
    return log.numbers.astype(np.float64) * apart
