"""A session on fakes that records all that it reports."""

from __future__ import annotations

import time
from dataclasses import replace

from engine.live.session import Session
from engine.live.settings import LiveSettings
from engine.live.state import SourceState
from tests.fakes.live_fakes import FAST, FakePainter, FakePipeline, wait_until


class Stage:
    """A running session inside a `with`, and a record of its statuses, errors and numbers."""

    def __init__(self, open_source, pipeline=None, timing=FAST, settings=None, make_pipeline=None) -> None:
        self.pipeline = pipeline or FakePipeline()
        self.painter = FakePainter()
        self.statuses, self.errors, self.notified = [], [], 0
        self._stats = None
        self.session = Session(
            open_source,
            make_pipeline or (lambda: self.pipeline),
            settings or LiveSettings(),
            self._note,
            make_painter=lambda: self.painter,
            timing=timing,
        )
        self._note()

    def _note(self) -> None:
        self.notified += 1
        status, error = self.session.status, self.session.errors[0]
        if not self.statuses or self.statuses[-1] != status:
            self.statuses.append(status)
        if error is not None and error not in self.errors:
            self.errors.append(error)

    @property
    def states(self) -> list[SourceState]:
        states = [status.state for status in self.statuses]
        return [state for place, state in enumerate(states) if place == 0 or states[place - 1] is not state]

    @property
    def state(self) -> SourceState:
        return self.session.status.state

    @property
    def stats(self):
        """The newest numbers; takes the view that carries them."""
        self.take_view()
        return self._stats

    def __enter__(self) -> Stage:
        self.session.start()
        return self

    def __exit__(self, *_) -> None:
        self.take_view()  # a session that was stopped has none
        self.session.stop()

    def take_view(self):
        """Take a view as a window does."""
        view = self.session.take_view()
        if view is not None:
            self._stats = view.first.stats
        return view

    def views(self, count: int) -> list:
        """Return the next views, as many as asked for; their pictures are copied."""
        views = []

        def look() -> bool:
            view = self.take_view()
            if view is not None:
                views.append(
                    replace(view, lanes=(replace(view.first, picture=view.first.picture.copy()), *view.lanes[1:]))
                )
            return len(views) >= count

        wait_until(look)
        return views

    def last_view(self):
        """Return the newest view there is, however many came before."""
        return self.views(1)[-1]


def opening_in_turn(*makers):
    """Return an `open_source` that calls one maker per call, the last one for ever; `calls` has the times."""

    def open_source():
        maker = makers[min(len(open_source.calls), len(makers) - 1)]
        open_source.calls.append(time.monotonic())
        return maker()

    open_source.calls = []
    return open_source


def failing_with(error: Exception):
    def maker():
        raise error

    return maker
