"""What all outputs share: nothing waits for them, dropped items are counted, and errors name the output."""

from __future__ import annotations

import threading

import pytest

from engine.core.errors import OutputError, UsageError
from engine.output.worker import OutputWorker
from tests.fakes.live_fakes import wait_until

pytestmark = pytest.mark.usefixtures("no_thread_left")


class Words(OutputWorker[str]):
    """Keeps words, and goes on after each once it is let go; fails at some of them."""

    def __init__(self, room=None, on_error=None, error=None) -> None:
        super().__init__("The words", room, on_error)
        self.go, self.written, self._raised = threading.Semaphore(0), [], error
        self._thread.start()

    def give(self, word, size=1):
        return self._give(word, size)

    def _write(self) -> None:
        self._opened.set()
        for word in self._items():
            if word == "bad":
                raise self._raised
            self.written.append(word)
            self.go.acquire(timeout=20)


def test_where_the_newest_counts_it_is_written_next_and_what_waits_at_the_end_is_not():
    words = Words()
    words.give("one")
    wait_until(lambda: words.written)
    for word in ("two", "three", "four"):
        assert words.give(word)
    words.go.release()
    wait_until(lambda: len(words.written) == 2)
    assert words.give("five")
    words.end()
    words.go.release()
    assert words.stop()
    assert (words.written, words.dropped) == (["one", "four"], 2)
    assert not words.give("six")


def test_where_items_wait_those_without_room_are_dropped_and_the_others_are_written_at_the_end():
    words = Words(room=10)
    words.give("first")
    wait_until(lambda: words.written)
    assert [words.give(word, len(word)) for word in ("larger than all room", "more")] == [True, False]
    words.go.release()
    wait_until(lambda: len(words.written) == 2)
    assert [words.give(word, 5) for word in "abc"] == [True, True, False]
    words.end()
    words.go.release(3)
    assert words.stop()
    assert words.written == ["first", "larger than all room", "a", "b"]
    assert words.dropped == 2


@pytest.mark.parametrize("error", [UsageError("It is bad", "it is", "mend it"), ValueError("bad word")])
def test_an_error_ends_the_output_and_says_whose_it_is(error):
    reported = []
    words = Words(on_error=lambda *said: reported.append(said), error=error)
    other = Words()
    words.give("bad")
    wait_until(lambda: reported)
    assert reported == [(words, words.error)]
    assert words.has_ended
    assert not words.give("more")
    if isinstance(error, UsageError):
        assert words.error is error
    else:
        assert isinstance(words.error, OutputError)
        assert str(words.error) == "The words failed (bad word). Unknown. Switch it off and on."
        assert words.error.__cause__ is error
    assert other.give("fine"), "the others go on"
    other.go.release()
    assert words.stop()
    assert other.stop()
    assert other.error is None


def test_whatever_a_listener_raises_stays_there():
    def broken(worker, error) -> None:
        raise RuntimeError("the window is gone")

    words = Words(on_error=broken, error=ValueError("bad word"))
    words.give("bad")
    wait_until(lambda: words.has_ended)
    assert words.stop()


def test_fault_68_stopping_what_hangs_takes_no_longer_than_it_may():
    words = Words()
    words.give("one")
    wait_until(lambda: words.written)
    assert not words.stop(0.05)
    words.go.release()
    assert words.stop()
