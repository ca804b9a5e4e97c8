"""What we rely on in Qt's Python binding."""

import sys

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal


class Speaker(QObject):
    said = Signal()

    def hear(self):
        pass


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True and None are immortal since Python 3.12")
def test_signals_and_events_lose_no_references(qapp):
    """PySide6 6.12.0 lost one to True with every signal: a window that ran for some minutes was aborted."""
    speaker = Speaker()
    speaker.said.connect(speaker.hear, Qt.ConnectionType.QueuedConnection)
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(100):
        speaker.said.emit()
        QCoreApplication.postEvent(speaker, QEvent(QEvent.Type.User))
    qapp.processEvents()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert after[0] > before[0] - 20
    assert after[1] > before[1] - 20
