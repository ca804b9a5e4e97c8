"""The live stream of landmarks: it keeps up with the frames and never slows them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from engine.core.errors import OutputError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.output.streaming.address import StreamAddress, parse_address
from engine.output.streaming.message import Message, as_bundle, as_line, datagrams, landmark_message
from engine.output.worker import OnError, OutputWorker


class Link(Protocol):
    """A connection to receivers. Used by one thread."""

    missed: int

    def send(self, message: Message) -> None: ...

    def close(self) -> None: ...


class DatagramLink:
    """Sends messages, encoded as UDP datagrams, to one receiver, whether it is there or not.

    Attributes:
        missed: messages for which the system had no room.

    Raises:
        OutputError: the host is unknown.
    """

    def __init__(self, address: StreamAddress, encode: Callable[[Message], bytes]) -> None:
        self.missed = 0
        self._address, self._encode = address, encode
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise OutputError(
                f"The host “{address.host}” of the stream is not known", "its name is mistyped", "check the address"
            ) from error
        family, kind, protocol, _, target = found[0]
        self._target: tuple[Any, ...] = target
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # to whole networks only where one is named

    def send(self, message: Message) -> None:
        """Send a message in one datagram or, with many faces, several.

        Raises:
            OutputError: the network is down or refuses, or a face is too large.
        """
        try:
            for datagram in datagrams(message, self._encode):
                self._socket.sendto(datagram, self._target)
        except BlockingIOError:
            self.missed += 1
        except ConnectionError:
            pass  # there is no receiver yet
        except OSError as error:
            raise OutputError(
                f"The stream to {self._address} cannot be sent ({error.strerror})",
                "the network is down, or it forbids this address",
                "check the network and the address",
            ) from error

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()


def open_link(address: StreamAddress) -> Link:
    """Open the connection that an address names.

    Raises:
        OutputError: the host is unknown or the port is in use.
    """
    if address.kind == "ws":
        from engine.output.streaming.websocket import WebSocketLink  # loaded only when it is used

        return WebSocketLink(address)
    return DatagramLink(address, as_bundle if address.kind == "osc" else as_line)


class Streamer(OutputWorker[tuple[Result, Sequence[FaceSignals | None]]]):
    """Sends results to receivers. Of results that come faster than they can be sent, the newest counts.

    Args:
        address: such as `udp://127.0.0.1:5005`; see `engine.output.streaming.address`.
        on_error: called with each new error, see `OutputWorker`. Only failing to open ends a stream.
        open_link: opens the connection to the receivers.

    Attributes:
        address: where the stream goes.
        sent: results that were given to the connection; one that it had no room for is among `dropped` too.
        error: what is wrong; None once it works again.

    Raises:
        UsageError: the address is not valid.
    """

    def __init__(
        self, address: str, on_error: OnError | None = None, open_link: Callable[[StreamAddress], Link] = open_link
    ) -> None:
        self.address = parse_address(address)
        super().__init__(f"The stream {self.address}", None, on_error)
        self.sent = 0
        self._open_link = open_link
        self._link: Link | None = None
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Results that were replaced by newer ones, or for which a receiver was too slow."""
        return self._dropped + (self._link.missed if self._link is not None else 0)

    def send(self, result: Result, signals: Sequence[FaceSignals | None] = ()) -> None:
        """Queue a result, and the signals of each of its faces if they are measured, for sending; returns at once."""
        self._give((result, signals))

    def _write(self) -> None:
        link = self._link = self._open_link(self.address)
        self._opened.set()
        try:
            for result, signals in self._items():
                age = time.monotonic() - result.frame.captured
                try:
                    link.send(landmark_message(result, signals, time.time() - age, age * 1e3))
                except Exception as error:  # noqa: BLE001  one result that cannot be sent is not the end of the stream
                    self._fail(error, ends=False)
                else:
                    self.sent += 1
                    self.error = None
        finally:
            link.close()
