"""The widget that shows the live picture: one lane, or up to four in one of several layouts."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QHideEvent, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.live.viewport.panes import (
    DETAILS_SHARE,
    ONE_SHARE,
    Arrangement,
    PlatePlace,
    on_picture,
    one_picture,
    several_pictures,
    two_pictures,
)
from app.live.viewport.plate import legend_size, paint_legend
from app.live.viewport.plates import INSET, LanePlates
from app.live.viewport.saved_view import SavedView
from app.live.viewport.screen_ink import ScreenInk
from app.live.viewport.split_line import SplitLine
from app.theme.theme import GAP, MARGIN, ON_DARK, ON_STAGE, ON_STAGE_MUTED, STAGE, STAGE_ACCENT
from app.widgets.fitting import fitted
from app.widgets.fonts import plate_font
from engine.core.errors import UnderstudyError
from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render.canvas import Pane
from engine.render.scene import Layout

DIMMED = QColor(13, 15, 18, 170)  # laid over a picture that is no longer live
PANE_GAP = 6  # logical pixels between two pictures
ROOM_SCALE = 1.5  # of the letters of a legend that is read from afar
LANE_BAR = 3  # logical pixels: a line in the lane's colour at the foot of a picture
SINGLE = LiveSettings()  # one lane


class Viewport(QWidget):
    """Paints the newest pictures as large as they fit, on a dark stage, with a notice over them where there is one.

    Attributes:
        notice: the words over the picture, "" where there are none.
        split_place: where the split line is, as a share of the picture's width in [0, 1].
    """

    pane_changed = Signal(object)  # Pane: where each picture is shown from now on
    split_moved = Signal(float)  # place of the split line as a share of the picture's width
    painted = Signal(int, float, float)  # lane, `time.monotonic()`, milliseconds since the capture; once a frame

    def __init__(self) -> None:
        super().__init__()
        self._view: View | None = None
        self._settings, self._live = SINGLE, False
        # QImage does not own its memory: the pictures of `_view` keep it alive.
        self._images: tuple[QImage | None, ...] = ()
        self._errors: tuple[UnderstudyError | None, ...] = ()
        # With the device pixel ratio; measuring the plates takes longer than all else that is done for a frame.
        self._arranged: tuple[float, Arrangement] | None = None
        self._pane: Pane | None = None  # as reported
        self.split_place = 0.5
        self.notice = self._hint = ""
        self._saved_view = SavedView()
        self._inks: list[ScreenInk] = []  # one for each picture
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 160)
        self.setAccessibleName(self.tr("Live picture"))
        self.split_line = SplitLine(self)
        self.split_line.wanted_at.connect(self.move_split)
        self.lane_plates = LanePlates(self)
        self.lane_plates.update_due.timeout.connect(self._update_plates)
        for plate in self.lane_plates.plates:
            plate.details_wanted.connect(self._place)

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """The first picture on screen without ink, `[H, W, 4]` uint8 BGRA to be read; None before there is one."""
        lane = None if self._view is None else self._view.lane(self._settings.on_screen[0])
        return None if lane is None or not lane.picture.size else lane.picture

    def composed_pixels(self) -> NDArray[np.uint8] | None:
        """Return a copy of what is shown, `[H, W, 4]` uint8 BGRA: all pictures joined, or one divided at the line.

        A line at the foot names the models. The size depends on the first picture, the layout and the number of lanes
        alone. None before there is a picture.
        """
        return None if self._view is None else self._saved_view.compose(self._view, self._settings, self.split_place)

    def show_errors(self, errors: tuple[UnderstudyError | None, ...]) -> None:
        """Show what is wrong with a lane, by its number, in its pane, as long as its model has no result."""
        self._errors = errors
        self.update()

    def show_plates(self, shown: bool) -> None:
        """Show the plates, or leave the pictures to themselves; what a legend says then stands below them."""
        self.lane_plates.show(shown)
        self._update_plates()
        self._place()

    def show_numbers(self, shown: bool) -> None:
        """Show the numbers of each lane, or only which models are compared."""
        self.lane_plates.show_numbers(shown)
        self._update_plates()

    def show_view(self, view: View, settings: LiveSettings = SINGLE, live: bool = True) -> None:
        """Show a view from now on.

        Args:
            view: its pictures are not copied: their content must stay until the next call.
            settings: how several lanes are shown.
            live: whether frames come. False while the picture stands still, so that its age is not taken for latency.
        """
        placed_for = self._placed_for()
        self._view, self._settings, self._live = view, settings, live
        self._images = tuple(_image(view.lane(number)) for number in settings.pictured)
        while len(self._inks) < len(self._images):
            self._inks.append(ScreenInk())
        del self._inks[len(self._images) :]
        self._update_plates()
        if self._placed_for() != placed_for:
            self._place()
        self.update()

    def move_split(self, place: float) -> None:
        """Move the split line to a share of the picture's width."""
        place = min(max(place, 0.0), 1.0)
        if place != self.split_place:
            self.split_place = place
            self._place()
            self.split_moved.emit(place)

    def show_notice(self, words: str) -> None:
        """Dim the picture and put words over it; "" takes both away."""
        if words != self.notice:
            self.notice = words
            self.setAccessibleDescription(words)
            self.update()

    def show_hint(self, words: str) -> None:
        """Frame the stage and put words over everything, while something is dragged over it; "" takes them away."""
        self._hint = words
        self.update()

    def picture_area(self) -> QRectF:
        """Return where the pictures are painted, in logical pixels, the edges on whole device pixels."""
        return self._logical(functools.reduce(QRect.united, self._arrangement().panes, QRect()))

    def pane_areas(self) -> tuple[QRectF, ...]:
        """Return where each picture is painted, as in `picture_area`: all lanes side by side, else one."""
        return tuple(self._logical(pane) for pane in self._arrangement().panes)

    def legend_area(self) -> QRectF:
        """Return where the legend is painted, in logical pixels; empty without one."""
        areas = self.pane_areas()
        if not areas or not self.lane_plates.legend or self.notice:
            return QRectF()
        size, corner = self._legend_size(), self._legend_corner(areas[0])
        return QRectF(corner.x(), corner.y() - size.height(), size.width(), size.height())

    def sizeHint(self) -> QSize:
        return QSize(960, 720)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.DevicePixelRatioChange:  # on a screen of another scale now
            self._place()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def hideEvent(self, event: QHideEvent) -> None:
        self.lane_plates.stand_still()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.window().isMinimized():  # some systems request painting even of invisible windows
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(STAGE))
        words = QRectF()
        if self._images:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            self._paint_pictures(painter)
        if self._hint:
            painter.fillRect(self.rect(), DIMMED)
            painter.setPen(QPen(QColor(STAGE_ACCENT), 3))
            painter.drawRect(self.rect().adjusted(GAP, GAP, -GAP, -GAP))
            words = self._paint_words(painter, self._hint, QRectF(self.rect()))
        elif self.notice:
            painter.fillRect(self.picture_area(), DIMMED)
            words = self._paint_words(painter, self.notice, QRectF(self.rect()))
        painter.end()
        for plate in self.lane_plates.plates:  # they are painted after this
            plate.yields = bool(self._hint) or words.intersects(QRectF(plate.geometry()))
        if self._view is not None:
            for counted in self.lane_plates.painted(self._view, self._settings, self._live):
                self.painted.emit(*counted)

    # Layout

    def _arrangement(self) -> Arrangement:
        """Return the places of the pictures and the plates, in device pixels."""
        ratio = self.devicePixelRatioF()
        if self._arranged is None or self._arranged[0] != ratio:
            self._arranged = ratio, self._arrange(ratio)
            self._report_pane()
        return self._arranged[1]

    def _report_pane(self) -> None:
        """Say where pictures are shown, so that ink is drawn for that place before it is painted."""
        if self._arranged is not None and self._arranged[1].panes:
            ratio, place = self._arranged[0], self._arranged[1].panes[0]
            pane = Pane(place.width(), place.height(), ratio)
            if pane != self._pane:
                self._pane = pane
                self.pane_changed.emit(pane)

    def _arrange(self, ratio: float) -> Arrangement:
        size = self._picture_size()
        if size is None:
            return Arrangement((), PlatePlace.OVER)
        plates, room = self.lane_plates, self.lane_plates.room() * ratio
        plate = QSize(round(room.width()), round(room.height()))
        # Captions alone are small: pictures need not make room for them.
        asked = plate if plates.numbers else QSize(0, 0)
        panes, gap = len(self._images), round(PANE_GAP * ratio)
        if self._settings.layout is Layout.SIDE_BY_SIDE and panes > 2:
            room = plates.short_room() * ratio
            short = QSize(round(room.width()), round(room.height()))
            arrangement = several_pictures(self._stage(), size, asked, short, gap, panes)
            beside = 1
        elif self._settings.layout is Layout.SIDE_BY_SIDE and panes == 2:
            arrangement = two_pictures(self._stage(), size, asked, gap)
            beside = 1
        else:
            share = DETAILS_SHARE if plates.details else ONE_SHARE
            arrangement = one_picture(self._stage(), size, asked, plates.count(), share)
            beside = plates.count()
        if plates.numbers:
            return arrangement
        return replace(arrangement, plates=on_picture(arrangement.panes[0], plate, beside))

    def _picture_size(self) -> QSize | None:
        """Return the size of the pictures; before there is one, that of the first lane's frame."""
        if self._view is None:
            return None
        frame = self._view.first.result.frame
        sizes = (image.size() for image in self._images if image is not None)
        return next(sizes, QSize(frame.width, frame.height))

    def _stage(self) -> QRect:
        ratio, size = self.devicePixelRatioF(), self._picture_size()
        whole = QRect(0, 0, round(self.width() * ratio), round(self.height() * ratio))
        if self.lane_plates.shown or not self.lane_plates.legend or size is None:
            return whole
        # Nothing may cover the picture: the legend is beside it, or below it where that leaves more of it.
        legend, pane = self._legend_size(), fitted(whole, size)
        width, height = (math.ceil(length * ratio) for length in (legend.width() + GAP, legend.height() + 2 * GAP))
        if pane.left() >= width:
            return whole
        cells = whole.adjusted(width, 0, 0, 0), whole.adjusted(0, 0, 0, -height)
        return max(cells, key=lambda cell: fitted(cell, size).height())

    def _legend_size(self) -> QSizeF:
        return legend_size(self._legend_font(), self.lane_plates.legend, self._unit())

    def _legend_font(self) -> QFont:
        """Return the font of the legend: larger where there are no plates, as a room reads it then."""
        return plate_font(self.font(), 1.0 if self.lane_plates.shown else ROOM_SCALE)

    def _legend_corner(self, picture: QRectF) -> QPointF:
        """Return the lower left corner of the legend: on the picture, or where there are no plates, beside or below."""
        if self.lane_plates.shown:
            return picture.bottomLeft() + QPointF(INSET, -INSET)
        beside = picture.left() - self._legend_size().width() - GAP
        return QPointF(beside, picture.bottom()) if beside >= 0 else QPointF(picture.left(), self.height() - GAP)

    def _unit(self) -> str:
        return self.tr("% of eye distance")

    def _logical(self, pane: QRect) -> QRectF:
        ratio = self.devicePixelRatioF()
        return QRectF(pane.x() / ratio, pane.y() / ratio, pane.width() / ratio, pane.height() / ratio)

    def _is_split(self) -> bool:
        return self._settings.layout is Layout.SPLIT and len(self._images) == 2 and None not in self._images

    def _placed_for(self) -> tuple[object, ...]:
        """Return on what of a view the places of all parts depend."""
        return self._picture_size(), self._settings.layout, self._settings.on_screen, self._is_split()

    def _place(self) -> None:
        self._arranged = None
        split = self._is_split()
        if split:
            self.split_line.follow(self.split_place, self.picture_area())
        if split == self.split_line.isHidden():
            self.split_line.setVisible(split)
        arrangement = self._arrangement()
        reach = arrangement.reach / self.devicePixelRatioF()
        self.lane_plates.place(arrangement.plates, self.pane_areas(), QRectF(self.rect()), reach)
        self.update()

    def _update_plates(self) -> None:
        view, plates = self._view, self.lane_plates
        if view is not None and plates.update(view, self._settings):
            self._place()

    # Painting

    def _paint_pictures(self, painter: QPainter) -> None:
        areas, panes = self.pane_areas(), self._arrangement().panes
        if self._is_split():
            self._paint_split(painter, panes[0])
        else:
            for place, (area, pane, number) in enumerate(zip(areas, panes, self._settings.pictured, strict=False)):
                image = self._images[place]
                if image is not None:
                    fits = image.size() == self._picture_size()
                    self._paint_picture(painter, place, pane if fits else fitted(pane, image.size()))
                if (error := self._error_of(number)) is not None:
                    painter.fillRect(area, DIMMED)
                    self._paint_words(painter, str(error), area)
                elif image is None:
                    self._paint_words(painter, self.tr("This model has no result yet"), area, muted=True)
                if len(areas) > 1 and not self.lane_plates.shown:  # else the plates have the colours of the lanes
                    painter.fillRect(area.adjusted(0, area.height() - LANE_BAR, 0, 0), QColor(ON_DARK[number]))
        if (legend := self.legend_area()).isValid():
            painter.setFont(self._legend_font())
            paint_legend(painter, self.lane_plates.legend, self._unit(), legend)

    def _error_of(self, number: int) -> UnderstudyError | None:
        """Return what is wrong with a lane among several whose model has no result."""
        lane = None if self._view is None else self._view.lane(number)
        is_alone = len(self._images) == 1  # then the banner says it
        if is_alone or number >= len(self._errors) or (lane is not None and lane.result.model):
            return None
        return self._errors[number]

    def _paint_picture(self, painter: QPainter, place: int, pane: QRect) -> None:
        """Paint one of the pictures, if it is there, and its ink, in a pane in device pixels."""
        lane = None if self._view is None else self._view.lane(self._settings.pictured[place])
        if lane is not None and (image := self._images[place]) is not None:
            painter.drawImage(self._logical(pane), image)
            self._inks[place].paint(painter, lane, pane, self.devicePixelRatioF())

    def _paint_split(self, painter: QPainter, pane: QRect) -> None:
        ratio, area = self.devicePixelRatioF(), self._logical(pane)
        # On the edge of a device pixel, so that neither picture is blurred there.
        x = area.left() + round(self.split_place * area.width() * ratio) / ratio
        left, right = QRectF(area), QRectF(area)
        left.setRight(x)
        right.setLeft(x)
        for place, half in enumerate((left, right)):
            painter.setClipRect(half)
            self._paint_picture(painter, place, pane)
        painter.setClipping(False)
        self.split_line.paint(painter, QPointF(x, area.top()), area.height())

    def _paint_words(self, painter: QPainter, words: str, area: QRectF, muted: bool = False) -> QRectF:
        """Paint words in the middle of an area; return where they are."""
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        painter.setFont(font)
        painter.setPen(QColor(ON_STAGE_MUTED if muted or not self._images else ON_STAGE))
        inner = area.adjusted(2 * MARGIN, 2 * MARGIN, -2 * MARGIN, -2 * MARGIN)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        words = words.replace(". ", ".\n")
        painter.drawText(inner, flags, words)
        return painter.boundingRect(inner, flags, words)


def _image(lane: LaneView | None) -> QImage | None:
    """Return a lane's picture without copying it; None where it has none."""
    if lane is None or not lane.picture.size:
        return None
    pixels = lane.picture
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB32)
