"""Where a stream of landmarks goes, as users write it: `udp://127.0.0.1:5005`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.core.errors import UsageError

# Kinds of streams, with an example each.
EXAMPLES = {
    "udp": "udp://127.0.0.1:5005",
    "ws": "ws://127.0.0.1:8765",
    "osc": "osc://127.0.0.1:9000",
}


@dataclass(frozen=True)
class StreamAddress:
    """An address of a kind in `EXAMPLES`: the receiver's, or for `ws` our own, on which we listen."""

    kind: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"


def parse_address(text: str) -> StreamAddress:
    """Return the address written as KIND://HOST:PORT in `text`.

    Raises:
        UsageError: it is not an address.
    """
    try:
        parts = urlsplit(text.strip())
        kind, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:  # a port that is no number, or above 65535; brackets that do not close
        raise _not_an_address(text, str(error)) from error
    if kind not in EXAMPLES:
        raise _not_an_address(text, f"it should begin with {', '.join(f'{known}://' for known in EXAMPLES)}")
    if not host or not port:
        raise _not_an_address(text, "it should name a host and a port from 1 to 65535")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise _not_an_address(text, "there may be nothing besides host and port")
    return StreamAddress(kind, host, port)


def _not_an_address(text: str, why: str) -> UsageError:
    return UsageError(f"“{text}” is no address of a stream", why, f"write for example {' or '.join(EXAMPLES.values())}")
