"""Frozen teachers: their predictions of the training faces, made once and kept, or made for each augmented batch.

Predictions that are kept lie beside the teachers' checkpoints, never in the student's.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.nn import functional
from tqdm import tqdm

from engine.core.errors import RecordingError, UsageError
from engine.core.files import replaced
from engine.core.schemes import SCHEMES
from engine.core.texts import reason
from trainer.augment import Batch, Faces, central_window, mirror_points
from trainer.checkpoint import read_header
from trainer.data.crops import CROP_SCALE, CropSet
from trainer.data.hard_faces import are_closed
from trainer.init.initialise import load_network
from trainer.init.origin import is_model, origin_folder, origin_name, read_origin
from trainer.losses.fard_mahoor import check_roles
from trainer.losses.heatmap_distillation import maps_of, no_maps_to_distil
from trainer.losses.total import no_maps_for_star
from trainer.networks import LandmarkNetwork
from trainer.networks.output import LandmarkOutput
from trainer.networks.regression import RegressionShape
from trainer.recipes.schema import PackChoice, TeacherMean, Training
from trainer.tensor_files import save_tensors

BATCH = 64


@dataclass(frozen=True)
class Predictions:
    """Predictions of one teacher.

    Attributes:
        keys: `[N, 32]` uint8, see `face_keys`.
        points: `[N, K, 2]` in [0, 1] of the stored crops.
        confidence: `[N, K]` in [0, 1].
        spread: `[N, K]`, how far each of the two views lies from their mean, in sides of the crop; what all points of
            a face share in x is left out: it is the side on which labels lie.
    """

    keys: torch.Tensor
    points: torch.Tensor
    confidence: torch.Tensor
    spread: torch.Tensor

    def places(self) -> dict[bytes, int]:
        """Return where the prediction for a key stands."""
        return {key.numpy().tobytes(): place for place, key in enumerate(self.keys)}


def face_keys(faces: Faces) -> torch.Tensor:
    """Return a digest `[N, 32]` uint8 of all of each face that a teacher's prediction depends on."""
    digests = [
        hashlib.sha256(image.numpy().tobytes() + shift.numpy().tobytes()).digest()
        for indices in torch.arange(len(faces.images)).split(BATCH)
        for image, shift in zip(faces.images[indices], faces.label_shift[indices], strict=True)
    ]
    return torch.frombuffer(bytearray(b"".join(digests)), dtype=torch.uint8).reshape(-1, 32)


def check_teachers(training: Training, weights: Mapping[str, Path]) -> None:
    """Raise unless a training and its teachers fit each other.

    Each teacher has to have the student's points and, if it looks at each batch, to be used to its crops.

    Args:
        training: the student's.
        weights: the files of the teachers by their names in `training`; of others nothing is said.

    Raises:
        UsageError: one has not, or a teacher's checkpoint cannot be read.
        ModelError: a teacher's model or its card is missing or damaged.
    """
    for name in training.teachers:
        if name not in weights:
            continue
        taught = _recipe_of(weights[name])
        points = taught["network"]["points"]
        if points != training.network.points:
            raise UsageError(
                f"The teacher {name} has {points} points and the student {training.network.points}",
                "they are of different markups",
                "choose a teacher of the same markup",
            )
        if training.live and taught["crop_scale"] != training.crop_scale:
            raise UsageError(
                f"The teacher {name} is used to crops of {taught['crop_scale']:g} times the landmark box, not of "
                f"{training.crop_scale:g}",
                "a teacher that looks at each batch sees the student's crops",
                f"set crop_scale={taught['crop_scale']:g}, or live=false",
            )


def _recipe_of(path: Path) -> Mapping[str, Any]:
    """Return the recipe of a checkpoint or model, of a checkpoint without reading its weights."""
    header = None if is_model(path) else read_header(path)
    return (header or read_origin(path)).recipe


def check_loss(training: Training) -> None:
    """Raise `UsageError` if a training lacks what its loss needs of teachers or of its network, or they go unheard."""
    teachers, loss, mean = training.teachers, training.loss, training.teacher_mean
    if not (teachers and not training.live) and (packs := [pack.name for pack in training.packs if pack.relabel]):
        raise UsageError(
            f"There is nobody to relabel {' and '.join(packs)}",
            "this is done by teachers that are asked once, and the recipe has none",
            "set teachers and live=false, or leave the pack out",
        )
    if mean is not None and (training.live or (mean.weights and len(mean.weights) != len(teachers))):
        raise UsageError(
            f"The teachers of {training.name} cannot become one",
            "those that look at each batch stay apart"
            if training.live
            else f"{len(teachers)} teachers have {len(mean.weights)} weights",
            "set live=false" if training.live else "give teacher_mean.weights one number for each teacher",
        )
    if loss.heatmap_kd.variant != "none" and not (teachers and training.live):
        raise UsageError(
            "There are no heatmaps to distil",
            "only teachers that look at each batch give some" if teachers else "this recipe has no teacher",
            "set teachers and live=true, or loss.heatmap_kd.variant=none",
        )
    if teachers and not loss.learns_from_teachers:
        raise UsageError(
            f"Nothing would be learned from {' and '.join(teachers)}",
            "each term of the loss that compares with teachers is off or has a weight of 0",
            "set teachers=[], or for instance loss.kd.point_distillation_weight=4",
        )
    if loss.points == "kd":
        check_roles(1 if teachers and mean is not None else len(teachers), loss.kd)
    if isinstance(training.network, RegressionShape):
        if loss.points == "star":
            raise no_maps_for_star()
        if loss.heatmap_kd.is_on:
            raise no_maps_to_distil("the student regresses")


def with_predictions(
    crops: CropSet, teachers: Sequence[Path], device: torch.device, runs: Path, mean: TeacherMean | None = None
) -> CropSet:
    """Return the same faces with the teachers' predictions, out of files beside their checkpoints where they are kept.

    Each teacher sees the upright crop it was trained for and its mirror image; the prediction is the mean of both.

    Args:
        crops: the faces.
        teachers: the teachers' checkpoints or `.tflite` models.
        device: where the teachers run.
        runs: folder of the runs, where the predictions of models are kept.
        mean: how they become one teacher; None: each stays by itself.

    Raises:
        UsageError: a teacher's checkpoint cannot be read.
    """
    keys = face_keys(crops.faces)
    made = [_predictions(crops.faces, keys, path, device, runs) for path in teachers]
    if mean is not None:
        made = [_mean(made, mean)]
        _leave_closed_eyes(made[0].confidence, crops.faces)
    points = torch.stack([predictions.points for predictions in made], 1)
    confidence = torch.stack([predictions.confidence for predictions in made], 1)
    return replace(crops, faces=replace(crops.faces, teachers=points, teacher_confidence=confidence))


def _mean(made: Sequence[Predictions], settings: TeacherMean) -> Predictions:
    """Return the mean of several teachers' predictions of the same faces, less confident where they are spread."""
    weights = torch.tensor(settings.weights or [1.0] * len(made))
    weights = (weights / weights.sum())[:, None, None]
    points = torch.stack([one.points for one in made])
    mean = (weights[..., None] * points).sum(0)
    squares = (points - mean).square().sum(-1) + torch.stack([one.spread for one in made]).square()
    spread = (weights * squares).sum(0).sqrt()
    confidence = (weights * torch.stack([one.confidence for one in made])).sum(0)
    return Predictions(made[0].keys, mean, confidence / (1 + (spread / settings.doubtful).square()), spread)


def _leave_closed_eyes(confidence: torch.Tensor, faces: Faces) -> None:
    """Let teachers `[N, K]` say nothing of eyes that are known to be closed: they hardly see it."""
    scheme = SCHEMES[confidence.shape[1]]
    eyes = torch.tensor([*scheme.right_eye, *scheme.left_eye])
    confidence[are_closed(faces, scheme).nonzero(), eyes] = 0


def relabelled(crops: CropSet, choices: Sequence[PackChoice]) -> CropSet:
    """Return the same faces, those of packs that are to be relabelled with the teachers' mean for labels.

    Points of which the teachers say nothing, such as lids of closed eyes, keep the labels that they have.
    """
    names = {Path(choice.name).name for choice in choices if choice.relabel}
    chosen = torch.tensor([name.partition("/")[0] in names for name in crops.names])[:, None, None]
    said = crops.faces.teacher_confidence.amax(1)[..., None] > 0
    points = torch.where(chosen & said, crops.faces.teachers.mean(1), crops.faces.points)
    return replace(crops, faces=replace(crops.faces, points=points))


class LiveTeachers:
    """Teachers that look at each augmented batch, as published.

    Args:
        paths: of their checkpoints or `.tflite` models.
        device: where they run.

    Raises:
        UsageError: a checkpoint cannot be read.
    """

    def __init__(self, paths: Sequence[Path], device: torch.device) -> None:
        self._networks = [_frozen(path, device) for path in paths]

    @torch.no_grad()
    def look(self, batch: Batch) -> Batch:
        """Return the batch with what the teachers say of its images, scaled to the size each is used to."""
        outputs = [_look(network, batch.images) for network in self._networks]
        points = torch.stack([output.points for output in outputs], 1)
        confidence = torch.stack([output.confidence_logits.sigmoid() for output in outputs], 1)
        faceless = batch.no_face[:, None, None, None]  # faces without a label are seen
        maps = [found.masked_fill(faceless, math.nan) for found in map(maps_of, outputs) if found is not None]
        points = points.masked_fill(faceless, math.nan)
        return replace(batch, teachers=points, teacher_confidence=confidence, teacher_maps=tuple(maps))


def _predictions(faces: Faces, keys: torch.Tensor, path: Path, device: torch.device, runs: Path) -> Predictions:
    """Return a teacher's predictions of the faces; only those that it has not seen before are shown to it."""
    file = _predictions_file(path, runs)
    kept = _read_predictions(file)
    places = kept.places() if kept else {}
    wanted = [key.numpy().tobytes() for key in keys]
    new = torch.tensor([index for index, key in enumerate(wanted) if key not in places], dtype=torch.int64)
    if len(new):
        ratio = float(read_origin(path).recipe["crop_scale"]) / CROP_SCALE  # of the teacher's crop to the stored one
        made = Predictions(keys[new], *_predict(faces.subset(new), _frozen(path, device), ratio, origin_name(path)))
        if kept is not None:
            made = Predictions(**{name: torch.cat([old, vars(made)[name]]) for name, old in vars(kept).items()})
        kept = made
        _write_predictions(file, kept)
        places = kept.places()
    assert kept is not None, "there are faces, and each is kept or new"
    order = torch.tensor([places[key] for key in wanted])
    return Predictions(keys, kept.points[order], kept.confidence[order], kept.spread[order])


@torch.no_grad()
def _predict(faces: Faces, network: LandmarkNetwork, ratio: float, name: str) -> tuple[torch.Tensor, ...]:
    """Return points, confidence and spread as `Predictions` has them."""
    device = next(network.parameters()).device
    order = torch.tensor(SCHEMES[network.shape.points].mirror, device=device)
    found = []
    for indices in tqdm(torch.arange(len(faces.images)).split(BATCH), desc=f"asking {name}", disable=None):
        some = faces.select(indices).to(device)
        images = central_window(some, ratio, network.shape.input_size).images
        seen, mirrored = _look(network, images), _look(network, images.flip(3))
        # The window lies in the middle of the crop, so a mirror image of the one is one of the other.
        points, other = ((output.points - 0.5) * ratio + 0.5 for output in (seen, mirrored))
        other = mirror_points(other, order, some.label_shift)
        apart = (points - other) / 2
        apart[..., 0] -= apart[..., 0].mean(1, keepdim=True)
        confidence = (seen.confidence_logits.sigmoid() + mirrored.confidence_logits.sigmoid()[:, order]) / 2
        found.append(((points + other).cpu() / 2, confidence.cpu(), apart.norm(dim=-1).cpu()))
    return tuple(map(torch.cat, zip(*found, strict=True)))


def _look(network: LandmarkNetwork, images: torch.Tensor) -> LandmarkOutput:
    size = network.shape.input_size
    if images.shape[-1] != size:
        images = functional.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    return network(images.contiguous(memory_format=torch.channels_last))


def _frozen(path: Path, device: torch.device) -> LandmarkNetwork:
    return load_network(path).to(device).requires_grad_(False)


def _read_predictions(file: Path) -> Predictions | None:
    """Return what is kept for a teacher; None if nothing is, or nothing that can be read."""
    try:
        return Predictions(**load_file(file))
    except (OSError, SafetensorError, TypeError):  # none yet, or cut off: making them again costs only time
        return None


def _write_predictions(file: Path, predictions: Predictions) -> None:
    """Keep predictions of a teacher, whole or not at all; of students that train side by side, those of the last."""
    try:
        with replaced(file) as temporary:
            save_tensors(vars(predictions), temporary)
    except (OSError, SafetensorError) as error:
        raise RecordingError(
            f"The teacher's predictions {file} cannot be written ({reason(error)})",
            "the folder forbids writing, or the disk is full",
            "make room, or copy the teacher's folder to another place",
        ) from error


def _predictions_file(path: Path, runs: Path) -> Path:
    """Return a name that changes with the weights: a run that is trained on predicts other things.

    Raises:
        UsageError: the teacher's file cannot be read.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(
            f"The teacher {path} cannot be read ({error.strerror})", "it was moved", "give its right path"
        ) from error
    return origin_folder(path, runs) / "predictions" / f"{digest[:16]}.safetensors"
