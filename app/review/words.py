"""What the page Review says of a log's frames."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QCoreApplication

from app.review.loading import Loaded
from app.widgets.times import clock_words
from engine.evaluation.review.curves import MISSED, WorstFrame

translate = QCoreApplication.translate  # under the name that lupdate looks for


def moment_words(loaded: Loaded, place: int) -> str:
    """Return the time of a frame, or the name of its picture."""
    pictures = loaded.log.pictures
    return pictures[int(loaded.log.numbers[place])] if pictures else clock_words(float(loaded.moments[place]))


def place_words(loaded: Loaded, place: int) -> str:
    """Return where a frame lies in its clip."""
    if loaded.log.pictures:
        return moment_words(loaded, place)
    words = translate("review", "{0} of {1} · frame {2}")
    last = clock_words(float(loaded.moments[-1]))
    return words.format(moment_words(loaded, place), last, int(loaded.log.numbers[place]))


def lane_words(loaded: Loaded, lane: int, place: int) -> str:
    """Return what a lane has to say of a frame."""
    found = loaded.log.lanes[lane].frames.get(int(loaded.log.numbers[place]))
    if found is None:
        return translate("review", "skipped this frame")
    if not found.faces:
        return translate("review", "no face")
    curve = loaded.curves.deviation
    deviation = float(curve.lanes[lane][place])
    kind = "NME" if curve.name == "NME" else translate("review", "difference")
    said = [
        "" if math.isnan(deviation) else f"{kind} {deviation:.2f} %",
        "" if math.isnan(found.latency) else f"{found.latency:.1f} ms",
        translate("review", "conf. {0}").format(f"{found.confidence:.2f}"),
    ]
    return " · ".join(filter(None, said))


def worst_words(loaded: Loaded, worst: WorstFrame) -> str:
    """Return when one of the worst frames is, and how bad."""
    if worst.value == MISSED:
        words = translate("review", "face missed")
    elif any(np.isfinite(lane).any() for lane in loaded.curves.deviation.lanes):
        words = f"{worst.value:.2f} %"
    else:
        words = translate("review", "confidence {0}").format(f"{1 - worst.value:.2f}")
    return f"{moment_words(loaded, worst.place)}   {words}"
