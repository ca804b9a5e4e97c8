"""The AR filter on the faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.live.panel.section import Section
from app.shortcuts.shortcuts import Act, with_key
from app.widgets.controls import Picker
from engine.filters.library import FilterEntry

OPEN_FOLDER = "open folder"


class FilterSection(Section):
    """Chooses one filter or none; broken ones are listed and say why."""

    changed = Signal()
    folder_wanted = Signal()  # a filter in a folder of the user's choice

    def __init__(self, wanted: str | None = None, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.heading.setText(self.tr("Filter"))
        self.picker = Picker()
        self.picker.setAccessibleName(self.tr("Filter"))
        self.picker.setToolTip(with_key(self.tr("Something to put on the faces"), Act.FILTER))
        self.rows.addWidget(self.picker)
        self._wanted = wanted  # by name or folder, until the list is there
        self._entries: list[FilterEntry] = []
        # A filter from outside the library is remembered by its folder.
        self._own: Path | None = Path(wanted) if wanted and Path(wanted).is_absolute() else None
        self.picker.activated.connect(self._on_activated)
        self._fill()

    @property
    def folder(self) -> Path | None:
        """Folder of the filter; None for none."""
        data = self.picker.currentData()
        return data if isinstance(data, Path) else None

    @property
    def choice(self) -> str | None:
        """The filter as settings remember it: a listed one by its name, another by its folder."""
        folder = self.folder
        if folder is None:
            return self._wanted
        return next((entry.name for entry in self._entries if entry.folder == folder), str(folder))

    def set_entries(self, entries: Sequence[FilterEntry]) -> None:
        """List these filters."""
        self._entries = list(entries)
        self._fill()

    def choose(self, folder: Path) -> None:
        """Use the filter in a folder."""
        self._wanted, self._own = str(folder), folder
        self._fill()

    def choose_next(self) -> None:
        """Go on to the next filter that can be used, and after the last one to none."""
        usable = [None, *(entry.name for entry in self._entries if entry.error is None)]
        place = usable.index(self._wanted) if self._wanted in usable else 0
        self._wanted = usable[(place + 1) % len(usable)]
        self._fill()

    def _fill(self) -> None:
        before = self.folder
        self.picker.clear()
        self.picker.addItem(self.tr("No filter"), None)
        for entry in self._entries:
            self.picker.addItem(entry.title, entry.folder)
            if entry.error is not None:
                self.picker.disable(self.picker.count() - 1, str(entry.error))
        if self._own is not None and self._own not in [entry.folder for entry in self._entries]:
            self.picker.addItem(self._own.name, self._own)
        self.picker.insertSeparator(self.picker.count())
        self.picker.addItem(self.tr("Open a filter's folder …"), OPEN_FOLDER)
        self._mark()
        if self.folder != before:
            self.changed.emit()

    def _mark(self) -> None:
        for row in range(self.picker.count()):
            folder = self.picker.itemData(row)
            if isinstance(folder, Path) and self._wanted in (folder.name, str(folder)):
                self.picker.setCurrentIndex(row)
                return
        self.picker.setCurrentIndex(0)

    def _on_activated(self, row: int) -> None:
        data = self.picker.itemData(row)
        if data == OPEN_FOLDER:
            self._mark()
            self.folder_wanted.emit()
            return
        self._wanted = None if data is None else data.name
        self.changed.emit()
