"""The recording mark over the picture, shown even while everything else is hidden."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QLabel, QWidget

from app.theme.theme import GAP


class RecordingMark(QLabel):
    """A red dot and the time since the recording began, in the upper middle of its parent.

    Args:
        parent: the widget that it covers.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("recordingMark")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._stage, self._begun = parent, 0.0
        self._timer = QTimer(self, interval=250)
        self._timer.timeout.connect(self._refresh)
        parent.installEventFilter(self)
        self.hide()

    def show_recording(self, recording: bool) -> None:
        """Start counting, or hide."""
        if recording and self.isHidden():
            self._begun = time.monotonic()
            self._refresh()
            self._timer.start()
        elif not recording:
            self._timer.stop()
        self.setVisible(recording)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _refresh(self) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        words = f'<span style="color:#ff5a4d">\u25cf</span> {minutes}:{seconds:02}'
        if words != self.text():
            self.setText(words)
            self.setAccessibleName(self.tr("Recording for {0}:{1:02}").format(minutes, seconds))
            self._place()

    def _place(self) -> None:
        self.adjustSize()
        self.move((self._stage.width() - self.width()) // 2, GAP)
