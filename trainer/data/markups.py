"""How many points the faces of packs have, read before anything of them is decoded or copied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from engine.core.errors import UsageError
from engine.formats.packs import is_pack, read_arrays
from trainer.data.crop_cache import cache_path, cached_sizes
from trainer.recipes.schema import PackChoice


def refuse_other_markups(data: Path, packs: Sequence[PackChoice], points: int) -> None:
    """Raise unless the faces of all packs below `data` have the points of the network.

    Packs whose number of points cannot be read are left to what reads them whole.

    Raises:
        UsageError: a pack has another number of points; each pack is named with its own.
        PackError: a pack is damaged.
    """
    counts = {pack.name: count for pack in packs if (count := pack_points(data, pack)) is not None}
    if set(counts.values()) <= {points}:
        return
    found = ", ".join(f"{name} has {count}" for name, count in counts.items())
    one = set(counts.values()) if len(set(counts.values())) == 1 else set()
    raise UsageError(
        f"The faces of these packs do not have the {points} points of the network: {found}",
        "they are of different markups",
        f"set network.points={one.pop()}, or take a recipe whose packs have {points}"
        if one
        else f"leave out with --set packs those that do not have {points}, or turn 68 points into 98 with “understudy "
        "data derive98”",
    )


def pack_points(data: Path, choice: PackChoice) -> int | None:
    """Return the number of points of a pack's faces, or of what `understudy data pack` kept; None if neither says.

    Raises:
        PackError: the pack is damaged.
    """
    sizes = cached_sizes(data, choice)
    if sizes:
        try:
            with safe_open(cache_path(data, choice, sizes[0]), framework="pt") as file:
                return int(file.get_slice("points").get_shape()[1])
        except (OSError, SafetensorError, LookupError):
            return None
    if not is_pack(data / choice.name):
        return None
    labels = read_arrays(data / choice.name, (choice.labels,)).get(choice.labels)
    return int(labels.shape[1]) if labels is not None and labels.ndim == 3 else None
