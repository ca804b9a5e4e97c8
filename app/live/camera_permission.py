"""The permission of the system to use cameras, asked for before the first source that may be one is opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCameraPermission, QCoreApplication, QObject, Qt


def when_cameras_are_decided(application: QCoreApplication, context: QObject, then: Callable[[], object]) -> None:
    """Call `then` once the user has answered whether this program may use cameras, whatever the answer.

    Only macOS asks, once, and only for an application folder that says in its Info.plist what cameras are for; with any
    other answer of Qt, which is that of all other systems, `then` is called at once. Where a Python in a terminal runs
    the program, OpenCV asks for the terminal. A camera that is forbidden fails with a sentence when it is opened.

    Args:
        application: the one that runs.
        context: `then` is not called after this object is gone.
        then: goes on.
    """
    permission = QCameraPermission()
    if application.checkPermission(permission) is Qt.PermissionStatus.Undetermined:
        application.requestPermission(permission, context, lambda _: then())
    else:
        then()
