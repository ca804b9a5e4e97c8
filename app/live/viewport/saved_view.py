"""What is on screen, as screenshots, recordings and the virtual camera show it: in the pixels of the frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render import montage
from engine.render.canvas import Canvas
from engine.render.caption import Caption, words_of
from engine.render.ink import Ink, InkPainter
from engine.render.scene import Layout


class SavedView:
    """Draws the ink over the pictures of a view and joins them, with a line at the foot that names the models."""

    def __init__(self) -> None:
        self._painter, self._ink, self._caption = InkPainter(), Ink(), Caption()

    def compose(self, view: View, settings: LiveSettings, split_place: float) -> NDArray[np.uint8] | None:
        """Return a new picture `[H, W, 4]` uint8 BGRA; None before the first lane on screen has one.

        Its size depends on the first picture, the layout and the number of lanes alone.

        Args:
            view: its pictures are not changed.
            settings: how several lanes are shown.
            split_place: of the split line, as a share of the picture's width in [0, 1].
        """
        pictures = [self._inked(view.lane(number)) for number in settings.on_screen]
        first = pictures[0]
        if first is None:
            return None
        if settings.layout is Layout.SIDE_BY_SIDE and len(pictures) > 1:
            composed = montage.joined(pictures, (first.shape[1], first.shape[0]))
        elif settings.layout is Layout.SPLIT and len(pictures) > 1:
            composed = montage.split(first, pictures[1], split_place)
        else:
            composed = first
        self._caption.lay(composed, words_of(view.models(settings), settings.layout, settings.magnification))
        return composed

    def _inked(self, lane: LaneView | None) -> NDArray[np.uint8] | None:
        """Return a lane's picture with its ink, as a new one; None where it has none."""
        if lane is None or not lane.picture.size:
            return None
        picture, result = lane.picture.copy(), lane.result
        self._painter.draw(self._ink, Canvas.of(result.frame), result, lane.look, lane.signals, lane.other)
        self._ink.lay(picture)
        return picture
