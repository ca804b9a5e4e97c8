"""A WebSocket server that gives every client the newest messages."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from concurrent.futures import Future
from contextlib import suppress
from socket import SO_SNDBUF, SOL_SOCKET

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from engine.core.errors import OutputError
from engine.output.streaming.address import StreamAddress
from engine.output.streaming.message import Message, as_line
from engine.output.streaming.pace import Pace

START_LIMIT = 5.0  # seconds
GOODBYE = 0.3  # seconds for a client to answer when we close
# Bytes that the system keeps for a client, which would otherwise be megabytes: many seconds of old messages.
SEND_BUFFER = 16_384
# Programs send no origin. A web page sends its own: without this check, any page that is open in a browser here could
# read the stream.
LOCAL_PAGES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class WebSocketLink:
    """Serves at an address on a thread of its own.

    Attributes:
        missed: messages for which a client was too slow.

    Raises:
        OutputError: the port is in use, or the host is not this machine.
    """

    def __init__(self, address: StreamAddress) -> None:
        self.missed = 0
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._started: Future[Server] = Future()
        self._heard = False  # whether a client may be connected
        self._paces: dict[ServerConnection, Pace] = {}
        self._pings: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="websocket", daemon=True)
        self._thread.start()
        try:
            self._server = self._started.result()
        except (OSError, UnicodeError, TimeoutError) as error:
            reason = getattr(error, "strerror", None) or str(error) or "no answer"
            raise OutputError(
                f"Nothing can be offered at {address} ({reason})",
                "another program uses this port, or the host is not this machine",
                "choose another port, such as ws://127.0.0.1:8766",
            ) from error

    def send(self, message: Message) -> None:
        """Send a message to every client that keeps up; returns at once."""
        if not self._heard:
            return
        text = as_line(message).decode().rstrip("\n")
        self._loop.call_soon_threadsafe(self._spread, text)

    def close(self) -> None:
        """Close the connections and free the port."""
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(2 * GOODBYE)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001  what opens the link is waiting for it
            self._started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        strangers = logging.getLogger(f"{__name__}.clients")
        strangers.setLevel(logging.CRITICAL)  # our user need not know what they do wrong
        async with asyncio.timeout(START_LIMIT):  # resolving a host may never return
            server = await serve(
                _listen,
                self._address.host,
                self._address.port,
                process_request=self._on_client,
                origins=[None, LOCAL_PAGES],
                compression=None,
                close_timeout=GOODBYE,
                max_size=4096,
                logger=strangers,
            )
        async with server:
            self._started.set_result(server)
            await self._ending.wait()
        for ping in self._pings:
            ping.cancel()
        await asyncio.gather(*self._pings, return_exceptions=True)

    def _on_client(self, client: ServerConnection, request: Request) -> None:
        """Add a client, before it is notified that it is connected."""
        self._heard = True
        client.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)

    def _spread(self, text: str) -> None:
        clients = self._server.connections
        self._heard = bool(clients)
        now = self._loop.time()
        self._paces = {client: self._paces.get(client) or Pace(now) for client in clients}
        for client, pace in self._paces.items():
            # The next message is newer than this one, so none is kept for later.
            if client.transport.get_write_buffer_size() or not pace.is_free(now):
                self.missed += 1
                continue
            broadcast([client], text)
            if pace.sent(now):
                ping = self._loop.create_task(self._ask(client, pace))
                self._pings.add(ping)
                ping.add_done_callback(self._pings.discard)

    async def _ask(self, client: ServerConnection, pace: Pace) -> None:
        with suppress(ConnectionClosed):
            await (await client.ping())
            pace.answered(self._loop.time())


async def _listen(client: ServerConnection) -> None:
    """Keep a connection until it ends in any way; what the client sends is discarded."""
    with suppress(ConnectionClosed):
        async for _ in client:
            pass
