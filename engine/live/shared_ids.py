"""One id for one person in all lanes: each lane tracks by itself; faces in one place of one frame are one person's."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.core.face_signals import FaceSignals
from engine.core.faces import Face, Result

SAME_PERSON = 0.4  # overlap of boxes (intersection over union) above which the faces of two lanes are one
FRAMES = 64  # whose faces are kept for the slower lane: two seconds at 30 frames a second
PEOPLE = 256  # whose ids a lane remembers

Signals = tuple[FaceSignals | None, ...]


class SharedIds:
    """Renames the faces of each lane. Safe from any thread.

    A face that is new in a lane gets the id that another lane has given it on the same frame, else a new one. Where the
    lanes disagree later, the first lane's id holds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, OrderedDict[int, int]] = {}  # of each lane: ids by those of its own tracker
        self._seen: OrderedDict[tuple[int, float], dict[int, tuple[Face, ...]]] = OrderedDict()

    def rename(self, lane: int, result: Result, signals: Signals) -> tuple[Result, Signals]:
        """Return a lane's result, and the signals of its faces, with the ids that hold in all lanes."""
        with self._lock:
            ids = self._rename(lane, result)
        if all(face.id == known for face, known in zip(result.faces, ids, strict=True)):
            return result, signals
        faces = _named(result.faces, ids)
        named = (its and replace(its, id=known) for its, known in zip(signals, ids, strict=True))
        return replace(result, faces=faces), tuple(named)

    def _rename(self, lane: int, result: Result) -> list[int]:
        known = self._known.setdefault(lane, OrderedDict())
        lanes = self._seen.setdefault((result.frame.id, result.frame.captured), {})
        first = lanes.get(0, ()) if lane else ()
        others = [face for number, faces in lanes.items() if number != lane for face in faces]
        ids: list[int] = []
        for face in result.faces:
            chosen = _in_place_of(face, first) or known.get(face.id) or _in_place_of(face, others)
            if chosen is None or chosen in ids:
                used = {its for names in self._known.values() for its in names.values()}
                chosen = face.id if face.id not in used else max(used) + 1
            known[face.id] = chosen
            known.move_to_end(face.id)
            ids.append(chosen)
        lanes[lane] = _named(result.faces, ids)
        if len(known) > PEOPLE:
            known.popitem(last=False)
        if len(self._seen) > FRAMES:
            self._seen.popitem(last=False)
        return ids


def _named(faces: Sequence[Face], ids: Sequence[int]) -> tuple[Face, ...]:
    named = zip(faces, ids, strict=True)
    return tuple(face if face.id == known else replace(face, id=known) for face, known in named)


def _in_place_of(face: Face, others: Iterable[Face]) -> int | None:
    """Return the id of the face in the same place; None where there is none."""
    best = max(others, key=lambda other: face.box.overlap(other.box), default=None)
    return best.id if best is not None and face.box.overlap(best.box) > SAME_PERSON else None
