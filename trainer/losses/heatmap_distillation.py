"""Heatmap distillation: the student's maps are to look like its teachers'.

Hong & Lin (ICME 2024). The paper and the code that its authors released differ; both variants are here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from torch.nn import functional

from engine.core.errors import UsageError
from engine.core.records import Choice, NotNegative, check_fields
from trainer.losses.basic import mean_of
from trainer.networks.anisotropic_attention import of_sum_one
from trainer.networks.output import LandmarkOutput

VARIANTS = ("none", "paper", "released")
# The factor that the released code sets before its mean square.
RELEASED_FACTOR = 100.0


@dataclass(frozen=True)
class HeatmapKD:
    """Constants of heatmap distillation.

    Attributes:
        variant: `none` leaves it out; `paper` sums over the points the L2 norm of the difference of two maps;
            `released` is 100 times the mean square over points and cells. Both are means over the faces of the batch:
            where the paper sums over the training set, the number of faces is part of `weight`.
        weight: of this loss.
        normalised: whether maps are divided by their sums before they are compared. The published ones are not; but
            maps that are probabilities, of networks without attention maps, can be compared in no other way.

    Raises:
        UsageError: there is no such variant, or the weight is negative.
    """

    variant: Annotated[str, Choice(VARIANTS, "variant of heatmap distillation")] = "none"
    weight: NotNegative[float] = 1.0
    normalised: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def is_on(self) -> bool:
        """Whether it adds anything."""
        return self.variant != "none" and self.weight != 0


def maps_of(output: LandmarkOutput) -> torch.Tensor | None:
    """Return the maps `[B, K, H, W]` >= 0 whose mean place is the point; None from a network that regresses it."""
    if output.attention is not None:
        return output.attention.fused
    if output.heatmap_logits is None:
        return None
    return output.heatmap_logits.flatten(2).softmax(-1).view_as(output.heatmap_logits)


def heatmap_distillation(
    student: torch.Tensor | None, teachers: Sequence[torch.Tensor], settings: HeatmapKD
) -> torch.Tensor:
    """Return the distance from the teachers' maps, a scalar before its weight; the mean over several teachers.

    The student's maps are `[B, K, H, W]` >= 0, each teacher's `[B, K, h, w]` >= 0, NaN in faces of which it says
    nothing; they are resampled to H x W if need be, and get no gradient. The settings' variant is not `none`.

    Raises:
        UsageError: there are no maps to compare, or their points are those of another scheme.
    """
    if student is None or not teachers:
        raise no_maps_to_distil("the student regresses" if student is None else "its teachers regress")
    return torch.stack([_distance(student, teacher.detach(), settings) for teacher in teachers]).mean()


def no_maps_to_distil(who: str) -> UsageError:
    """Return the error of networks without heatmaps, on whose distillation a loss rests; `who` is they, and do so."""
    return UsageError(
        "There are no heatmaps to distil",
        f"{who} coordinates",
        "take student and teachers with heatmaps, or set loss.heatmap_kd.variant=none",
    )


def _distance(student: torch.Tensor, teacher: torch.Tensor, settings: HeatmapKD) -> torch.Tensor:
    if teacher.shape[1] != student.shape[1]:
        raise UsageError(
            f"The teacher's {teacher.shape[1]} heatmaps do not fit the student's {student.shape[1]}",
            "they were trained on different markups",
            "choose a teacher of the same markup",
        )
    said = teacher.isfinite().all(-1).all(-1)
    teacher = resampled(torch.where(said[..., None, None], teacher, 0), student.shape[-2], student.shape[-1])
    if settings.normalised:
        student, teacher = (of_sum_one(maps.flatten(2)).view_as(maps) for maps in (student, teacher))
    difference = student - teacher
    if settings.variant == "paper":
        # Where two maps are equal the norm has no slope, and PyTorch takes 0 for it.
        norms = torch.linalg.vector_norm(difference, dim=(-2, -1))
        return student.shape[1] * mean_of(norms, said)
    return RELEASED_FACTOR * mean_of(difference.square().mean((-2, -1)), said)


def resampled(maps: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return maps `[B, K, h, w]` as `[B, K, height, width]`; cells keep their place in the crop."""
    if maps.shape[-2:] == (height, width):
        return maps
    return functional.interpolate(maps, size=(height, width), mode="bilinear", align_corners=False, antialias=True)
