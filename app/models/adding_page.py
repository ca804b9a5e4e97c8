"""Adding a model from elsewhere, or correcting its card: it is found by trying, seen in a picture, and saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from app.live.active_source import FIRST, SECOND
from app.models.card_form import CardForm
from app.models.card_search import CardSearch
from app.shell.background import WRITING_S, Background
from app.shell.banner import Banner
from app.theme.theme import GAP, MARGIN, colours
from app.widgets.controls import make_button, named
from app.widgets.page_parts import make_title, make_words, scroll_page, side_by_side, stack
from engine.core.errors import ModelError
from engine.evaluation.proposal import WORST, Progress, Proposal
from engine.inference.card import Card
from engine.inference.library import ModelLibrary

COLUMN_WIDTH, NAME_WIDTH = 360, 220  # logical pixels
PICTURE_SIZE = QSize(300, 200)  # logical pixels, at least
PERCENT = 100  # steps of the bar


class AddingPage(QWidget):
    """Shows what one model file finds on the sample by the card so far, and lets the user correct and save it.

    Args:
        library: where the model is saved.
    """

    saved = Signal(int, str)  # the lane that shows it, `app.live.active_source.FIRST` or `SECOND`, and its name
    corrected = Signal(object, object)  # Path of a model and its Card, which was saved again
    better_found = Signal(str)  # a sentence: the search that went on after saving found a better card
    refused = Signal(object)  # ModelError: the file is no landmark model
    closed = Signal()

    def __init__(self, library: ModelLibrary) -> None:
        super().__init__()
        self._library = library
        self._background = Background(self)
        self._search: CardSearch | None = None
        self._suffix = ""
        self._card: Card | None = None  # the one on show, once there is one
        self._error: float | None = None  # of it, NME in percent; None where it is not known
        self._file: Path | None = None  # the model whose card is corrected, once it was saved
        self._saved: Card | None = None  # its card as it was saved last
        self._saved_error: float | None = None
        self.picture, self.form, self.banner = PictureView(), CardForm(), Banner()
        self.title, self.error = make_title(), make_title()
        self.about, self.uncertain, self.saved_error = (make_words(quiet=True) for _ in range(3))
        self.bar = QProgressBar(textVisible=False, maximum=PERCENT)
        self._make_controls()
        self._lay_out()

    @property
    def path(self) -> Path | None:
        """The file that is being added, or whose card is being corrected."""
        return None if self._search is None else self._search.path

    def add(self, path: Path) -> None:
        """Try a model file; another one that was being tried is left."""
        search = CardSearch(path, self)
        self._start(search)
        self._suffix = path.suffix.lower()
        self.title.setText(self.tr("Add {0}").format(path.name))

        def offer(name: str) -> None:
            if self._search is search:  # no other file has taken its place
                self.name.setText(name)
                self._show_whether_savable()

        self._background.run(lambda: self._library.free_name(path.stem), offer)

    def correct(self, path: Path, card: Card) -> None:
        """Show the card that a model has, to be corrected and saved again."""
        self._start(CardSearch(path, self, card))
        self._set_searching(False)
        self._show_as_saved(path, card, None)

    def save_again(self) -> None:
        """Save the card on show in place of the one before; a search that runs goes on."""
        file, card, error, search = self._file, self._card, self._error, self._search
        if file is None or card is None or self._saved is None:
            return
        card = replace(card, name=self._saved.name)

        def done(saved: Card) -> None:
            self._after_saving(search, file, saved, error)
            self.corrected.emit(file, saved)

        self._background.run(lambda: self._library.correct(file, card), done, self.banner.show_error)

    def _start(self, search: CardSearch) -> None:
        self.stop_trying()
        self._search = search
        self._card = self._file = self._saved = None
        self.banner.hide()
        self.picture.show_picture(None)
        self.name.clear()
        self.uncertain.hide()
        self.saved_error.hide()
        self._show_error(None)
        self._set_searching(True)
        self._show_buttons()
        self.about.setText(self.tr("Looking at the file …"))
        for part in (self.form, self.search_button):
            part.setEnabled(False)
        search.listed.connect(self._on_listed)
        search.progressed.connect(self._on_progress)
        search.pictured.connect(self.picture.show_picture)
        search.found.connect(self._on_found)
        search.failed.connect(self._on_failed)
        search.refused.connect(self._on_refused)
        search.start()

    def close_down(self) -> None:
        """End everything; a model that is being saved is saved."""
        self.stop_trying()
        self._background.close(WRITING_S)

    def stop_trying(self) -> None:
        """Leave the file that is being tried; nothing is saved."""
        if self._search is not None:
            self._search.close()
            self._search = None

    # Parts

    def _make_controls(self) -> None:
        self.search_button = make_button("", self.tr("Try ways to use the model, or stop trying and keep the best"))
        self.search_button.clicked.connect(self._toggle_search)
        self.name = named(QLineEdit(), self.tr("Name"), self.tr("What the model is called here"))
        self.name.setFixedWidth(NAME_WIDTH)
        self.name.textEdited.connect(self._show_whether_savable)
        self.use = make_button(
            self.tr("Save and use"), self.tr("Save the model with this card, and show it in the first lane")
        )
        self.compare = make_button(
            self.tr("Save and compare"), self.tr("Save the model with this card, and show it in the second lane")
        )
        self.again = make_button(
            self.tr("Save"), self.tr("Save this card in place of the one before; lanes that show the model take it")
        )
        self.cancel = make_button(self.tr("Cancel"), self.tr("Back to the models, without saving"))
        self.again.clicked.connect(self.save_again)
        self.use.clicked.connect(lambda: self._save(FIRST))
        self.compare.clicked.connect(lambda: self._save(SECOND))
        self.cancel.clicked.connect(self._leave)
        self.form.changed.connect(self._on_corrected)

    def _lay_out(self) -> None:
        column = stack(self.error, self.about, self.saved_error, self.bar, self.uncertain, GAP, self.form)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(column)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFixedWidth(COLUMN_WIDTH)
        legend = make_words(
            self.tr("Light dots: what the model finds on the sample. Rings: where the landmarks are."), quiet=True
        )
        middle = side_by_side(stack(self.picture, legend, expanding=self.picture), area, spacing=MARGIN)
        middle.setStretch(0, 1)
        buttons = side_by_side(self.name, self.use, self.compare, self.again)
        buttons.addStretch(1)
        for button in (self.search_button, self.cancel):
            buttons.addWidget(button)
        content = stack(self.title, middle, buttons, self.banner, spacing=MARGIN, expanding=middle)
        rows = content.layout()
        assert isinstance(rows, QVBoxLayout)
        rows.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        scroll_page(self, content)

    # What users do

    def _on_corrected(self) -> None:
        if self._search is not None:
            self._set_searching(False)
            self._card = self.form.card
            self.uncertain.hide()
            self.about.setText(self.tr("Measuring …"))
            self._plausible = False
            self._show_whether_savable()
            self._search.measure(self._card)

    def _toggle_search(self) -> None:
        if self._search is None:
            return
        if self._searching:
            self._search.stop()
            self.search_button.setEnabled(False)
            self.about.setText(self.tr("Stopping …"))
        else:
            self._set_searching(True)
            self._search.search()

    def _save(self, lane: int) -> None:
        search, card = self._search, self._card
        if search is None or card is None:
            return
        named_card, content, suffix = replace(card, name=self.name.text().strip()), search.content, self._suffix
        error = self._error

        def done(file: Path) -> None:
            self._after_saving(search, file, named_card, error)
            self.saved.emit(lane, named_card.name)

        self._background.run(lambda: self._library.add(content, named_card, suffix), done, self.banner.show_error)

    def _after_saving(self, search: CardSearch | None, file: Path, card: Card, error: float | None) -> None:
        """Show what was saved, unless another file has taken its place meanwhile."""
        if self._search is search:
            self._show_as_saved(file, card, error)
            if not self._searching:
                self.stop_trying()

    def _leave(self) -> None:
        self.stop_trying()
        self.closed.emit()

    # What is reported

    def _on_listed(self, cards: list[Card]) -> None:
        saved = None if self._search is None else self._search.saved
        self.form.set_cards(cards, saved)
        self.form.setEnabled(True)
        self._set_searching(saved is None)

    def _on_progress(self, progress: Progress) -> None:
        self.form.show_card(progress.card)
        self._card = progress.card
        self.bar.setValue(round(progress.share * PERCENT))
        self.about.setText(self.tr("Trying: {0} ways so far").format(progress.ways))
        self._show_error(progress.error)

    def _on_found(self, proposal: Proposal) -> None:
        self.banner.hide()
        self._set_searching(False)
        self.form.show_card(proposal.card)
        self._card = proposal.card
        on = self.tr("of the eye distance, on {0} faces of the sample").format(proposal.faces)
        if proposal.ways > 1:
            on += self.tr(", after {0} tries in {1} s").format(proposal.ways, round(proposal.seconds))
        if proposal.error is None:
            on = self.tr("Its points have no table to the 68, so their error is not known: look at the picture.")
        self.about.setText(on)
        uncertain = [self.tr("Uncertain:"), *proposal.uncertain] if proposal.uncertain else []
        self.uncertain.setText("\n".join(uncertain))
        self.uncertain.setVisible(bool(uncertain))
        self._show_error(proposal.error)
        file, saved = self._file, self._saved
        if file is not None and saved is not None:
            if self._is_saved(proposal.card):
                self._show_as_saved(file, saved, proposal.error)
            if proposal.ways > 1 and not self.isVisible():
                self._end_search_after_saving(saved, proposal.error)

    def _end_search_after_saving(self, saved: Card, error: float | None) -> None:
        """Offer the card that was found while the user was elsewhere, if it is better than the one that was saved."""
        before = self._saved_error
        if error is None or before is None or round(error, 2) >= round(before, 2):
            self._leave()
            return
        words = self.tr("A better card of {0} was found: its error is {1} % of the eye distance instead of {2} %.")
        self.better_found.emit(words.format(saved.name, f"{error:.2f}", f"{before:.2f}"))

    def _on_failed(self, error: ModelError) -> None:
        self._set_searching(False)
        self.about.setText(self.tr("Correct the fields below, and look at the picture."))
        self.banner.show_error(error)
        self._show_whether_savable()

    def _on_refused(self, error: ModelError) -> None:
        self.stop_trying()
        self.refused.emit(error)

    def _is_saved(self, card: Card | None) -> bool:
        """Return whether a card says the same of input, output and crop as the one that was saved."""
        saved = self._saved
        if card is None or saved is None:
            return False
        return (card.scheme, card.crop, card.foreign_input, card.foreign_output) == (
            saved.scheme, saved.crop, saved.foreign_input, saved.foreign_output
        )  # fmt: skip

    def _show_as_saved(self, file: Path, card: Card, error: float | None) -> None:
        """From now on the card of a saved model is corrected."""
        self._file, self._saved, self._saved_error = file, card, error
        self.title.setText(self.tr("Correct the card of {0}").format(card.name))
        self.saved_error.setText(self.tr("Saved with {0} %").format(f"{error:.2f}") if error is not None else "")
        self.saved_error.setVisible(error is not None)
        self._show_buttons()
        self._show_whether_savable()

    def _show_buttons(self) -> None:
        """Show what a new model is saved by, or what a saved one is."""
        for control in (self.name, self.use, self.compare):
            control.setVisible(self._saved is None)
        self.again.setVisible(self._saved is not None)

    def _set_searching(self, searching: bool) -> None:
        self._searching = searching
        self.bar.setVisible(searching)
        self.bar.setValue(0)
        self.search_button.setEnabled(True)
        words = self.tr("Stop trying") if searching else self.tr("Find by trying again")
        self.search_button.setText(words)
        self.search_button.setAccessibleName(words)

    def _show_error(self, error: float | None) -> None:
        self._error = error
        self._plausible = self._card is not None and (error is None or error <= WORST)
        known = self._card is not None and error is not None
        self.error.setText(self.tr("NME {0} %").format(f"{error:.2f}") if known else "")
        self._show_whether_savable()

    def _show_whether_savable(self) -> None:
        for button in (self.use, self.compare):
            button.setEnabled(self._plausible and bool(self.name.text().strip()))
        self.again.setEnabled(self._plausible and not self._is_saved(self._card))


class PictureView(QWidget):
    """A picture, as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self.setMinimumSize(PICTURE_SIZE)
        self.setAccessibleName(self.tr("Faces of the sample with the points that the model finds"))

    def show_picture(self, picture: NDArray[np.uint8] | None) -> None:
        """Show a picture `[H, W, 3]` uint8 RGB; None for none."""
        if picture is None:
            self.image = None
        else:
            height, width, _ = picture.shape
            self.image = QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_RGB888).copy()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.image is None:
            painter.setPen(QColor(colours().muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("The first points appear in a moment."))
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        painter.drawImage(QRectF(left, top, size.width(), size.height()), self.image)
