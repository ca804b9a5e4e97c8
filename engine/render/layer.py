"""A transparent layer for anti-aliased lines, dots and rings, laid over a picture in place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.render.palette import PLATE, PLATE_ALPHA, Colour

SHIFT = 4  # OpenCV takes places in 1/16 pixel
FARTHEST = 1 << 15  # pixels: lines to points further off only lead towards them, or OpenCV's integers would overflow


@dataclass(frozen=True)
class Region:
    """Whole pixels of a picture: columns x0 to x1 and rows y0 to y1, the last ones excluded."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return max(0, self.x1 - self.x0)

    @property
    def height(self) -> int:
        return max(0, self.y1 - self.y0)

    @staticmethod
    def around(box: Box, margin: float, width: int, height: int) -> Region:
        """Return the pixels of a picture of that size within `margin` of `box`."""
        return Region(
            math.floor(min(max(box.x0 - margin, 0), width)),
            math.floor(min(max(box.y0 - margin, 0), height)),
            math.ceil(max(0, min(box.x1 + margin + 1, width))),
            math.ceil(max(0, min(box.y1 + margin + 1, height))),
        )


class Layer:
    """Ink for a part of a picture: `clear`, draw, last of all an `edge`, then `lay` it on any number of pictures.

    Buffers are kept from one use to the next. Places are (x, y) in pixels of the picture, colours BGR, alphas in
    [0, 1]; what falls outside the region is left out.
    """

    def __init__(self) -> None:
        self.region = Region(0, 0, 0, 0)
        self._stores: dict[str, NDArray[np.uint8]] = {}
        self.pixels = self._kept("pixels", 4)
        self._rest: NDArray[np.uint8] | None = None  # what `lay` leaves of the picture

    def clear(self, region: Region) -> None:
        """Clear the layer for `region`."""
        self.region = region
        self.pixels = self._kept("pixels", 4)  # premultiplied BGRA, so that OpenCV can draw with any alpha
        self.pixels.fill(0)
        self._rest = None

    def local(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on `pixels` of a place of the picture."""
        return x - self.region.x0, y - self.region.y0

    def fixed(self, places: NDArray[np.floating]) -> NDArray[np.int32]:
        """Return finite `places` `[..., 2]` as `lines` takes them."""
        local = np.clip(places - np.array((self.region.x0, self.region.y0), np.float32), -FARTHEST, FARTHEST)
        return np.rint(local * (1 << SHIFT)).astype(np.int32)

    def lines(self, lines: NDArray[np.int32], width: int, colour: Colour, alpha: float, level: bool = False) -> None:
        """Draw n lines of some pixels' `width` through m `fixed` points each, `[n, m, 2]`.

        Where all are `level` or upright they need no smoothing, which would only make them wider.
        """
        if not len(lines) or not self.pixels.size:
            return
        ink = [*(part * alpha for part in colour), 255 * alpha]
        kind = cv2.LINE_8 if level else cv2.LINE_AA
        cv2.polylines(self.pixels, list(lines), False, ink, width, kind, SHIFT)

    def dots(
        self, places: NDArray[np.floating], radius: float, colours: NDArray[np.float32], alphas: NDArray[np.floating]
    ) -> None:
        """Draw filled dots at `places` `[n, 2]` with `colours` `[n, 3]` and `alphas` `[n]`."""
        self._stamp(places, (0.0, radius), colours, alphas)

    def rings(self, places: NDArray[np.floating], radius: float, width: float, colour: Colour) -> None:
        """Draw rings around `places` `[n, 2]`; `radius` is that of the middle of the line."""
        colours = np.broadcast_to(np.array(colour, np.float32), (len(places), 3))
        self._stamp(places, (radius - width / 2, radius + width / 2), colours, np.ones(len(places), np.float32))

    def plate(self, region: Region, corner: int) -> None:
        """Lay a dark plate for text whose corners have a radius of `corner` pixels."""
        x0, y0 = max(0, region.x0 - self.region.x0), max(0, region.y0 - self.region.y0)
        x1, y1 = max(0, region.x1 - self.region.x0), max(0, region.y1 - self.region.y0)
        area = self.pixels[y0:y1, x0:x1]
        plate = PLATE_ALPHA * np.array((*PLATE, 255))
        area[:] = np.rint(plate)
        inwards = np.arange(min(corner, *area.shape[:2])) + 0.5 - corner
        cover = np.clip(corner + 0.5 - np.hypot(inwards[None], inwards[:, None]), 0, 1)
        rounded = np.rint(cover[..., None] * plate)
        for across in (1, -1):
            for down in (1, -1):
                area[::down, ::across][: len(inwards), : len(inwards)] = rounded

    def edge(self, strength: float, reach: int = 1) -> None:
        """Draw a dark edge around all ink, which lets light ink stand out on a light picture.

        The edge has `strength` times the alpha of the ink and is `reach` pixels wide.
        """
        if not self.pixels.size:
            return
        alpha = cv2.extractChannel(self.pixels, 3, dst=self._kept("alpha", 1))
        dark = cv2.dilate(alpha, np.ones((2 * reach + 1,) * 2, np.uint8), dst=self._kept("dark", 1))
        cv2.convertScaleAbs(dark, dst=dark, alpha=strength)
        cv2.max(alpha, dark, dst=alpha)
        cv2.insertChannel(alpha, self.pixels, 3)

    def lay(self, picture: NDArray[np.uint8]) -> None:
        """Blend the layer over its region of `picture` `[H, W, 4]` uint8 BGRA, in place."""
        if not self.pixels.size:
            return
        if self._rest is None:
            alpha = cv2.extractChannel(self.pixels, 3, dst=self._kept("alpha", 1))
            self._rest = cv2.merge([cv2.bitwise_not(alpha, dst=alpha)] * 4, dst=self._kept("rest", 4))
        region = self.region
        area = picture[region.y0 : region.y1, region.x0 : region.x1]
        cv2.multiply(area, self._rest, dst=area, scale=1 / 255)
        cv2.add(area, self.pixels, dst=area)

    def _stamp(
        self,
        places: NDArray[np.floating],
        radii: tuple[float, float],
        colours: NDArray[np.float32],
        alphas: NDArray[np.floating],
    ) -> None:
        """Draw all round marks at once, full between an inner and an outer radius.

        Computed rather than drawn by OpenCV, whose circles of this size come out as crosses.
        """
        height, width = self.pixels.shape[:2]
        inner, outer = radii
        local = places - np.array((self.region.x0, self.region.y0), np.float32)
        near = ((local > -outer - 1) & (local < np.array((width + outer, height + outer)))).all(1)
        local, colours, alphas = local[near], colours[near], alphas[near]
        centre = np.rint(local).astype(np.intp)
        steps = round_patch(max(0, math.floor(4 * inner - 5)), math.ceil(4 * outer + 5))
        away = (centre - local).astype(np.float32)
        across, down = (away[:, axis, None] + steps[:, axis].astype(np.float32) for axis in (0, 1))  # [n, p]
        distance = np.sqrt(across * across + down * down)
        cover = outer + np.float32(0.5) - distance
        if inner > 0:
            np.minimum(cover, distance - np.float32(inner - 0.5), out=cover)
        columns, rows = centre[:, 0, None] + steps[:, 0], centre[:, 1, None] + steps[:, 1]
        cover[(columns < 0) | (columns >= width) | (rows < 0) | (rows >= height)] = 0
        inked = np.flatnonzero(cover > 0)
        cover = np.minimum(cover.ravel()[inked], 1)
        # Where marks overlap, the last one written stays: that is the one that covers the pixel best.
        order = np.argsort((cover * 255).astype(np.uint8), kind="stable")
        inked = inked[order]
        mark = inked // len(steps)
        index = (rows * width + columns).ravel()[inked]
        weight = (cover[order] * alphas[mark])[:, None]
        ink = np.column_stack((colours, np.full(len(colours), 255, np.float32))).take(mark, 0)
        pixels = self.pixels.view(np.uint32).reshape(-1)  # whole pixels are found and written faster than their bytes
        before = pixels.take(index).view(np.uint8).reshape(-1, 4)
        after = np.rint(before + (ink - before) * weight).astype(np.uint8)
        pixels[index] = after.view(np.uint32).reshape(-1)

    def _kept(self, name: str, channels: int) -> NDArray[np.uint8]:
        """Return a buffer of the region's size that only grows when a larger region needs it."""
        shape = (self.region.height, self.region.width, channels)[: 2 if channels == 1 else 3]
        size = math.prod(shape)
        if name not in self._stores or self._stores[name].size < size:
            self._stores[name] = np.empty(size, np.uint8)
        return self._stores[name][:size].reshape(shape)


@lru_cache(maxsize=64)
def round_patch(inner: int, outer: int) -> NDArray[np.intp]:
    """Return the offsets (x, y) `[p, 2]` of the pixels at `inner` to `outer` quarters of a pixel from a pixel."""
    steps = np.arange(-outer // 4, outer // 4 + 1, dtype=np.intp)
    offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    distance = 4 * np.hypot(*offsets.T)
    return offsets[(distance >= inner) & (distance <= outer)]
