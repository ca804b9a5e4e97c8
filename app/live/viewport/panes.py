"""The layout of the live view in device pixels, so that no edge falls between two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from PySide6.QtCore import QPoint, QRect, QSize

from app.widgets.fitting import fitted, fitting_size

# To which share of their size pictures shrink to make room for the plates; if that is not enough, plates cover them.
ONE_SHARE, TWO_SHARE = 0.9, 0.6
DETAILS_SHARE = 0.6  # as ONE_SHARE, while all numbers are shown
FREE_SHARE = 0.1  # of a picture's width: stays free for a face between plates on it


class PlatePlace(Enum):
    """The place of the plates with the numbers."""

    OVER = "over"  # in the upper corners of their pictures
    BRIEF = "brief"  # there too, but only the most important numbers, for want of room
    BELOW = "below"  # below the pictures
    SHORT = "short"  # there too, but only the most important numbers, for want of room
    BESIDE = "beside"  # at the edges of the stage, the first left and the second right, perhaps over the picture's own


@dataclass(frozen=True)
class Arrangement:
    """The places of pictures and plates.

    Attributes:
        panes: of each picture.
        plates: place of the plates.
        reach: width in which a plate below its picture has room.
    """

    panes: tuple[QRect, ...]
    plates: PlatePlace
    reach: int = 0


def one_picture(stage: QRect, picture: QSize, plate: QSize, plates: int, share: float = ONE_SHARE) -> Arrangement:
    """Return the places of a picture and its plates.

    Args:
        stage: all there is.
        picture: its size, of which only the shape matters.
        plate: size of the largest plate; empty where there are none.
        plates: how many there are, up to two.
        share: of its size to which the picture may shrink for the plates.
    """
    full = fitted(stage, picture)
    right = plate.width() * (plates > 1)
    cells = {
        PlatePlace.BESIDE: stage.adjusted(plate.width(), 0, -right, 0),
        PlatePlace.BELOW: stage.adjusted(0, 0, 0, -plate.height()),
    }
    panes = {place: fitted(cell, picture) for place, cell in cells.items() if not cell.isEmpty()}
    best = max(panes, key=lambda place: panes[place].height(), default=PlatePlace.OVER)
    if best in panes and panes[best].height() >= share * full.height():
        return Arrangement((panes[best],), best)
    margin = full.left() - stage.left()
    if margin and on_picture(full, plate, plates, margin) is PlatePlace.OVER:
        return Arrangement((full,), PlatePlace.BESIDE)
    return Arrangement((full,), on_picture(full, plate, plates))


def on_picture(pane: QRect, plate: QSize, plates: int, margin: int = 0) -> PlatePlace:
    """Return the place of plates on one picture: its upper corners, whole where they fit and leave its middle free.

    Of each plate, `margin` pixels are beside the picture.
    """
    covered = max(0, plate.width() - margin)
    room = pane.width() * (1 - FREE_SHARE if plates > 1 else 1)
    fits = plates * covered <= room and plate.height() <= pane.height()
    beside_the_middle = covered <= pane.width() / 2 or plate.height() <= pane.height() / 2
    return PlatePlace.OVER if fits and beside_the_middle else PlatePlace.BRIEF


def two_pictures(stage: QRect, picture: QSize, plate: QSize, gap: int) -> Arrangement:
    """Return the places of two pictures of one size, `gap` apart, and of their plates; see `one_picture`."""
    full = max((_pair(stage, picture, gap, in_row) for in_row in (True, False)), key=_height)
    if plate.isEmpty():
        return Arrangement(full, PlatePlace.BELOW)
    row = _pair(stage.adjusted(0, 0, 0, -plate.height()), picture, gap, in_row=True)
    column = _pair(stage.adjusted(plate.width(), 0, 0, 0), picture, gap, in_row=False)
    fitting = {}  # plates must not overlap
    if row[0].width() + gap >= plate.width():
        fitting[PlatePlace.BELOW] = row
    if column[0].height() + gap >= plate.height():
        fitting[PlatePlace.BESIDE] = column
    best = max(fitting, key=lambda place: _height(fitting[place]), default=PlatePlace.OVER)
    if best in fitting and _height(fitting[best]) >= TWO_SHARE * _height(full):
        return Arrangement(fitting[best], best)
    return Arrangement(full, on_picture(full[0], plate, 1))


def several_pictures(stage: QRect, picture: QSize, plate: QSize, short: QSize, gap: int, count: int) -> Arrangement:
    """Return the places of three pictures or more and of their plates, in rows as the stage is best filled.

    Args:
        stage: all there is.
        picture: size of each, of which only the shape matters.
        plate: size of the largest plate; empty where there are none.
        short: size of the largest plate with only the most important numbers.
        gap: between two pictures, or between a plate and the next picture.
        count: of the pictures.
    """
    full = _rows(stage, picture, 0, 0, gap, count)
    if plate.isEmpty():
        return replace(full, plates=PlatePlace.OVER)
    whole = _rows(stage, picture, plate.height(), plate.width(), gap, count)
    brief = replace(_rows(stage, picture, short.height(), short.width(), gap, count), plates=PlatePlace.SHORT)
    heights = [arrangement.panes[0].height() for arrangement in (full, brief, whole)]
    if heights[1] < TWO_SHARE * heights[0]:
        return replace(full, plates=PlatePlace.BRIEF)
    return whole if whole.reach >= plate.width() and heights[2] >= ONE_SHARE * heights[1] else brief


def _rows(stage: QRect, picture: QSize, below: int, wanted: int, gap: int, count: int) -> Arrangement:
    """Return the largest pictures that fit in rows, each with `below` pixels under it, `wanted` wide if there is room.

    One that is alone in the last row is in its middle.
    """
    sizes = {}
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        room = QSize((stage.width() + gap) // columns - gap, (stage.height() + gap) // rows - gap - below)
        sizes[columns] = fitting_size(picture, room) if not room.isEmpty() else (1, 1)
    columns = max(sizes, key=lambda each: sizes[each])
    rows, (width, height) = -(-count // columns), sizes[columns]
    reach = max(width, min(wanted, (stage.width() + gap) // columns - gap))
    left = stage.left() + (stage.width() + gap - columns * (reach + gap)) // 2
    top = stage.top() + (stage.height() + gap - rows * (height + below + gap)) // 2
    panes = []
    for number in range(count):
        row, column = divmod(number, columns)
        alone = columns > 1 and column == 0 and number == count - 1
        x = stage.left() + (stage.width() - reach) // 2 if alone else left + column * (reach + gap)
        panes.append(QRect(x, top + row * (height + below + gap), width, height))
    return Arrangement(tuple(panes), PlatePlace.BELOW, reach)


def _pair(stage: QRect, picture: QSize, gap: int, in_row: bool) -> tuple[QRect, QRect]:
    """Return the places of two pictures, side by side or one below the other, in the middle of the stage."""
    room = QSize(stage.width() - gap * in_row, stage.height() - gap * (not in_row))
    cell = QSize(room.width() // 2, room.height()) if in_row else QSize(room.width(), room.height() // 2)
    width, height = fitting_size(picture, cell)
    step = QPoint(width + gap, 0) if in_row else QPoint(0, height + gap)
    left = stage.left() + (stage.width() - width - step.x()) // 2
    top = stage.top() + (stage.height() - height - step.y()) // 2
    first = QRect(left, top, width, height)
    return first, first.translated(step)


def _height(panes: tuple[QRect, QRect]) -> int:
    return panes[0].height()
