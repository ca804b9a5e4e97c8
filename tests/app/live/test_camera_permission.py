"""The window waits for the answer of a system that asks whether cameras may be used, and for no other."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCameraPermission, QObject, Qt

from app.live.camera_permission import when_cameras_are_decided

Status = Qt.PermissionStatus


class FakeApplication:
    """Stands for an application on macOS.

    Args:
        status: of the permission, as Qt knows it.
    """

    def __init__(self, status):
        self.status, self.asked = status, []

    def checkPermission(self, permission):  # noqa: N802  Qt's name
        assert isinstance(permission, QCameraPermission)
        return self.status

    def requestPermission(self, permission, context, answered):  # noqa: N802  Qt's name
        self.asked.append(answered)


@pytest.mark.parametrize("answer", [Status.Granted, Status.Denied])
def test_an_open_question_is_asked_once_and_any_answer_goes_on(qapp, answer):
    application, started = FakeApplication(Status.Undetermined), []
    when_cameras_are_decided(application, QObject(), lambda: started.append(True))
    assert not started, "the question is still open"
    (answered,) = application.asked
    application.status = answer
    answered(QCameraPermission())
    assert started == [True]
    when_cameras_are_decided(application, QObject(), lambda: started.append(True))
    assert (len(application.asked), len(started)) == (1, 2)


def test_this_system_is_asked_by_qt_itself(qapp):
    if qapp.checkPermission(QCameraPermission()) is Status.Undetermined:
        pytest.skip("here the user would be asked")
    started = []
    when_cameras_are_decided(qapp, QObject(), lambda: started.append(True))
    assert started == [True]
