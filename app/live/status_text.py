"""The text about the source on screen, and the remedies for an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QDesktopServices

from app.live.active_source import ActiveSource
from app.shell.banner import Remedy
from engine.core.addresses import redacted
from engine.core.errors import UnderstudyError
from engine.core.platforms import camera_settings
from engine.live.state import SILENT_STATES, SourceState, Status
from engine.sources.base import SourceKind
from engine.sources.camera import CameraRefused

translate = QCoreApplication.translate  # under the name that lupdate looks for


def opening_words(playing: ActiveSource, status: Status) -> str:
    """Return the text while a source is being opened."""
    spec = playing.spec
    if spec is None:
        name = translate("status_text", "The first camera")
    else:
        name = redacted(spec) if "://" in spec else Path(spec).name or spec
    return f"{name} · {status.message or _state_words(playing, SourceState.STARTING)}"


def status_words(playing: ActiveSource, status: Status, size: str, paused: bool) -> str:
    """Return what the source on screen is doing; `size` is that of its picture."""
    if status.message and status.state is not SourceState.FAILED:  # the banner says why a source failed
        return status.message
    if status.state is SourceState.ENDED and playing.is_still:
        return f"{playing.name} · {size}"
    if status.state is not SourceState.LIVE:
        return f"{playing.name} · {_state_words(playing, status.state)}"
    if paused:
        words = translate("status_text", "paused")
        return f"{playing.name} · {words} · {size}"
    if playing.kind is SourceKind.SAMPLE and playing.stands_in:
        return translate("status_text", "Sample: what was asked for could not be opened, so the built-in clip plays")
    if playing.kind is SourceKind.SAMPLE and playing.spec is None:
        return translate("status_text", "Sample: no camera was found, so the built-in clip plays")
    return f"{playing.name} · {_state_words(playing, status.state)} · {size}"


def notice_words(playing: ActiveSource | None, status: Status) -> str:
    """Return what to write over a picture that is not live, "" over one that is."""
    if status.state is SourceState.FAILED:
        return translate("status_text", "The picture stopped")  # the banner says why
    if status.state not in SILENT_STATES or playing is None:
        return ""
    return status.message or _state_words(playing, status.state)


def _state_words(playing: ActiveSource, state: SourceState) -> str:
    return {
        SourceState.STARTING: translate("status_text", "opening …"),
        SourceState.LIVE: translate("status_text", "live")
        if playing.kind is SourceKind.CAMERA
        else translate("status_text", "playing"),
        SourceState.STALLED: translate("status_text", "no picture is arriving"),
        SourceState.RECONNECTING: translate("status_text", "disconnected, trying again …"),
        SourceState.ENDED: translate("status_text", "ended; Space plays it again, E measures it for a report"),
        SourceState.FAILED: translate("status_text", "failed"),
    }[state]


def remedies_for(error: UnderstudyError, retry: Callable[[], object]) -> tuple[Remedy, ...]:
    """Return the remedies for an error.

    Args:
        error: what happened.
        retry: tries again what failed.
    """
    refused = isinstance(error, CameraRefused)
    remedies = [Remedy(translate("status_text", "Try again"), retry, on_return=refused)]
    settings = camera_settings()
    if refused and settings is not None:
        words = translate("status_text", "Camera settings")
        remedies.append(Remedy(words, lambda: QDesktopServices.openUrl(QUrl(settings)), closes=False))
    return tuple(remedies)
