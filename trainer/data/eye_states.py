"""Packs without landmarks that say of each face whether its eyes are open, as `eyes_state` does."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.geometry import Box, crop_of_box
from engine.formats.images import read_picture
from engine.formats.packs import read_arrays
from trainer.data.crop_cache import CutFaces

STATES = "state"  # the array that such a pack has for labels: 1 both eyes open, 0 both closed
NEEDED = ("bbox", "roll", STATES)
POINTS = 68  # of the markup that its faces are trained with


def read_eyes(folder: Path) -> dict[str, NDArray]:
    """Return the arrays of a pack, among them `bbox` (N, 4), `roll` and `state` (N,).

    Raises:
        PackError: the pack is damaged, or lacks one of them.
    """
    arrays = read_arrays(folder)
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise PackError(
            f"The pack {folder} has no array “{missing[0]}”",
            f"the state of the eyes is read from {', '.join(NEEDED)}",
            "copy the pack again, or take it out of the folder",
        )
    return arrays


def cut_eyes_face(
    folder: Path, arrays: Mapping[str, NDArray], index: int, crop_scale: float, size: int
) -> tuple[torch.Tensor, float]:
    """Return a face `[3, size, size]` uint8 RGB, and the side of its crop in pixels of the picture.

    The crop has `crop_scale` times the larger side of the box and is turned by `roll`.

    Raises:
        SourceError: its picture cannot be read.
    """
    crop = replace(crop_of_box(Box(*arrays["bbox"][index].tolist()), crop_scale), roll=float(arrays["roll"][index]))
    picture = read_picture(folder / str(arrays["image"][index]))
    return torch.from_numpy(crop.sample(picture, size).transpose(2, 0, 1).copy()), crop.side


def cut_eyes(folder: Path, split: str | None, crop_scale: float, size: int) -> CutFaces:
    """Cut out the faces of a split whose state is sure (array `sure`, where there is one); they have no points.

    Raises:
        PackError: the pack is damaged, lacks an array, or has no such face.
        SourceError: a picture cannot be read.
    """
    arrays = read_eyes(folder)
    chosen = np.asarray(arrays.get("sure", arrays[STATES]) >= ("sure" in arrays))
    if split is not None and "split" in arrays:
        chosen &= arrays["split"].astype(str) == split
    indices = np.flatnonzero(chosen).tolist()
    if not indices:
        raise PackError(
            f"The pack {folder} has no face to train on",
            f"of none of its split “{split}” the state of the eyes is sure",
            "choose another split or another pack",
        )
    cut = [cut_eyes_face(folder, arrays, index, crop_scale, size) for index in indices]
    names = arrays["image"].astype(str)[indices].tolist()
    sizes = [f"{name} {(folder / name).stat().st_size}" for name in names]
    facts = (folder.name, sizes, *(arrays[name][indices].tolist() for name in NEEDED))
    nothing = torch.zeros(len(indices), POINTS)
    return CutFaces(
        images=torch.stack([image for image, _ in cut]),
        points=torch.full((len(indices), POINTS, 2), math.nan),
        visible=nothing,
        visible_weight=nothing.clone(),
        sides=torch.tensor([side for _, side in cut], dtype=torch.float64),
        names=tuple(f"{folder.name}/{name}" for name in names),
        digest=hashlib.sha256(repr(facts).encode()).hexdigest(),
        eyes_open=torch.from_numpy(arrays[STATES][indices].astype(np.float32)),
    )
