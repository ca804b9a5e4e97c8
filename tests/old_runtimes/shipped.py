"""The shipped models, what to run them on, and how far their outputs lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.core.geometry import crop_of_landmarks, roll_of_landmarks
from engine.core.paths import asset_path
from engine.inference.blazeface import SIZE
from engine.inference.card import read_card
from engine.sources.sample import SampleClip

FRAMES = range(0, 600, 50)
# How much of the picture around a face the detector is shown, in sides of the landmarks' box.
DETECTOR_VIEW = 3.0


def shipped_models() -> dict[str, Path]:
    """Return the files of all shipped models by name, the detector's among them."""
    return {path.stem: path for path in sorted(asset_path("models").glob("*.tflite"))}


def faces_for(model: Path) -> np.ndarray:
    """Return faces of the sample as a model wants them, `[N, 1, S, S, 3]` float32."""
    card = model.with_suffix(".json")
    if not card.is_file():  # the detector, whose pixels are in [-1, 1]
        return _faces(DETECTOR_VIEW, SIZE) / np.float32(127.5) - 1
    rule = read_card(card)
    return _faces(rule.crop.scale, rule.input_size)


def _faces(scale: float, size: int) -> np.ndarray:
    clip, faces = SampleClip(), []
    for number in FRAMES:
        picture, truth = clip.frame(number)
        crop = crop_of_landmarks(truth.points, roll_of_landmarks(truth.scheme, truth.points), scale)
        faces.append(crop.sample(picture, size)[None].astype(np.float32))
    return np.stack(faces)


def difference(name: str, found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> float:
    """Return how far a point lies from where it is expected, at most, in sides of the crop."""
    place = max((0, 1), key=lambda place: expected[f"{name}.{place}"][0].size)  # points, boxes; not confidences
    one, other = found[f"{name}.{place}"], expected[f"{name}.{place}"]
    # The detector's points are in pixels of its input.
    side = 1 if one.shape[-1] == 2 else SIZE
    apart = (one - other).reshape(len(one), -1, 2) / side
    return float(np.linalg.norm(apart, axis=-1).max())
