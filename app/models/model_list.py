"""The list of models: each with its name, and below it what kind it is or why it cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QListWidget, QWidget

from app.models.model_facts import ModelFacts
from app.widgets.two_lines import add_row, prepare_list
from engine.inference.library import ModelEntry


class ModelList(QListWidget):
    """Models by name, the broken ones too; one of them is chosen as long as there are any."""

    chosen = Signal()  # another model, or the same one with another card

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        prepare_list(self, self.tr("Models"), self.tr("The models on this machine"))
        self._entries: list[ModelEntry] = []
        self.currentRowChanged.connect(lambda row: self.chosen.emit())

    @property
    def entry(self) -> ModelEntry | None:
        """The chosen model."""
        row = self.currentRow()
        return self._entries[row] if 0 <= row < len(self._entries) else None

    @property
    def entries(self) -> list[ModelEntry]:
        """All that are listed."""
        return list(self._entries)

    def set_entries(self, entries: Sequence[ModelEntry]) -> None:
        """List these models; the chosen one stays chosen where it is still there."""
        before = self.entry
        self.blockSignals(True)
        self._entries = list(entries)
        self.clear()
        for entry in self._entries:
            add_row(self, entry.name, self._kind(entry), str(entry.error or entry.path))
        paths = [entry.path for entry in self._entries]
        row = paths.index(before.path) if before is not None and before.path in paths else self._first_usable()
        self.setCurrentRow(row)
        self.blockSignals(False)
        self.chosen.emit()

    def _first_usable(self) -> int:
        return next((row for row, entry in enumerate(self._entries) if entry.error is None), 0)

    def _kind(self, entry: ModelEntry) -> str:
        if entry.error is not None and not entry.path.is_file():
            return self.tr("File missing")
        if entry.card is None or entry.error is not None:
            return self.tr("Cannot be used")
        facts = ModelFacts.of(entry.card)
        return f"{facts.role_words} · {facts.points_words} · {facts.megabytes:.2f} MB"
