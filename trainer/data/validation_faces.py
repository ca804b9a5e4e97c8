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

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("validation_faces.json")
OF_300W, TURNED, EYES = "300w", "turned", "eyes"
EYES_PACK = "eyes_state"
# Packs of other labels for the same pictures are named after the pack they were derived from.
DERIVED_SUFFIX = "_98"


def chosen_by_hash(key: str, one_in: int) -> bool:
    """Return whether a key is one of those that are chosen, one in `one_in`; it depends on nothing else."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest(), "big") % one_in == 0


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
