"""Faces of which only the state of the eyes is known: whether a network sees that they are closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine.core.errors import PackError
from engine.core.geometry import Box, crop_of_box
from engine.formats.images import read_picture
from engine.formats.packs import is_pack, read_arrays
from trainer.data.validation_faces import EYES, EYES_PACK, faces_of

NEEDED = ("bbox", "roll", "state")


@dataclass(frozen=True)
class EyeStates:
    """Faces whose eyes are both open or both closed.

    Attributes:
        images: `[N, 3, S, S]` uint8 RGB, as a network's input.
        open: `[N]` bool.
    """

    images: torch.Tensor
    open: torch.Tensor


def load_eyes(data: Path, crop_scale: float, size: int) -> EyeStates | None:
    """Read the listed faces of the pack `eyes_state` below `data`; None where it is not, or has none of them.

    The crop has `crop_scale` times the larger side of the box `bbox` (N, 4) and is turned by `roll`; the images have
    `size` pixels a side.

    Raises:
        PackError: the pack is damaged, or lacks the arrays.
        SourceError: a picture cannot be read.
    """
    folder = data / EYES_PACK
    if not is_pack(folder):
        return None
    arrays = read_arrays(folder)
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise PackError(
            f"The pack {folder} has no array “{missing[0]}”",
            f"the state of the eyes is read from {', '.join(NEEDED)}",
            "copy the pack again, or take it out of the folder: training needs it for validation only",
        )
    listed = np.isin([f"{EYES_PACK}/{name}" for name in arrays["image"].astype(str)], faces_of(EYES))
    images = []
    for index in np.flatnonzero(listed):
        crop = replace(crop_of_box(Box(*arrays["bbox"][index].tolist()), crop_scale), roll=float(arrays["roll"][index]))
        picture = read_picture(folder / str(arrays["image"][index]))
        images.append(torch.from_numpy(crop.sample(picture, size).transpose(2, 0, 1).copy()))
    if not images:
        return None
    return EyeStates(torch.stack(images), torch.from_numpy(arrays["state"][listed] == 1))
