"""A section of the side panel that can be folded away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.settings.binding import bind
from app.settings.store import SettingsStore
from app.theme.theme import GAP
from app.widgets.controls import make_tool_button, named

ARROW = QSize(10, 10)  # logical pixels


class Fold(QWidget):
    """A heading that shows or hides the controls below it, which go into `rows`.

    Args:
        store: remembers whether it is folded.
        path: of that setting, such as `folded.source`.
    """

    def __init__(self, store: SettingsStore, path: str) -> None:
        super().__init__()
        self.head = make_tool_button("", "")
        self.head.setObjectName("fold")
        self.head.setCheckable(True)
        self.head.setChecked(True)
        self.head.setArrowType(Qt.ArrowType.DownArrow)
        self.head.setIconSize(ARROW)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.body = QWidget()
        self.rows = QVBoxLayout(self.body)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(GAP)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(GAP // 2)
        whole.addWidget(self.head)
        whole.addWidget(self.body)
        self.head.toggled.connect(self._show_body)
        bind(store, self.head, path, values=(True, False))

    def set_title(self, title: str, hint: str = "") -> None:
        """Set the heading; `hint` says what the section is for, where the heading does not."""
        self.head.setText(title)
        fold = self.tr("Show or hide this section")
        named(self.head, title, f"{hint}\n{fold}" if hint else fold)

    def _show_body(self, is_open: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.body.setVisible(is_open)
