"""The faces on which the errors of most models were measured, so that their numbers can be put side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.core.metrics import FAILURE_THRESHOLD, NOTED_STEP
from engine.inference.card import Card


@dataclass(frozen=True)
class Reference:
    """How results were measured: on a part of a pack, in boxes of the truth or of the detector, on how many points."""

    data: str
    split: str
    box: str
    points: str

    @property
    def words(self) -> str:
        """Pack and part, as people read them."""
        return f"{self.data} {self.split}".strip()

    def error_of(self, card: Card) -> float | None:
        """Return the NME in percent that a card notes for it; None where it notes none."""
        return next((float(metric["nme"]) for metric in self._results(card)), None)

    def curve_of(self, card: Card) -> tuple[float, ...] | None:
        """Return the CED that a card notes for it, see `engine.core.metrics.noted_ced`; None where it notes none."""
        notes: list[Any] = [metric.get("ced") for metric in self._results(card)]
        return next((tuple(note) for note in notes if _is_curve(note)), None)

    def _results(self, card: Card) -> list[dict[str, Any]]:
        return [metric for metric in _measured(card) if _of(metric) == self]


def common_reference(cards: Iterable[Card]) -> Reference | None:
    """Return what most cards note an error for, the first noted one where several are as common; None without any."""
    counts = Counter(reference for card in cards for reference in dict.fromkeys(map(_of, _measured(card))))
    return max(counts, key=lambda reference: counts[reference], default=None)


def _measured(card: Card) -> list[dict[str, Any]]:
    return [metric for metric in card.metrics if metric.get("nme") is not None]


def _of(metric: dict[str, Any]) -> Reference:
    return Reference(*(str(metric.get(name) or "") for name in ("data", "split", "box", "points")))


def _is_curve(note: Any) -> bool:
    """Return whether a note of a card, which anybody may have edited, is a CED."""
    return (
        isinstance(note, list)
        and len(note) == round(FAILURE_THRESHOLD / NOTED_STEP) + 1
        and all(isinstance(share, int | float) and 0 <= share <= 1 for share in note)
    )
