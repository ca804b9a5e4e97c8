"""Faces cut out of a pack, kept in one file, so that no training waits for pictures to be decoded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.core.errors import PackError, RecordingError
from engine.core.files import open_regular, replaced
from engine.core.texts import parse_json, reason
from trainer.checkpoint import CHANGED, LARGEST
from trainer.recipes.schema import PackChoice

FORMAT = "understudy-crops-1"
USUAL_SIZE = 192  # pixels a side of crops whose files do not name them
AGAIN = "write it again with “understudy data pack”"


@dataclass(frozen=True)
class CutFaces:
    """Faces of a pack before anything of a recipe is said about them.

    Attributes:
        images: `[N, 3, C, C]` uint8 RGB.
        points: `[N, K, 2]` float32 in [0, 1] of the crop; NaN without a label.
        visible, visible_weight: `[N, K]` float32, which points can be seen, 1 or 0, and how sure that is.
        sides: `[N]` float64, sides of the crops in pixels of the stored pictures.
        names, digest: see `CropSet`.
        eyes_open: see `Faces`; None for a pack of landmarks.
    """

    images: torch.Tensor
    points: torch.Tensor
    visible: torch.Tensor
    visible_weight: torch.Tensor
    sides: torch.Tensor
    names: tuple[str, ...]
    digest: str
    eyes_open: torch.Tensor | None = None


def cache_path(data: Path, choice: PackChoice, size: int = USUAL_SIZE) -> Path:
    """Return the file below `data` that keeps the faces of a choice as crops of `size` pixels, whatever its weights."""
    return data / f"{_stem(choice)}{'' if size == USUAL_SIZE else f'.{size}'}.safetensors"


def cached_sizes(data: Path, choice: PackChoice) -> list[int]:
    """Return the pixels a side of the crops of a choice that lie below `data`, by the names of their files."""
    larger = (path.suffixes[-2].removeprefix(".") for path in data.glob(f"{_stem(choice)}.*.safetensors"))
    usual = [USUAL_SIZE] if cache_path(data, choice).is_file() else []
    return sorted(usual + [int(size) for size in larger if size.isdecimal()])


def _stem(choice: PackChoice) -> str:
    return f"{choice.name}.{choice.split or 'whole'}.{choice.labels}"


def write_cache(path: Path, choice: PackChoice, cut: CutFaces, crop_scale: float) -> None:
    """Write faces; the file appears whole or not at all.

    Raises:
        RecordingError: it cannot be written.
    """
    tensors = {name: value.contiguous() for name, value in vars(cut).items() if isinstance(value, torch.Tensor)}
    identity = _identity(choice, crop_scale, cut.images.shape[-1])
    metadata = {**identity, "names": json.dumps(cut.names), "digest": cut.digest}
    try:
        with replaced(path) as temporary:
            save_file(tensors, temporary, metadata)
    except (OSError, SafetensorError) as error:
        raise RecordingError(
            f"The crop cache {path} cannot be written ({reason(error)})",
            "the folder forbids writing or the disk is full",
            "choose another place with --out",
        ) from error


def read_cache(path: Path, choice: PackChoice, crop_scale: float, crop_size: int) -> CutFaces | None:
    """Read faces; None if there is no such file.

    Raises:
        PackError: the file is damaged, or holds other faces or other crops than asked for.
    """
    if not path.is_file():
        return None
    try:
        with open_regular(path, LARGEST), safe_open(path, framework="pt") as file:
            found = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except (OSError, SafetensorError, ValueError, MemoryError) as error:
        raise PackError(
            f"The crop cache {path} cannot be read ({reason(error)})", "it was cut off or damaged", AGAIN
        ) from error
    wanted = _identity(choice, crop_scale, crop_size)
    wrong = [
        f"{name} {found.get(name)} instead of {value}" for name, value in wanted.items() if found.get(name) != value
    ]
    if wrong:
        raise PackError(
            f"The crop cache {path} does not fit ({', '.join(wrong)})",
            "it was written by another version of this program, or renamed",
            AGAIN,
        )
    try:
        return CutFaces(**tensors, names=tuple(parse_json(found["names"])), digest=found["digest"])
    except CHANGED as error:
        raise PackError(
            f"The crop cache {path} is damaged ({reason(error)})", "it was changed after it was written", AGAIN
        ) from error


def _identity(choice: PackChoice, crop_scale: float, crop_size: int) -> dict[str, str]:
    """Return what a file must agree in with what is asked for."""
    return {
        "format": FORMAT,
        "crop_scale": str(crop_scale),
        "crop_size": str(crop_size),
        "pack": choice.name,
        "split": choice.split or "",
        "labels": choice.labels,
    }
