"""What the window says of the source on screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.live.active_source import ActiveSource
from engine.live.state import SILENT_STATES, SourceState, Status
from engine.sources.base import SourceKind

translate = QCoreApplication.translate  # under the name that lupdate looks for


def short_name(spec: str) -> str:
    """Return a source as it was asked for without its folders."""
    return Path(spec).name or spec


def opening_words(playing: ActiveSource, status: Status) -> str:
    """Return what is said while a source is on its way."""
    name = translate("status_words", "The first camera") if playing.spec is None else short_name(playing.spec)
    return f"{name} · {status.message or _state_words(playing, SourceState.STARTING)}"


def status_words(playing: ActiveSource, status: Status, size: str, paused: bool) -> str:
    """Return what the source on screen is doing; `size` is that of its picture."""
    # Why a source failed is told by the banner.
    message = "" if status.state is SourceState.FAILED else status.message
    return message or _plain_words(playing, status, size, paused)


def notice_words(playing: ActiveSource | None, status: Status) -> str:
    """Return what to write over a picture that is not live, "" over one that is."""
    if status.state is SourceState.FAILED:
        return translate("status_words", "The picture stopped")  # the banner tells why
    if status.state not in SILENT_STATES or playing is None:
        return ""
    return status.message or _state_words(playing, status.state)


def _plain_words(playing: ActiveSource, status: Status, size: str, paused: bool) -> str:
    """Describe a source that has nothing special to say."""
    if status.state is SourceState.ENDED and playing.is_still:
        return f"{playing.name} · {size}"
    if status.state is not SourceState.LIVE:
        return f"{playing.name} · {_state_words(playing, status.state)}"
    if paused:
        words = translate("status_words", "paused")
        return f"{playing.name} · {words} · {size}"
    if playing.kind is SourceKind.SAMPLE and playing.stands_in:
        return translate("status_words", "Sample: what was asked for could not be opened, so the built-in clip plays")
    if playing.kind is SourceKind.SAMPLE and playing.spec is None:
        return translate("status_words", "Sample: no camera was found, so the built-in clip plays")
    return f"{playing.name} · {_state_words(playing, status.state)} · {size}"


def _state_words(playing: ActiveSource, state: SourceState) -> str:
    return {
        SourceState.STARTING: translate("status_words", "opening …"),
        SourceState.LIVE: translate("status_words", "live")
        if playing.kind is SourceKind.CAMERA
        else translate("status_words", "playing"),
        SourceState.STALLED: translate("status_words", "no picture comes"),
        SourceState.RECONNECTING: translate("status_words", "disconnected, trying again …"),
        SourceState.ENDED: translate("status_words", "ended; Space plays it again"),
        SourceState.FAILED: translate("status_words", "failed"),
    }[state]
