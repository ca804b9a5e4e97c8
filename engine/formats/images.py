"""Reading and writing single pictures, with any characters in their path."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile

from engine.core.errors import RecordingError, SourceError
from engine.core.files import open_regular, read_regular, replaced
from engine.core.texts import reason
from engine.formats.signatures import TIFF, FileKind, kind_of, no_decoder

# Endings that pictures have; what a file holds is decided by its first bytes.
PICTURE_SUFFIXES = {
    *(".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".apng", ".bmp", ".dib", ".webp", ".tif", ".tiff"),
    *(".gif", ".avif", ".jp2", ".j2k", ".jpx"),
}
# Those in which pictures are written.
WRITABLE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
# Pillow's names of what it may read. For others, such as PostScript, it starts programs on what the file says.
FORMATS = ("JPEG", "PNG", "BMP", "DIB", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM")
# Larger pictures are refused before they fill the memory: 100 megapixels are 300 MB of RGB.
MOST_PIXELS = 100_000_000
LONGEST_SIDE = 32_766  # OpenCV's warping counts pixels in 16 bits
MOST_BYTES = 1_000_000_000  # of a file
MOST_MISSING = 50_000_000  # bytes of a PNG that was cut off
PNG_MARK = b"\x89PNG\r\n\x1a\n"
# OpenCV's decoder of JPEG 2000 ends the program at some damaged files.
JPEG_2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
# What shows through transparent pixels.
GROUND = (255, 255, 255)
# A picture of 16 bits a channel whose values need no more than this many was written by a camera of so few.
FEWEST_BITS, MOST_UNSCALED_BITS, MOST_BITS = 8, 12, 16
# By how much a fraction may miss the range from black, 0, to white, 1, as after rounding or sharpening.
OVERSHOOT = 0.01
# Pillow's names of pictures whose one channel has more than 8 bits.
_DEEP = ("F", "I")
# Formats whose further pictures are small or other versions of the first.
_ONE_PICTURE = ("JPEG", "MPO", "JPEG2000")
# What Pillow raises for what it cannot read.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError)
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # what it reports, a sentence says
_terminal = threading.Lock()  # held while the terminal is switched off


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture as `[H, W, 3]` uint8 RGB, turned upright by its EXIF flag.

    Transparent pixels show white. Of several pictures in a file the first is read. Pictures of 16 bits a channel are
    scaled by the 10 or 12 bits that they use, if they use no more; fractions are shares of white.

    Raises:
        SourceError: the file is missing, empty, too large or no picture, or it is not known what in it is white.
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
        if content and kind_of(path) is FileKind.FOREIGN:
            raise SourceError(f"{path} is no readable picture", no_decoder(path), "save or export it as JPEG or PNG")
        samples = ", holds samples other than 8 or 16 bits or fractions of 32" if content.startswith(TIFF) else ""
        raise SourceError(
            f"{path} is no readable picture",
            f"it is empty, cut off, too large{samples}, or another kind of file with a picture's name",
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
        with _silence(), _opened(BytesIO(content)) as opened:
            _check_size(path, *opened.size)
            # OpenCV ignores the turn of a WebP, and that a TIFF of 16 bits counts from white.
            if opened.has_transparency_data or opened.format == "WEBP" or _counts_from_white(opened):
                return _composed(path, opened)
            picture = _decode_by_opencv(path, content)
            return _composed(path, opened) if picture is None else picture
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far more pixels than that") from error
    except _DAMAGE:  # a file that Pillow does not know may be one that OpenCV knows
        with _silence():
            return _decode_by_opencv(path, content)


@contextmanager
def _silence() -> Iterator[None]:
    """Switch the error stream off: libpng and libtiff report there what a sentence says."""
    with _terminal:
        try:
            stream = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        try:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 2)
            os.close(nothing)
            yield
        finally:
            os.dup2(stream, 2)
            os.close(stream)


@contextmanager
def _opened(stream: BinaryIO) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # our own limit has its own error, and damage is seen by decoding
        with Image.open(stream, formats=FORMATS) as picture:
            yield picture


def _composed(path: Path, picture: Image.Image) -> NDArray[np.uint8]:
    """Return a picture of Pillow, upright, over the ground where it is transparent."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.partition(";")[0] in _DEEP:
        grey = _eight_bits(path, np.asarray(upright))
        return np.repeat((255 - grey if _counts_from_white(picture) else grey)[..., None], 3, axis=2)
    if not upright.has_transparency_data:
        return np.array(upright.convert("RGB"))
    ground = Image.new("RGBA", upright.size, (*GROUND, 255))
    return np.array(Image.alpha_composite(ground, upright.convert("RGBA")).convert("RGB"))


def _counts_from_white(picture: Image.Image) -> bool:
    """Return whether 0 is white in a picture of Pillow with more than 8 bits, which Pillow leaves as it is."""
    deep = picture.mode.partition(";")[0] in _DEEP
    return deep and isinstance(picture, TiffImageFile) and picture.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0


def _claims_too_much(content: bytes) -> bool:
    """Return whether a PNG says of a part that it is far longer than the file; OpenCV takes memory for it at once."""
    place = len(PNG_MARK) if content.startswith(PNG_MARK) else len(content)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if length > len(content) + MOST_MISSING:
            return True
        place += length + 12  # with its length, name and checksum
    return False


def _decode_by_opencv(path: Path, content: bytes) -> NDArray[np.uint8] | None:
    if _claims_too_much(content) or content.startswith(JPEG_2000):
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        return None
    if picture is None:
        return None
    picture = _eight_bits(path, picture)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=picture)


def _eight_bits(path: Path, samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the samples of a picture as 8 bits.

    Fractions are shares of white. Whole numbers have 8, 10, 12 or 16 bits, the fewest that are enough, whatever their
    type is.

    Raises:
        SourceError: they are neither, so it is not known which number is white.
    """
    if samples.dtype == np.uint8:
        return samples
    low, high = samples.min(), samples.max()
    fractions = samples.dtype.kind == "f"
    if fractions and low >= -OVERSHOOT and high <= 1 + OVERSHOOT:
        return np.rint(np.clip(samples, 0, 1) * 255).astype(np.uint8)
    if not (low >= 0 and high < 1 << MOST_BITS) or (fractions and (samples % 1).any()):  # NaN fails too
        raise SourceError(
            f"The picture {path} holds numbers from {low:g} to {high:g}",
            "which of them is white is not known: fractions are read from 0 to 1, whole numbers from 0 to 65535",
            "scale it, or save it again as PNG or JPEG",
        )
    bits = max(FEWEST_BITS, int(high).bit_length() + 1 & ~1)
    return (samples.astype(np.uint16) >> (bits if bits <= MOST_UNSCALED_BITS else MOST_BITS) - 8).astype(np.uint8)


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an RGB picture `[H, W, 3]` in the format of the path's ending, all of it or nothing.

    Raises:
        RecordingError: the ending is unknown or the file cannot be written.
    """
    if not cv2.haveImageWriter(f"picture{path.suffix}"):
        raise RecordingError(
            f"The picture {path} cannot be written",
            f"no kind of picture is called “{path.suffix}”" if path.suffix else "its name has no ending",
            "choose a name that ends in .png or .jpg",
        )
    try:
        done, data = cv2.imencode(path.suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if not done:
            raise OSError("the encoder failed")
        with replaced(path) as temporary:
            temporary.write_bytes(data.tobytes())
    except (cv2.error, OSError) as error:
        raise RecordingError(
            f"The picture {path} cannot be written ({reason(error)})",
            "the folder forbids writing, or the disk is full",
            "make room, or choose another folder",
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
