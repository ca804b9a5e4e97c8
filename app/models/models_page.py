"""The page of the models: which there are, what each is, how accurate and how fast it is, and where to use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.live.active_source import FIRST, SECOND
from app.models.benchmarking import Benchmarking
from app.models.facts import MEGABYTE, points_words, role_of, role_words
from app.models.model_card_view import ModelCardView
from app.shell.background import Background
from app.shell.banner import Banner
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import make_button
from app.widgets.file_dialogs import ask_for_file
from app.widgets.page_parts import Column, fill_page, make_title, make_words, side_by_side, stack
from app.widgets.two_lines import TwoLineList
from engine.inference.landmarker import Landmarker
from engine.inference.library import ModelEntry

LIST_WIDTH = 280  # logical pixels: the longest second line, and the scroll bar


class ModelsPage(QWidget):
    """Lists the models and shows the card of one.

    Args:
        list_models: the models that are there, broken ones with the reason; called on another thread.
        load_landmarker: loads a model by name or path; called on another thread.
    """

    use_wanted = Signal(int, str)  # lane (`app.live.active_source.FIRST` or `SECOND`), and a model by name or path

    def __init__(
        self, list_models: Callable[[], list[ModelEntry]], load_landmarker: Callable[[str], Landmarker]
    ) -> None:
        super().__init__()
        self._list_models, self._load = list_models, load_landmarker
        self._background = Background(self)
        self._opened: dict[Path, ModelEntry] = {}  # files from outside the library
        self._entries: list[ModelEntry] = []
        self.list = TwoLineList(self.tr("Models"), self.tr("The models on this machine"))
        self.banner, self.card = Banner(), ModelCardView()
        self.nothing = make_words(self.tr("Looking for models …"))
        self.speeds = Benchmarking(load_landmarker, self)
        self._make_buttons()
        self._lay_out()
        self.list.currentRowChanged.connect(lambda _: self._show_chosen())
        self.speeds.changed.connect(self._show_chosen)
        self.speeds.failed.connect(self.banner.show_error)
        self._show_chosen()

    def refresh(self) -> None:
        """List the models again."""
        self._background.run(self._list_models, self._on_listed)

    def open_model(self, path: str) -> None:
        """Check a `.tflite` file with its card and list it; if it cannot be used, the banner says why."""
        file = Path(path)

        def load() -> ModelEntry:
            return ModelEntry(file.stem, file, self._load(str(file)).card, None)

        self._background.run(load, self._on_opened, self.banner.show_error)

    def ask_for_model(self) -> None:
        """Let the user choose a model file."""
        ask_for_file(self, self.tr("Open a model"), self.open_model, self.tr("Models (*.tflite)"))

    def close_down(self) -> None:
        """Stop all work in the background."""
        self._background.close()
        self.speeds.close_down()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    # Parts

    def _make_buttons(self) -> None:
        self.first = make_button(self.tr("Show in the first lane"), self.tr("Let this model find the landmarks"))
        self.second = make_button(
            self.tr("Compare in the second lane"), self.tr("Show this model next to that of the first lane")
        )
        self.measure = make_button(
            self.tr("Measure speed on this machine"),
            self.tr("Takes seconds. The live picture and other programs slow it down."),
        )
        self.measure_all = make_button(
            self.tr("Measure all"),
            self.tr("Measure every usable model, alternating, so that all are comparable"),
        )
        self.cancel = make_button(self.tr("Cancel measuring"), self.tr("End measuring without a result"))
        self.open_file = make_button(
            self.tr("Open a model file …"), self.tr("A .tflite file with its card, the .json file next to it")
        )
        self.open_folder = make_button(self.tr("Open its folder"), self.tr("Show the files of the chosen model"))
        self.first.clicked.connect(lambda: self._use(FIRST))
        self.second.clicked.connect(lambda: self._use(SECOND))
        self.measure.clicked.connect(lambda: self._measure([self._entry] if self._entry else []))
        self.measure_all.clicked.connect(lambda: self._measure(self._entries))
        self.cancel.clicked.connect(self.speeds.cancel)
        self.open_file.clicked.connect(self.ask_for_model)
        self.open_folder.clicked.connect(self._show_folder)

    def _lay_out(self) -> None:
        self.list.setFixedWidth(LIST_WIDTH)
        title = make_title(self.tr("Models"))
        title.setContentsMargins(0, 0, 0, GAP)
        left = stack(title, self.list, self.open_file, self.open_folder, self.measure_all, expanding=self.list)
        fill_page(self, left, self._make_right(), self.banner)

    def _make_right(self) -> QWidget:
        buttons = side_by_side(self.first, self.second, self.measure, self.cancel)
        buttons.addStretch(1)
        column = Column(self.card, self.tr("Card of the model"), self.tr("What is known of the model"))
        self._right = QStackedWidget()
        self._right.addWidget(self.nothing)
        self._right.addWidget(stack(column, buttons, spacing=MARGIN, expanding=column))
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return self._right

    # What users do

    def _use(self, lane: int) -> None:
        if self._entry is not None:
            self.use_wanted.emit(lane, self._key(self._entry))

    def _measure(self, entries: list[ModelEntry]) -> None:
        self.banner.hide()
        self.speeds.start([self._key(entry) for entry in entries if entry.error is None])

    def _show_folder(self) -> None:
        if self._entry is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._entry.path.parent)))

    # Results

    def _on_listed(self, entries: list[ModelEntry]) -> None:
        self.nothing.setText(self.tr("There is no model yet. Open a model file, or train one on the page Train."))
        listed = {entry.path.absolute() for entry in entries}
        opened = [entry for path, entry in self._opened.items() if path not in listed]
        self._fill([*entries, *opened], None if self._entry is None else self._entry.path)

    def _on_opened(self, opened: ModelEntry) -> None:
        self.banner.hide()
        self._opened[opened.path.absolute()] = opened
        listed = [entry for entry in self._entries if entry.path.absolute() != opened.path.absolute()]
        self._fill([*listed, opened], opened.path)

    def _show_chosen(self) -> None:
        entry, busy = self._entry, self.speeds.busy
        usable = [listed for listed in self._entries if listed.error is None]
        self._right.setCurrentIndex(0 if entry is None else 1)
        if entry is not None:
            self.card.show_entry(entry, self.speeds.result(self._key(entry)), busy)
        for button in (self.first, self.second):
            button.setEnabled(entry in usable)
        self.measure.setEnabled(entry in usable)
        self.measure_all.setEnabled(bool(usable) and not busy)
        self.open_folder.setEnabled(entry is not None)
        self.measure.setVisible(not busy)
        self.cancel.setVisible(busy)

    def _key(self, entry: ModelEntry) -> str:
        """Return the name of a model of the library, the path of another."""
        return str(entry.path) if entry.path.absolute() in self._opened else entry.name

    # The list

    @property
    def _entry(self) -> ModelEntry | None:
        """The chosen model."""
        row = self.list.currentRow()
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def _fill(self, entries: Sequence[ModelEntry], chosen: Path | None) -> None:
        """List these models, and choose one by its path, or else the first that can be used."""
        self._entries = list(entries)
        usable = [row for row, entry in enumerate(self._entries) if entry.error is None]
        wanted = [row for row, entry in enumerate(self._entries) if entry.path == chosen]
        rows = [(entry.name, self._kind(entry), str(entry.error or entry.path)) for entry in self._entries]
        self.list.fill(rows, [*wanted, *usable, 0][0])
        self._show_chosen()

    def _kind(self, entry: ModelEntry) -> str:
        card = entry.card
        if card is None or entry.error is not None:
            return role_of(entry)
        mark = "" if entry.twin is None else " · int8"
        return f"{role_words(card)} · {points_words(card)} · {card.bytes / MEGABYTE:.2f} MB{mark}"
