"""The bars of the window: pages and buttons at the top, and at the bottom the line that says what is going on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QTabBar, QWidget

from app.settings.binding import tool_tip
from app.settings.words import label_of
from app.shortcuts.shortcuts import Act, with_key
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import make_tool_button, named

BRIEFLY_MS = 6000  # how long a passing message stays


class TopBar(QWidget):
    """Chooses the page on show.

    Args:
        names: of the pages.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self._names = names
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.about = named(
            QPushButton("Understudy", flat=True), self.tr("About Understudy"), self.tr("Version, licences")
        )
        self.about.setObjectName("wordmark")
        self.about.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tabs = QTabBar(drawBase=False, expanding=False, usesScrollButtons=False)
        self.tabs = named(tabs, self.tr("Pages"), self.tr("The pages of the window"))
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for page in names:
            self.tabs.addTab(page)
        self.controls = make_tool_button("\u25e8", label_of("controls"), tool_tip("controls"))
        self.theme = make_tool_button("\u25d0", self.tr("Theme"), with_key(self.tr("Next theme"), Act.THEME))
        self.keys = make_tool_button("?", self.tr("Keys"), with_key(self.tr("All keys"), Act.KEYS))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(GAP * 2)
        for part in (self.about, self.tabs, self.controls, self.theme, self.keys):
            layout.addWidget(part)
        layout.insertStretch(2, 1)

    def mark_busy(self, page: int, busy: bool) -> None:
        """Mark a page on which something is running while another one is shown."""
        name = self._names[page]
        self.tabs.setTabText(page, self.tr("{0} \u2022").format(name) if busy else name)

    def choose(self, page: int) -> None:
        """Show a page."""
        self.tabs.setCurrentIndex(page)


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
        text = self._passing or self._standing
        self.setText(QFontMetrics(self.font()).elidedText(text, Qt.TextElideMode.ElideMiddle, width))
        self.setToolTip(text)
        self.setAccessibleName(text)
