"""A source on its way to the screen, or on it."""

from __future__ import annotations

import threading

from engine.errors import ModelError, UnderstudyError
from engine.live import Session
from engine.live_state import Status
from engine.sources.base import SourceKind


class Playing:
    """One source with the session that reads it. The session's threads fill in what they find.

    Attributes:
        spec: the source as it was asked for; None for the first camera, or else the sample.
        stands_in: whether it plays because what was asked for could not.
        session: the threads behind it.
        name: what the source calls itself, "" until it is open.
        kind: what it turned out to be; None until it is open.
        is_still: whether it is a single picture.
        model_refusal: why another model than the wanted one is at work; None once that was told.
        told, told_words: the session's error that was told last, and its sentence; a fault that comes and goes with the
            frames is told once.
        told_status: the session's status that was told last.
        ended: set when its threads have ended or were given up.
    """

    session: Session

    def __init__(self, spec: str | None, stands_in: bool = False) -> None:
        self.spec = spec
        self.stands_in = stands_in
        self.name = ""
        self.kind: SourceKind | None = None
        self.is_still = False
        self.model_refusal: ModelError | None = None
        self.told: UnderstudyError | None = None
        self.told_words = ""
        self.told_status: Status | None = None
        self.ended = threading.Event()

    @property
    def found_as(self) -> str | None:
        """How to open it, or open it again: a camera that was lost must not be replaced by another or by the sample."""
        return self.name if self.kind is SourceKind.CAMERA else self.spec

    def answers_to(self, spec: str | None) -> bool:
        """Tell whether `spec` asks for this source."""
        return spec in (self.spec, self.found_as)

    def may_share_device(self, other: Playing) -> bool:
        """Tell whether both may want the same camera."""
        return None in (self.spec, other.spec) or self.answers_to(other.spec)
