"""What tests with threads share."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.fakes import threads


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Fail a test whose threads outlive it."""
    with threads.no_thread_left():
        yield


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Return an event for drivers and models to hang on; let go at the end."""
    event = threading.Event()
    yield event
    event.set()
