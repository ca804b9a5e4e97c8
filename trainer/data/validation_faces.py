"""The faces that no training ever sees, whatever its recipe: they are for validation.

`validation_faces.json` beside this file names them as `pack/picture`. How it was made, from the `train` faces:

- `300w`: of `lfpw68`, `helen68` and `afw68`, in this order and without those in a test picture, every 20th face.
- `turned`: of `aflw2000_3d`, faces with `landmarks_2d` and a yaw beyond 40 degrees, one in 2; of `aflw_merl68`, faces
  whose `pose` is not `frontal` (most are turned by 25 to 40 degrees), one in 5; chosen by the hash of the photograph's
  name in AFLW, such as `image00002`.
- `eyes`: of `eyes_state`, faces that are `sure` and not `lfw_faces5` (whose pictures are in `faces5` too): of the
  closed eyes one in 6, of the open ones one in 4; chosen by the hash of `identity`, so that no person is on both sides.
- `kept_out`: what shows the same as one of these and is not measured: other faces of the same AFLW photograph in either
  pack, and other pictures of the same `identity`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from engine.formats.packs import is_pack
from trainer.data.eye_states import cut_eyes_face, read_eyes

FILE = Path(__file__).with_name("validation_faces.json")
OF_300W, TURNED, EYES = "300w", "turned", "eyes"
EYES_PACK = "eyes_state"
# Packs of other labels for the same pictures are named after the pack they were derived from.
DERIVED_SUFFIX = "_98"


def validation_group(name: str) -> str | None:
    """Return the group of a face `pack/picture`, also of a derived pack; None for a face to train on."""
    pack, _, picture = name.partition("/")
    return _groups().get(f"{pack.removesuffix(DERIVED_SUFFIX)}/{picture}")


def faces_of(group: str) -> tuple[str, ...]:
    """Return the faces of a group as `pack/picture`."""
    return tuple(name for name, own in _groups().items() if own == group)


@cache
def _groups() -> Mapping[str, str]:
    """Return the group of each listed face."""
    groups = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: group for group, names in groups.items() for name in names}


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
    arrays = read_eyes(folder)
    listed = np.isin([f"{EYES_PACK}/{name}" for name in arrays["image"].astype(str)], faces_of(EYES))
    images = [cut_eyes_face(folder, arrays, index, crop_scale, size)[0] for index in np.flatnonzero(listed).tolist()]
    if not images:
        return None
    return EyeStates(torch.stack(images), torch.from_numpy(arrays["state"][listed] == 1))
