"""Which model the second lane gets unless the user chose one."""

from __future__ import annotations

import math

from engine.inference.library import ModelEntry


def default_rival(entries: list[ModelEntry], first: str) -> str:
    """Return what the first model is compared with unless the user chose: the best teacher, else another model."""
    others = [entry for entry in entries if entry.error is None and entry.name != first]
    return min(others, key=_rank).name if others else first


def _rank(entry: ModelEntry) -> tuple[bool, float]:
    card = entry.card
    if card is None:
        return True, math.inf
    errors = [float(metric["nme"]) for metric in card.metrics if metric.get("nme") is not None]
    return card.role != "teacher", min(errors, default=math.inf)
