"""How pictures are drawn: which overlays, mirrored or not, in which layout, and with which filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.face_signals import FaceSignals
from engine.core.faces import Face

DEFAULT_MAGNIFICATION = 3.0  # of the arrows between two lanes' landmarks


class Layout(Enum):
    """How lanes are shown: the first alone, all of them, or two."""

    SINGLE = "single"  # the first lane alone
    SIDE_BY_SIDE = "side_by_side"  # a pane for each lane
    SPLIT = "split"  # one picture: one lane left of a line, another right of it
    OVERLAID = "overlaid"  # two lanes' landmarks on one picture, in their colours
    DIFFERENCE = "difference"  # arrows from one lane's landmarks to another's, and heat per part of the face

    @property
    def has_picture_for_each(self) -> bool:
        """Whether each lane that is shown has a picture of its own."""
        return self in (Layout.SIDE_BY_SIDE, Layout.SPLIT)

    @property
    def shows_two(self) -> bool:
        """Whether it shows two lanes, however many there are."""
        return self in (Layout.SPLIT, Layout.OVERLAID, Layout.DIFFERENCE)


@dataclass(frozen=True)
class OverlayOptions:
    """What is drawn.

    Attributes:
        points: a dot at each landmark, faint where it is probably hidden.
        contours: lines along the parts of the face.
        box: corners around each face, with its number and score.
        numbers: the panel of stats.
        truth: rings at the ground truth, where the frame has it.
        pose: the axes of the head.
        indices: the index of each landmark next to it, counted from 0, faint where it is probably hidden.
    """

    points: bool = True
    contours: bool = True
    box: bool = False
    numbers: bool = True
    truth: bool = False
    pose: bool = False
    indices: bool = False


class Paint(Protocol):
    """Paints on the faces of a picture, such as an AR filter. Equals only itself."""

    def paint(
        self,
        picture: NDArray[np.uint8],
        faces: Sequence[Face],
        signals: Sequence[FaceSignals | None] = (),
        mirrored: bool = False,
    ) -> None:
        """Paint on a picture in place.

        Args:
            picture: `[H, W, 4]` uint8 BGRA with alpha 255, or `[H, W, 3]` uint8 RGB.
            faces: largest first, in pixels of the unmirrored picture.
            signals: of each face in the same order; None, or fewer, where there are none.
            mirrored: whether `picture` is mirrored.
        """


@dataclass(frozen=True)
class Look:
    """How a result is drawn. Equal looks give equal pictures of the same result.

    Attributes:
        options: what is drawn.
        mirrored: whether the picture is shown as in a mirror; text is not.
        layout: `OVERLAID` and `DIFFERENCE` draw the other lane's result too.
        magnification: how much longer than true the arrows of `DIFFERENCE` are.
        filter: the AR filter on the faces; None for none.
        pair: numbers of the lanes that the layouts of two show, `OVERLAID` each in its colour.
    """

    options: OverlayOptions = field(default_factory=OverlayOptions)
    mirrored: bool = False
    layout: Layout = Layout.SINGLE
    magnification: float = DEFAULT_MAGNIFICATION
    filter: Paint | None = None
    pair: tuple[int, int] = (0, 1)

    @property
    def draws_two(self) -> bool:
        """Whether two lanes are drawn on one picture."""
        return self.layout in (Layout.OVERLAID, Layout.DIFFERENCE)

    def has_picture_of(self, lane: int) -> bool:
        """Return whether a lane has a picture of its own."""
        if self.layout is Layout.SPLIT:
            return lane in self.pair
        return self.layout is Layout.SIDE_BY_SIDE or lane == self.pair[0]
