"""The line at the bottom that says what the source is doing."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

BRIEFLY_MS = 6000  # how long a passing message stays


class StatusLine(QLabel):
    """One line of text, shortened in its middle where it does not fit; the tool tip has the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statusLine")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._standing = self._passing = ""
        self._timer = QTimer(self, singleShot=True, interval=BRIEFLY_MS)
        self._timer.timeout.connect(self._end_passing)

    @property
    def whole_text(self) -> str:
        """The whole text, however narrow the line is."""
        return self._passing or self._standing

    def show_text(self, text: str) -> None:
        """Show this text until the next."""
        self._standing = text
        self._write()

    def show_briefly(self, text: str) -> None:
        """Show this for some seconds, then the previous text again."""
        self._passing = text
        self._timer.start()
        self._write()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()

    def _end_passing(self) -> None:
        self._passing = ""
        self._write()

    def _write(self) -> None:
        width = max(self.contentsRect().width(), 1)
        text = self.whole_text
        self.setText(QFontMetrics(self.font()).elidedText(text, Qt.TextElideMode.ElideMiddle, width))
        self.setToolTip(text)
        self.setAccessibleName(text)
