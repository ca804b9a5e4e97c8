"""Facts about a picture file: its size, a hash of its content, and a perceptual hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.formats.images import read_picture

THUMBNAIL, WAVES = 32, 8
# Of 63 bits. Pictures that differ in no more look alike: one photograph in two sizes or cuts, or two of a series.
# Among the train and test faces of lfpw68, ytf68 and aflw2000_3d, 5 of the 8 pairs within it are such.
ALIKE = 8


@dataclass(frozen=True)
class PictureFacts:
    """Facts of one file.

    Attributes:
        there: whether the file exists.
        size: width and height in pixels; None if it cannot be read.
        content: hash of its bytes; "" if there are none.
        appearance: perceptual hash; 0 if it cannot be read.
    """

    there: bool
    size: tuple[int, int] | None = None
    content: str = ""
    appearance: int = 0


def facts_of(path: Path) -> PictureFacts:
    """Return the facts of a file, which may be missing or no picture at all."""
    try:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return PictureFacts(there=path.is_file())
    try:
        picture = read_picture(path)
    except SourceError:
        return PictureFacts(True, None, content)
    return PictureFacts(True, (picture.shape[1], picture.shape[0]), content, perceptual_hash(picture))


def perceptual_hash(picture: NDArray[np.uint8]) -> int:
    """Return 63 bits that hardly change when a picture `[H, W, 3]` uint8 RGB is scaled, compressed or brightened.

    One bit for each of the longest waves of the cosine transform of a small grey picture: whether it is stronger than
    their median (the pHash of Zauner, 2010).
    """
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (THUMBNAIL,) * 2, interpolation=cv2.INTER_AREA)
    waves = cv2.dct(small.astype(np.float32))[:WAVES, :WAVES].ravel()[1:]  # the first is the mean brightness
    bits = waves > np.median(waves)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def distances(hashes: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return in how many bits `[N, M]` the hashes `[N]` differ from those of `[M]`."""
    return np.bitwise_count(hashes[:, None] ^ others[None])
