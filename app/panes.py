"""Where the live view's pictures stand. Everything in device pixels, so that no edge falls between two of them."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize


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
