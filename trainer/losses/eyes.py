"""The loss of how far eyes are open: a closed eye is a few pixels of a face, and hardly weighs in a mean of points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from engine.core.records import NotNegative, check_fields
from engine.core.schemes import Scheme
from engine.inference.signals import LEFT_EYE, RIGHT_EYE
from trainer.losses.basic import mean_of, weighted_mean
from trainer.on_device import constant

SMALLEST_WIDTH = 0.02  # of an eye in sides of the window: below, its aspect ratio would be anything


@dataclass(frozen=True)
class EyesLoss:
    """Weights and constants of the loss of the eyes' aspect ratios, see `eye_sizes`.

    Attributes:
        weight: of the whole term.
        closed, opened: where a face only says whether its eyes are open: the largest ratio of closed ones and the
            smallest of open ones that cost nothing.

    Raises:
        UsageError: a constant is out of its range.
    """

    weight: NotNegative[float] = 0.0
    closed: NotNegative[float] = 0.08
    opened: NotNegative[float] = 0.22

    def __post_init__(self) -> None:
        check_fields(self)


def eye_sizes(points: torch.Tensor, scheme: Scheme) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the distances of the lids and of the corners of both eyes, `[B, 2]` each, of points `[B, K, 2]`.

    One over the other is the aspect ratio, as `aspect_ratio` of the engine does it.
    """
    corner, upper, upper_too, other_corner, lower_too, lower = _of_eyes(points, scheme).unbind(2)
    heights = torch.stack([upper - lower, upper_too - lower_too], 2).norm(dim=-1).mean(-1)
    return heights, (corner - other_corner).norm(dim=-1)


def _of_eyes(values: torch.Tensor, scheme: Scheme) -> torch.Tensor:
    """Return what `[B, 2, 6, ...]` of both eyes' points are of values `[B, K, ...]`."""
    order = constant(tuple(scheme.as_68[index] for index in RIGHT_EYE + LEFT_EYE), values.device)
    return values[:, order].unflatten(1, (2, -1))


def eyes_loss(
    points: torch.Tensor,
    truth: torch.Tensor,
    labelled: torch.Tensor,
    eyes_open: torch.Tensor,
    scheme: Scheme,
    settings: EyesLoss,
) -> torch.Tensor:
    """Return the mean error of the aspect ratios, a scalar before its weight; 0 for a markup without eyelids.

    An eye counts by its own width beside that of the wider one of the face, so one that is turned away counts little.

    Args:
        points: the network's, `[B, K, 2]` in [0, 1] of the window.
        truth: as `points`, finite.
        labelled: `[B, K]`, 1 where there is a label.
        eyes_open: see `trainer.augment.Faces`.
        scheme: of the points.
        settings: the constants.
    """
    if not scheme.as_68:
        return points.new_zeros(())
    heights, widths = eye_sizes(points, scheme)
    ratios = heights / widths.clamp(min=SMALLEST_WIDTH)
    true_heights, true_widths = eye_sizes(truth, scheme)
    true_widths = true_widths.clamp(min=SMALLEST_WIDTH)
    known = _of_eyes(labelled, scheme).amin(2)
    by_labels = weighted_mean(
        (ratios - true_heights / true_widths).abs(), known * true_widths / true_widths.amax(1, keepdim=True)
    )
    ratio = ratios.mean(1)
    beyond = torch.where(
        eyes_open > 0, functional.relu(settings.opened - ratio), functional.relu(ratio - settings.closed)
    )
    return by_labels + mean_of(beyond, eyes_open.isfinite())
