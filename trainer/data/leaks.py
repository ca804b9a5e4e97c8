"""What the faces of training share with those held out: it makes results look better than they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.formats.images import read_picture

TRAIN = "train"
NO_GROUP = frozenset({"", "-1"})
THUMBNAIL, WAVES = 32, 8
# Of 63 bits. Pictures that differ in no more look alike: one photograph in two sizes or cuts, or two of a series.
# Among the train and test faces of lfpw68, ytf68 and aflw2000_3d, 5 of the 8 pairs within it are such.
ALIKE = 8
PAIRS_AT_ONCE = 10_000_000  # that are compared: 90 MB, however large the pack is


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


def groups_of(values: NDArray[np.str_]) -> list[list[int]]:
    """Return the indices of equal values, for each that occurs more than once; "" and -1 say nothing."""
    members: dict[str, list[int]] = {}
    for index, value in enumerate(values.tolist()):
        if value not in NO_GROUP:
            members.setdefault(value, []).append(index)
    return [faces for faces in members.values() if len(faces) > 1]


def on_both_sides(splits: NDArray[np.str_]) -> bool:
    """Return whether train and a held-out split are among the splits of some faces; "" is neither."""
    found = set(splits.tolist()) - {""}
    return TRAIN in found and len(found) > 1


def similar_pictures(facts: Sequence[PictureFacts], splits: NDArray[np.str_]) -> list[int]:
    """Return pairs of a train and a held-out face whose different pictures look alike, most alike first."""
    readable = np.array([fact.size is not None for fact in facts])
    train = np.flatnonzero(readable & (splits == TRAIN))
    held_out = np.flatnonzero(readable & (splits != TRAIN) & (splits != ""))
    hashes = np.array([fact.appearance for fact in facts], np.uint64)
    pairs = [
        pair
        for some in np.array_split(train, 1 + len(train) * len(held_out) // PAIRS_AT_ONCE)
        for pair in _alike(hashes, some, held_out)
        if facts[pair[1]].content != facts[pair[2]].content
    ]
    return [index for _, *pair in sorted(pairs) for index in pair]


def _alike(
    hashes: NDArray[np.uint64], train: NDArray[np.intp], held_out: NDArray[np.intp]
) -> Iterator[tuple[int, int, int]]:
    """Yield of pairs of these faces in how many bits their hashes `[N]` differ, where that is few, and the two."""
    apart = np.bitwise_count(hashes[train, None] ^ hashes[held_out])
    for row, column in np.argwhere(apart <= ALIKE):
        yield int(apart[row, column]), int(train[row]), int(held_out[column])
