"""Turning a data set in its official layout into a pack."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError, UsageError
from engine.core.geometry import landmark_box
from engine.formats.images import read_picture, write_picture
from trainer.data.importing import cofw, ibug300w, own, wflw
from trainer.data.importing.dataset import LabelledFace, Picture, require_layout
from trainer.data.new_pack import boxes_of, new_pack, write_annotations

READERS = {each.kind: each for each in (ibug300w.IBUG_300W, wflw.WFLW, cofw.COFW, cofw.COFW_68, own.OWN)}
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


def import_dataset(kind: str, root: Path, out: Path, progress: bool = False) -> Imported:
    """Write a data set as a pack: all of it, or nothing.

    `kind` is one of `READERS`, `root` the folder of the data set. The pack `out` gets the pictures, `image`,
    `landmarks`, `bbox`, `split`, `use`, `source`, and where the data set has them `subset`, `visibility`, `attributes`
    and `det_box`.

    Raises:
        UsageError: the kind is unknown.
        PackError: `root` does not hold this data set, a label or picture is wrong or missing, or `out` is taken.
        SourceError: a picture cannot be read.
        OSError: the pack cannot be written.
    """
    if kind not in READERS:
        raise UsageError(f"There is no kind “{kind}”", f"known are {', '.join(READERS)}", "choose one of these")
    dataset = READERS[kind]
    require_layout(root, dataset, READERS.values())
    with new_pack(out) as folder:
        faces = dataset.read(root)
        images = _store_pictures(faces, folder, dataset.unknown, progress)
        splits = dict(Counter(face.split for face in faces))
        meta = {"name": out.resolve().name, **dataset.meta, "count": len(images), "split_counts": splits}
        write_annotations(folder, _arrays(faces, images), meta)
    parts = dict(Counter(face.subset or face.split for face in faces))
    return Imported(out, dataset.title, len(images), len(set(images)), parts, dict(dataset.official))


def _store_pictures(faces: Sequence[LabelledFace], folder: Path, unknown: bool, progress: bool) -> list[str]:
    """Put the pictures into the pack, each once, and return for each face the path of its picture there."""
    names: dict[str, str] = {}
    sizes: dict[str, tuple[int, int]] = {}
    taken: set[str] = set()
    quiet = not progress or None  # None: quiet unless a person is watching
    for face in tqdm(faces, desc="importing", unit="face", disable=quiet):
        if face.picture_name not in names:
            names[face.picture_name] = _free_name(face.picture_name, taken)
            sizes[face.picture_name] = _store(face.picture, folder / names[face.picture_name])
        _check_place(face, unknown, *sizes[face.picture_name])
    return [names[face.picture_name] for face in faces]


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
    """Copy a picture file as it is, or write a picture out of a larger file; return width and height."""
    if isinstance(picture, Path):
        pixels = read_picture(picture)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(picture, target)
    else:
        pixels = picture()
        write_picture(target, pixels)
    return pixels.shape[1], pixels.shape[0]


def _check_place(face: LabelledFace, unknown: bool, width: int, height: int) -> None:
    points = face.landmarks
    if not np.isfinite(points[~np.isnan(points).any(1)] if unknown else points).all():
        raise PackError(
            f"The face {face.where} has a landmark that is no number", "the file is damaged", "unpack it again"
        )
    box = landmark_box(points)
    outside = np.nanmax(np.maximum(-points, points - (width - 1, height - 1)))
    if outside > FARTHEST_OUTSIDE * max(box.width, box.height):
        raise PackError(
            f"The face {face.where} has a landmark {outside:.0f} pixels outside its picture {face.picture_name}",
            f"the picture has {width} x {height} pixels and the face {box.width:.0f} x {box.height:.0f}, so label and "
            "picture do not belong together, or one was changed",
            "unpack both again, or remove this face from the data set",
        )


def _arrays(faces: Sequence[LabelledFace], images: Sequence[str]) -> dict[str, NDArray]:
    splits = np.array([face.split for face in faces])
    arrays = {
        "image": np.array(images),
        "landmarks": np.stack([face.landmarks for face in faces]),
        "bbox": boxes_of(face.landmarks for face in faces),
        "split": splits,
        "use": splits,
        "source": np.array([face.picture_name for face in faces]),
    }
    if any(face.subset for face in faces):
        arrays["subset"] = np.array([face.subset for face in faces])
    for name in ("visibility", "attributes", "det_box"):
        known = [value for face in faces if (value := getattr(face, name)) is not None]
        if known:
            arrays[name] = np.stack(known)
    return arrays
