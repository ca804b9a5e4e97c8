"""Reading and writing single pictures, with any characters in their path."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from engine.core.errors import RecordingError, SourceError
from engine.core.files import open_regular, read_regular, replaced

# Endings that pictures have; what a file holds is decided by its first bytes.
PICTURE_SUFFIXES = {
    *(".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".apng", ".bmp", ".dib", ".webp", ".tif", ".tiff"),
    *(".gif", ".avif", ".jp2", ".j2k", ".jpx"),
}
# Those in which pictures are written.
WRITABLE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
# Larger pictures are refused before they fill the memory: 100 megapixels are 300 MB of RGB.
MOST_PIXELS = 100_000_000
LONGEST_SIDE = 32_766  # OpenCV's warping counts pixels in 16 bits
MOST_BYTES = 1_000_000_000  # of a file
MOST_MISSING = 50_000_000  # bytes of a PNG that was cut off
PNG_MARK = b"\x89PNG\r\n\x1a\n"
# What shows through transparent pixels.
GROUND = (255, 255, 255)
# A picture of 16 bits a channel whose values need no more than this many was written by a camera of so few.
FEWEST_BITS, MOST_UNSCALED_BITS = 8, 12
# Formats whose further pictures are small or other versions of the first.
_ONE_PICTURE = ("JPEG", "MPO", "JPEG2000")
# What Pillow raises for what it cannot read.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture as `[H, W, 3]` uint8 RGB, turned upright by its EXIF flag.

    Transparent pixels show white. Of several pictures in a file the first is read. Pictures of 16 bits a channel are
    scaled by the 10 or 12 bits that they use, if they use no more.

    Raises:
        SourceError: the file is missing, empty, too large or no picture.
    """
    try:
        # cv2.imread cannot open every path on Windows.
        content = read_regular(path, MOST_BYTES)
    except OSError as error:
        raise SourceError(
            f"The picture {path} cannot be opened ({error.strerror})",
            "it was moved, or its permissions forbid reading",
            "check the path",
        ) from error
    picture = _decode(path, content) if content else None
    if picture is None:
        raise SourceError(
            f"{path} is no readable picture",
            "it is empty, cut off, too large, or another kind of file with a picture's name",
            "open it in a picture viewer and save it again as JPEG or PNG",
        )
    _check_size(path, picture.shape[1], picture.shape[0])
    return picture


def count_pictures(path: Path) -> int:
    """Return how many pictures a file holds, such as the frames of an animation; 1 where that is unknown."""
    try:
        with open_regular(path, MOST_BYTES) as stream, _opened(stream) as picture:
            return 1 if picture.format in _ONE_PICTURE else getattr(picture, "n_frames", 1)
    except (*_DAMAGE, Image.DecompressionBombError):
        return 1


def plays(path: Path) -> bool:
    """Return whether a file is an animation that can be played as a video: a GIF or PNG of several pictures."""
    try:
        with open_regular(path, MOST_BYTES) as stream, _opened(stream) as picture:
            return picture.format in ("GIF", "PNG") and getattr(picture, "n_frames", 1) > 1
    except (*_DAMAGE, Image.DecompressionBombError):
        return False


def _decode(path: Path, content: bytes) -> NDArray[np.uint8] | None:
    """Return the picture as RGB, None if it cannot be decoded."""
    try:
        with _opened(BytesIO(content)) as opened:
            _check_size(path, *opened.size)
            if opened.has_transparency_data or opened.format == "WEBP":  # OpenCV ignores the turn of a WebP
                return _composed(opened)
            picture = _decode_by_opencv(content)
            return _composed(opened) if picture is None else picture
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far more pixels than that") from error
    except _DAMAGE:  # a file that Pillow does not know may be one that OpenCV knows
        return _decode_by_opencv(content)


@contextmanager
def _opened(stream: BinaryIO) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # our own limit has its own error, and damage is seen by decoding
        with Image.open(stream) as picture:
            yield picture


def _composed(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a picture of Pillow, upright, over the ground where it is transparent."""
    upright = ImageOps.exif_transpose(picture)
    if not upright.has_transparency_data:
        return np.array(upright.convert("RGB"))
    ground = Image.new("RGBA", upright.size, (*GROUND, 255))
    return np.array(Image.alpha_composite(ground, upright.convert("RGBA")).convert("RGB"))


def _claims_too_much(content: bytes) -> bool:
    """Return whether a PNG says of a part that it is far longer than the file; OpenCV takes memory for it at once."""
    place = len(PNG_MARK) if content.startswith(PNG_MARK) else len(content)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if length > len(content) + MOST_MISSING:
            return True
        place += length + 12  # with its length, name and checksum
    return False


def _decode_by_opencv(content: bytes) -> NDArray[np.uint8] | None:
    if _claims_too_much(content):
        return None
    data = np.frombuffer(content, np.uint8)
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        if picture is not None and picture.dtype not in (np.uint8, np.uint16):
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if picture is None:
        return None
    if picture.dtype == np.uint16:
        bits = max(FEWEST_BITS, int(picture.max()).bit_length() + 1 & ~1)
        picture = (picture >> (bits if bits <= MOST_UNSCALED_BITS else 16) - 8).astype(np.uint8)
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


def _check_size(path: Path, width: int, height: int) -> None:
    if height * width > MOST_PIXELS or max(height, width) > LONGEST_SIDE:
        raise _too_large(path, f"{width} x {height}")


def _too_large(path: Path, size: str) -> SourceError:
    return SourceError(
        f"The picture {path} is too large",
        f"at most {MOST_PIXELS // 1_000_000} megapixels and {LONGEST_SIDE} pixels a side can be handled; it has {size}",
        "make it smaller",
    )
