"""Frozen teachers: what they say of the training faces, asked once and kept, or asked for each augmented batch.

Their predictions lie beside their checkpoints, never in the student's.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn import functional
from tqdm import tqdm

from engine.core.errors import UsageError
from engine.core.schemes import SCHEMES
from trainer.augment import Batch, Faces, central_window, mirror_points
from trainer.data.crops import CROP_SCALE, CropSet
from trainer.init.initialise import LandmarkNetwork, load_network
from trainer.init.origin import origin_name, read_origin
from trainer.losses.heatmap_distillation import maps_of
from trainer.networks.output import LandmarkOutput
from trainer.predictions import Predictions, face_keys, read_predictions, write_predictions
from trainer.recipes.schema import Recipe

BATCH = 64


def check_teachers(recipe: Recipe) -> None:
    """Raise unless a recipe's loss and its teachers fit each other.

    Each teacher has to have the recipe's points and, if it looks at each batch, to be used to its crops.

    Raises:
        UsageError: one has not, a teacher's checkpoint cannot be read, no term of the loss learns from teachers, or
            one needs maps of teachers that do not look at each batch.
    """
    for path in recipe.distillation.teachers:
        taught = read_origin(Path(path)).recipe
        points = taught["shape"]["points"]
        if points != recipe.shape.points:
            raise UsageError(
                f"The teacher {path} has {points} points and the student {recipe.shape.points}",
                "they are of different markups",
                "choose a teacher of the same markup",
            )
        if recipe.distillation.live and taught["crop_scale"] != recipe.crop_scale:
            raise UsageError(
                f"The teacher {path} is used to crops of {taught['crop_scale']:g} times the landmark box, not of "
                f"{recipe.crop_scale:g}",
                "a teacher that looks at each batch sees the student's crops",
                f"set crop_scale={taught['crop_scale']:g}, or distillation.live=false",
            )
    _check_loss(recipe)


def _check_loss(recipe: Recipe) -> None:
    teachers, loss = recipe.distillation.teachers, recipe.loss
    if loss.heatmap_kd.variant != "none" and not (teachers and recipe.distillation.live):
        raise UsageError(
            "There are no heatmaps to distil",
            "only teachers that look at each batch give some" if teachers else "this recipe has no teacher",
            "set distillation.teachers and distillation.live=true, or loss.heatmap_kd.variant=none",
        )
    if teachers and not loss.learns_from_teachers:
        raise UsageError(
            f"Nothing would be learned from {' and '.join(origin_name(teacher) for teacher in teachers)}",
            "each term of the loss that compares with teachers is off or has a weight of 0",
            "set distillation.teachers=[], or for instance loss.kd.point_distillation_weight=4",
        )


def with_predictions(crops: CropSet, teachers: tuple[str, ...], device: torch.device) -> CropSet:
    """Return the same faces with the teachers' predictions, out of files beside their checkpoints where they are kept.

    Each teacher sees the upright crop it was trained for and its mirror image; the prediction is the mean of both.

    Args:
        crops: the faces.
        teachers: paths of the teachers' checkpoints or `.tflite` models.
        device: where the teachers run.

    Raises:
        UsageError: a teacher's checkpoint cannot be read.
    """
    keys = face_keys(crops.faces)
    said = [_ask(crops.faces, keys, Path(path), device) for path in teachers]
    points = torch.stack([predictions.points for predictions in said], 1)
    trust = torch.stack([predictions.trust for predictions in said], 1)
    return replace(crops, faces=replace(crops.faces, teachers=points, teacher_confidence=trust))


class LiveTeachers:
    """Teachers that look at each augmented batch, as published.

    Args:
        paths: of their checkpoints or `.tflite` models.
        device: where they run.

    Raises:
        UsageError: a checkpoint cannot be read.
    """

    def __init__(self, paths: tuple[str, ...], device: torch.device) -> None:
        self._networks = [_frozen(Path(path), device) for path in paths]

    @torch.no_grad()
    def look(self, batch: Batch) -> Batch:
        """Return the batch with what the teachers say of its images, scaled to the size each is used to."""
        outputs = [_look(network, batch.images) for network in self._networks]
        points = torch.stack([output.points for output in outputs], 1)
        trust = torch.stack([output.confidence_logits.sigmoid() for output in outputs], 1)
        # Windows that show no face have no label and no teacher.
        faceless = (batch.labelled.sum(1) == 0)[:, None, None, None]
        maps = [found.masked_fill(faceless, math.nan) for found in map(maps_of, outputs) if found is not None]
        return replace(
            batch, teachers=points.masked_fill(faceless, math.nan), teacher_confidence=trust, teacher_maps=tuple(maps)
        )


def _ask(faces: Faces, keys: torch.Tensor, path: Path, device: torch.device) -> Predictions:
    """Return what a teacher says of the faces; only those it was never asked about are shown to it."""
    network = _frozen(path, device)
    kept = read_predictions(path)
    places = kept.places() if kept else {}
    wanted = [key.numpy().tobytes() for key in keys]
    new = torch.tensor([index for index, key in enumerate(wanted) if key not in places], dtype=torch.int64)
    if len(new):
        points, trust = _predict(faces.select(new), network, _crop_ratio(path), origin_name(path))
        said = Predictions(keys[new], points, trust)
        kept = said if kept is None else _joined(kept, said)
        write_predictions(path, kept)
        places = kept.places()
    assert kept is not None, "there are faces, and each is kept or new"
    order = torch.tensor([places[key] for key in wanted])
    return Predictions(keys, kept.points[order], kept.trust[order])


def _joined(kept: Predictions, said: Predictions) -> Predictions:
    return Predictions(**{name: torch.cat([tensor, vars(said)[name]]) for name, tensor in vars(kept).items()})


def _crop_ratio(path: Path) -> float:
    """Return the side of a teacher's crop as a share of the stored crop's side."""
    return float(read_origin(path).recipe["crop_scale"]) / CROP_SCALE


@torch.no_grad()
def _predict(faces: Faces, network: LandmarkNetwork, ratio: float, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points `[N, K, 2]` in [0, 1] of the stored crops and confidence `[N, K]`."""
    device = next(network.parameters()).device
    order = torch.tensor(SCHEMES[network.shape.points].mirror, device=device)
    found = []
    for indices in tqdm(torch.arange(len(faces.images)).split(BATCH), desc=f"asking {name}", disable=None):
        some = faces.select(indices).to(device)
        images = central_window(some, ratio, network.shape.input_size).images
        seen, mirrored = _look(network, images), _look(network, images.flip(3))
        # The window lies in the middle of the crop, so a mirror image of the one is one of the other.
        points, other = ((output.points - 0.5) * ratio + 0.5 for output in (seen, mirrored))
        points = (points + mirror_points(other, order, some.label_shift)) / 2
        trust = (seen.confidence_logits.sigmoid() + mirrored.confidence_logits.sigmoid()[:, order]) / 2
        found.append((points.cpu(), trust.cpu()))
    return torch.cat([points for points, _ in found]), torch.cat([trust for _, trust in found])


def _look(network: LandmarkNetwork, images: torch.Tensor) -> LandmarkOutput:
    size = network.shape.input_size
    if images.shape[-1] != size:
        images = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    return network(images.contiguous(memory_format=torch.channels_last))


def _frozen(path: Path, device: torch.device) -> LandmarkNetwork:
    return load_network(path).to(device).requires_grad_(False)
