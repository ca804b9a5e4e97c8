"""The faces of a run: those for training, and those that are held out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import torch

from engine.core.errors import UsageError
from trainer.augment import Faces
from trainer.data.crops import CropSet, load_crops, split_validation
from trainer.recipes.schema import PackChoice


def refuse_shared_packs(packs: tuple[PackChoice, ...], validation: tuple[PackChoice, ...]) -> None:
    """Raise `UsageError` if faces are to be learned from and held out too, or if a pack is named twice."""
    for given in (packs, validation):
        for pack, other in combinations(given, 2):
            if _share_faces(pack, other):
                raise UsageError(
                    f"The pack {pack.name} is named twice",
                    "its faces would count twice",
                    "name it once, with a weight: "
                    f"""--set 'packs=[{{"name": "{pack.name}", "weight": 2}}]'; or name different splits of it""",
                )
    for pack in validation:
        for other in packs:
            if _share_faces(pack, other):
                raise UsageError(
                    f"The pack {pack.name} is both for training and for validation",
                    "what a network has learned from says nothing of faces that it has not seen",
                    "take it out of --set packs or of --set validation, or name different splits of it: "
                    """--set 'validation=[{"name": "mine", "split": "val"}]'""",
                )


def _share_faces(pack: PackChoice, other: PackChoice) -> bool:
    if pack.name != other.name or None in (pack.split, other.split):
        return pack.name == other.name
    whole, part = sorted((str(pack.split), str(other.split)), key=len)
    return whole == part or part.startswith(f"{whole}_")  # see `engine.formats.packs.chosen_faces`


def with_validation(held_out: CropSet, data: Path, packs: tuple[PackChoice, ...], size: int) -> CropSet:
    """Return faces that are held out, and behind them all of those of packs below `data`, as crops of `size` pixels.

    What teachers say of them is dropped: nothing is learned from these faces.

    Raises:
        PackError: a pack is missing or damaged.
        SourceError: a picture cannot be read.
    """
    if not packs:
        return held_out
    given = load_crops(data, packs, size=size)
    sets = (held_out, given)
    parts = [vars(_without_teachers(crops)) for crops in sets]
    faces = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return CropSet(
        faces=Faces(**faces),
        sampling_weight=torch.cat([crops.sampling_weight for crops in sets]),
        for_validation=torch.cat([crops.for_validation for crops in sets]),
        names=tuple(name for crops in sets for name in crops.names),
        digest=hashlib.sha256("".join(crops.digest for crops in sets).encode()).hexdigest(),
    )


def split_held_out(
    crops: CropSet, data: Path, hold_out: int, packs: tuple[PackChoice, ...], size: int
) -> tuple[CropSet, CropSet, CropSet]:
    """Return faces for training, for validation, and turned heads for validation.

    See `trainer.data.crops.split_validation`; all faces of the validation `packs` come on top.

    Raises: as `with_validation`.
    """
    training, held_out, turned = split_validation(crops, hold_out)
    return training, with_validation(held_out, data, packs, size), turned


def _without_teachers(crops: CropSet) -> Faces:
    faces = crops.faces.select(torch.arange(len(crops)))  # in memory, wherever they were
    none = {name: getattr(faces, name)[:, :0] for name in ("teachers", "teacher_confidence")}
    return replace(faces, **none)
