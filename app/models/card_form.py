"""The fields of a card that say what a model from elsewhere wants and what its output means, to be corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from app.theme.theme import GAP, MARGIN
from app.widgets.controls import Picker, named
from engine.evaluation.proposal import VALUES, with_values
from engine.inference.card import Card, CropRule
from engine.inference.conventions import COLOURS, GRIDS, LAYOUTS, ForeignInput, ForeignOutput

SCALE_STEP, SHIFT_STEP = 0.05, 0.025  # of the crop, in larger sides of the landmark box; as the search makes them
SCALES, SHIFTS = (10, 60), (-20, 20)  # in these steps
LABEL_WIDTH = 90  # logical pixels
OURS = {29: "COFW", 68: "iBUG", 98: "WFLW"}  # names of our markups by their number of points
UPRIGHT, LEVEL, STRETCHED = range(3)


class CardForm(QWidget):
    """Shows those fields of a card, and lets the user change them."""

    changed = Signal()  # by the user

    def __init__(self) -> None:
        super().__init__()
        self._cards: list[Card] = []  # one for each thing that the shapes of the network can mean
        self._card: Card | None = None
        self._own: Card | None = None  # what the model's card said at first, if it had one
        self._places = (0, 0)  # of both sliders as the card was shown: its crop may lie between their steps
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(MARGIN)
        self._grid.setVerticalSpacing(GAP)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        self._grid.setColumnStretch(1, 1)
        self._make_output()
        self._make_input()
        self._make_crop()

    @property
    def card(self) -> Card:
        """The card as the fields say; only once one was shown."""
        assert self._card is not None
        meaning: Card = self.meaning.currentData()
        crop = self.crop.currentData()
        values: ForeignInput = self.values.currentData()
        given = with_values(self._card.foreign_input, values)
        scale, down = self._card.crop.scale, self._card.crop.dy
        if self.scale.value() != self._places[0]:
            scale = round(self.scale.value() * SCALE_STEP, 3)
        if self.shift.value() != self._places[1]:
            down = round(self.shift.value() * SHIFT_STEP, 3)
        return replace(
            self._card,
            scheme=meaning.scheme,
            crop=CropRule(scale, down, crop == LEVEL),
            input=replace(given, colour=self.colour.currentData(), stretched=crop == STRETCHED),
            output=replace(meaning.foreign_output, grid=self.grid.currentData()),
        )

    def set_cards(self, cards: Sequence[Card], own: Card | None = None) -> None:
        """Offer what the shapes of a network can mean, one card each, and what the card says that it has already."""
        self._cards, self._card, self._own = list(cards), None, None
        if own is not None and not any(_is_same(card, own) for card in cards):
            self._own = own
            self._cards.append(own)
        cards = self._cards
        self.points.clear()
        self._offer_values(VALUES[0] if own is None else own.foreign_input)
        several = len({card.foreign_output.index for card in cards}) > 1
        for (index, count, markup), card in {_points_key(card): card for card in cards}.items():
            name = markup or OURS.get(count)
            words = self.tr("{0}, {1}").format(count, name) if name else str(count)
            words += self.tr(" (output {0})").format(index) if several else ""
            self.points.add(words, card, self.tr("Output {0} of the network").format(index))
        layout = cards[0].foreign_input.layout
        for row, name in enumerate(LAYOUTS):
            self.layout_.set_usable(row, name == layout)
        self.show_card(own or cards[0])

    def show_card(self, card: Card) -> None:
        """Show a card of this network, without a signal."""
        self._card = card
        given, output = card.foreign_input, card.foreign_output
        keys = [_points_key(self.points.itemData(row)) for row in range(self.points.count())]
        self.points.setCurrentIndex(keys.index(_points_key(card)))
        self._offer_meanings(output)
        self.layout_.setCurrentIndex(_row(self.layout_, given.layout))
        self.colour.setCurrentIndex(_row(self.colour, given.colour))
        self.values.setCurrentIndex(_row(self.values, with_values(ForeignInput(), given)))
        self.grid.setCurrentIndex(_row(self.grid, output.grid))
        kind = STRETCHED if given.stretched else LEVEL if card.crop.level else UPRIGHT
        self.crop.setCurrentIndex(_row(self.crop, kind))
        for slider, value in ((self.scale, card.crop.scale / SCALE_STEP), (self.shift, card.crop.dy / SHIFT_STEP)):
            slider.blockSignals(True)
            slider.setValue(round(value))
            slider.blockSignals(False)
        self._places = self.scale.value(), self.shift.value()
        self._show_numbers()

    # Parts

    def _make_output(self) -> None:
        self.points = self._picker(self.tr("Points"), self.tr("How many landmarks the network gives, and their markup"))
        self.meaning = self._picker(self.tr("Output"), self.tr("What the numbers of the output mean"))
        self.grid = self._picker(
            self.tr("Grid"), self.tr("Which pixel of the crop a place means; half a pixel shows only in the error")
        )
        for name in GRIDS:
            self.grid.add(name.replace("_", " "), name, self._grid_words(name))

    def _make_input(self) -> None:
        self.layout_ = self._picker(
            self.tr("Layout"), self.tr("Whether the colours come last (NHWC) or first; the shape of the input decides")
        )
        self.colour = self._picker(self.tr("Colours"), self.tr("The order of red, green and blue in the input"))
        self.values = self._picker(self.tr("Values"), self.tr("The values of black and white in the input"))
        for picker, names in ((self.layout_, LAYOUTS), (self.colour, COLOURS)):
            for name in names:
                picker.add(name, name, name)
        for given in VALUES:
            words = self.tr("mean and deviation of ImageNet") if any(given.mean) else self._range_words(given)
            self.values.add(words, given, words)

    def _make_crop(self) -> None:
        self.crop = self._picker(self.tr("Crop"), self.tr("How the face is cut out"))
        for kind, words, hint in (
            (UPRIGHT, self.tr("upright"), self.tr("A square that is not turned")),
            (LEVEL, self.tr("level"), self.tr("A square that is turned until the eyes are level")),
            (STRETCHED, self.tr("stretched"), self.tr("The box of the landmarks, stretched to a square")),
        ):
            self.crop.add(words, kind, hint)
        self.scale, self.scale_label = self._slider(
            self.tr("Size of the crop"), self.tr("The side of the crop in larger sides of the landmark box"), SCALES
        )
        self.shift, self.shift_label = self._slider(
            self.tr("Shift of the crop"), self.tr("How far the crop lies lower than the landmark box"), SHIFTS
        )

    def _picker(self, name: str, hint: str) -> Picker:
        picker = Picker(name, hint)
        self._add_row(name, picker)
        picker.activated.connect(lambda _: self._on_picked(picker))
        return picker

    def _slider(self, name: str, hint: str, limits: tuple[int, int]) -> tuple[QSlider, QLabel]:
        slider = named(QSlider(Qt.Orientation.Horizontal), name, hint)
        slider.setRange(*limits)
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        label = self._add_row("", slider)
        slider.valueChanged.connect(self._show_numbers)
        slider.valueChanged.connect(self.changed)
        return slider, label

    def _add_row(self, name: str, control: QWidget) -> QLabel:
        label = QLabel(name)
        label.setProperty("role", "hint")
        row = self._grid.rowCount()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(control, row, 1)
        return label

    # Changes

    def _on_picked(self, picker: Picker) -> None:
        if picker is self.points:
            self._offer_meanings(self.meaning.currentData().foreign_output)
        self.changed.emit()

    def _offer_values(self, given: ForeignInput) -> None:
        """Offer the values of an input beside the usual ones, if they are none of those."""
        while self.values.count() > len(VALUES):
            self.values.removeItem(len(VALUES))
        values = with_values(ForeignInput(), given)
        if values not in VALUES:
            words = self.tr("{0}, as saved").format(self._range_words(values))
            self.values.add(words, values, words)

    def _offer_meanings(self, like: ForeignOutput) -> None:
        """Offer what the chosen output can mean, and choose what is most like what was chosen before."""
        key = _points_key(self.points.currentData())
        cards = [card for card in self._cards if _points_key(card) == key]
        if [self.meaning.itemData(row) for row in range(self.meaning.count())] != cards:
            self.meaning.clear()
            for card in cards:
                words = self._meaning_words(card.foreign_output)
                if card is self._own:
                    words = self.tr("{0}, as saved").format(words)
                self.meaning.add(words, card, words)
        likeness = [_likeness(card.foreign_output, like) for card in cards]
        self.meaning.setCurrentIndex(likeness.index(max(likeness)))

    def _show_numbers(self) -> None:
        self.scale_label.setText(self.tr("Size {0}").format(f"{self.scale.value() * SCALE_STEP:.2f}"))
        self.shift_label.setText(self.tr("Lower {0}").format(f"{self.shift.value() * SHIFT_STEP:+.3f}"))

    # Words

    def _range_words(self, given: ForeignInput) -> str:
        low, high = given.range
        return self.tr("{0} to {1}").format(f"{low:g}", f"{high:g}")

    def _meaning_words(self, output: ForeignOutput) -> str:
        maps = {
            "argmax": self.tr("heatmaps, the highest cell"),
            "soft-argmax": self.tr("heatmaps, the mean place"),
            "argmax and offsets": self.tr("heatmaps with offsets, cells {0}").format(output.cells.replace("_", " ")),
        }
        if output.decoder in maps:
            return maps[output.decoder]
        if output.decoder == "mean shape":
            return self.tr("offsets to a mean shape")
        unit = {
            "crop": self.tr("in [0, 1]"),
            "pixels": self.tr("in pixels"),
            "centred": self.tr("in [-1, 1]"),
        }[output.unit]
        order = self.tr("all x, then all y") if output.by_axis else self.tr("x, y of each point")
        return self.tr("{0}, {1}").format(order, unit)

    def _grid_words(self, grid: str) -> str:
        return {
            "half_pixel": self.tr("0 and 1 are the edges of the crop"),
            "integer": self.tr("0 is the centre of the first pixel; a pixel is 1 / S"),
            "align_corners": self.tr("0 and 1 are the centres of the first and the last pixel"),
            "slice": self.tr("As with crops that were cut out in whole pixels of the picture"),
        }[grid]


def _points_key(card: Card) -> tuple[int, int, str]:
    return card.foreign_output.index, card.scheme, card.foreign_output.markup


def _likeness(output: ForeignOutput, other: ForeignOutput) -> int:
    fields = ("decoder", "unit", "by_axis", "cells", "dimensions")
    same = replace(output, grid=other.grid) == other
    return same + sum(getattr(output, name) == getattr(other, name) for name in fields)


def _is_same(card: Card, other: Card) -> bool:
    """Return whether two cards of one network say the same of its output, the grid apart."""
    output = replace(card.foreign_output, grid=other.foreign_output.grid)
    return (card.scheme, output) == (other.scheme, other.foreign_output)


def _row(picker: Picker, data: object) -> int:
    """Return the row of a picker with these data; -1 if there is none. Qt itself cannot compare what is not its own."""
    return next((row for row in range(picker.count()) if picker.itemData(row) == data), -1)
