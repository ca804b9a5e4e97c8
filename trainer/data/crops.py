"""Training faces as crops that stay in memory: decoded once, augmented ever after."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError
from engine.core.geometry import crop_of_box, landmark_box
from engine.formats.images import read_picture
from engine.formats.packs import VISIBLE, PackFace, is_pack, read_pack
from trainer.augment import Faces
from trainer.data.crop_cache import USUAL_SIZE, CutFaces, cache_path, cached_sizes, read_cache
from trainer.data.eye_states import STATES, cut_eyes
from trainer.data.validation_faces import OF_300W, TURNED, faces_of, validation_group
from trainer.recipes.schema import PackChoice

# Wide enough that turning, moving and shrinking the window of augmentation still finds picture, not black.
CROP_SCALE = 1.8
CROP_SIZE = USUAL_SIZE  # pixels a side at least, see `crop_size`
# Flags are certain where annotators set them. Points of packs without flags are taken as visible, with doubt.
ASSUMED_VISIBLE_WEIGHT = 0.25
MOVED_AT_ONCE = 256  # faces


@dataclass(frozen=True)
class CropSet:
    """Faces ready for training.

    Attributes:
        faces: crops of `CROP_SCALE` times the landmark box, with their labels.
        sampling_weight: `[N]` float64, relative frequency with which a face is drawn.
        for_validation: `[N]` bool, faces of packs that lend some of them to validation.
        names: N pictures as `pack/picture`.
        digest: hash of the labels and of the files' names and sizes.
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
            faces=self.faces.select(indices),
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


def load_crops(data: Path, choices: tuple[PackChoice, ...], progress: bool = False, size: int = CROP_SIZE) -> CropSet:
    """Read the chosen packs below `data`, or what `understudy data pack` kept of them, as crops of `size` pixels.

    Raises:
        PackError: a pack or its crop cache is missing or damaged.
        SourceError: a picture cannot be read.
    """
    sets = [_load_pack(data, choice, progress, size) for choice in choices]
    count = sum(map(len, sets))
    faces = {name: part.new_empty((count, *part.shape[1:])) for name, part in vars(sets[0].faces).items()}
    crops = CropSet(
        faces=Faces(**faces),
        sampling_weight=torch.cat([crops.sampling_weight for crops in sets]),
        for_validation=torch.cat([crops.for_validation for crops in sets]),
        names=tuple(name for crops in sets for name in crops.names),
        digest=hashlib.sha256("".join(crops.digest for crops in sets).encode()).hexdigest(),
    )
    start = 0
    while sets:  # Each pack is released once it is copied: all of them together would need the memory twice.
        pack = sets.pop(0)
        for name, part in vars(pack.faces).items():
            faces[name][start : start + len(pack)] = part
        start += len(pack)
    return crops


def split_validation(crops: CropSet, every: int) -> tuple[CropSet, CropSet, CropSet]:
    """Split into faces for training, for validation, and turned heads for validation, of which there may be none.

    Held out are the faces that `validation_faces.json` lists, whatever it holds them out for. Of packs for validation
    of which it lists no face of 300-W by name, every `every`-th other face is held out; none if that is 0.

    The faces for training lie in the memory of `crops`, whose own pictures are lost by that: there may be many.
    """
    groups = [validation_group(name) for name in crops.names]
    listed = torch.tensor([group is not None for group in groups], dtype=torch.bool)
    turned = torch.tensor([group == TURNED for group in groups], dtype=torch.bool)
    of_300w = torch.tensor([group == OF_300W for group in groups], dtype=torch.bool)
    of_list = {name.partition("/")[0] for name in set(crops.names) & set(faces_of(OF_300W))}
    by_rank = crops.for_validation & torch.tensor([name.partition("/")[0] not in of_list for name in crops.names])
    validation = of_300w | (by_rank & (by_rank.cumsum(0) % (every or len(crops) + 1) == 0) & ~listed)
    held_out, heads = (crops.subset(part.nonzero()[:, 0]) for part in (validation, turned))
    # The indices ascend, so the pictures can overwrite the first ones of `crops`.
    images, indices = crops.faces.images, (~(listed | validation)).nonzero()[:, 0]
    for start in range(0, len(indices), MOVED_AT_ONCE):
        some = indices[start : start + MOVED_AT_ONCE]
        images[start : start + len(some)] = images[some]
    labels = replace(crops, faces=replace(crops.faces, images=images[:, :0])).subset(indices)
    return replace(labels, faces=replace(labels.faces, images=images[: len(indices)])), held_out, heads


def cut_pack(data: Path, choice: PackChoice, progress: bool = False, size: int = CROP_SIZE) -> CutFaces:
    """Read the faces of a pack below `data` and cut them out of their pictures, as crops of `size` pixels.

    Raises:
        PackError: the pack is missing or damaged, or has no face to train on.
        SourceError: a picture cannot be read.
    """
    if choice.labels == STATES:
        return cut_eyes(data / choice.name, choice.split, CROP_SCALE, size)
    pack = read_pack(data / choice.name, split=choice.split, labels=choice.labels, skip_unlabelled=True)
    pack_faces = [face for face in pack.faces if not face.same_picture_as_test]
    count = len(pack_faces)
    if not count:
        raise PackError(
            f"The pack {pack.folder} has no face to train on",
            f"none of its split “{choice.split}” has a label in the array “{choice.labels}”",
            "choose another split, other labels or another pack",
        )
    images = np.empty((count, 3, size, size), np.uint8)
    points = np.empty((count, pack.scheme.points, 2), np.float32)
    sides = torch.empty(count, dtype=torch.float64)
    quiet = not progress or None  # None: quiet unless a person is watching
    for index, face in enumerate(tqdm(pack_faces, desc=f"reading {pack.name}", unit="face", disable=quiet)):
        crop = crop_of_box(landmark_box(face.landmarks), CROP_SCALE)
        images[index] = crop.sample(read_picture(face.image), size).transpose(2, 0, 1)
        points[index] = crop.from_picture(face.landmarks)
        sides[index] = crop.side
    visibility = [_visibility(face) for face in pack_faces]
    digest = hashlib.sha256(os.fsencode(pack.name))
    for face in pack.faces:
        digest.update(os.fsencode(f"{face.image.name} {face.image.stat().st_size}"))
        digest.update(face.landmarks.tobytes())
    return CutFaces(
        images=torch.from_numpy(images),
        points=torch.from_numpy(points),
        visible=torch.from_numpy(np.stack([visible for visible, _ in visibility])),
        visible_weight=torch.from_numpy(np.stack([weight for _, weight in visibility])),
        sides=sides,
        names=tuple(f"{pack.name}/{face.image.relative_to(pack.folder).as_posix()}" for face in pack_faces),
        digest=digest.hexdigest(),
    )


def _load_pack(data: Path, choice: PackChoice, progress: bool, size: int) -> CropSet:
    cut = read_cache(cache_path(data, choice, size), choice, CROP_SCALE, size)
    if cut is None:
        sizes = [] if is_pack(data / choice.name) else cached_sizes(data, choice)
        if sizes:
            raise PackError(
                f"The crops of {choice.name} in {data} have {' and '.join(map(str, sizes))} pixels a side, not {size}",
                "a larger input of the network needs larger crops, a smaller one is trained on smaller ones",
                f"write these too with “understudy data pack --crop-size {size}”, or give the folder of the packs",
            )
        cut = cut_pack(data, choice, progress, size)
    count, landmarks = cut.points.shape[:2]
    return CropSet(
        faces=Faces(
            images=cut.images,
            points=cut.points,
            visible=cut.visible,
            visible_weight=cut.visible_weight,
            label_shift=(choice.label_shift / cut.sides).float(),
            teachers=torch.empty(count, 0, landmarks, 2),
            teacher_confidence=torch.empty(count, 0, landmarks),
            eyes_open=torch.full((count,), math.nan) if cut.eyes_open is None else cut.eyes_open,
        ),
        sampling_weight=torch.full((count,), choice.weight, dtype=torch.float64),
        for_validation=torch.full((count,), choice.validation),
        names=cut.names,
        digest=cut.digest,
    )


def _visibility(face: PackFace) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return which points `[K]` can be seen, 1 or 0, and how sure that is."""
    if face.visibility is not None:
        visible = (face.visibility == VISIBLE).astype(np.float32)
        return visible, np.ones_like(visible)
    labelled = np.asarray(np.isfinite(face.landmarks).all(-1), np.float32)
    return labelled, labelled * np.float32(ASSUMED_VISIBLE_WEIGHT)
