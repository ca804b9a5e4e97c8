"""Adding a model from elsewhere: its card is found by trying, seen in a picture, corrected and saved."""

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
from app.shell.background import Background
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
    refused = Signal(object)  # ModelError: the file is no landmark model
    closed = Signal()

    def __init__(self, library: ModelLibrary) -> None:
        super().__init__()
        self._library = library
        self._background = Background(self)
        self._search: CardSearch | None = None
        self._suffix = ""
        self._card: Card | None = None  # the one on show, once there is one
        self.picture, self.form, self.banner = PictureView(), CardForm(), Banner()
        self.title, self.error = make_title(), make_title()
        self.about, self.uncertain = make_words(quiet=True), make_words(quiet=True)
        self.bar = QProgressBar(textVisible=False, maximum=PERCENT)
        self._make_controls()
        self._lay_out()

    @property
    def path(self) -> Path | None:
        """The file that is being added."""
        return None if self._search is None else self._search.path

    def add(self, path: Path) -> None:
        """Try a model file; another one that was being tried is left."""
        self.close_down()
        search = self._search = CardSearch(path, self)
        self._card, self._suffix = None, path.suffix.lower()
        self.title.setText(self.tr("Add {0}").format(path.name))
        self.banner.hide()
        self.picture.show_picture(None)
        self.name.clear()
        self.uncertain.hide()
        self._show_error(None)
        self._set_searching(True)
        self.about.setText(self.tr("Looking at the file …"))
        for part in (self.form, self.search_button):
            part.setEnabled(False)
        search.listed.connect(self._on_listed)
        search.progressed.connect(self._on_progress)
        search.pictured.connect(self.picture.show_picture)
        search.found.connect(self._on_found)
        search.failed.connect(self._on_failed)
        search.refused.connect(self._on_refused)
        self._background.run(lambda: self._library.free_name(path.stem), self.name.setText)
        search.start()

    def close_down(self) -> None:
        """Stop trying; nothing is saved."""
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
        self.cancel = make_button(self.tr("Cancel"), self.tr("Back to the models, without saving"))
        self.use.clicked.connect(lambda: self._save(FIRST))
        self.compare.clicked.connect(lambda: self._save(SECOND))
        self.cancel.clicked.connect(self._leave)
        self.form.changed.connect(self._on_corrected)

    def _lay_out(self) -> None:
        column = stack(self.error, self.about, self.bar, self.uncertain, GAP, self.form)
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
        buttons = side_by_side(self.name, self.use, self.compare)
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
        search.stop()
        named_card, content, suffix = replace(card, name=self.name.text().strip()), search.content, self._suffix

        def save() -> str:
            self._library.add(content, named_card, suffix)
            return named_card.name

        def done(name: str) -> None:
            self.close_down()
            self.saved.emit(lane, name)

        self._background.run(save, done, self.banner.show_error)

    def _leave(self) -> None:
        self.close_down()
        self.closed.emit()

    # What is reported

    def _on_listed(self, cards: list[Card]) -> None:
        self.form.set_cards(cards)
        self.form.setEnabled(True)
        self.search_button.setEnabled(True)
        self._set_searching(True)

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

    def _on_failed(self, error: ModelError) -> None:
        self._set_searching(False)
        self.about.setText(self.tr("Correct the fields below, and look at the picture."))
        self.banner.show_error(error)
        self._show_whether_savable()

    def _on_refused(self, error: ModelError) -> None:
        self.close_down()
        self.refused.emit(error)

    def _set_searching(self, searching: bool) -> None:
        self._searching = searching
        self.bar.setVisible(searching)
        self.bar.setValue(0)
        self.search_button.setEnabled(True)
        words = self.tr("Stop trying") if searching else self.tr("Find by trying again")
        self.search_button.setText(words)
        self.search_button.setAccessibleName(words)

    def _show_error(self, error: float | None) -> None:
        self._plausible = self._card is not None and (error is None or error <= WORST)
        known = self._card is not None and error is not None
        self.error.setText(self.tr("NME {0} %").format(f"{error:.2f}") if known else "")
        self._show_whether_savable()

    def _show_whether_savable(self) -> None:
        for button in (self.use, self.compare):
            button.setEnabled(self._plausible and bool(self.name.text().strip()))


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
