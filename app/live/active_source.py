"""A source that is being opened or is on screen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from engine.core.addresses import is_address
from engine.core.errors import ModelError
from engine.live.session import Session
from engine.live.settings import MOST_LANES
from engine.live.state import Status
from engine.sources.base import Adjustable, SourceKind
from engine.sources.opening import SAMPLE

FIRST, SECOND = 0, 1  # lanes


@dataclass(eq=False)
class ActiveSource:
    """One source with the session that reads it. The session's threads set some of its attributes.

    Attributes:
        spec: the source as it was asked for; None for the first camera, or else the sample. An address in it may hold a
            password, so it is not shown.
        stands_in: whether it plays because the requested source could not.
        session: the threads behind it.
        name: what the source calls itself, "" until it is open.
        kind: of the source; None until it is open.
        is_still: whether it is a single picture.
        camera: the open camera, which can be asked for another format; None unless a camera is open.
        model_refusal: why another model than the requested one is in use; None once that was reported.
        further_models: what each of the session's further lanes was asked to use, by their numbers.
        reported: the words of the error that was reported last, of each lane: one that comes and goes with the frames
            is reported once.
        reported_status: the session's status that was reported last.
        ended: set when its threads have ended or were abandoned.
    """

    spec: str | None = field(repr=False)
    stands_in: bool = False
    session: Session = field(init=False)
    name: str = ""
    kind: SourceKind | None = None
    is_still: bool = False
    camera: Adjustable | None = None
    model_refusal: ModelError | None = None
    further_models: dict[int, str] = field(default_factory=dict)
    reported: list[str] = field(default_factory=lambda: [""] * MOST_LANES)
    reported_status: Status | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def found_as(self) -> str | None:
        """How to open or reopen it: a lost camera must not be replaced by another one or by the sample."""
        return self.name if self.kind is SourceKind.CAMERA and not self.is_in_network else self.spec

    @property
    def is_in_network(self) -> bool:
        """Whether it is a camera in the network, whose name lacks the password that its address has."""
        return is_address(self.spec or "")

    @property
    def may_be_camera(self) -> bool:
        """Whether a camera of this machine may be meant; what it is, is known once it is open."""
        spec = self.spec
        return spec is None or not (spec == SAMPLE or self.is_in_network or Path(spec).is_absolute())

    def answers_to(self, spec: str | None) -> bool:
        """Return whether `spec` asks for this source."""
        return spec in (self.spec, self.found_as)

    def may_share_device(self, other: ActiveSource) -> bool:
        """Return whether both may use the same camera."""
        return None in (self.spec, other.spec) or self.answers_to(other.spec)
