"""Where the live view's pictures stand. Everything in device pixels, so that no edge falls between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QRect, QSize

# The shares of their size to which pictures make room for the plates; if they had to go below, plates lie on them.
ONE_SHARE, TWO_SHARE = 0.9, 0.6


class PlatePlace(Enum):
    """Where the plates with the numbers stand."""

    OVER = "over"  # in the upper corners of their pictures
    BELOW = "below"  # below the pictures
    BESIDE = "beside"  # on the stage, the first left of the picture, the second right of it


@dataclass(frozen=True)
class Arrangement:
    """Where everything stands.

    Attributes:
        panes: of each picture.
        plates: where the plates stand.
    """

    panes: tuple[QRect, ...]
    plates: PlatePlace


def one_picture(stage: QRect, picture: QSize, plate: QSize, plates: int) -> Arrangement:
    """Return where a picture and its plates stand.

    Args:
        stage: all there is.
        picture: its size, of which only the shape matters.
        plate: the room that the largest plate takes; empty where there are none.
        plates: how many there are, up to two.
    """
    full = fitted(stage, picture)
    right = plate.width() * (plates > 1)
    cells = {
        PlatePlace.BESIDE: stage.adjusted(plate.width(), 0, -right, 0),
        PlatePlace.BELOW: stage.adjusted(0, 0, 0, -plate.height()),
    }
    panes = {place: fitted(cell, picture) for place, cell in cells.items() if not cell.isEmpty()}
    best = max(panes, key=lambda place: panes[place].height(), default=PlatePlace.OVER)
    if best in panes and panes[best].height() >= ONE_SHARE * full.height():
        return Arrangement((panes[best],), best)
    return Arrangement((full,), PlatePlace.OVER)


def two_pictures(stage: QRect, picture: QSize, plate: QSize, gap: int) -> Arrangement:
    """Return where two pictures of a size and their plates stand, likewise, the pictures `gap` apart."""
    full = paired(stage, picture, gap)
    cell = stage.adjusted(0, 0, 0, -plate.height())
    if not cell.isEmpty() and full[0].top() == full[1].top():
        smaller = paired(cell, picture, gap)
        enough = smaller[0].height() >= TWO_SHARE * full[0].height()
        if enough and smaller[0].top() == smaller[1].top():
            return Arrangement(smaller, PlatePlace.BELOW)
    return Arrangement(full, PlatePlace.OVER)


def fitted(cell: QRect, picture: QSize) -> QRect:
    """Return where a picture stands in a cell: as large as it fits, in its middle."""
    scale = min(cell.width() / picture.width(), cell.height() / picture.height())
    width, height = round(picture.width() * scale), round(picture.height() * scale)
    left, top = (cell.width() - width) // 2, (cell.height() - height) // 2
    return QRect(cell.left() + left, cell.top() + top, width, height)


def paired(stage: QRect, picture: QSize, gap: int) -> tuple[QRect, QRect]:
    """Return where two pictures of a size stand, `gap` apart: beside or below each other, whichever is larger."""
    wide, high = picture.width(), picture.height()
    beside = min((stage.width() - gap) / (2 * wide), stage.height() / high)
    below = min(stage.width() / wide, (stage.height() - gap) / (2 * high))
    scale = max(beside, below, 1 / min(wide, high))
    width, height = round(wide * scale), round(high * scale)
    across, down = (width + gap, 0) if beside >= below else (0, height + gap)
    left = stage.left() + (stage.width() - width - across) // 2
    top = stage.top() + (stage.height() - height - down) // 2
    return QRect(left, top, width, height), QRect(left + across, top + down, width, height)
