"""Turning a data set in its official layout into a pack."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError, UsageError
from engine.core.geometry import landmark_box
from engine.formats.images import read_picture, write_picture
from trainer.data.importing import cofw, cofw68, ibug300w, wflw
from trainer.data.importing.dataset import Dataset, LabelledFace, Picture
from trainer.data.importing.layout import Layout, require_layout
from trainer.data.new_pack import boxes_of, new_pack, write_annotations

READERS: dict[str, tuple[Layout, Callable[[Path], Dataset]]] = {
    layout.kind: (layout, read)
    for layout, read in (
        (ibug300w.LAYOUT, ibug300w.read_300w),
        (wflw.LAYOUT, wflw.read_wflw),
        (cofw.LAYOUT, cofw.read_cofw),
        (cofw68.LAYOUT, cofw68.read_cofw68),
    )
}
# The official sets have landmarks off the picture where a face is cut off by its edge: up to this share of the larger
# side of the landmark box. Further out, label and picture do not belong together.
FARTHEST_OUTSIDE = 0.5


@dataclass(frozen=True)
class Imported:
    """What an import came to.

    Attributes:
        pack: folder of the pack.
        title: the data set's own name.
        faces, pictures: how many the pack holds.
        parts: faces of each subset, or of each split where there are no subsets.
        official: the same for the complete data set.
    """

    pack: Path
    title: str
    faces: int
    pictures: int
    parts: Mapping[str, int]
    official: Mapping[str, int]


@dataclass(frozen=True)
class _Stored:
    """A picture in the pack: its path there, and its size in pixels."""

    name: str
    width: int
    height: int


def import_dataset(kind: str, root: Path, out: Path, progress: bool = False) -> Imported:
    """Write a data set as a pack: all of it, or nothing.

    Args:
        kind: one of `READERS`.
        root: folder of the data set.
        out: folder of the pack. It gets the pictures, `image`, `landmarks`, `bbox`, `split`, `use`, `source`, and
            where the data set has them `subset`, `visibility`, `attributes` and `det_box`.
        progress: whether to show a bar where a person is watching.

    Raises:
        UsageError: the kind is unknown.
        PackError: `root` does not hold this data set, a label or picture is wrong or missing, or `out` is taken.
        SourceError: a picture cannot be read.
        OSError: the pack cannot be written.
    """
    if kind not in READERS:
        raise UsageError(f"There is no kind “{kind}”", f"known are {', '.join(READERS)}", "choose one of these")
    layout, read = READERS[kind]
    require_layout(root, layout, (known for known, _ in READERS.values()))
    with new_pack(out) as folder:
        dataset = read(root)
        stored = _store_pictures(dataset.faces, folder, progress)
        write_annotations(folder, _arrays(dataset.faces, stored), _meta(out.resolve().name, dataset))
    parts = dict(Counter(face.part for face in dataset.faces))
    return Imported(out, layout.title, len(dataset.faces), len(set(stored)), parts, dict(dataset.official))


def _store_pictures(faces: Sequence[LabelledFace], folder: Path, progress: bool) -> list[_Stored]:
    """Put the pictures into the pack, each once, and return that of each face."""
    stored: dict[str, _Stored] = {}
    taken: set[str] = set()
    quiet = None if progress else True  # None: quiet unless a person is watching
    for face in tqdm(faces, desc="importing", unit="face", disable=quiet):
        if face.picture_name not in stored:
            name = _free_name(face.picture_name, taken)
            height, width = _store(face.picture, folder / name)
            stored[face.picture_name] = _Stored(name, width, height)
        _check_place(face, stored[face.picture_name])
    return [stored[face.picture_name] for face in faces]


def _free_name(picture_name: str, taken: set[str]) -> str:
    """Return a path in the pack that no other picture has, also where capitals do not count, and note it as taken."""
    flat = PurePosixPath(picture_name.replace("/", "_"))
    name, number = flat.name, 1
    while name.casefold() in taken:
        number += 1
        name = f"{flat.stem}_{number}{flat.suffix}"
    taken.add(name.casefold())
    return f"images/{name}"


def _store(picture: Picture, target: Path) -> tuple[int, int]:
    """Copy a picture file as it is, or write a picture out of a larger file; return height and width."""
    if not isinstance(picture, Path):
        pixels = picture()
        write_picture(target, pixels)
        return pixels.shape[0], pixels.shape[1]
    pixels = read_picture(picture)
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(picture, target)
    return pixels.shape[0], pixels.shape[1]


def _check_place(face: LabelledFace, picture: _Stored) -> None:
    points = face.landmarks
    if not np.isfinite(points).all():
        raise PackError(
            f"The face {face.where} has a landmark that is no number", "the file is damaged", "unpack it again"
        )
    box = landmark_box(points)
    outside = np.maximum(-points, points - (picture.width - 1, picture.height - 1)).max()
    if outside > FARTHEST_OUTSIDE * max(box.width, box.height):
        raise PackError(
            f"The face {face.where} has a landmark {outside:.0f} pixels outside its picture {face.picture_name}",
            f"the picture has {picture.width} x {picture.height} pixels and the face {box.width:.0f} x "
            f"{box.height:.0f}, so label and picture do not belong together, or one was changed",
            "unpack both again, or remove this face from the data set",
        )


def _arrays(faces: Sequence[LabelledFace], stored: Sequence[_Stored]) -> dict[str, NDArray]:
    splits = np.array([face.split for face in faces])
    arrays = {
        "image": np.array([picture.name for picture in stored]),
        "landmarks": np.stack([face.landmarks for face in faces]),
        "bbox": boxes_of(face.landmarks for face in faces),
        "split": splits,
        "use": splits,
        "source": np.array([face.picture_name for face in faces]),
    }
    if any(face.subset for face in faces):
        arrays["subset"] = np.array([face.subset for face in faces])
    for name, values in (
        ("visibility", [face.visibility for face in faces]),
        ("attributes", [face.attributes for face in faces]),
        ("det_box", [face.det_box for face in faces]),
    ):
        known = [value for value in values if value is not None]
        if known:
            arrays[name] = np.stack(known)
    return arrays


def _meta(name: str, dataset: Dataset) -> dict[str, object]:
    splits = Counter(face.split for face in dataset.faces)
    return {"name": name, **dataset.meta, "count": len(dataset.faces), "split_counts": dict(splits)}
