"""The live stream of landmarks: never slower than the frames, and never slowing them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.core.faces import Result
from engine.inference.signals import FaceSignals
from engine.output.streaming.address import StreamAddress, parse_address
from engine.output.streaming.datagram import DatagramLink
from engine.output.streaming.message import Message, as_line, landmark_message
from engine.output.streaming.osc import as_bundle
from engine.output.worker import OnError, OutputWorker


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


class Streamer(OutputWorker[tuple[Result, Sequence[FaceSignals | None]]]):
    """Sends results to receivers. Of results that come faster than they go, the newest counts.

    Args:
        address: such as `udp://127.0.0.1:5005`; see `engine.output.streaming.address`.
        on_error: called with each new error, see `OutputWorker`. Only a stream that cannot be opened has ended.
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
        on_error: OnError | None = None,
        open_link: Callable[[StreamAddress], Link] = open_link,
    ) -> None:
        self.address = parse_address(address)
        super().__init__(f"The stream {self.address}", None, on_error)
        self.sent = 0
        self._open_link = open_link
        self._link: Link | None = None
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Results that were overtaken by newer ones, or that a receiver was too slow for."""
        return self._dropped + (self._link.missed if self._link is not None else 0)

    def send(self, result: Result, signals: Sequence[FaceSignals | None] = ()) -> None:
        """Leave a result, and the signals of each of its faces if they are read, to be sent; returns at once."""
        self._give((result, signals))

    def _write(self) -> None:
        link = self._link = self._open_link(self.address)
        self._opened.set()
        try:
            for result, signals in self._items():
                try:
                    link.send(_message(result, signals))
                except Exception as error:  # one result that cannot be sent is not the end of the stream
                    self._fail(error, ends=False)
                else:
                    self.sent += 1
                    self.error = None
        finally:
            link.close()


def _message(result: Result, signals: Sequence[FaceSignals | None]) -> Message:
    age = time.monotonic() - result.frame.captured
    return landmark_message(result, signals, time.time() - age, age * 1e3)
