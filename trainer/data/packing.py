"""Turning packs into a folder of crop caches, on which a training starts at once."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import UsageError
from engine.core.files import replaced
from engine.formats.packs import is_pack
from trainer.data.crop_cache import cache_path, write_cache
from trainer.data.crops import CROP_SCALE, CROP_SIZE, cut_pack
from trainer.recipes import RECIPES
from trainer.recipes.schema import PackChoice


@dataclass(frozen=True)
class PackedCrops:
    """A crop cache that was written: its path, how many faces it holds, and its size in bytes."""

    file: Path
    faces: int
    bytes: int


def pack_crops(
    data: Path, out: Path, names: Sequence[str] = (), progress: bool = False, size: int = CROP_SIZE
) -> list[PackedCrops]:
    """Write the crop caches of packs, and copy the shapes that recipes soften landmarks by.

    They are the packs `names` below `data`; without any, all that recipes train on and that are there. Caches of the
    same packs and size, in pixels a side of the crops, are replaced in `out`.

    Raises:
        UsageError: there is no such pack, or `out` holds packs.
        PackError, SourceError: a pack is damaged.
        RecordingError, OSError: a file cannot be written.
    """
    choices = _choices(data, names)
    holding = [folder for folder in (out, *(out / choice.name for choice in choices)) if is_pack(folder)]
    if holding:
        raise UsageError(
            f"The folder {out} holds the pack {holding[0].name}",
            "a training would read the cache and never see a later change of the pack",
            "choose a folder without packs with --out",
        )
    written = []
    for choice in choices:
        cut = cut_pack(data, choice, progress, size)
        file = cache_path(out, choice, size)
        write_cache(file, choice, cut, CROP_SCALE)
        written.append(PackedCrops(file, len(cut.images), file.stat().st_size))
    soft = [stage.soft for recipe in RECIPES.values() for stage in recipe.stages]
    for name in sorted({labels.shapes for labels in soft if labels is not None and labels.shapes}):
        if (data / name).is_file():
            with replaced(out / name) as temporary:
                shutil.copyfile(data / name, temporary)
    return written


def _choices(data: Path, names: Sequence[str]) -> list[PackChoice]:
    """Return what to cut out: each pack, split and labels once."""
    stages = [stage for recipe in RECIPES.values() for stage in recipe.stages]
    used = {(choice.name, choice.split, choice.labels): choice for stage in stages for choice in stage.packs}
    there = [choice for choice in used.values() if is_pack(data / choice.name)]
    if not names and there:
        return there
    missing = [name for name in names if Path(name).name != name or not is_pack(data / name)]
    if missing or not names:
        raise UsageError(
            f"There is no pack “{missing[0]}” in {data}" if missing else f"No pack of a recipe stands in {data}",
            "packs are named by their folders, which hold annotations.npz",
            "give the folder of the packs with --data, and their names below it",
        )
    chosen = []
    for name in dict.fromkeys(names):
        chosen += [choice for choice in there if choice.name == name] or [PackChoice(name)]
    return chosen
