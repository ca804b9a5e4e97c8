"""How well a network does on held-out faces, in the units that users read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch

from engine.core.metrics import roc_area
from engine.core.schemes import SCHEMES, Scheme
from trainer.augment import Batch, central_window
from trainer.data.crops import CROP_SCALE, CropSet
from trainer.data.validation_faces import EyeStates
from trainer.losses.eyes import eye_sizes
from trainer.networks import LandmarkNetwork
from trainer.recipes.schema import Training

BATCH = 128


@dataclass(frozen=True)
class HeldOut:
    """Faces for validation.

    Attributes:
        faces: what decides which checkpoint is the best.
        turned: heads seen from the side; none where the recipe's packs have none that are listed.
        eyes: faces with closed and with open eyes; None without the pack.
    """

    faces: CropSet
    turned: CropSet
    eyes: EyeStates | None = None


@dataclass(frozen=True)
class Validation:
    """Results on held-out faces.

    Attributes:
        nme: mean distance of the labelled points in percent of the distance of the outer eye corners.
        turned_nme_box: of turned heads, in percent of the root of the area of the true landmark box; None without any.
        eyes_auc: area under the ROC curve, in [0, 1], of the aspect ratio of both eyes as a test for open ones;
            None without such faces, or where the markup has no eyelids.
    """

    nme: float
    turned_nme_box: float | None = None
    eyes_auc: float | None = None

    def numbers(self) -> dict[str, float]:
        """Return the results that there are, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        text = f"NME {self.nme:.3f} %"
        if self.turned_nme_box is not None:
            text += f", turned heads {self.turned_nme_box:.3f} % of the box"
        return text if self.eyes_auc is None else f"{text}, closed eyes AUC {self.eyes_auc:.3f}"


@torch.inference_mode()
def validate(network: LandmarkNetwork, held_out: HeldOut, recipe: Training) -> Validation:
    """Return the errors on plain crops; faces whose outer eye corners have no distance do not count for the NME."""
    scheme = SCHEMES[recipe.network.points]

    def mean(crops: CropSet, errors: Callable[[torch.Tensor, Batch], torch.Tensor]) -> float:
        return float(torch.cat([errors(_points(network, batch.images), batch) for batch in windows(crops)]).mean())

    def windows(crops: CropSet) -> Iterator[Batch]:
        for indices in torch.arange(len(crops)).split(BATCH):
            faces = crops.faces.select(indices).to(next(network.parameters()).device)
            yield central_window(faces, recipe.crop_scale / CROP_SCALE, recipe.network.input_size)

    return Validation(
        nme=mean(held_out.faces, lambda points, batch: face_errors(points, batch, scheme)),
        turned_nme_box=mean(held_out.turned, box_errors) if len(held_out.turned) else None,
        eyes_auc=_eyes_auc(network, held_out.eyes, scheme) if held_out.eyes and scheme.as_68 else None,
    )


def face_errors(points: torch.Tensor, batch: Batch, scheme: Scheme) -> torch.Tensor:
    """Return the NME in percent of each face with two outer eye corners, apart; `points` `[B, K, 2]` in [0, 1]."""
    right, left = scheme.outer_eye_corners
    eyes = (batch.points[:, right] - batch.points[:, left]).norm(dim=-1)
    usable = (batch.labelled[:, right] * batch.labelled[:, left] * eyes) > 0
    return (100 * _distances(points, batch) / eyes)[usable]


def box_errors(points: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return the errors `[B]` in percent of the root of the area of the true landmark box; `points` as above."""
    labelled = batch.labelled[..., None] > 0
    highest = batch.points.masked_fill(~labelled, -torch.inf).amax(1)
    lowest = batch.points.masked_fill(~labelled, torch.inf).amin(1)
    return 100 * _distances(points, batch) / (highest - lowest).prod(-1).sqrt()


def eye_ratios(points: torch.Tensor, scheme: Scheme) -> torch.Tensor:
    """Return the mean aspect ratio `[B]` of both eyes, as `aspect_ratio` of the engine does it; 0 without a width."""
    heights, widths = eye_sizes(points, scheme)
    return (heights / widths).nan_to_num(0, 0, 0).mean(1)


def _eyes_auc(network: LandmarkNetwork, eyes: EyeStates, scheme: Scheme) -> float:
    device = next(network.parameters()).device
    ratios = [eye_ratios(_points(network, images.to(device)), scheme) for images in eyes.images.split(BATCH)]
    return roc_area(torch.cat(ratios).cpu().numpy(), eyes.open.numpy())


def _points(network: LandmarkNetwork, images: torch.Tensor) -> torch.Tensor:
    """Return the points `[B, K, 2]` in [0, 1] of the images."""
    kind = next(network.parameters()).dtype
    points: torch.Tensor = network(images.to(kind).contiguous(memory_format=torch.channels_last)).points
    return points


def _distances(points: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return the mean distance `[B]` of the labelled points."""
    return ((points - batch.points).norm(dim=-1) * batch.labelled).sum(1) / batch.labelled.sum(1)
