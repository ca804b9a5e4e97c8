"""The strip over the picture that reports an error, or good news, without interrupting anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app.theme.theme import GAP
from app.widgets.controls import make_tool_button
from app.widgets.page_parts import make_words
from engine.core.errors import UnderstudyError, sentence


@dataclass(frozen=True)
class Remedy:
    """What the user can do about an error by pressing a button.

    Attributes:
        text: on the button.
        act: what the button does.
        on_return: whether it is also done when the user comes back to the window, probably after fixing the cause
            elsewhere, as in the system settings.
        closes: whether the button closes the banner.
    """

    text: str
    act: Callable[[], object]
    on_return: bool = False
    closes: bool = True


class Banner(QFrame):
    """Says what happened, why, and what to do; stays until it is closed or replaced."""

    def __init__(self) -> None:
        super().__init__()
        self._details = ""
        self._remedies: tuple[Remedy, ...] = ()
        self.error: UnderstudyError | None = None  # the error on show, if it is one that the user can fix
        self.remedy_buttons: list[QToolButton] = []
        self.setObjectName("banner")
        self._what, self._advice = make_words(), make_words()
        for label in (self._what, self._advice):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = self._what.font()
        font.setBold(True)
        self._what.setFont(font)
        self.copy_button = make_tool_button(self.tr("Copy"), self.tr("Copy this message and its details"))
        self.copy_button.clicked.connect(self._copy)
        self.close_button = make_tool_button(self.tr("Close"), self.tr("Close this message (Esc)"))
        self.close_button.clicked.connect(self.hide)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._what)
        words.addWidget(self._advice)
        # Below the words: next to them they would leave the words no room in a narrow window.
        self._remedy_row = QHBoxLayout()
        self._remedy_row.setSpacing(GAP)
        self._remedy_row.addStretch()
        words.addLayout(self._remedy_row)
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

    def show_error(self, error: UnderstudyError, remedies: Sequence[Remedy] = (), details: str = "") -> None:
        """Show an error that the user can fix; for the other arguments see `show_message`."""
        self.show_message(f"{error.what}.", f"{sentence(error.why)} {sentence(error.fix)}", details, remedies)
        self.error = error

    def show_message(self, what: str, advice: str = "", details: str = "", remedies: Sequence[Remedy] = ()) -> None:
        """Show any message.

        Args:
            what: what happened, as a sentence.
            advice: why, and what to do.
            details: what “Copy” adds for a report.
            remedies: what can be done about it here.
        """
        self.error = None
        self._what.setText(what)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        self._details = details
        self._offer(remedies)
        self._set_calm(False)
        self.setAccessibleName(self.text)
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def show_notice(self, what: str, remedies: Sequence[Remedy]) -> None:
        """Show what is not wrong, but may be acted on, in the colours of the window rather than those of an alert."""
        self.show_message(what, remedies=remedies)
        self._set_calm(True)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow() and self.isVisible():
            for remedy in self._remedies:
                if remedy.on_return:
                    remedy.act()

    def _set_calm(self, calm: bool) -> None:
        self.setProperty("calm", calm)
        for widget in (self, *self.findChildren(QWidget)):  # Qt looks at the property only when it polishes a widget
            widget.style().unpolish(widget)
            widget.style().polish(widget)

    def _offer(self, remedies: Sequence[Remedy]) -> None:
        for button in self.remedy_buttons:
            button.hide()  # now: it is deleted only in the next iteration of the event loop
            self._remedy_row.removeWidget(button)
            button.deleteLater()
        self._remedies = tuple(remedies)
        self._remedy_row.setContentsMargins(0, GAP if remedies else 0, 0, 0)
        self.remedy_buttons = [self._remedy_button(remedy) for remedy in remedies]
        for before, after in pairwise((*self.remedy_buttons, self.copy_button, self.close_button)):
            QWidget.setTabOrder(before, after)

    def _remedy_button(self, remedy: Remedy) -> QToolButton:
        button = make_tool_button(remedy.text, remedy.text)
        button.setProperty("role", "remedy")

        def act() -> None:
            if remedy.closes:
                self.hide()  # first: the remedy may report another error
            remedy.act()

        button.clicked.connect(act)
        self._remedy_row.insertWidget(self._remedy_row.count() - 1, button)  # before the spacer
        return button

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n\n".join(part for part in (self.text, self._details) if part))
