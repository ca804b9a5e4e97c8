"""A source on a thread of its own: how it opens and fails."""

from __future__ import annotations

from engine.live.reader import SourceThread
from tests.fakes.clock import FakeClock


def test_a_source_that_throws_while_it_opens_is_reported_without_a_gap_for_its_name():
    def open_source():
        raise RuntimeError("driver")

    thread = SourceThread(open_source, lambda thread, source: None, FakeClock())
    thread.start()
    assert thread.join(5)
    assert thread.error is not None
    assert thread.error.what == "The source failed (driver)"
