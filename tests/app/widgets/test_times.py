"""Times are written as clocks do."""

from __future__ import annotations

import pytest

from app.widgets.times import clock_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0:00.0"), (12.34, "0:12.3"), (83.2, "1:23.2"), (3599.99, "59:59.9"), (3723.0, "1:02:03.0"), (-1, "0:00.0")],
)
def test_times_are_written_as_clocks_do(seconds, words):
    assert clock_words(seconds) == words
