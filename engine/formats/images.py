"""Reading and writing single pictures, with any characters in their path."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.core.errors import RecordingError, SourceError
from engine.core.files import replaced

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
# Larger pictures are refused before they fill the memory: 100 megapixels are 300 MB of RGB.
MOST_PIXELS = 100_000_000
LONGEST_SIDE = 32_766  # OpenCV's warping counts pixels in 16 bits


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture as `[H, W, 3]` uint8 RGB, turned upright by its EXIF flag.

    Raises:
        SourceError: the file is missing, empty, too large or no picture.
    """
    try:
        # cv2.imread cannot open every path on Windows.
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(
            f"The picture {path} cannot be opened ({error.strerror})",
            "it was moved, or its permissions forbid reading",
            "check the path",
        ) from error
    _check_announced_size(path, data)
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error:
        picture = None
    if picture is None:
        raise SourceError(
            f"{path} is no readable picture",
            "it is empty, cut off, too large, or another kind of file with a picture's name",
            "open it in a picture viewer and save it again as JPEG or PNG",
        )
    _check_size(path, picture.shape[1], picture.shape[0])
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=picture)


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an RGB picture `[H, W, 3]` in the format of the path's ending, all of it or nothing.

    Raises:
        RecordingError: the ending is unknown or the file cannot be written.
    """
    try:
        done, data = cv2.imencode(path.suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if not done:
            raise OSError("the encoder failed")
        with replaced(path) as temporary:
            temporary.write_bytes(data.tobytes())
    except (cv2.error, OSError) as error:
        raise RecordingError(
            f"The picture {path} cannot be written ({error})",
            "the ending is no picture format, the folder forbids writing, or the disk is full",
            "choose another name ending in .png or .jpg, or another folder",
        ) from error


def _check_announced_size(path: Path, data: NDArray[np.uint8]) -> None:
    """Refuse a picture that is too large by its header, before decoding it fills the memory."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit has its own error
            with Image.open(BytesIO(data.tobytes())) as picture:
                size = picture.size
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far more pixels than that") from error
    except (OSError, ValueError):  # a file that Pillow does not know may be one that OpenCV knows
        return
    _check_size(path, *size)


def _check_size(path: Path, width: int, height: int) -> None:
    if height * width > MOST_PIXELS or max(height, width) > LONGEST_SIDE:
        raise _too_large(path, f"{width} x {height}")


def _too_large(path: Path, size: str) -> SourceError:
    return SourceError(
        f"The picture {path} is too large",
        f"at most {MOST_PIXELS // 1_000_000} megapixels and {LONGEST_SIDE} pixels a side can be handled; it has {size}",
        "make it smaller",
    )
