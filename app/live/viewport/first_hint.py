"""Two lines of help over the picture when the program starts for the first time."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.live.viewport.presenter import Presenter
from app.shell.banner import Banner
from app.shortcuts.shortcuts import Act, hotkey
from app.theme.theme import MARGIN

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
