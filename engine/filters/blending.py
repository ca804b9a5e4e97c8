"""How ink mixes with a picture: the blend modes, on bytes.

With Cb of the picture, Cs and alpha a of the ink, all in [0, 1], the result is (1 - a) Cb + a B(Cb, Cs), where B is
Cs (normal), Cb Cs (multiply), Cb + Cs - Cb Cs (screen), and 2 Cb Cs below Cb = 0.5, 1 - 2 (1 - Cb) (1 - Cs) above it
(overlay); source: W3C, Compositing and Blending Level 1. Add is Cb + a Cs, cut at 1, as light falls on light.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.filters.spec import BlendMode


def blend(picture: NDArray[np.uint8], ink: NDArray[np.uint8], mode: BlendMode) -> None:
    """Mix ink into a picture, in place.

    Args:
        picture: `[h, w, 4]` uint8 BGRA with alpha 255, which stays so, or `[h, w, 3]` uint8 RGB.
        ink: premultiplied `[h, w, 4]` uint8 BGRA.
        mode: how.
    """
    channels = picture.shape[2]
    alpha = cv2.merge([cv2.extractChannel(ink, 3)] * channels)
    colours = ink if channels == 4 else cv2.cvtColor(ink, cv2.COLOR_BGRA2RGB)
    if mode == "add":
        cv2.add(picture, colours, dst=picture)
    elif mode == "screen":
        light = cv2.bitwise_not(picture)
        cv2.add(picture, cv2.multiply(light, colours, dst=light, scale=1 / 255), dst=picture)
    elif mode == "multiply":
        rest = cv2.bitwise_not(alpha, dst=alpha)
        cv2.multiply(picture, cv2.add(rest, colours, dst=rest), dst=picture, scale=1 / 255)
    elif mode == "overlay":
        _overlay(picture, colours, alpha)
    else:
        cv2.multiply(picture, cv2.bitwise_not(alpha, dst=alpha), dst=picture, scale=1 / 255)
        cv2.add(picture, colours, dst=picture)


def _overlay(picture: NDArray[np.uint8], colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> None:
    rest = cv2.multiply(picture, cv2.bitwise_not(alpha), scale=1 / 255)
    dark = cv2.add(rest, cv2.multiply(picture, colours, scale=2 / 255))
    taken = cv2.multiply(cv2.bitwise_not(picture), cv2.subtract(alpha, colours), scale=2 / 255)
    light = cv2.subtract(cv2.add(rest, alpha), taken)
    np.copyto(dark, light, where=picture > 127)
    picture[:] = dark
