"""Finding the card of a model from elsewhere on a thread of its own, while the window stays responsive."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal

from app.shell.background import Background
from engine.core.errors import ModelError
from engine.core.mailbox import Mailbox
from engine.evaluation.proposal import (
    WORST,
    KnownFace,
    Progress,
    blank_card,
    measured,
    possible_cards,
    proposed,
    sample_faces,
)
from engine.evaluation.proposal_picture import proposal_picture
from engine.inference.card import Card
from engine.inference.landmarker import read_content, read_model
from engine.inference.runtimes import ModelRuntime, load_runtime
from engine.inference.trial import ensure_harmless

PROGRESS_PERIOD, PICTURE_PERIOD = 0.1, 1.0  # seconds between two reports of a search, at least
WAIT = 1.0  # seconds for a job before the thread looks whether it is to end


class CardSearch(QObject):
    """Tries what one model file wants on the faces of the sample, then measures cards that the user corrects.

    With `saved`, the card that the model has already, that one is measured first, and nothing is tried unasked.

    The model belongs to the thread that `start` begins and `close` ends. Whatever is asked replaces what was asked
    before, of which nothing is reported any more.

    Attributes:
        path, saved: of the file, and its card so far.
        content: bytes of the file, once `listed` was emitted.
    """

    listed = Signal(object)  # list[Card]: what the shapes of the network can mean
    progressed = Signal(object)  # Progress
    pictured = Signal(object)  # NDArray, `proposal_picture` of the card that was reported last
    found = Signal(object)  # Proposal
    failed = Signal(object)  # ModelError: of this search or card; another may do better
    refused = Signal(object)  # ModelError: this is no landmark model

    _reported = Signal(int, object)  # number of what was asked, and what emits one of the signals above

    def __init__(self, path: Path, parent: QObject | None = None, saved: Card | None = None) -> None:
        super().__init__(parent)
        self.content = b""
        self.path, self.saved = path, saved
        self._background = Background(self)
        self._jobs: Mailbox[Callable[[_Bench], None]] = Mailbox()
        self._asked, self._stop, self._closed = 0, threading.Event(), False
        self._reported.connect(self._hand_on, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Read the file, and search, or measure its card so far."""
        self.search() if self.saved is None else self.measure(self.saved)
        self._background.run(self._work, None, self.refused.emit)

    def search(self) -> None:
        """Search the card by trying."""
        self._replace_job()
        self._jobs.replace(partial(self._search, self._asked, self._stop))

    def stop(self) -> None:
        """End the search; its best card until then is found."""
        self._stop.set()

    def measure(self, card: Card) -> None:
        """Draw and measure a card."""
        self._replace_job()
        self._jobs.replace(partial(self._measure, self._asked, card))

    def close(self) -> None:
        """End the thread, without waiting for it; nothing is reported any more."""
        self._closed = True
        self._stop.set()
        self._jobs.close()
        self._background.close()

    def _replace_job(self) -> None:
        self._stop.set()
        self._stop = threading.Event()
        self._asked += 1

    # On the thread

    def _work(self) -> None:
        path, saved, label = self.path, self.saved, f"The model {self.path.name}"
        self.content = read_content(path) if saved is None else read_model(path, saved)
        checksum = hashlib.sha256(self.content).hexdigest()
        ensure_harmless(self.content, checksum, label)
        runtime = load_runtime(self.content, label)
        try:
            cards = possible_cards(runtime, saved or blank_card(path.stem, checksum, len(self.content)))
        except ModelError:
            if saved is None:
                raise
            cards = [saved]  # written by somebody who knows its points
        self._report(self._asked, partial(self.listed.emit, cards))
        bench = _Bench(runtime, cards[0], sample_faces())
        while not self._closed:
            if (job := self._jobs.take(WAIT)) is not None:
                with suppress(_Replaced):
                    job(bench)

    def _search(self, asked: int, stop: threading.Event, bench: _Bench) -> None:
        last, drawn = None, None
        progress_time = picture_time = -PICTURE_PERIOD

        def watch(progress: Progress) -> bool:
            nonlocal last, drawn, progress_time, picture_time
            self._leave_if_replaced(asked)
            last, now = progress, time.monotonic()
            news = progress.error < WORST and progress.card != drawn and now - picture_time >= PICTURE_PERIOD
            if news or now - progress_time >= PROGRESS_PERIOD:
                progress_time = now
                self._report(asked, partial(self.progressed.emit, progress))
            if news and not stop.is_set():
                self._draw(asked, progress.card, bench)
                drawn, picture_time = progress.card, time.monotonic()
            return not stop.is_set()

        try:
            proposal = proposed(bench.runtime, bench.blank, bench.faces, watch)
        except ModelError as error:
            if last is not None:
                self._report(asked, partial(self.progressed.emit, last))
                self._draw(asked, last.card, bench)
            self._report(asked, partial(self.failed.emit, error))
        else:
            self._report(asked, partial(self.found.emit, proposal))
            if proposal.card != drawn:
                self._draw(asked, proposal.card, bench)

    def _measure(self, asked: int, card: Card, bench: _Bench) -> None:
        try:
            self._draw(asked, card, bench)
            self._leave_if_replaced(asked)
            proposal = measured(bench.runtime, card, bench.faces)
        except ModelError as error:
            self._report(asked, partial(self.failed.emit, error))
        else:
            self._report(asked, partial(self.found.emit, proposal))

    def _leave_if_replaced(self, asked: int) -> None:
        if asked != self._asked or self._closed:
            raise _Replaced

    def _draw(self, asked: int, card: Card, bench: _Bench) -> None:
        picture = proposal_picture(bench.runtime, card, bench.faces)
        self._report(asked, partial(self.pictured.emit, picture))

    def _report(self, asked: int, emit: Callable[[], None]) -> None:
        if not self._closed:
            self._reported.emit(asked, emit)

    # On the thread of the window

    def _hand_on(self, asked: int, emit: Callable[[], None]) -> None:
        if asked == self._asked and not self._closed:
            emit()


class _Replaced(Exception):
    """Something else was asked for meanwhile."""


class _Bench:
    """What cards are tried with: the model, a card that says nothing yet, and faces."""

    def __init__(self, runtime: ModelRuntime, blank: Card, faces: list[KnownFace]) -> None:
        self.runtime, self.blank, self.faces = runtime, blank, faces
