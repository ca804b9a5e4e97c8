"""Places on a face by name: each is a weighted mean of the 68 landmarks of iBUG-68.

Left and right are the subject's own, as everywhere: the right eye is on the left of an unmirrored picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.core.schemes import IBUG_68

LANDMARKS = IBUG_68.points
# How far above the bridge of the nose, in lengths of the nose: there is no landmark there.
FOREHEAD, CROWN = 1.1, 2.1

_MEANS: dict[str, tuple[int, ...]] = {
    "face_right": (0,),
    "face_left": (16,),
    "cheek_right": (3,),
    "cheek_left": (13,),
    "chin": (8,),
    "brow_right": (17, 18, 19, 20, 21),
    "brow_right_outer": (17,),
    "brow_right_inner": (21,),
    "brow_left": (22, 23, 24, 25, 26),
    "brow_left_inner": (22,),
    "brow_left_outer": (26,),
    "between_brows": (21, 22),
    "eye_right": IBUG_68.right_eye,
    "eye_right_outer": (36,),
    "eye_right_inner": (39,),
    "eye_left": IBUG_68.left_eye,
    "eye_left_inner": (42,),
    "eye_left_outer": (45,),
    "between_eyes": (39, 42),
    "nose_bridge": (27,),
    "nose_tip": (30,),
    "nose_base": (33,),
    "nostril_right": (31,),
    "nostril_left": (35,),
    "mouth": (48, 54, 51, 57),
    "mouth_right": (48,),
    "mouth_left": (54,),
    "lip_upper": (51,),
    "lip_lower": (57,),
}


def mean_of(landmarks: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the weights `[68]` of the mean of some landmarks."""
    weights = np.zeros(LANDMARKS, np.float32)
    np.add.at(weights, list(landmarks), np.float32(1 / len(landmarks)))
    return weights


def above_nose(lengths: float) -> NDArray[np.float32]:
    """Return the weights `[68]` of the place so many lengths of the nose above its bridge."""
    bridge, base = mean_of((27,)), mean_of((33,))
    return bridge + np.float32(lengths) * (bridge - base)


NAMED_POINTS: dict[str, NDArray[np.float32]] = {
    **{name: mean_of(landmarks) for name, landmarks in _MEANS.items()},
    "forehead": above_nose(FOREHEAD),
    "crown": above_nose(CROWN),
}
