"""Turning packs into a folder of crop caches, on which a training starts at once."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from engine.core.errors import PackError, UsageError
from engine.core.files import replaced
from engine.formats.packs import is_pack, read_arrays
from trainer.data.crop_cache import LIST, cache_path, part_path, read_part, write_cache, write_list
from trainer.data.crops import CROP_SCALE, CROP_SIZE, Uncut, cut_out, faces_to_cut
from trainer.data.eye_states import STATES, cut_eyes
from trainer.recipes import RECIPES
from trainer.recipes.schema import PackChoice


@dataclass(frozen=True)
class PackedCrops:
    """A crop cache that was written: its path, or that of the list of its parts, how many faces, and all its bytes."""

    file: Path
    faces: int
    bytes: int


def pack_crops(
    data: Path, out: Path, names: Sequence[str] = (), progress: bool = False, size: int = CROP_SIZE, workers: int = 1
) -> list[PackedCrops]:
    """Write the crop caches of packs, and copy the shapes that recipes soften landmarks by.

    They are the packs `names` below `data`; without any, all that recipes train on and that are there. Of a pack whose
    faces belong to no split, all are taken, for trainings whose choice of it has none. Caches of the same packs
    and size, in pixels a side of the crops, are replaced in `out`; of a large pack only the parts that are not there.
    Never more than a part is in memory; pictures are decoded in `workers` processes.

    Raises:
        UsageError: there is no such pack, `out` holds packs, or a process was killed.
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
    written = [_pack(data, cache_path(out, choice, size), choice, size, workers, progress) for choice in choices]
    soft = [stage.soft for recipe in RECIPES.values() for stage in recipe.stages]
    for name in sorted({labels.shapes for labels in soft if labels is not None and labels.shapes}):
        if (data / name).is_file():
            with replaced(out / name) as temporary:
                shutil.copyfile(data / name, temporary)
    return written


def _pack(data: Path, file: Path, choice: PackChoice, size: int, workers: int, progress: bool) -> PackedCrops:
    """Write the faces of a pack to a file, or to parts of it if there are many."""
    if choice.labels == STATES:
        eyes = cut_eyes(data / choice.name, choice.split, CROP_SCALE, size)
        write_cache(file, choice, eyes, CROP_SCALE)
        return PackedCrops(file, len(eyes.names), file.stat().st_size)
    blocks = faces_to_cut(data, choice, size)
    first, second = next(blocks), next(blocks, None)
    if second is None and not file.with_suffix(LIST).exists():
        (cut,) = cut_out([first], size, workers, progress)
        write_cache(file, choice, cut, CROP_SCALE)
        return PackedCrops(file, len(cut.names), file.stat().st_size)
    parts: dict[Path, int] = {}
    todo: deque[Path] = deque()

    def missing() -> Iterator[Uncut]:
        for block in chain([first], [second] if second else [], blocks):
            part = part_path(file, block.digest, block.start, len(block.names))
            parts[part] = len(block.names)
            if not _is_whole(part, choice, size):
                todo.append(part)
                yield block

    for cut in cut_out(missing(), size, workers, progress):
        write_cache(todo.popleft(), choice, cut, CROP_SCALE)
    write_list(file, list(parts))
    return PackedCrops(file.with_suffix(LIST), sum(parts.values()), sum(part.stat().st_size for part in parts))


def _is_whole(part: Path, choice: PackChoice, size: int) -> bool:
    try:
        read_part(part, choice, CROP_SCALE, size)
    except PackError:  # none yet, or damaged
        return False
    return True


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
        chosen += [choice for choice in there if choice.name == name] or [_usual(data, name)]
    return chosen


def _usual(data: Path, name: str) -> PackChoice:
    """Return what is cut out of a pack that no recipe knows: the faces for training, all where none has a split."""
    splits = read_arrays(data / name, ("split",)).get("split")
    return PackChoice(name) if splits is not None and splits.astype(str).any() else PackChoice(name, split=None)
