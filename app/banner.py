"""The strip over the picture that tells of an error without stopping anything."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.theme import GAP
from engine.errors import UnderstudyError, sentence


class Banner(QFrame):
    """Says what happened, why, and what to do; stays until it is closed or replaced."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._details = ""
        self.error: UnderstudyError | None = None  # the error on show, if it is one that the user can mend
        self.setObjectName("banner")
        self._what, self._advice = _label(), _label()
        font = self._what.font()
        font.setBold(True)
        self._what.setFont(font)
        self.copy_button = self._button(self.tr("Copy"), self.tr("Copy this message and its details"))
        self.copy_button.clicked.connect(self._copy)
        self.close_button = self._button(self.tr("Close"), self.tr("Close this message (Esc)"))
        self.close_button.clicked.connect(self.hide)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._advice)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GAP, GAP + 4, GAP, GAP + 4)
        layout.setSpacing(GAP)
        layout.addLayout(words, 1)
        layout.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """Everything the banner says."""
        return " ".join(part for part in (self._what.text(), self._advice.text()) if part)

    def show_error(self, error: UnderstudyError) -> None:
        """Tell of an error that the user can mend."""
        self.show_message(f"{error.what}.", f"{sentence(error.why)} {sentence(error.fix)}")
        self.error = error

    def show_message(self, what: str, advice: str = "", details: str = "") -> None:
        """Tell of anything.

        Args:
            what: what happened, as a sentence.
            advice: why, and what to do.
            details: what “Copy” adds for a report.
        """
        self.error = None
        self._what.setText(what)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        self._details = details
        self.setAccessibleName(self.text)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n\n".join(part for part in (self.text, self._details) if part))

    def _button(self, text: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button


def _label() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    # A long path must not widen the window.
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
