"""How many points the faces of packs have, read before anything of them is decoded or copied."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic
from safetensors import SafetensorError, safe_open

from engine.core.errors import PackError, UsageError
from engine.core.files import open_regular
from engine.formats.packs import ANNOTATIONS, part_folders
from trainer.checkpoint import LARGEST
from trainer.data.crop_cache import cache_files, cached_sizes
from trainer.data.eye_states import POINTS, STATES
from trainer.recipes.schema import PackChoice


def refuse_other_markups(data: Path, packs: Sequence[PackChoice], points: int) -> None:
    """Raise unless the faces of all packs below `data` have the points of the network.

    Packs whose number of points cannot be read are left to what reads them whole.

    Raises:
        UsageError: a pack has another number of points; each pack is named with its own.
    """
    counts = {pack.name: count for pack in packs if (count := pack_points(data, pack)) is not None}
    _refuse_others(counts, points)


def refuse_loaded_markup(packs: Sequence[PackChoice], found: int, points: int) -> None:
    """Raise `UsageError` if the faces of packs whose number of points no header told turned out to have others."""
    _refuse_others({pack.name: found for pack in packs}, points)


def _refuse_others(counts: Mapping[str, int], points: int) -> None:
    kinds = set(counts.values())
    if kinds <= {points}:
        return
    found = ", ".join(f"{name} has {count}" for name, count in counts.items())
    raise UsageError(
        f"The packs do not all have the {points} points of the network: {found}",
        "they are of different markups",
        f"set network.points={kinds.pop()}, or take a recipe whose packs have {points}"
        if len(kinds) == 1
        else f"leave out with --set packs those that do not have {points}, or turn 68 points into 98 with “understudy "
        "data derive98”",
    )


def pack_points(data: Path, choice: PackChoice) -> int | None:
    """Return the number of points of a pack's faces, or of what `understudy data pack` kept; None if neither says.

    Only the headers of files are read, of a pack or a cache in parts those of the first one.
    """
    if choice.labels == STATES:
        return POINTS
    sizes = cached_sizes(data, choice)
    try:
        if sizes:
            with safe_open(cache_files(data, choice, sizes[0])[0], framework="pt") as file:
                return int(file.get_slice("points").get_shape()[1])
        file_of_labels = part_folders(data / choice.name)[0] / ANNOTATIONS
        with open_regular(file_of_labels, LARGEST) as file, zipfile.ZipFile(file) as archive:
            return _points_of(archive, choice.labels)
    except (PackError, OSError, SafetensorError, LookupError, ValueError, zipfile.BadZipFile):
        return None


def _points_of(archive: zipfile.ZipFile, labels: str) -> int | None:
    """Return K of an array `[N, K, 2]` of a `.npz` file; None if it has another shape."""
    with archive.open(f"{labels}.npy") as file:
        read_header = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}[read_magic(file)]
        shape = read_header(file)[0]
    return shape[1] if len(shape) == 3 else None
