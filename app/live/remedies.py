"""What the window offers to do about an error."""

from __future__ import annotations

import platform
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QDesktopServices

from app.shell.banner import Remedy
from engine.core.errors import UnderstudyError
from engine.sources.camera import CameraRefused

# Where a system keeps what programs may do with cameras: Microsoft Learn, “Launch Windows Settings”; on macOS the
# scheme that its own dialogues open. Linux has no such place.
CAMERA_SETTINGS = {
    "Windows": "ms-settings:privacy-webcam",
    "Darwin": "x-apple.systempreferences:com.apple.preference.security?Privacy_Camera",
}

translate = QCoreApplication.translate  # under the name that lupdate looks for


def remedies_for(error: UnderstudyError, retry: Callable[[], object], system: str | None = None) -> tuple[Remedy, ...]:
    """Return what can be done about an error.

    Args:
        error: what happened.
        retry: tries again what failed.
        system: as `platform.system()` calls it; None for this one.
    """
    refused = isinstance(error, CameraRefused)
    remedies = [Remedy(translate("remedies", "Try again"), retry, on_return=refused)]
    settings = CAMERA_SETTINGS.get(system or platform.system())
    if refused and settings is not None:
        words = translate("remedies", "Camera settings")
        remedies.append(Remedy(words, lambda: QDesktopServices.openUrl(QUrl(settings)), closes=False))
    return tuple(remedies)
