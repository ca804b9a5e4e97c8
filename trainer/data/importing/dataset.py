"""What a reader gives: the labelled faces of a data set, before they become a pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.formats.packs import VISIBLE

# A picture is a file that is copied as it is, or is read out of a larger file when its turn comes: RGB [H, W, 3] uint8.
Picture = Path | Callable[[], NDArray[np.uint8]]
# The flag of a point that something hides, its place estimated.
OCCLUDED = 1
# What MATLAB and .pts files call the first pixel.
FIRST_PIXEL = 1


@dataclass(frozen=True)
class LabelledFace:
    """One face of a data set.

    Attributes:
        where: file and line or number of its label, for messages.
        picture: its picture.
        picture_name: path of the picture inside the data set, with slashes; the same for all faces on a picture.
        landmarks: `[K, 2]` float32, x and y in pixels, pixel centres counted from 0.
        split: `train` or `test`.
        subset: part of the split, "" if the data set has none.
        visibility: `[K]` uint8, 1 occluded, 2 visible; None where the data set does not say.
        attributes: `[A]` uint8, 0 or 1; None where the data set has none.
        det_box: `[4]` float32, the data set's own face box x0, y0, x1, y1 in pixels; None where it has none.
    """

    where: str
    picture: Picture
    picture_name: str
    landmarks: NDArray[np.float32]
    split: str
    subset: str = ""
    visibility: NDArray[np.uint8] | None = None
    attributes: NDArray[np.uint8] | None = None
    det_box: NDArray[np.float32] | None = None

    @property
    def part(self) -> str:
        """The subset, or the split where there are no subsets."""
        return self.subset or self.split


@dataclass(frozen=True)
class Dataset:
    """All faces of a data set.

    Attributes:
        faces: in the order of the data set, the training faces first.
        official: number of faces that each part (`LabelledFace.part`) has where the data set is complete.
        meta: what `meta.json` says about markup, labels, licence and origin.
    """

    faces: Sequence[LabelledFace]
    official: Mapping[str, int]
    meta: Mapping[str, object] = field(default_factory=dict)


def visibility_of(occluded: NDArray) -> NDArray[np.uint8]:
    """Return a pack's flags of visibility for flags of occlusion (0: seen) of any shape."""
    return np.where(occluded > 0, OCCLUDED, VISIBLE).astype(np.uint8)


def require_faces(faces: Sequence[LabelledFace], where: Path) -> None:
    """Check that a split has a face.

    Raises:
        PackError: it has none.
    """
    if not faces:
        raise PackError(
            f"There is no labelled face in {where}", "it was unpacked in part", "unpack the data set again, all of it"
        )


def box_of_corner_and_size(box: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return MATLAB's box `[4]` x, y, width, height, counted from 1, as x0, y0, x1, y1 counted from 0."""
    corner = np.asarray(box[:2], np.float64) - FIRST_PIXEL
    return np.concatenate([corner, corner + box[2:4]]).astype(np.float32)
