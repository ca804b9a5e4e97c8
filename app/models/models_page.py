"""The page of the models: which there are, how accurate and how fast each is, what it is, and where to use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.live.active_source import FIRST, SECOND
from app.models.adding_page import AddingPage
from app.models.benchmarking import Benchmarking
from app.models.error_curves import Curve, ErrorCurves
from app.models.model_card_view import ModelCardView
from app.models.model_table import ModelTable, Row
from app.models.reference import Reference, common_reference
from app.models.speed_chart import Dot, SpeedChart
from app.shell.background import Background
from app.shell.banner import Banner
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import make_button
from app.widgets.file_dialogs import ask_for_file
from app.widgets.page_parts import Column, make_title, make_words, scroll_page, side_by_side, stack
from engine.batch.benchmark import Speed
from engine.core.errors import ModelError
from engine.inference.card import Card
from engine.inference.landmarker import Landmarker, owner_of_card
from engine.inference.library import ModelEntry, ModelLibrary
from engine.live.settings import MOST_LANES

CARD_HEIGHT = 190  # logical pixels, at least


class ModelsPage(QWidget):
    """Lists the models in a table and in a picture, and shows the card of one.

    Args:
        list_models: the models that are there, broken ones with the reason; called on another thread.
        load_landmarker: loads a model by name or path; called on another thread.
        library: where models from elsewhere are saved; None for the usual place.
        parent: as of every widget.
    """

    use_wanted = Signal(int, str)  # lane, counted from 0, which may be one more than there are; model by name or path
    added = Signal()  # a model was saved
    corrected = Signal(str)  # the card of a model, by name or path, was saved again
    better_found = Signal(str)  # a sentence: there is a better card, which `save_better_card` saves

    def __init__(
        self,
        list_models: Callable[[], list[ModelEntry]],
        load_landmarker: Callable[[str], Landmarker],
        library: ModelLibrary | None = None,
        parent: QWidget | None = None,
    ) -> None:
        self._entries: list[ModelEntry] = []
        super().__init__(parent)
        self._list_models, self._load = list_models, load_landmarker
        self._background = Background(self)
        self._opened: dict[Path, ModelEntry] = {}  # files from outside the library
        self._lanes: tuple[str, ...] = ()
        self.list, self.chart, self.curves = ModelTable(), SpeedChart(), ErrorCurves()
        self.banner, self.card = Banner(), ModelCardView()
        self.nothing = make_words(self.tr("Looking for models …"))
        self.speeds = Benchmarking(load_landmarker, self)
        self._pages, self._overview = QStackedWidget(), QWidget()
        self._library = library or ModelLibrary()
        self._adding: AddingPage | None = None  # made when it is needed first: it has a hundred widgets
        self._make_buttons()
        self._lay_out()
        self.list.currentItemChanged.connect(lambda *_: self._show_chosen())
        self.chart.chosen.connect(self._choose)
        self.speeds.changed.connect(self._on_speeds)
        self.speeds.progressed.connect(self._show_progress)
        self.speeds.failed.connect(self.banner.show_error)
        self._show_chosen()

    @property
    def adding(self) -> AddingPage:
        """The page that finds the card of a model from elsewhere."""
        if self._adding is None:
            self._adding = AddingPage(self._library)
            self._adding.saved.connect(self._on_saved)
            self._adding.corrected.connect(self._on_corrected)
            self._adding.better_found.connect(self.better_found)
            self._adding.refused.connect(self._on_refused)
            self._adding.closed.connect(self._show_overview)
            self._pages.addWidget(self._adding)
        return self._adding

    def refresh(self) -> None:
        """List the models again."""
        self._background.run(self._list_models, self._on_listed)

    def show_lanes(self, models: tuple[str, ...]) -> None:
        """Mark the models of the lanes, each by name or path."""
        if models != self._lanes:
            self._lanes = models
            self.another.setVisible(SECOND < len(models) < MOST_LANES)
            self._show_rows()

    def open_model(self, path: str) -> None:
        """Check a model file with its card and list it; if it cannot be used, the banner says why.

        Without a card, its card is found by trying.
        """
        file = Path(path)

        def load() -> ModelEntry | None:
            if file.is_file() and (not file.with_suffix(".json").exists() or owner_of_card(file) is not None):
                return None
            return ModelEntry(file.stem, file, self._load(str(file)).card, None)

        def done(entry: ModelEntry | None) -> None:
            self._on_opened(entry) if entry is not None else self.add_model(file)

        self._show_overview()
        self._background.run(load, done, self.banner.show_error)

    def add_model(self, path: Path) -> None:
        """Find the card of a model file by trying."""
        self.banner.hide()
        self.adding.add(path)
        self._pages.setCurrentWidget(self.adding)

    def save_better_card(self) -> None:
        """Save the card that was found after the model had been saved."""
        self.adding.save_again()

    def ask_for_model(self) -> None:
        """Let the user choose a model file."""
        ask_for_file(self, self.tr("Add a model"), self.open_model, self.tr("Models (*.tflite *.onnx)"))

    def close_down(self) -> None:
        """Stop all work in the background."""
        self._background.close()
        self.speeds.close_down()
        if self._adding is not None:
            self._adding.close_down()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        # The marks of the lanes have the colours of the theme. All is listed again whenever the page is shown.
        if event.type() is QEvent.Type.PaletteChange and self.isVisible():
            self._show_rows()

    # Parts

    def _make_buttons(self) -> None:
        self.first = make_button(self.tr("Show in the first lane"), self.tr("Let this model find the landmarks"))
        self.second = make_button(
            self.tr("Compare in the second lane"), self.tr("Show this model next to that of the first lane")
        )
        self.another = make_button(
            self.tr("Compare in another lane"), self.tr("Show this model next to all current lanes")
        )
        self.another.hide()
        self.correct = make_button(
            self.tr("Correct its card …"),
            self.tr("See how this model from elsewhere is used, change that or find it by trying, and save it again"),
        )
        self.correct.hide()
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
            self.tr("Add a model …"),
            self.tr("A .tflite or .onnx file; without a card, the .json file next to it, its card is found by trying"),
        )
        self.open_folder = make_button(self.tr("Open its folder"), self.tr("Show the files of the chosen model"))
        self.first.clicked.connect(lambda: self._use(FIRST))
        self.second.clicked.connect(lambda: self._use(SECOND))
        self.another.clicked.connect(lambda: self._use(len(self._lanes)))
        self.correct.clicked.connect(self._correct)
        self.measure.clicked.connect(lambda: self._measure([self._entry] if self._entry else []))
        self.measure_all.clicked.connect(lambda: self._measure(self._entries))
        self.cancel.clicked.connect(self.speeds.cancel)
        self.open_file.clicked.connect(self.ask_for_model)
        self.open_folder.clicked.connect(self._show_folder)

    def _lay_out(self) -> None:
        self.progress = QLabel()
        self.progress.setProperty("role", "hint")
        self.progress.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head = side_by_side(
            make_title(self.tr("Models")), self.progress, self.measure_all, self.open_file, self.open_folder
        )
        head.setStretch(1, 1)
        overview = side_by_side(self.list, self.chart, spacing=MARGIN)
        overview.setStretch(0, 1)
        overview.setStretch(1, 1)
        # From the outside inwards, as `scroll_page` says.
        stack(self._pages, spacing=0, expanding=self._pages, whole=self)
        self._pages.addWidget(self._overview)
        page, content, self._lower = QWidget(), QWidget(), QStackedWidget()
        below = side_by_side(self.banner)  # in sight wherever the page is scrolled to
        below.setContentsMargins(MARGIN, 0, MARGIN, MARGIN - GAP)
        stack(page, below, spacing=0, expanding=page, whole=self._overview)
        scroll_page(page, content)
        stack(head, overview, self._lower, spacing=MARGIN, expanding=self._lower, whole=content)
        rows = content.layout()
        assert isinstance(rows, QVBoxLayout)
        rows.setContentsMargins(MARGIN, MARGIN, MARGIN, GAP)
        rows.setStretch(1, 1)
        self._fill_lower()

    def _fill_lower(self) -> None:
        buttons = side_by_side(self.first, self.second, self.another, self.correct, self.measure, self.cancel)
        buttons.addStretch(1)
        column = Column(self.card, self.tr("Card of the model"), self.tr("What is known of the model"))
        column.setMinimumHeight(CARD_HEIGHT)
        below = side_by_side(column, self.curves, spacing=MARGIN)
        below.setStretch(0, 2)
        below.setStretch(1, 1)
        about = QWidget()
        self._lower.addWidget(self.nothing)
        self._lower.addWidget(about)
        stack(buttons, below, spacing=GAP, expanding=below, whole=about)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)

    # What users do

    def _use(self, lane: int) -> None:
        if self._entry is not None:
            self.use_wanted.emit(lane, self._key(self._entry))

    def _correct(self) -> None:
        entry = self._entry
        if entry is not None and entry.card is not None:
            self.banner.hide()
            self.adding.correct(entry.path, entry.card)
            self._pages.setCurrentWidget(self.adding)

    def _measure(self, entries: list[ModelEntry]) -> None:
        self.banner.hide()
        self.speeds.start([self._key(entry) for entry in entries if entry.error is None])

    def _show_folder(self) -> None:
        if self._entry is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._entry.path.parent)))

    # Results

    def _show_overview(self) -> None:
        if self._adding is not None:
            self._adding.stop_trying()
        self._pages.setCurrentWidget(self._overview)

    def _on_saved(self, lane: int, name: str) -> None:
        self._after_saving()
        self.added.emit()
        self.use_wanted.emit(lane, name)

    def _on_corrected(self, file: Path, card: Card) -> None:
        place = file.absolute()
        opened = place in self._opened
        if opened:
            self._opened[place] = replace(self._opened[place], card=card)
        self._after_saving()
        self.corrected.emit(str(file) if opened else file.stem)

    def _after_saving(self) -> None:
        if self.adding.path is None:  # else the search goes on
            self._show_overview()
        self.refresh()

    def _on_refused(self, error: ModelError) -> None:
        self._show_overview()
        self.banner.show_error(error)

    def _on_listed(self, entries: list[ModelEntry]) -> None:
        self.nothing.setText(self.tr("There is no model yet. Add one, or train one on the page Train."))
        listed = {entry.path.absolute() for entry in entries}
        opened = [entry for path, entry in self._opened.items() if path not in listed]
        self._fill([*entries, *opened], None if self._entry is None else self._entry.path)

    def _on_opened(self, opened: ModelEntry) -> None:
        self.banner.hide()
        self._opened[opened.path.absolute()] = opened
        listed = [entry for entry in self._entries if entry.path.absolute() != opened.path.absolute()]
        self._fill([*listed, opened], opened.path)

    def _on_speeds(self) -> None:
        self.progress.setText(self.tr("Loading the models …") if self.speeds.busy else "")
        self._show_rows()

    def _show_progress(self, done: int, of: int) -> None:
        if self.speeds.busy:
            self.progress.setText(self.tr("Measuring: {0} of {1} rounds").format(done, of))

    def _show_chosen(self) -> None:
        entry, busy = self._entry, self.speeds.busy
        usable = [listed for listed in self._entries if listed.error is None]
        self._lower.setCurrentIndex(0 if entry is None else 1)
        if entry is not None:
            self.card.show_entry(entry, self.speeds.result(self._key(entry)), busy)
        for button in (self.first, self.second, self.another):
            button.setEnabled(entry in usable)
        self.correct.setVisible(
            entry is not None and entry.card is not None and entry.card.is_foreign and entry.error is None
        )
        self.measure.setEnabled(entry in usable)
        self.measure_all.setEnabled(bool(usable) and not busy)
        self.open_folder.setEnabled(entry is not None)
        self.measure.setVisible(not busy)
        self.cancel.setVisible(busy)
        self._show_pictures()

    def _key(self, entry: ModelEntry) -> str:
        """Return the name of a model of the library, the path of another."""
        return str(entry.path) if entry.path.absolute() in self._opened else entry.name

    # The table and the picture

    @property
    def _entry(self) -> ModelEntry | None:
        """The chosen model."""
        place = self.list.chosen
        return None if place is None else self._entries[place]

    def _fill(self, entries: Sequence[ModelEntry], chosen: Path | None) -> None:
        """List these models, and choose one by its path, or else that of the first lane, or the first usable one."""
        self._entries = list(entries)
        usable = [place for place, entry in enumerate(self._entries) if entry.error is None]
        shown = [place for place in usable if FIRST in self._lanes_of(self._entries[place])]
        wanted = [place for place, entry in enumerate(self._entries) if entry.path == chosen]
        self._show_rows([*wanted, *shown, *usable, 0][0])

    def _show_rows(self, chosen: int | None = None) -> None:
        """Show the models as they are now, and choose one by its place; None leaves the choice as it is."""
        rows = [Row(entry, self._speed(entry), self._lanes_of(entry)) for entry in self._entries]
        self.list.show_rows(rows, self._reference, self.list.chosen if chosen is None else chosen)
        self._show_chosen()

    def _show_pictures(self) -> None:
        reference, chosen = self._reference, self._entry.name if self._entry else ""
        dots, curves = list[Dot](), list[Curve]()
        if reference is not None:
            for entry in self._entries:
                if entry.card is None or entry.error is not None:
                    continue
                speed, lanes = self._speed(entry), self._lanes_of(entry)
                error, shares = reference.error_of(entry.card), reference.curve_of(entry.card)
                if speed is not None and error is not None:
                    dots.append(Dot(entry.name, error, speed.p50, entry.card.bytes, lanes))
                if shares is not None:
                    curves.append(Curve(entry.name, shares, lanes))
        on = reference.words if reference else ""
        self.chart.show_dots(dots, on, chosen)
        self.curves.show_curves(curves, on, chosen)

    def _choose(self, name: str) -> None:
        self.list.choose(next(place for place, entry in enumerate(self._entries) if entry.name == name))

    @property
    def _reference(self) -> Reference | None:
        return common_reference(entry.card for entry in self._entries if entry.card is not None and not entry.error)

    def _speed(self, entry: ModelEntry) -> Speed | None:
        measured = self.speeds.result(self._key(entry))
        return None if measured is None else measured.speed

    def _lanes_of(self, entry: ModelEntry) -> tuple[int, ...]:
        return tuple(lane for lane, model in enumerate(self._lanes) if model == self._key(entry))
