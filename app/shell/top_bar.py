"""The bar at the top: the pages, and the button for the keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QTabBar, QWidget

from app.shortcuts.shortcuts import Act, with_key
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import make_tool_button


class TopBar(QWidget):
    """Chooses the page on show.

    Args:
        names: of the pages.
    """

    chosen = Signal(int)  # number of a page
    keys_wanted = Signal()
    theme_wanted = Signal()

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self._names = names
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        name = QLabel("Understudy")
        name.setObjectName("wordmark")
        self.tabs = QTabBar(drawBase=False, expanding=False, usesScrollButtons=False)
        self.tabs.setAccessibleName(self.tr("Pages"))
        self.tabs.setToolTip(self.tr("The pages of the window"))
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for page in names:
            self.tabs.addTab(page)
        self.tabs.currentChanged.connect(self.chosen)
        self.theme = make_tool_button("\u25d0", self.tr("Theme"), with_key(self.tr("Next theme"), Act.THEME))
        self.theme.clicked.connect(self.theme_wanted)
        self.keys = make_tool_button("?", self.tr("Keys"), with_key(self.tr("All keys"), Act.KEYS))
        self.keys.clicked.connect(self.keys_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.addWidget(name)
        layout.addWidget(self.tabs)
        layout.addStretch(1)
        layout.addWidget(self.theme)
        layout.addWidget(self.keys)
        layout.setSpacing(GAP * 2)

    def mark_busy(self, page: int, busy: bool) -> None:
        """Mark a page on which something is running while another one is shown."""
        name = self._names[page]
        self.tabs.setTabText(page, self.tr("{0} \u2022").format(name) if busy else name)

    def choose(self, page: int) -> None:
        """Show a page."""
        self.tabs.setCurrentIndex(page)
