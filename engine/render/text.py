"""Text set in the bundled font and blended into pictures."""

from __future__ import annotations

import math
from functools import lru_cache
from io import BytesIO
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engine.core.paths import asset_path

Anchor = Literal["left", "centre", "right"]
SHARE_BEFORE: dict[Anchor, float] = {"left": 0.0, "centre": 0.5, "right": 1.0}

# Inter's capitals and digits are 8/11 em high, its small letters 6/11: sizes that are multiples of 11/8 pixels give
# capitals a whole number of pixels, and so sharp upper edges.
EM_PER_CAPITAL = 11 / 8
ASCENT, DESCENT = 1.0, 0.32  # em that letters may reach above and below the baseline
SUPERSAMPLING = 4  # letters are placed at quarters of a pixel, as evenly as on paper
REMEMBERED = 256  # strings, and as many letters, kept ready; a panel of numbers needs some tens
DIGITS = "0123456789"
SMALLEST_CAPITAL = 8  # pixels: smaller letters cannot be read


def readable_size(width: int, height: int) -> float:
    """Return the em in pixels for text on a picture: it grows slower than the picture, which is shown smaller."""
    return max(SMALLEST_CAPITAL, round(3 + min(width, height) / 100)) * EM_PER_CAPITAL


class TextPainter:
    """Draws text; strings drawn before are only blended, not set again.

    Digits all have the same width, so changing numbers do not move.

    Raises:
        OSError: the font cannot be read.
    """

    def __init__(self) -> None:
        self._data = asset_path("fonts", "Inter-Medium.otf").read_bytes()
        self._font = lru_cache(maxsize=8)(self._open)
        self._cell = lru_cache(maxsize=REMEMBERED)(self._measure)
        self._glyph = lru_cache(maxsize=4 * REMEMBERED)(self._rasterise)
        self._mask = lru_cache(maxsize=REMEMBERED)(self._set)

    def width(self, text: str, size: float) -> float:
        """Return the width of `text` in pixels when an em has `size` pixels."""
        return sum(self._cell(letter, size)[1] for letter in text) / SUPERSAMPLING

    def draw(
        self,
        canvas: NDArray[np.uint8],
        text: str,
        position: tuple[float, float],
        size: float,
        colour: tuple[int, int, int],
        anchor: Anchor = "left",
    ) -> None:
        """Blend one line of text into `canvas` `[H, W, 4]` uint8 BGRA; what falls outside is left out.

        Args:
            canvas: the picture, or a premultiplied layer: both come out right.
            text: without line breaks.
            position: x of the text's left end, centre or right end, and y of the baseline: the edge of pixels on which
                capitals stand, so pixel row y - 1 is their lowest; both are rounded.
            size: pixels of an em.
            colour: BGR.
            anchor: which part of the text is at x.
        """
        mask = self._mask(text, size)
        left = round(position[0] - SHARE_BEFORE[anchor] * self.width(text, size))
        top = round(position[1]) - _extent(size)[0]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + mask.shape[1], canvas.shape[1]), min(top + mask.shape[0], canvas.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        area = canvas[y0:y1, x0:x1]
        cover = mask[y0 - top : y1 - top, x0 - left : x1 - left, None]
        area[:] = np.rint(area + (np.array((*colour, 255), np.float32) - area) * cover)

    def _open(self, size: float) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(BytesIO(self._data), size * SUPERSAMPLING, layout_engine=ImageFont.Layout.BASIC)

    def _measure(self, letter: str, size: float) -> tuple[float, float]:
        """Return how far `letter` is moved right in its cell, and the cell's width, in fine pixels."""
        font = self._font(size)
        width = font.getlength(letter)
        cell = max(font.getlength(digit) for digit in DIGITS) if letter in DIGITS else width
        return (cell - width) / 2, cell

    def _rasterise(self, letter: str, size: float, phase: int) -> NDArray[np.float32]:
        """Return the cover `[h, w]` in [0, 1] of a letter that starts `phase` fine pixels right of a pixel's edge."""
        font = self._font(size)
        above, below = _extent(size)
        wide = math.ceil((phase + font.getbbox(letter, anchor="ls")[2]) / SUPERSAMPLING) + 1
        fine = Image.new("L", (wide * SUPERSAMPLING, (above + below) * SUPERSAMPLING))
        ImageDraw.Draw(fine).text((phase, above * SUPERSAMPLING), letter, fill=255, font=font, anchor="ls")
        cover = cv2.resize(np.asarray(fine), (wide, above + below), interpolation=cv2.INTER_AREA)
        return cover.astype(np.float32) / 255

    def _set(self, text: str, size: float) -> NDArray[np.float32]:
        """Return the cover of `text` `[h, w]` in [0, 1]; `_extent` gives the distance of its baseline from its top."""
        glyphs, x = [], 0.0
        for letter in text:
            shift, advance = self._cell(letter, size)
            start, phase = divmod(round(x + shift), SUPERSAMPLING)
            glyphs.append((start, self._glyph(letter, size, phase)))
            x += advance
        wide = max((start + glyph.shape[1] for start, glyph in glyphs), default=0)
        mask = np.zeros((sum(_extent(size)), wide), np.float32)
        for start, glyph in glyphs:
            part = mask[:, start : start + glyph.shape[1]]
            np.maximum(part, glyph, out=part)
        return mask


def _extent(size: float) -> tuple[int, int]:
    """Return how many rows of pixels letters take above and below the baseline."""
    return round(size * ASCENT), round(size * DESCENT)
