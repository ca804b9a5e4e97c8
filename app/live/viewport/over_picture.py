"""Words over the picture: two lines of help at the first start, and the mark of what is recorded and sent."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QLabel, QWidget

from app.shortcuts.shortcuts import Act, hotkey
from app.theme.theme import GAP, MARGIN

STAYS_MS = 15_000
# What a window gets when a key or a button is pressed; keys that are shortcuts never come as a press.
_ACTS = {QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride, QEvent.Type.MouseButtonPress}


class FirstHint(QLabel):
    """Is shown at the foot of its parent for some seconds, or until something else needs the place or the user acts.

    Args:
        parent: the widget that it covers.
        others: widgets that need the place: it goes when one of them is shown.
    """

    def __init__(self, parent: QWidget, *others: QWidget) -> None:
        super().__init__(parent)
        self._others = others
        self.setObjectName("firstHint")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        first = self.tr("Choose a camera at the right, or drop a video or a picture here.")
        second = self.tr("Press {0} to compare two models, {1} for all keys.")
        keys = (hotkey(act).key_texts[0] for act in ("live.layout", Act.KEYS))
        self.setText(f"{first}\n{second.format(*keys)}")
        self.setAccessibleName(self.text())
        parent.installEventFilter(self)
        self.hide()

    def greet(self) -> None:
        """Show the lines."""
        self._place()
        self.show()
        self.raise_()
        QTimer.singleShot(STAYS_MS, self, self.hide)
        for watched in (self.window().windowHandle(), *self._others):
            watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self.parent():
            if kind is QEvent.Type.Resize:
                self._place()
        elif kind in _ACTS or (kind is QEvent.Type.Show and watched in self._others):
            self.hide()
        return False

    def hideEvent(self, event: QEvent) -> None:
        if (window := self.window().windowHandle()) is not None:
            window.removeEventFilter(self)

    def _place(self) -> None:
        stage = self.parentWidget()
        assert stage is not None
        self.adjustSize()
        self.move((stage.width() - self.width()) // 2, stage.height() - self.height() - MARGIN)


class OutputMark(QLabel):
    """In the upper middle of its parent: a red dot and the time of the recording, and words while we measure or send.

    Args:
        parent: the widget that it covers.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("outputMark")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._stage = parent
        self._begun: float | None = None  # when the recording began
        self._sending: set[str] = set()
        self._measuring = False
        self._timer = QTimer(self, interval=250)
        self._timer.timeout.connect(self._refresh)
        parent.installEventFilter(self)
        self.hide()

    def show_recording(self, recording: bool) -> None:
        """Start counting, or stop."""
        if not recording:
            self._begun = None
            self._timer.stop()
        elif self._begun is None:
            self._begun = time.monotonic()
            self._timer.start()
        self._refresh()

    def show_measuring(self, measuring: bool) -> None:
        """Show that the session is measured for a report, for as long as it is."""
        self._measuring = measuring
        self._refresh()

    def show_sending(self, what: str, sending: bool) -> None:
        """Show that something is sent to other programs, for as long as it is; `what` tells several apart."""
        self._sending = self._sending | {what} if sending else self._sending - {what}
        self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _refresh(self) -> None:
        marks, names = [], []
        if self._begun is not None:
            minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
            marks.append(f'<span style="color:#ff5a4d">\u25cf</span> {minutes}:{seconds:02}')
            names.append(self.tr("Recording for {0}:{1:02}").format(minutes, seconds))
        if self._measuring:
            names.append(self.tr("Measuring"))
            marks.append(f'<span style="color:#4fc3a1">\u25c6</span> {names[-1]}')
        if self._sending:
            names.append(self.tr("Sending"))
            marks.append(f'<span style="color:#ffb000">\u25b2</span> {names[-1]}')
        words = "&nbsp;&nbsp; ".join(marks)
        if words != self.text():
            self.setText(words)
            self.setAccessibleName(", ".join(names))
            self._place()
        self.setVisible(bool(words))
        self.raise_()

    def _place(self) -> None:
        self.adjustSize()
        self.move((self._stage.width() - self.width()) // 2, GAP)
