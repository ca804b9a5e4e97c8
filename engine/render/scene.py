"""How pictures are drawn: which overlays, mirrored or not, in which layout, and with which filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face
from engine.inference.signals import FaceSignals

DEFAULT_MAGNIFICATION = 3.0  # of the arrows between two lanes' landmarks


class Layout(Enum):
    """How two lanes are shown."""

    SINGLE = "single"  # the first lane alone
    SIDE_BY_SIDE = "side_by_side"  # a pane for each lane
    SPLIT = "split"  # one picture: the first lane left of a line, the second right of it
    OVERLAID = "overlaid"  # both lanes' landmarks on one picture, in two colours
    DIFFERENCE = "difference"  # arrows from the first lane's landmarks to the second's, and heat per part of the face

    @property
    def has_two_pictures(self) -> bool:
        """Whether each lane has a picture of its own."""
        return self in (Layout.SIDE_BY_SIDE, Layout.SPLIT)


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
    """

    options: OverlayOptions = field(default_factory=OverlayOptions)
    mirrored: bool = False
    layout: Layout = Layout.SINGLE
    magnification: float = DEFAULT_MAGNIFICATION
    filter: Paint | None = None
