"""A loss that is no number: which faces of the batch are the likely cause."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.core.errors import UsageError
from trainer.augment import Batch
from trainer.networks.output import LandmarkOutput

NAMED_FACES = 5


def suspicious_rows(batch: Batch, output: LandmarkOutput) -> torch.Tensor:
    """Return which rows `[B]` spoil the loss: those with numbers that are none in the batch, else in the output.

    In training, batch norm carries one spoilt row into all others, so the output is asked only if the batch is clean.
    """
    points = torch.where(batch.labelled[..., None] > 0, batch.points, 0)
    suspicious = _not_finite([batch.images, points, batch.visible, batch.visible_weight, batch.trust])
    if not suspicious.any():
        parts = [output.points, output.confidence_logits, output.heatmap_logits, *(output.attention or ())]
        suspicious = _not_finite([part for part in parts if part is not None])
    return suspicious


def divergence(step: int, faces: Sequence[str], batch: int) -> UsageError:
    """Return the error of a step whose loss or gradient is no number.

    Args:
        step: number of the step, which is not taken.
        faces: suspicious faces of the batch.
        batch: its size.
    """
    fix = "resume from the last checkpoint with a lower --set learning_rate"
    what = f"The loss of step {step} is not a number"
    if not 0 < len(faces) < batch:
        return UsageError(f"{what}, for no face more than for the others", "the learning rate is too high", fix)
    named = ", ".join(faces[:NAMED_FACES])
    more = len(faces) - NAMED_FACES
    return UsageError(
        f"{what}, because of {len(faces)} of the {batch} faces in its batch: {named}{f' and {more} more' * (more > 0)}",
        "their labels or what a teacher says of them is damaged, or the learning rate is too high",
        f"look at these faces; or {fix}",
    )


def _not_finite(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([~tensor.detach().flatten(1).isfinite().all(1) for tensor in tensors]).any(0)
