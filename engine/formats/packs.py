"""Reading packs: data sets as a folder of pictures, `annotations.npz` and `meta.json`.

`annotations.npz` holds arrays of equal length N: `image` (paths below the folder), `landmarks` (N, K, 2) float in
pixels with NaN for points without a label, and optionally `visibility` (N, K), `split` (N,), `subset` (N,), WFLW's
`attributes` (N, 6), `landmarks_2d` and others.

A large pack may consist of parts: folders below it, each of them a pack, listed in `parts.json`. It reads as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.geometry import FRACTIONS, are_fractions
from engine.core.schemes import SCHEMES, Scheme
from engine.core.texts import read_json, reason
from engine.formats.arrays import read_npz

ANNOTATIONS, PARTS = "annotations.npz", "parts.json"
# A label further from the origin than this many pixels cannot be in a picture.
FARTHEST_PIXEL = 1e5
# Flags of visibility, see `PackFace`, and that of a point that can be seen.
FLAGS = (0, 1, 2)
VISIBLE = 2
# Arrays of labels, and of what else is read of a face.
LABEL_ARRAYS = ("landmarks", "landmarks_2d")
FACE_ARRAYS = ("visibility", "split", "subset", "attributes", "same_picture_as_test", "dup_group")
# Of these and others, those with one text or number a face.
SINGLE_VALUES = ("split", "subset", "use", "same_picture_as_test", "dup_group", "identity", "video", "group")
# WFLW's columns of `attributes`, in its order: which of its six subsets a face belongs to.
ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")


@dataclass(frozen=True)
class PackFace:
    """One labelled face.

    Attributes:
        image: path of the picture.
        landmarks: `[K, 2]` float32, pixels of the picture; NaN without a label.
        visibility: `[K]` uint8, 2 visible, 1 hidden by something, 0 hidden by the head; None if the pack has no flags.
        split: name of the split, "" if the pack has none.
        same_picture_as_test: whether a test face is in the same photograph, so training must leave it out.
        subset: name of the subset, such as `common` or `challenging`; "" if the pack has none.
        attributes: those of `ATTRIBUTES` that the face has; None if the pack has none.
    """

    image: Path
    landmarks: NDArray[np.float32]
    visibility: NDArray[np.uint8] | None
    split: str
    same_picture_as_test: bool = False
    subset: str = ""
    attributes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Pack:
    """A data set that was checked when it was read."""

    name: str
    folder: Path
    scheme: Scheme
    faces: tuple[PackFace, ...]


def is_pack(folder: Path) -> bool:
    """Return whether `folder` seems to be a pack."""
    return (folder / ANNOTATIONS).is_file() or (folder / PARTS).is_file()


def part_folders(folder: Path) -> list[Path]:
    """Return the folders of a pack's parts, each of them a pack, in their order: for most packs the folder itself.

    Raises:
        PackError: their list is damaged.
    """
    file = folder / PARTS
    if (folder / ANNOTATIONS).is_file() or not file.is_file():
        return [folder]
    with _damage_named(file):
        names = read_json(file)
        if not isinstance(names, list) or not names or not all(Path(str(name)).name == name != ".." for name in names):
            raise ValueError("it lists no names of folders")
        if len(set(names)) < len(names):
            raise ValueError("it lists a folder twice")
    return [folder / name for name in names]


def read_pack(
    folder: Path,
    split: str | None = None,
    labels: str = "landmarks",
    skip_unlabelled: bool = False,
    need_pictures: bool = True,
) -> Pack:
    """Read and check a pack.

    Args:
        folder: of `annotations.npz`.
        split: take the faces of this split, or of its parts (`test` takes `test_yaw00_30`); None: all.
        labels: the array to read, `landmarks` or `landmarks_2d`.
        skip_unlabelled: leave out faces without any label in that array instead of refusing them.
        need_pictures: whether missing pictures are refused; landmarks can be compared without them.

    Raises:
        PackError: the folder is no pack, pictures are missing, the number of points is wrong, a coordinate is
            infinite, all coordinates are fractions, a flag of visibility has no meaning, or a face has no label at all.
    """
    with _damage_named(folder / ANNOTATIONS):
        return _read_pack(folder, split, labels, skip_unlabelled, need_pictures)


def _read_pack(folder: Path, split: str | None, labels: str, skip_unlabelled: bool, need_pictures: bool) -> Pack:
    arrays = read_arrays(folder, (labels, *LABEL_ARRAYS, *FACE_ARRAYS))
    if labels not in arrays:
        offered = " and ".join(name for name in LABEL_ARRAYS if name in arrays)
        raise PackError(
            f"The pack {folder} has no array “{labels}”",
            f"it offers {offered or 'no landmarks at all'}",
            f"choose the array with --labels, in a training with the field labels of the pack, or rename it {labels}"
            if offered
            else "give a pack of faces with landmarks",
        )
    names, landmarks = arrays["image"], arrays[labels]
    scheme = _checked_scheme(folder, labels, names, landmarks)
    landmarks = landmarks.astype(np.float32)
    splits, subsets = (arrays.get(name, np.full(len(names), "")).astype(str) for name in ("split", "subset"))
    chosen = chosen_faces(folder, splits, split)
    labelled = np.asarray(np.isfinite(landmarks).all(-1).any(-1))
    if skip_unlabelled:
        chosen &= labelled
    _check_coordinates(folder, names, landmarks, labelled, chosen)

    visibility = arrays.get("visibility")
    if visibility is not None and visibility.shape != landmarks.shape[:2]:
        raise PackError(
            f"The array “visibility” of {folder} has the shape {visibility.shape}",
            f"one flag a point was expected: {landmarks.shape[:2]}",
            "write it again, or leave it out",
        )
    if visibility is not None and not np.isin(visibility[chosen], FLAGS).all():
        raise PackError(
            f"The array “visibility” of {folder} has flags that mean nothing",
            f"{VISIBLE} is visible, 1 hidden by something, 0 hidden by the head",
            "write it again with these, or leave it out",
        )
    leaks = same_picture_as_test(arrays, splits)
    attributes = _attributes(arrays)
    faces = tuple(
        PackFace(
            image=folder / names[index],
            landmarks=landmarks[index],
            visibility=None if visibility is None else visibility[index].astype(np.uint8),
            split=str(splits[index]),
            same_picture_as_test=bool(leaks[index]),
            subset=str(subsets[index]),
            attributes=None if attributes is None else attributes[index],
        )
        for index in np.flatnonzero(chosen)
    )
    missing = [face.image.name for face in faces if need_pictures and not face.image.is_file()]
    if missing:
        raise PackError(
            f"{len(missing)} picture(s) of the pack {folder} are missing, the first is {missing[0]}",
            "the pack was copied in part",
            "copy the pack again, pictures included",
        )
    return Pack(folder.resolve().name, folder, scheme, faces)


def same_picture_as_test(arrays: Mapping[str, NDArray], splits: NDArray) -> NDArray[np.bool_]:
    """Return which faces `[N]` training must leave out: flagged ones, and those whose `dup_group` has a test face.

    A group holds near duplicates; -1 stands for none.
    """
    flagged = arrays.get("same_picture_as_test", np.zeros(len(splits), bool)).astype(bool)
    groups = arrays.get("dup_group", np.full(len(splits), -1))
    of_test = np.char.startswith(splits, "test")
    return flagged | (~of_test & (groups != -1) & np.isin(groups, groups[of_test]))


def read_arrays(folder: Path, wanted: Collection[str] | None = None) -> dict[str, NDArray]:
    """Read the arrays of a pack of any markup; pictures are below the folder, arrays have equal length.

    Args:
        folder: of `annotations.npz`.
        wanted: which arrays, beside `image`, a list of texts; None for all.

    Raises:
        PackError: the folder is no pack, its file is damaged, names pictures elsewhere, or was cut off.
    """
    parts = part_folders(folder)
    if parts != [folder]:
        return _together([(part.name, read_arrays(part, wanted)) for part in parts])
    file = folder / ANNOTATIONS
    if not file.is_file():
        raise PackError(
            f"{folder} is not a pack",
            "a pack is a folder with the file annotations.npz and a folder images",
            "give the folder that holds annotations.npz, or make one of your labels with “understudy data import”",
        )
    with _damage_named(file):
        arrays = read_npz(file, wanted=None if wanted is None else ("image", *wanted))
        if "image" in arrays:
            arrays["image"] = arrays["image"].astype(str)
    if "image" not in arrays or arrays["image"].ndim != 1:
        raise PackError(f"{file} has no list “image”", "it was not written as a pack", "see the README on packs")
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in arrays["image"]):
        raise PackError(
            f"{file} names pictures outside its folder",
            "a pack's pictures are below it",
            "write their paths relative to the pack",
        )
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim}
    if len(set(lengths.values())) > 1:
        raise PackError(
            f"The arrays of {file} differ in length ({lengths})",
            "the pack was cut off or put together from two versions",
            "write it again",
        )
    for name in SINGLE_VALUES:
        array = arrays.get(name)
        if array is not None and (array.shape != arrays["image"].shape or array.dtype.kind not in "biufUS"):
            raise PackError(
                f"The array “{name}” of {folder} has the shape {array.shape} and the type {array.dtype}",
                f"one text or number a face was expected: {arrays['image'].shape}",
                "write it again, or leave it out",
            )
    return arrays


def _together(parts: list[tuple[str, dict[str, NDArray]]]) -> dict[str, NDArray]:
    """Return the arrays that all parts have, one after the other, with the parts' names in front of the pictures'."""
    for name, arrays in parts:
        arrays["image"] = np.array([f"{name}/{image}" for image in arrays["image"]], str)
    common = [name for name in parts[0][1] if all(name in arrays for _, arrays in parts)]
    return {name: np.concatenate([arrays[name] for _, arrays in parts]) for name in common}


@contextmanager
def _damage_named(file: Path) -> Iterator[None]:
    try:
        yield
    except PackError:
        raise
    except Exception as error:  # numpy raises many kinds for arrays that are not what they should be
        raise PackError(
            f"{file} cannot be read ({reason(error)})",
            "the file is damaged, or holds Python objects, which are refused because they can run code",
            "copy the pack again or export it with plain arrays",
        ) from error


def _attributes(arrays: dict[str, NDArray]) -> list[tuple[str, ...]] | None:
    """Return the attributes of each face; other sets use this name for arrays of other shapes."""
    flags = arrays.get("attributes")
    if flags is None or flags.dtype.kind not in "biuf" or flags.shape[1:] != (len(ATTRIBUTES),):
        return None
    return [tuple(name for name, flag in zip(ATTRIBUTES, row, strict=True) if flag > 0) for row in flags]


def _checked_scheme(folder: Path, labels: str, names: NDArray, landmarks: NDArray) -> Scheme:
    shape = landmarks.shape
    if landmarks.dtype.kind not in "fiu":
        raise PackError(
            f"The array “{labels}” of {folder} holds no numbers",
            f"its type is {landmarks.dtype}",
            "write it as float32",
        )
    if landmarks.ndim != 3 or shape[2] != 2 or shape[1] not in SCHEMES:
        raise PackError(
            f"The landmarks of {folder} have the shape {shape}",
            f"{len(names)} faces with {' or '.join(map(str, SCHEMES))} points of 2 coordinates were expected",
            "convert the labels to one of these markups",
        )
    return SCHEMES[shape[1]]


def chosen_faces(folder: Path, splits: NDArray, split: str | None) -> NDArray[np.bool_]:
    """Return which faces of a pack, whose splits are `splits` `[N]`, belong to a split or to its parts; None for all.

    Raises:
        PackError: there is no face, or no such split.
    """
    if not len(splits):
        raise PackError(
            f"The pack {folder} holds no face", "it was written before anything was put into it", "write it again"
        )
    if split is None:
        return np.ones(len(splits), bool)
    chosen = splits == split
    if not chosen.any():
        chosen = np.char.startswith(splits, f"{split}_")
    if not chosen.any():
        offered = ", ".join(sorted(set(splits.tolist())))
        if not offered:
            raise PackError(
                f"The pack {folder} has no split “{split}”",
                "its faces belong to none",
                f"add an array “split” with “{split}” for each face, or take every face: by --split all, in training "
                f"""by --set 'packs=[{{"name": "{folder.name}", "split": null}}]'""",
            )
        raise PackError(
            f"The pack {folder} has no split “{split}”", f"its splits are: {offered}", "choose one of these"
        )
    return chosen


def _check_coordinates(
    folder: Path, names: NDArray, landmarks: NDArray, labelled: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> None:
    infinite = np.isinf(landmarks).any((1, 2)) | (np.abs(np.nan_to_num(landmarks)) > FARTHEST_PIXEL).any((1, 2))
    for bad, what, why in (
        (infinite, "an infinite or absurdly large coordinate", "the labels were written by a failed computation"),
        (~labelled, "no labelled point at all", "only single points may be NaN (hidden); here all are"),
    ):
        found = names[bad & chosen]
        if len(found):
            raise PackError(
                f"In the pack {folder}, {len(found)} face(s) have {what}, the first in {found[0]}",
                why,
                "correct or remove these faces",
            )
    if are_fractions(landmarks[chosen]):
        raise PackError(f"The landmarks of {folder} are fractions, not pixels", *FRACTIONS)
