"""What we rely on in Qt's Python binding."""

import gc
import sys

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal

TIMES = 1000


class Speaker(QObject):
    said = Signal()

    def hear(self):
        pass


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="True and None are immortal since Python 3.12")
def test_signals_and_events_lose_no_references(qapp):
    """PySide6 6.12.0 lost one to True with every signal: a window that ran for some minutes was aborted."""
    speaker = Speaker()
    speaker.said.connect(speaker.hear, Qt.ConnectionType.QueuedConnection)
    # What earlier tests left behind goes now, not between the two counts.
    qapp.processEvents()
    gc.collect()
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(TIMES):
        speaker.said.emit()
        QCoreApplication.postEvent(speaker, QEvent(QEvent.Type.User))
    qapp.processEvents()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert after[0] > before[0] - TIMES / 2
    assert after[1] > before[1] - TIMES / 2
