"""A filter on live pictures, reloaded when one of its files is saved."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.core.errors import FilterError
from engine.filters.library import load_filter
from engine.filters.painter import Filter

log = logging.getLogger(__name__)

POLL = 0.1  # seconds between two checks of the folder
# A file that cannot be read may still be being written: it counts as broken after this many seconds without a change.
SETTLED = 0.25
JOIN_TIMEOUT = 2.0

SUFFIXES = (".toml", ".png", ".pts", ".py")
Fingerprint = tuple[tuple[str, int, int], ...]


class FilterStage:
    """Keeps the newest good version of the filter in a folder, which it watches on a thread of its own.

    A version that cannot be used is reported by `error`, and the last good one stays on. The folder may be broken from
    the start: then there is nothing to draw until it is fixed.

    Args:
        folder: holds `filter.toml` and its images.
        hooks: whether the filter's Python file is run; see `engine.filters.hook`.
        notify: called on the stage's thread after `error` or `version` changed; must return at once.

    Attributes:
        version: what to draw, a new object after each change; None while nothing could be loaded.
    """

    def __init__(self, folder: Path, *, hooks: bool = False, notify: Callable[[], None] | None = None) -> None:
        self.folder = folder
        self._hooks, self._notify = hooks, notify
        self.version: Filter | None = None
        self._error: FilterError | None = None
        self._tried = _fingerprint(folder)
        self._retry_at: float | None = None
        self._attempt(final=True)
        self._reported: tuple[Filter | None, FilterError | None] = (self.version, self.error)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="filter-watch", daemon=True)
        self._thread.start()

    @property
    def title(self) -> str:
        """The filter's name for people; that of its folder while nothing could be loaded."""
        version = self.version
        return self.folder.name if version is None else version.spec.title

    @property
    def error(self) -> FilterError | None:
        """What is wrong with the newest version of the filter; None if it is the one that is drawn."""
        hook = None if self.version is None else self.version.hook
        return self._error or (None if hook is None else hook.error)

    def close(self) -> None:
        """Stop watching the folder. The last version can still be drawn."""
        self._stopping.set()
        self._thread.join(JOIN_TIMEOUT)

    def _watch(self) -> None:
        while not self._stopping.wait(POLL):
            try:
                self._poll(time.monotonic())
            except Exception:  # a failure with one version must not end the thread
                log.exception("The filter in %s cannot be followed", self.folder)

    def _poll(self, now: float) -> None:
        """Load the folder if it changed, and once more if that failed, as it may have been half written."""
        current = _fingerprint(self.folder)
        if current != self._tried:
            self._tried, self._retry_at = current, now + SETTLED
            self._attempt(final=False)
        elif self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._attempt(final=True)
        shown, error = self.version, self.error
        if shown is not self._reported[0] or error is not self._reported[1]:
            self._reported = (shown, error)
            if self._notify is not None:
                self._notify()

    def _attempt(self, final: bool) -> None:
        """Load the folder; a failure is reported only if it is `final`."""
        try:
            self.version = load_filter(self.folder, self._hooks)
            self._error = self._retry_at = None
        except FilterError as error:
            if final:
                self._error = error


def _fingerprint(folder: Path) -> Fingerprint:
    """Return name, time of change and size of every file that may belong to a filter."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.lower().endswith(SUFFIXES):
                    about = entry.stat()
                    found.append((entry.name, about.st_mtime_ns, about.st_size))
    except OSError:
        pass  # the folder or a file in it is gone; loading reports that
    return tuple(sorted(found))
