"""The presenter's strip: a few big numbers of each lane below the pictures, for an audience and a projector."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from app.live.viewport.captions import SEPARATOR
from app.models.facts import role_words, size_words
from app.theme.theme import ON_DARK, ON_STAGE, ON_STAGE_MUTED, STAGE
from engine.core.paths import asset_path
from engine.core.stats import REFRESH, Spread
from engine.inference.card import Card
from engine.inference.landmarker import model_of
from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render.text import EM_PER_CAPITAL

translate = QCoreApplication.translate  # under the name that lupdate looks for

# Letters of 22 minutes of arc can be read with ease (ISO 9241-303): from ten metres 64 mm, which is 3.2 % of a
# projected picture two metres high. All measures are shares of the window's height.
NUMBER, LABEL = 0.055, 0.032  # heights of capitals
PADDING, LINE_GAP, COLUMN_GAP, BAR = 0.024, 0.02, 0.045, 0.006
LINES = LABEL + LINE_GAP + NUMBER + LINE_GAP + LABEL  # of a lane
WIDEST = 0.94  # of a lane's share of the window's width
WIDEST_NUMBER = "00.0"  # every column has room for this, so that nothing moves
NOTHING = "\u2013"
AS_FAST = 1.05  # times: below, two models count as equally fast


@dataclass(frozen=True)
class LaneNumbers:
    """What the strip says of a lane.

    Attributes:
        number: of the lane.
        model: its name.
        facts: what kind of model it is, and its size; "" where that is not known.
        numbers: words of its numbers, one for each label; the first of several lanes has none of its own distance.
    """

    number: int
    model: str
    facts: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class _Word:
    """A word on the strip: the left end of its baseline in logical pixels, its font and its colour."""

    text: str
    place: QPointF
    font: QFont
    colour: str


class Presenter(QWidget):
    """Shows the numbers of all lanes in a row, each below its picture, and what sets the first two apart.

    It belongs into a layout below the view; its height goes by that of its parent.

    Args:
        parent: the page whose foot it is.
        clock: returns seconds.
    """

    def __init__(self, parent: QWidget, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._page, self._clock = parent, clock
        self._updated_at = 0.0
        self._models: Mapping[str, Card] = {}
        self._labels: tuple[str, ...] = ()
        self._lanes: tuple[LaneNumbers, ...] = ()
        self._sentence = ""
        self._picture: QPixmap | None = None  # painted once: the words change seldom
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Numbers for the audience"))
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """Everything the strip shows: a line for the labels, one for each lane, and the sentence."""
        rows = ["  ".join(self._labels)]
        rows += ["  ".join((lane.model, *lane.numbers)) for lane in self._lanes]
        return "\n".join((*rows, self._sentence) if self._sentence else rows)

    def set_models(self, models: Mapping[str, Card]) -> None:
        """Use these cards from now on, by model name."""
        self._models, self._updated_at = models, -math.inf

    def show_view(self, view: View, settings: LiveSettings, screens: Sequence[Spread | None]) -> None:
        """Show the numbers of a view, at most four times a second while its lanes and their models stay.

        Args:
            view: what is on screen.
            settings: how it is shown.
            screens: spread of the milliseconds from the capture of a frame until it is painted, by number of the lane.
        """
        shown = {number: lane for number in settings.on_screen if (lane := view.lane(number)) is not None}
        models, now = [(number, lane.result.model) for number, lane in shown.items()], self._clock()
        if models == [(lane.number, lane.model) for lane in self._lanes] and now - self._updated_at < REFRESH:
            return
        self._updated_at = now
        nme = any(lane.stats.nme is not None for lane in shown.values())
        many = len(shown) > 2
        # Labels are short: with longer ones, the numbers of two lanes would be too small to be read from afar.
        labels = [self.tr("results/s"), self.tr("to screen ms")]
        labels += [self.tr("NME %")] * nme + [self.tr("difference %")] * many  # of two lanes the sentence has it
        lanes = tuple(
            self._numbers(number, lane, screens[number], nme, many and place > 0)
            for place, (number, lane) in enumerate(shown.items())
        )
        sentence = comparison_words(list(shown.values())) if len(shown) > 1 else ""
        if (tuple(labels), lanes, sentence) != (self._labels, self._lanes, self._sentence):
            self._labels, self._lanes, self._sentence = tuple(labels), lanes, sentence
            self._picture = None
            self._fit()
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != self.size() * ratio:
            self._picture = self._drawn(ratio)
        QPainter(self).drawPixmap(0, 0, self._picture)

    def _fit(self) -> None:
        """Take the height that the words need in a page of this height."""
        sentence = (LABEL + 1.5 * LINE_GAP) * self._page.height() if len(self._lanes) > 1 else 0.0
        frame = (BAR + 2 * PADDING) * self._page.height()
        self.setFixedHeight(max(1, round(LINES * self._scale() + sentence + frame)))

    def _numbers(self, number: int, lane: LaneView, screen: Spread | None, nme: bool, apart: bool) -> LaneNumbers:
        card = self._models.get(model_of(lane.result.model))
        facts = SEPARATOR.join((role_words(card), size_words(card))) if card is not None else ""
        numbers = [_short(lane.stats.fps), _short(None if screen is None else screen.p50)]
        numbers += [_short(lane.stats.nme)] * nme + [_short(lane.distance)] * apart
        return LaneNumbers(number, lane.result.model, facts, tuple(numbers))

    # Painting

    def _drawn(self, ratio: float) -> QPixmap:
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(STAGE))
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        cell = self._cell()
        for place, lane in enumerate(self._lanes if len(self._lanes) > 1 else ()):
            bar = QRectF(place * cell, 0, cell, BAR * self._page.height())
            painter.fillRect(bar, QColor(ON_DARK[lane.number]))
        for word in self._words():
            painter.setFont(word.font)
            painter.setPen(QColor(word.colour))
            painter.drawText(word.place, word.text)
        painter.end()
        return picture

    def _cell(self) -> float:
        """Return how wide the part of each lane is."""
        return self.width() / max(1, len(self._lanes))

    def _scale(self) -> float:
        """Return the height in pixels of which the measures are shares: as large as the longest words allow."""
        height = float(self._page.height())
        widest = max((self._width(lane, height) for lane in self._lanes), default=0.0)
        return height * min(1.0, WIDEST * self._cell() / widest) if widest else height

    def _words(self) -> list[_Word]:
        scale = self._scale()
        words = [word for place in range(len(self._lanes)) for word in self._lane_words(place, scale)]
        return [*words, *self._sentence_words()] if self._sentence else words

    def _lane_words(self, place: int, scale: float) -> list[_Word]:
        """Return the words of a lane: its model above its numbers above their labels, in the middle of its cell."""
        lane, digits, label = self._lanes[place], _font(NUMBER * scale), _font(LABEL * scale)
        cell, base = self._cell(), (BAR + PADDING) * self._page.height() + LABEL * scale
        colour = ON_DARK[lane.number] if len(self._lanes) > 1 else ON_STAGE
        name, facts = _width_of(lane.model, label), self._facts_width(lane, label, scale)
        left = place * cell + (cell - name - facts) / 2
        words = [_Word(lane.model, QPointF(left, base), label, colour)]
        if lane.facts:
            begin = left + name + facts - _width_of(lane.facts, label)
            words.append(_Word(lane.facts, QPointF(begin, base), label, ON_STAGE_MUTED))
        widths = self._column_widths(lane, digits, label)
        gap = COLUMN_GAP * scale
        left = place * cell + (cell - sum(widths) - gap * (len(widths) - 1)) / 2
        starts = accumulate((width + gap for width in widths[:-1]), initial=left)
        for value, its_label, start, width in zip(lane.numbers, self._labels, starts, widths, strict=False):
            for text, font, tint, row in (
                (value, digits, ON_STAGE, LINE_GAP + NUMBER),
                (its_label, label, ON_STAGE_MUTED, 2 * LINE_GAP + NUMBER + LABEL),
            ):
                corner = QPointF(start + (width - _width_of(text, font)) / 2, base + row * scale)
                words.append(_Word(text, corner, font, tint))
        return words

    def _sentence_words(self) -> list[_Word]:
        height = float(self._page.height())
        font, room = _font(LABEL * height), WIDEST * self.width()
        if (width := _width_of(self._sentence, font)) > room:
            font = _font(LABEL * height * room / width)
        base = self.height() - PADDING * height
        left = (self.width() - _width_of(self._sentence, font)) / 2
        return [_Word(self._sentence, QPointF(left, base), font, ON_STAGE)]

    def _width(self, lane: LaneNumbers, scale: float) -> float:
        digits, label = _font(NUMBER * scale), _font(LABEL * scale)
        widths = self._column_widths(lane, digits, label)
        numbers = sum(widths) + COLUMN_GAP * scale * (len(widths) - 1)
        return max(_width_of(lane.model, label) + self._facts_width(lane, label, scale), numbers)

    def _facts_width(self, lane: LaneNumbers, label: QFont, scale: float) -> float:
        return _width_of(lane.facts, label) + COLUMN_GAP / 2 * scale if lane.facts else 0.0

    def _column_widths(self, lane: LaneNumbers, digits: QFont, label: QFont) -> list[float]:
        room = _width_of(WIDEST_NUMBER, digits)
        words = zip(lane.numbers, self._labels, strict=False)
        return [max(room, _width_of(value, digits), _width_of(its_label, label)) for value, its_label in words]


def comparison_words(lanes: Sequence[LaneView]) -> str:
    """Return what sets lanes apart: how fast the fastest network is beside the slowest, and how far they are apart.

    The times are those of finding the landmarks; "" while nothing is known.
    """
    times = {lane.result.model: lane.stats.latency_ms["landmark"].p50 for lane in lanes if _is_timed(lane)}
    speed = apart = ""
    if len(times) > 1:
        fastest, slowest = min(times, key=lambda name: times[name]), max(times, key=lambda name: times[name])
        ratio = times[slowest] / times[fastest]
        words = translate("Presenter", "{0} is {1} times as fast as {2}").format(fastest, _short(ratio), slowest)
        speed = words if ratio >= AS_FAST else translate("Presenter", "All are equally fast")
    if len(lanes) == 2 and lanes[1].distance is not None:
        apart = translate("Presenter", "{0} % of the eye distance apart").format(_short(lanes[1].distance))
    elif any(lane.distance is not None for lane in lanes[1:]):
        apart = translate("Presenter", "difference: % of the eye distance from {0}").format(lanes[0].result.model)
    return ", ".join(filter(None, (speed, apart)))


def _is_timed(lane: LaneView) -> bool:
    spread = lane.stats.latency_ms.get("landmark")
    return bool(lane.result.model) and spread is not None and spread.p50 > 0


def _short(value: float | None) -> str:
    """Return a number of two or three digits; more cannot be read from a distance while they change."""
    if value is None:
        return NOTHING
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _width_of(text: str, font: QFont) -> float:
    return float(QFontMetricsF(font).horizontalAdvance(text))


def _font(capital: float) -> QFont:
    """Return the bundled font with capitals of that height in pixels, and digits that are all equally wide."""
    font = QFont(_family())
    font.setPixelSize(max(1, round(capital * EM_PER_CAPITAL)))
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@lru_cache
def _family() -> str:
    number = QFontDatabase.addApplicationFont(str(asset_path("fonts", "Inter-Medium.otf")))
    return QFontDatabase.applicationFontFamilies(number)[0]
