"""What a data set is to its import: where its files lie, who reads them, and its labelled faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.formats.images import PICTURE_SUFFIXES

# A picture is a file that is copied as it is, or is read out of a larger file when its turn comes: RGB [H, W, 3] uint8.
Picture = Path | Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True)
class LabelledFace:
    """One face of a data set.

    Attributes:
        where: file and line or number of its label, for messages.
        picture: its picture.
        picture_name: path of the picture inside the data set, with slashes; the same for all faces on a picture.
        landmarks: `[K, 2]` float32, x and y in pixels, pixel centres counted from 0; NaN where `Dataset.unknown` holds.
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


@dataclass(frozen=True)
class Dataset:
    """A data set that can be imported.

    Attributes:
        kind: what the user types.
        title: its own name.
        needed: each entry lists paths below its folder of which one must be there.
        official: number of faces that each subset, or split where there are none, has in the complete data set; empty
            where nobody published one.
        meta: what `meta.json` says about markup, labels, licence and origin.
        read: gives its faces in a folder, the training faces first; raises `PackError` if a file is missing or damaged,
            or there is no face.
        unknown: whether points may be unknown, NaN.
    """

    kind: str
    title: str
    needed: tuple[tuple[str, ...], ...]
    official: Mapping[str, int]
    meta: Mapping[str, object]
    read: Callable[[Path], list[LabelledFace]]
    unknown: bool = False

    def missing(self, root: Path) -> list[str]:
        """Return what was looked for below `root` and is not there."""
        return [" or ".join(paths) for paths in self.needed if not any((root / path).exists() for path in paths)]


def picture_of(file: Path) -> Path:
    """Return the picture of a `.pts` file: `anna.jpg` of `anna.jpg.pts`, or of `anna.pts` beside it.

    Raises:
        PackError: there is none.
    """
    if file.with_suffix("").suffix.lower() in PICTURE_SUFFIXES and file.with_suffix("").is_file():
        return file.with_suffix("")
    for suffix in sorted(PICTURE_SUFFIXES):
        for spelling in (suffix, suffix.upper()):
            picture = file.with_name(file.stem + spelling)
            if picture.is_file():
                return picture
    raise PackError(
        f"The picture of {file} is missing",
        "beside a .pts file lies a picture of the same name, such as .jpg or .png",
        "unpack the data set again, pictures included",
    )


def require_faces(faces: Sequence[LabelledFace], where: Path) -> None:
    """Raise `PackError` if a split has no face."""
    if not faces:
        raise PackError(
            f"There is no labelled face in {where}", "it was unpacked in part", "unpack the data set again, all of it"
        )


def first_existing(root: Path, paths: Sequence[str]) -> Path:
    """Return the first of `paths` that is there below `root`, the first of all if there is none."""
    return next((root / path for path in paths if (root / path).exists()), root / paths[0])


def require_layout(root: Path, wanted: Dataset, known: Iterable[Dataset]) -> None:
    """Check that `root` holds the wanted data set.

    Raises:
        PackError: it does not; another data set or a folder inside that would do is named.
    """
    if not root.is_dir():
        raise PackError(f"There is no folder {root}", "it was moved, or the path is mistyped", "check the path")
    missing = wanted.missing(root)
    if not missing:
        return
    what = f"{root} does not hold {wanted.title} in its official layout"
    for other in known:
        if other is not wanted and other.needed and not other.missing(root):
            raise PackError(what, f"it looks like {other.title}", f"use the kind {other.kind}")
    for inside in sorted(path for path in root.iterdir() if path.is_dir()):
        if not wanted.missing(inside):
            raise PackError(what, f"its folder {inside.name} does", f"give {inside}")
    raise PackError(
        what,
        f"looked for and not found: {'; '.join(missing)}",
        "give the folder of the data set as it was unpacked; for labels of your own, use the kind own",
    )
