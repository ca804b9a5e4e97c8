"""Training faces as crops: decoded once, augmented ever after. Of packs that were cut before, only labels are read."""

from __future__ import annotations

import hashlib
import math
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError, UsageError
from engine.formats.packs import VISIBLE, PackFace, is_pack, part_folders, read_arrays, read_pack
from trainer.augment import Faces
from trainer.data.crop_cache import USUAL_SIZE, CutFaces, cache_files, cached_sizes, read_cache, whole_digest
from trainer.data.cutting import Cut, ToCut, cut_faces
from trainer.data.eye_states import STATES, cut_eyes, read_eyes
from trainer.data.markups import pack_points
from trainer.data.processes import in_order
from trainer.data.validation_faces import OF_300W, TURNED, faces_of, validation_group
from trainer.recipes.schema import PackChoice
from trainer.stored_images import StoredImages

# Wide enough that turning, moving and shrinking the window of augmentation still finds picture, not black.
CROP_SCALE = 1.8
CROP_SIZE = USUAL_SIZE  # pixels a side at least, see `crop_size`
# Flags are certain where annotators set them. Points of packs without flags are taken as visible, with doubt.
ASSUMED_VISIBLE_WEIGHT = 0.25
LARGEST_PART = 500_000_000  # bytes of the pictures that are cut out before they are written: 4,521 of the usual size
MOST_FACES = 1 << 24  # of a training: as many categories as torch.multinomial takes
CUT_AT_ONCE = 16  # faces that a process is given
LEFT_OUT = b"same picture as test"  # what the digest of a pack gets for a face that is not trained on


@dataclass(frozen=True)
class CropSet:
    """Faces ready for training.

    Attributes:
        faces: crops of `CROP_SCALE` times the landmark box, with their labels.
        sampling_weight: `[N]` float64, relative frequency with which a face is drawn.
        for_validation: `[N]` bool, faces of packs that lend some of them to validation.
        names: N pictures as `pack/picture`.
        digest: hash of the labels, of which faces are left out, and of the files' names and sizes.
    """

    faces: Faces
    sampling_weight: torch.Tensor
    for_validation: torch.Tensor
    names: tuple[str, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.faces.images)

    def subset(self, indices: torch.Tensor) -> CropSet:
        """Return the faces with these indices, in this order."""
        return replace(
            self,
            faces=self.faces.subset(indices),
            sampling_weight=self.sampling_weight[indices],
            for_validation=self.for_validation[indices],
            names=tuple(self.names[index] for index in indices.tolist()),
        )


def crop_size(input_size: int, crop_scale: float) -> int:
    """Return the pixels a side of crops in which a network sees as many pixels of a face as its input has, a side.

    The network's crop has `crop_scale` times the larger side of the landmark box.
    """
    needed = input_size * CROP_SCALE / crop_scale
    return max(CROP_SIZE, math.ceil(round(needed, 6)))  # 208 px at 1.3 need 288, not a rounding error more


def refuse_wide_crops(crop_scale: float) -> None:
    """Raise `UsageError` if a network's crop, in larger sides of the landmark box, is wider than faces are cut out."""
    if crop_scale > CROP_SCALE:
        raise UsageError(
            f"A network cannot be trained on crops of {crop_scale:g} times the landmark box",
            f"faces are cut out with {CROP_SCALE:g} times the box; it would learn a black border that no picture has",
            f"set crop_scale={CROP_SCALE:g} or less",
        )


def load_crops(data: Path, choices: tuple[PackChoice, ...], progress: bool = False, size: int = CROP_SIZE) -> CropSet:
    """Read the chosen packs below `data`, or what `understudy data pack` kept of them, as crops of `size` pixels.

    Raises:
        PackError: a pack or its crop cache is missing or damaged, or there are more faces than can be drawn from.
        SourceError: a picture cannot be read.
    """
    packs = [_load_pack(data, choice, progress, size) for choice in choices]
    parts = [(choice, part) for choice, parts in zip(choices, packs, strict=True) for part in parts]
    counts = torch.tensor([len(part.points) for _, part in parts])

    def of_recipe(values: list[float], kind: torch.dtype) -> torch.Tensor:
        return torch.tensor(values, dtype=kind).repeat_interleave(counts)

    if counts.sum() > MOST_FACES:
        raise PackError(
            f"{int(counts.sum())} faces are too many for one training",
            f"PyTorch draws from at most {MOST_FACES}",
            "train on some of the packs, and on the others in another stage",
        )
    points = torch.cat([part.points for _, part in parts])
    count, landmarks = points.shape[:2]
    faces = Faces(
        images=StoredImages([part.images for _, part in parts]),
        points=points,
        visible=torch.cat([part.visible for _, part in parts]),
        visible_weight=torch.cat([part.visible_weight for _, part in parts]),
        label_shift=torch.cat([(choice.label_shift / part.sides).float() for choice, part in parts]),
        teachers=torch.empty(count, 0, landmarks, 2),
        teacher_confidence=torch.empty(count, 0, landmarks),
        eyes_open=torch.cat([_eyes_open(part) for _, part in parts]),
    )
    digests = [whole_digest(part.digest for part in pack) for pack in packs]
    return CropSet(
        faces=faces,
        sampling_weight=of_recipe([choice.weight for choice, _ in parts], torch.float64),
        for_validation=of_recipe([choice.validation for choice, _ in parts], torch.bool),
        names=tuple(name for _, part in parts for name in part.names),
        digest=hashlib.sha256("".join(digests).encode()).hexdigest(),
    )


def refuse_missing_packs(data: Path, choices: Iterable[PackChoice], size: int) -> None:
    """Raise unless all packs are there with their labels, or crops of them with `size` pixels a side; decode nothing.

    Raises:
        PackError: a pack or its array of labels is missing or damaged, or its crops have another size.
    """
    for choice in choices:
        if not cache_files(data, choice, size):
            _refuse_other_crops(data, choice, size)
            if choice.labels == STATES:
                read_eyes(data / choice.name)
            elif pack_points(data, choice) is None:  # reading it whole tells what is wrong
                for part in part_folders(data / choice.name):
                    read_pack(part, choice.split, choice.labels, skip_unlabelled=True)


def split_validation(crops: CropSet, every: int) -> tuple[CropSet, CropSet, CropSet]:
    """Split into faces for training, for validation, and turned heads for validation, of which there may be none.

    Held out are the faces that `validation_faces.json` lists, whatever it holds them out for. Of packs for validation
    of which it lists no face of 300-W by name, every `every`-th other face is held out; none if that is 0.
    """
    groups = [validation_group(name) for name in crops.names]
    listed = torch.tensor([group is not None for group in groups], dtype=torch.bool)
    turned = torch.tensor([group == TURNED for group in groups], dtype=torch.bool)
    of_300w = torch.tensor([group == OF_300W for group in groups], dtype=torch.bool)
    of_list = {name.partition("/")[0] for name in set(crops.names) & set(faces_of(OF_300W))}
    by_rank = crops.for_validation & torch.tensor([name.partition("/")[0] not in of_list for name in crops.names])
    validation = of_300w | (by_rank & (by_rank.cumsum(0) % (every or len(crops) + 1) == 0) & ~listed)
    kept = ~(listed | validation)
    training, held_out, heads = (crops.subset(part.nonzero()[:, 0]) for part in (kept, validation, turned))
    return training, held_out, heads


@dataclass(frozen=True)
class Uncut:
    """Faces of a pack, or of a part of it, that are to be cut out together.

    Attributes:
        faces: as the pack has them.
        names, digest: see `CutFaces`.
        start: how many faces with this digest come before them.
    """

    faces: Sequence[PackFace]
    names: tuple[str, ...]
    digest: str
    start: int


def faces_to_cut(data: Path, choice: PackChoice, size: int) -> Iterator[Uncut]:
    """Yield the faces of a pack below `data`, together as many as take at most `LARGEST_PART` bytes as crops.

    Raises:
        PackError: the pack is missing or damaged, or has no face to train on.
    """
    folder, at_once = data / choice.name, max(1, LARGEST_PART // (3 * size**2))
    parts, empty = part_folders(folder), True
    for part in parts:
        if len(parts) > 1 and not len(read_arrays(part, ())["image"]):
            continue  # none of its pictures shows a face
        pack = read_pack(part, split=choice.split, labels=choice.labels, skip_unlabelled=True)
        digest = hashlib.sha256(os.fsencode(pack.name))
        for face in pack.faces:
            digest.update(os.fsencode(f"{face.image.name} {face.image.stat().st_size}"))
            digest.update(face.landmarks.tobytes())
            if face.visibility is not None:
                digest.update(face.visibility.tobytes())
            if face.same_picture_as_test:
                digest.update(LEFT_OUT)
        faces = [face for face in pack.faces if not face.same_picture_as_test]
        for start in range(0, len(faces), at_once):
            some, empty = faces[start : start + at_once], False
            paths = (face.image.relative_to(folder).as_posix() for face in some)
            # By the name below `data`, also of a link: that is what recipes and lists of faces know.
            yield Uncut(some, tuple(f"{folder.name}/{path}" for path in paths), digest.hexdigest(), start)
    if empty:
        raise PackError(
            f"The pack {folder} has no face to train on",
            f"none of its split “{choice.split}” has a label in the array “{choice.labels}”",
            "choose another split, other labels or another pack",
        )


def cut_out(uncut: Iterable[Uncut], size: int, workers: int = 1, progress: bool = False) -> Iterator[CutFaces]:
    """Yield faces cut out of their pictures, as crops of `size` pixels, together as they were; in `workers` processes.

    Raises:
        SourceError: a picture cannot be read.
        UsageError: a process was killed.
    """
    begun: deque[Uncut] = deque()
    quiet = not progress or None  # None: quiet unless a person is watching
    with tqdm(desc="reading", unit="face", total=0, disable=quiet) as bar:

        def some() -> Iterator[list[ToCut]]:
            for block in uncut:
                begun.append(block)
                bar.total += len(block.faces)
                bar.set_description(f"reading {block.names[0].partition('/')[0]}")
                todo = [ToCut(face.image, face.landmarks, size, CROP_SCALE) for face in block.faces]
                yield from (todo[start : start + CUT_AT_ONCE] for start in range(0, len(todo), CUT_AT_ONCE))

        done = (cut for cuts in in_order(cut_faces, some(), workers) for cut in cuts)
        for first in done:
            yield _together(begun.popleft(), first, done, bar)


def _together(block: Uncut, first: Cut, others: Iterator[Cut], bar: tqdm[Any]) -> CutFaces:
    count = len(block.faces)
    images = np.empty((count, *first.image.shape), np.uint8)
    points = np.empty((count, *first.points.shape), np.float32)
    sides = torch.empty(count, dtype=torch.float64)
    for index, cut in enumerate(chain([first], islice(others, count - 1))):
        images[index], points[index], sides[index] = cut.image, cut.points, cut.side
        bar.update()
    visibility = [_visibility(face) for face in block.faces]
    return CutFaces(
        images=torch.from_numpy(images),
        points=torch.from_numpy(points),
        visible=torch.from_numpy(np.stack([visible for visible, _ in visibility])),
        visible_weight=torch.from_numpy(np.stack([weight for _, weight in visibility])),
        sides=sides,
        names=block.names,
        digest=block.digest,
    )


def _eyes_open(part: CutFaces) -> torch.Tensor:
    return torch.full((len(part.points),), math.nan) if part.eyes_open is None else part.eyes_open


def _load_pack(data: Path, choice: PackChoice, progress: bool, size: int) -> list[CutFaces]:
    """Return the faces of a pack, one part after the other."""
    cut = read_cache(data, choice, CROP_SCALE, size)
    if cut:
        return cut
    _refuse_other_crops(data, choice, size)
    if choice.labels == STATES:
        return [cut_eyes(data / choice.name, choice.split, CROP_SCALE, size)]
    return list(cut_out(faces_to_cut(data, choice, size), size, progress=progress))


def _refuse_other_crops(data: Path, choice: PackChoice, size: int) -> None:
    """Raise `PackError` if in the stead of a pack there are crops of it that have not `size` pixels a side."""
    sizes = [] if is_pack(data / choice.name) else cached_sizes(data, choice)
    if sizes:
        raise PackError(
            f"The crops of {choice.name} in {data} have {' and '.join(map(str, sizes))} pixels a side, not {size}",
            "a larger input of the network needs larger crops, a smaller one is trained on smaller ones",
            f"write these too with “understudy data pack --crop-size {size}”, or give the folder of the packs",
        )


def _visibility(face: PackFace) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return which points `[K]` can be seen, 1 or 0, and how sure that is."""
    if face.visibility is not None:
        visible = (face.visibility == VISIBLE).astype(np.float32)
        return visible, np.ones_like(visible)
    labelled = np.asarray(np.isfinite(face.landmarks).all(-1), np.float32)
    return labelled, labelled * np.float32(ASSUMED_VISIBLE_WEIGHT)
