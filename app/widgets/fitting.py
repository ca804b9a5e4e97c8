"""The place of a picture that keeps its shape."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize


def fitted(cell: QRect, picture: QSize) -> QRect:
    """Return the place of a picture in a cell: as large as it fits, in its middle."""
    width, height = fitting_size(picture, cell.size())
    left, top = (cell.width() - width) // 2, (cell.height() - height) // 2
    return QRect(cell.left() + left, cell.top() + top, width, height)


def fitting_size(picture: QSize, cell: QSize) -> tuple[int, int]:
    """Return the size at which a picture fits a cell, of a pixel at least."""
    scale = min(cell.width() / picture.width(), cell.height() / picture.height())
    return max(1, round(picture.width() * scale)), max(1, round(picture.height() * scale))
