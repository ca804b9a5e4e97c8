"""How well a network does on held-out faces, in the units that users read."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.landmarks.schemes import SCHEMES, Scheme
from trainer.augment import Batch, central_window
from trainer.data.crops import CROP_SCALE, CropSet
from trainer.networks.start import LandmarkNetwork
from trainer.recipes import Recipe

BATCH = 128


@dataclass(frozen=True)
class Validation:
    """Results on held-out faces.

    Attributes:
        nme: mean distance of the labelled points in percent of the distance of the outer eye corners.
    """

    nme: float


@torch.inference_mode()
def validate(network: LandmarkNetwork, crops: CropSet, recipe: Recipe) -> Validation:
    """Return the error on the plain crops of `crops`; faces without both outer eye corners are left out."""
    weight = next(network.parameters())
    errors = []
    for indices in torch.arange(len(crops)).split(BATCH):
        faces = crops.faces.select(indices).to(weight.device)
        batch = central_window(faces, recipe.crop_scale / CROP_SCALE, recipe.shape.input_size)
        points = network(batch.images.to(weight.dtype).contiguous(memory_format=torch.channels_last)).points
        errors.append(face_errors(points, batch, SCHEMES[recipe.shape.points]))
    return Validation(nme=float(torch.cat(errors).mean()))


def face_errors(points: torch.Tensor, batch: Batch, scheme: Scheme) -> torch.Tensor:
    """Return the NME in percent of each face with both outer eye corners; `points` `[B, K, 2]` in [0, 1]."""
    right, left = scheme.outer_eye_corners
    eyes = (batch.points[:, right] - batch.points[:, left]).norm(dim=-1)
    distance = (points - batch.points).norm(dim=-1) * batch.labelled
    usable = (batch.labelled[:, right] * batch.labelled[:, left]) > 0
    return (100 * distance.sum(1) / batch.labelled.sum(1) / eyes)[usable]
