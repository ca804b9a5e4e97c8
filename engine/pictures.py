"""Reading and writing single pictures, whatever letters their path has."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError, SourceError
from engine.files import replaced

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
        # cv2.imread cannot open every path on Windows; bytes go everywhere.
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(
            f"The picture {path} cannot be opened ({error.strerror})",
            "it was moved, or its permissions forbid reading",
            "check the path",
        ) from error
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
    height, width = picture.shape[:2]
    if height * width > MOST_PIXELS or max(height, width) > LONGEST_SIDE:
        raise SourceError(
            f"The picture {path} has {width} x {height} pixels",
            f"at most {MOST_PIXELS // 1_000_000} megapixels and {LONGEST_SIDE} pixels a side can be handled",
            "make it smaller",
        )
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
