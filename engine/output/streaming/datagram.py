"""Sending messages as UDP datagrams to one receiver, whether it is there or not."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from engine.core.errors import OutputError
from engine.output.streaming.address import StreamAddress
from engine.output.streaming.message import Message, datagrams


class DatagramLink:
    """Sends to one address.

    Args:
        address: the receiver's.
        encode: turns a message into the bytes of a datagram.

    Attributes:
        missed: messages that the system had no room for.

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
            pass  # nobody listens yet
        except OSError as error:
            raise OutputError(
                f"The stream to {self._address} cannot be sent ({error.strerror})",
                "the network is down, or it forbids this address",
                "check the network and the address",
            ) from error

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()
