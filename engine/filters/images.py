"""The images of filters, read from PNG and kept in several sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.core.errors import FilterError
from engine.core.files import read_regular
from engine.core.texts import reason

LONGEST_SIDE = 4096
MOST_PIXELS = 2 * LONGEST_SIDE**2  # of all images of a filter
LARGEST_FILE = 100_000_000  # bytes
SMALLEST_LEVEL = 8  # pixels


@dataclass(frozen=True)
class LayerImage:
    """An image as a mip pyramid: premultiplied `[h, w, 4]` uint8 BGRA, level n with about 1 / 2**n of the full size."""

    levels: tuple[NDArray[np.uint8], ...]

    @property
    def width(self) -> int:
        return self.levels[0].shape[1]

    @property
    def height(self) -> int:
        return self.levels[0].shape[0]

    def level_for(self, scale: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return the pyramid level for an image drawn at `scale`, and the matrix `[3, 3]` from it to the full image.

        The scale is in pixels of the picture for a pixel of the full image. Undersampled, an image would flicker.
        """
        wanted = math.floor(-math.log2(scale)) if scale > 0 else 0
        level = self.levels[min(max(wanted, 0), len(self.levels) - 1)]
        across, down = self.width / level.shape[1], self.height / level.shape[0]
        shift_x, shift_y = (across - 1) / 2, (down - 1) / 2  # pixel centres are at integers in both
        return level, np.array([[across, 0, shift_x], [0, down, shift_y], [0, 0, 1]])


def read_images(folder: Path, names: Iterable[str]) -> dict[str, LayerImage]:
    """Read the images of a filter by their names, each once.

    Raises:
        FilterError: one cannot be read, see `read_image`, or together they are too large.
    """
    images: dict[str, LayerImage] = {}
    room = MOST_PIXELS
    for name in dict.fromkeys(names):
        images[name] = read_image(folder / name, room)
        room -= images[name].width * images[name].height
    return images


def read_image(path: Path, room: int = MOST_PIXELS) -> LayerImage:
    """Read a PNG of at most `room` pixels, with or without transparency.

    Raises:
        FilterError: the file is missing, cut off, too large or no PNG.
    """
    try:
        with Image.open(BytesIO(read_regular(path, LARGEST_FILE)), formats=("PNG",)) as picture:
            if picture.width * picture.height > room:
                raise FilterError(
                    path,
                    None,
                    f"the images have more than {MOST_PIXELS // 1_000_000} megapixels together",
                    "that much memory cannot be given to one filter; about 600 pixels a side are plenty for a face",
                    "make them smaller",
                )
            if max(picture.size) > LONGEST_SIDE:
                raise FilterError(
                    path,
                    None,
                    f"the image has {picture.width} x {picture.height} pixels",
                    f"at most {LONGEST_SIDE} pixels a side were expected; about 600 are plenty for a face",
                    "make it smaller",
                )
            rgba = np.asarray(picture.convert("RGBA"))
    except FileNotFoundError as error:
        raise FilterError(
            path, None, "the image is missing", "it belongs next to filter.toml", "put it there, or correct its name"
        ) from error
    except FilterError:
        raise
    except Exception as error:  # Pillow raises many kinds for a damaged PNG
        raise FilterError(
            path,
            None,
            f"the image cannot be read ({reason(error)})",
            "it is empty, cut off, still being written, or another kind of file with this name",
            "save it again as PNG",
        ) from error
    alpha = rgba[..., 3:].astype(np.float32) / 255
    colours = np.rint(rgba[..., 2::-1] * alpha).astype(np.uint8)
    levels = [np.concatenate((colours, rgba[..., 3:]), axis=2)]
    while min(levels[-1].shape[:2]) >= 2 * SMALLEST_LEVEL:
        height, width = levels[-1].shape[:2]
        size = ((width + 1) // 2, (height + 1) // 2)
        levels.append(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA))
    return LayerImage(tuple(levels))
