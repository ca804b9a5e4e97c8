"""The live stream of landmarks: never slower than the frames, and never slowing them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.core.error_sink import Tell, tell_of
from engine.core.errors import OutputError, UnderstudyError
from engine.core.faces import Result
from engine.core.mailbox import Mailbox
from engine.inference.signals import FaceSignals
from engine.output.streaming.address import StreamAddress, parse_address
from engine.output.streaming.datagram import DatagramLink
from engine.output.streaming.message import Message, as_line, landmark_message
from engine.output.streaming.osc import as_bundle

log = logging.getLogger(__name__)

TICK = 0.1  # seconds


class Link(Protocol):
    """A way to receivers. Used by one thread."""

    missed: int

    def send(self, message: Message) -> None: ...

    def close(self) -> None: ...


def open_link(address: StreamAddress) -> Link:
    """Open the way that an address names.

    Raises:
        OutputError: the host is unknown or the port is in use.
    """
    if address.kind == "ws":
        from engine.output.streaming.websocket import WebSocketLink  # only those who stream wait for its library

        return WebSocketLink(address)
    return DatagramLink(address, as_bundle if address.kind == "osc" else as_line)


class Streamer:
    """Sends results to receivers on a thread of its own. Of results that come faster than they go, the newest counts.

    Args:
        address: such as `udp://127.0.0.1:5005`; see `engine.output.streaming.address`.
        tell: called on the stream's thread with each new error, once however often it comes; must return at once.
        open_link: opens the way to the receivers.

    Attributes:
        address: where the stream goes.
        sent: results that were sent.
        error: what is wrong; None once it works again.

    Raises:
        UsageError: the address is none.
    """

    def __init__(
        self,
        address: str,
        tell: Tell | None = None,
        open_link: Callable[[StreamAddress], Link] = open_link,
    ) -> None:
        self.address = parse_address(address)
        self.sent = 0
        self.error: UnderstudyError | None = None
        self._tell, self._open_link = tell, open_link
        self._told = ""
        self._given = self._overtaken = 0
        self._mailbox: Mailbox[tuple[int, Result, Sequence[FaceSignals | None]]] = Mailbox()
        self._link: Link | None = None
        self._opened, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether the way to the receivers could be opened; one that could not, as `error` tells, has ended."""
        return self._link is not None

    @property
    def dropped(self) -> int:
        """Results that were overtaken by newer ones, or that a receiver was too slow for."""
        return self._overtaken + (self._link.missed if self._link is not None else 0)

    def ready(self, timeout: float = 5.0) -> None:
        """Wait until the stream is open.

        Raises:
            OutputError: it cannot be opened, or that takes longer than `timeout` seconds.
        """
        opened = self._opened.wait(timeout)
        if self.error is not None:
            raise self.error
        if not opened:
            raise OutputError(f"The stream {self.address} did not open in time", "its host does not answer", "wait")

    def send(self, result: Result, signals: Sequence[FaceSignals | None] = ()) -> None:
        """Leave a result, and the signals of each of its faces if they are read, to be sent; returns at once."""
        self._given += 1
        self._mailbox.replace((self._given, result, signals))

    def stop(self, timeout: float = 1.0) -> bool:
        """End within `timeout` seconds; return whether the thread did."""
        self._stopping.set()
        self._mailbox.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._link = self._open_link(self.address)
        except Exception as error:
            self._fail(error)
            return
        finally:
            self._opened.set()
        try:
            self._pump(self._link)
        finally:
            self._link.close()

    def _pump(self, link: Link) -> None:
        last = 0
        while not self._stopping.is_set():
            taken = self._mailbox.take(TICK)
            if taken is None:
                continue
            number, result, signals = taken
            self._overtaken += number - last - 1
            last = number
            try:
                link.send(_message(result, signals))
            except Exception as error:  # one result that cannot be sent is not the end of the stream
                self._fail(error)
            else:
                self.sent += 1
                self.error = None

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, UnderstudyError):
            error = OutputError(f"The stream {self.address} failed ({error})", "unknown", "switch it off and on")
        self.error = error
        if str(error) != self._told:
            log.warning("%s", error, exc_info=error.__cause__)
            self._told = str(error)
            if not self._stopping.is_set():
                tell_of(error, self._tell)


def _message(result: Result, signals: Sequence[FaceSignals | None]) -> Message:
    age = time.monotonic() - result.frame.captured
    return landmark_message(result, signals, time.time() - age, age * 1e3)
