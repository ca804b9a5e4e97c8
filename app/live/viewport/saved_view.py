"""What is on screen, as screenshots, recordings and the virtual camera show it: in the pixels of the frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.live.settings import LiveSettings
from engine.live.view import NO_PICTURE, LaneView, View
from engine.render import montage
from engine.render.canvas import Canvas
from engine.render.caption import Caption, words_of
from engine.render.ink import Ink, InkPainter
from engine.render.scene import Layout


class SavedView:
    """Draws the ink over the pictures of a view and joins them, with a line at the foot that names the models."""

    def __init__(self) -> None:
        self._painter, self._ink, self._caption = InkPainter(), Ink(), Caption()
        self._kept: dict[int, NDArray[np.uint8]] = {}

    def compose(self, view: View, settings: LiveSettings, split_place: float) -> NDArray[np.uint8] | None:
        """Return a new picture `[H, W, 4]` uint8 BGRA; None before the first lane on screen has one.

        Its size depends on the first picture, the layout and the number of lanes alone.

        Args:
            view: its pictures are not changed.
            settings: how several lanes are shown.
            split_place: of the split line, as a share of the picture's width in [0, 1].
        """
        lanes = [view.lane(number) for number in settings.on_screen]
        first = lanes[0]
        if first is None or not first.picture.size:
            return None
        if settings.layout is Layout.SIDE_BY_SIDE and len(lanes) > 1:
            composed = self._joined(first.picture.shape, lanes)
        elif settings.layout is Layout.SPLIT and len(lanes) > 1:
            composed = montage.split(self._inked(first, 0), self._inked(lanes[1], 1), split_place)
        else:
            composed = first.picture.copy()
            self._lay_ink(first, composed)
        self._caption.lay(composed, words_of(view.models(settings), settings.layout, settings.magnification))
        return composed

    def _joined(self, shape: tuple[int, ...], lanes: Sequence[LaneView | None]) -> NDArray[np.uint8]:
        """Return pictures in rows; ink goes to its place in them, but to a picture that is scaled before it is."""
        fits = [lane is not None and lane.picture.shape == shape for lane in lanes]
        pictures = [
            None if lane is None else lane.picture if fitting else self._inked(lane, place)
            for place, (lane, fitting) in enumerate(zip(lanes, fits, strict=True))
        ]
        size = shape[1], shape[0]
        composed = montage.joined(pictures, size)
        for lane, fitting, cell in zip(lanes, fits, montage.cells(composed, len(lanes), size), strict=True):
            if lane is not None and fitting:
                self._lay_ink(lane, cell)
        return composed

    def _inked(self, lane: LaneView | None, place: int) -> NDArray[np.uint8]:
        """Return a lane's picture with its ink, in a buffer that is kept; empty where it has none."""
        if lane is None or not lane.picture.size:
            return NO_PICTURE
        if place not in self._kept or self._kept[place].shape != lane.picture.shape:
            self._kept[place] = np.empty_like(lane.picture)
        np.copyto(self._kept[place], lane.picture)
        self._lay_ink(lane, self._kept[place])
        return self._kept[place]

    def _lay_ink(self, lane: LaneView, picture: NDArray[np.uint8]) -> None:
        result = lane.result
        self._painter.draw(self._ink, Canvas.of(result.frame), result, lane.look, lane.signals, lane.other)
        self._ink.lay(picture)
