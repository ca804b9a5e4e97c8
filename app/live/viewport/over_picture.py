"""Words over the picture: two lines of help at the first start, and the mark of a recording."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.live.viewport.presenter import Presenter
from app.shell.banner import Banner
from app.shortcuts.shortcuts import Act, hotkey
from app.theme.theme import GAP, MARGIN

STAYS_MS = 15_000
# Keys that are shortcuts never come as a press.
_BUSY = {QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride, QEvent.Type.Shortcut, QEvent.Type.MouseButtonPress}
_WATCHED = _BUSY | {QEvent.Type.Resize, QEvent.Type.Show}


class FirstHint(QLabel):
    """Is shown at the foot of its parent for some seconds, or until something else needs the place or the user acts.

    That is a key or a button that is pressed, a banner, or the presenter's numbers.

    Args:
        parent: the widget that it covers.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
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
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in _WATCHED:  # events of the whole program: thousands when the theme changes
            return False
        if kind == QEvent.Type.Resize:
            if watched is self.parent():
                self._place()
        elif self.isVisible() and (kind in _BUSY or isinstance(watched, Banner | Presenter)):
            self.hide()
        return False

    def hideEvent(self, event: QEvent) -> None:
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)

    def _place(self) -> None:
        stage = self.parentWidget()
        assert stage is not None
        self.adjustSize()
        self.move((stage.width() - self.width()) // 2, stage.height() - self.height() - MARGIN)


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
