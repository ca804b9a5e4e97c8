"""The AR filter on the faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal

from app.settings.binding import follow
from app.settings.store import SettingsStore
from app.shortcuts.shortcuts import Act
from app.widgets.controls import Picker
from app.widgets.fold import Fold
from engine.filters.library import FilterEntry

OPEN_FOLDER = "open folder"


class FilterSection(Fold):
    """Chooses one filter or none; broken ones are listed with the reason."""

    chosen = Signal(object)  # Path of the filter's folder; None for no filter
    folder_wanted = Signal()  # a filter in a folder of the user's choice

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, "folded.filter")
        self.set_title(self.tr("Filter"))
        self.picker = Picker(self.tr("Filter"), self.tr("Something to put on the faces"), Act.FILTER)
        self.rows.addWidget(self.picker)
        self._store = store
        self._entries: list[FilterEntry] = []
        self._own: Path | None = None  # the last one from outside the library
        self.picker.activated.connect(self._on_activated)
        follow(store, "filter", self._show)

    @property
    def folder(self) -> Path | None:
        """Folder of the filter; None for none."""
        data = self.picker.currentData()
        return data if isinstance(data, Path) else None

    def set_entries(self, entries: Sequence[FilterEntry]) -> None:
        """List these filters."""
        self._entries = list(entries)
        self._show(self._store.settings.filter)

    def choose(self, folder: str) -> None:
        """Use the filter in a folder."""
        self._store.update("filter", str(Path(folder)))

    def choose_next(self) -> None:
        """Go on to the next filter that can be used, and after the last one to none."""
        usable = [None, *(entry.name for entry in self._entries if entry.error is None)]
        wanted = self._store.settings.filter
        place = usable.index(wanted) if wanted in usable else 0
        self._store.update("filter", usable[(place + 1) % len(usable)])

    def _show(self, wanted: str | None) -> None:
        """List the filters and mark the one that is wanted, by its name or its folder."""
        before = self.folder
        if wanted is not None and Path(wanted).is_absolute():
            self._own = Path(wanted)
        self.picker.clear()
        self.picker.addItem(self.tr("No filter"), None)
        for entry in self._entries:
            hidden = self.tr("Yours, in place of the filter of this name in {0}").format(entry.hides)
            words = str(entry.error or (hidden if entry.hides else ""))
            title = self.tr("{0} (yours)").format(entry.title) if entry.hides else entry.title
            self.picker.add(title, entry.folder, words, entry.error is None)
        if self._own is not None and self._own not in [entry.folder for entry in self._entries]:
            self.picker.addItem(self._own.name, self._own)
        self.picker.insertSeparator(self.picker.count())
        self.picker.addItem(self.tr("Open a filter's folder …"), OPEN_FOLDER)
        self._mark(wanted)
        if self.folder != before:
            self.chosen.emit(self.folder)

    def _mark(self, wanted: str | None) -> None:
        for row in range(self.picker.count()):
            folder = self.picker.itemData(row)
            if isinstance(folder, Path) and wanted in (folder.name, str(folder)):
                self.picker.setCurrentIndex(row)
                return
        self.picker.setCurrentIndex(0)

    def _on_activated(self, row: int) -> None:
        data = self.picker.itemData(row)
        if data == OPEN_FOLDER:
            self._mark(self._store.settings.filter)
            self.folder_wanted.emit()
            return
        names = {entry.folder: entry.name for entry in self._entries}
        self._store.update("filter", None if data is None else names.get(data, str(data)))
