"""Addresses of cameras in the network, and how they are shown: without what may be a password."""

from __future__ import annotations

import re

SCHEMES = ("http", "https", "rtsp", "rtsps")
HIDDEN = "…"
# Parameters that say which stream is meant, and nothing else. Of all others the value is hidden.
_HARMLESS = re.compile(
    r"(action|camera|channel|codec|compression|fps|profile|proto|quality|resolution|size|stream|subtype|type|unicast)"
    r"=[\w.x-]*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(rf"({'|'.join(SCHEMES)})://.", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return whether a text is the address of a camera in the network."""
    return _ADDRESS.match(text.strip()) is not None


def redacted(text: str) -> str:
    """Return a source as it may be shown, logged and stored: addresses of any kind without user, password and secrets.

    Hidden are everything before the last @, parameters that are not known to be harmless, and parts of the path that
    hold a =, as some cameras take the password there. What is no address stays as it is.
    """
    scheme, mark, rest = text.strip().partition("://")
    if not mark or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return text
    hidden, at, rest = rest.rpartition("@")
    place, question, query = rest.partition("#")[0].partition("?")
    parts = [HIDDEN if "=" in part or ";" in part else part for part in place.split("/")]
    shown = [part if _HARMLESS.fullmatch(part) else HIDDEN for part in query.split("&")]
    return f"{scheme}://{HIDDEN if hidden else ''}{at}{'/'.join(parts)}{question}{'&'.join(shown) if query else ''}"


def has_secret(text: str) -> bool:
    """Return whether an address holds something that must not be shown or stored."""
    return redacted(text) != text.strip()
