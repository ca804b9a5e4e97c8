"""KD-Loss of two teachers: a main loss to the labels and an Assistive Loss for each teacher.

Fard & Mahoor, "Facial landmark points detection using knowledge distillation-based neural networks", CVIU 215:103316,
2022. The paper's figures and the code its authors released differ in form and constants: `KDLoss()` and
`released_code` are the two variants. Everything is per coordinate, in sides of the crop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import torch

from engine.core.errors import UsageError
from engine.core.records import Choice, NotNegative, Positive, Range, check_fields
from trainer.losses.basic import mean_of


@dataclass(frozen=True)
class Assistive:
    """Assistive Loss of one teacher, with e_S and e_T for the errors of student and teacher.

    Attributes:
        weight: factor of this loss in KD-Loss; 0 leaves it out.
        positive: alpha+ > 0, the factor where the student errs more than the teacher.
        negative: alpha- < 0, the factor where it errs less; the sign of the loss is here and nowhere else.
        beta: share of e_T, in (0, 1], below which the student is near enough to the label to be left alone.
        inner: what happens there: `ramp` lets the factor fall linearly to 0 at the label, as the figures have it;
            `zero` cuts it off, as the released code does.

    Raises:
        UsageError: there is no such `inner`, or a constant is out of its range.
    """

    weight: NotNegative[float] = 1.0
    positive: Positive[float] = 0.9
    negative: Annotated[float, Range(high=0, open_high=True)] = -0.45
    beta: Annotated[float, Range(0, 1, open_low=True)] = 0.4
    inner: Annotated[str, Choice(("ramp", "zero"), "inner")] = "ramp"

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class KDLoss:
    """Weights and constants of KD-Loss; the defaults are fitted to the authors' figures.

    Attributes:
        main_weight: factor of the main loss.
        slope: of the main loss below the threshold: 1 in the figure, 3 in the released code.
        threshold: distance in crop sides above which the main loss is quadratic, used with `fixed` and wherever the
            teacher in question has no prediction.
        threshold_from: `tolerant` takes each coordinate's threshold from the error of the Tolerant teacher, or of the
            only teacher where there is one; `fixed` takes `threshold`.
        tough, tolerant: Assistive Losses of the teachers of hard and of soft landmarks.
        point_distillation_weight: factor of the distance to the teachers' points. Not in the paper, which ignores on
            which side of the label a teacher errs, and has nothing to say where there is no label.

    Raises:
        UsageError: `threshold_from` is neither, or a constant is out of its range.
    """

    main_weight: NotNegative[float] = 2.5
    slope: Positive[float] = 1.0
    threshold: NotNegative[float] = 0.5
    threshold_from: Annotated[str, Choice(("tolerant", "fixed"), "threshold_from")] = "fixed"
    tough: Assistive = field(default_factory=Assistive)
    tolerant: Assistive = field(default_factory=Assistive)
    point_distillation_weight: NotNegative[float] = 0.0

    def __post_init__(self) -> None:
        check_fields(self)


def released_code() -> KDLoss:
    """Return the constants of the authors' released code: weights 2, 1, 1, beta 0.15 and no ramp."""
    return KDLoss(
        main_weight=2.0,
        slope=3.0,
        threshold_from="tolerant",
        tough=Assistive(positive=1.9, negative=-0.45, beta=0.15, inner="zero"),
        tolerant=Assistive(positive=1.8, negative=-0.4, beta=0.15, inner="zero"),
    )


@dataclass(frozen=True)
class KDTerms:
    """The terms of the loss, each a scalar before its weight (0 where it does not apply), and their weighted sum."""

    main: torch.Tensor
    tough: torch.Tensor
    tolerant: torch.Tensor
    point_distillation: torch.Tensor
    total: torch.Tensor


def kd_terms(
    student: torch.Tensor,
    truth: torch.Tensor,
    teachers: torch.Tensor,
    confidence: torch.Tensor,
    labelled: torch.Tensor,
    settings: KDLoss,
) -> KDTerms:
    """Compare the student's points with the labels and with the teachers' points.

    Main and Assistive Losses are means over the labelled coordinates, so that their sum is the mean of KD-Loss also
    where a teacher has no prediction and adds nothing. Point distillation is a mean over the teachers' predictions,
    labelled or not. No gradient reaches the teachers.

    Args:
        student: `[B, K, 2]`, points in [0, 1] of the crop.
        truth: as `student`; anything, also NaN, where there is no label.
        teachers: `[B, T, K, 2]`, NaN = no prediction. Two are Tough, Tolerant, and one of weight 0
            takes part in point distillation alone. One is that whose weight is not 0. There may be none.
        confidence: `[B, T, K]` in [0, 1], the teachers'.
        labelled: `[B, K]`, 1 or True where there is a label.
        settings: weights and constants.

    Raises:
        UsageError: fewer teachers are given than have a weight, or more than two.
    """
    tough, tolerant = _by_role(teachers.detach(), settings)
    known = labelled.bool()[..., None].expand_as(student)
    # The student's own place instead of NaN: what is multiplied by 0 later must be a number, or its gradient is none.
    truth = torch.where(known, truth, student.detach())
    distance = (student - truth).abs()
    main = mean_of(main_loss(distance, _threshold(tough, tolerant, truth, settings), settings.slope), known)
    assists = [
        student.new_zeros(()) if points is None else mean_of(assistive_loss(student, points, truth, constants), known)
        for points, constants in ((tough, settings.tough), (tolerant, settings.tolerant))
    ]
    distilled = student.new_zeros(())
    if settings.point_distillation_weight:
        distilled = point_distillation(student[:, None], teachers, confidence)
    total = settings.main_weight * main + settings.point_distillation_weight * distilled
    total = total + settings.tough.weight * assists[0] + settings.tolerant.weight * assists[1]
    return KDTerms(main, assists[0], assists[1], distilled, total)


def main_loss(distance: torch.Tensor, threshold: torch.Tensor | float, slope: float) -> torch.Tensor:
    """Return the main loss of distances >= 0: linear up to the threshold, quadratic beyond it, without a jump.

    In crop sides the quadratic part is the flatter one (2d < slope, as long as d < slope / 2): what a student finds
    harder than its teacher counts less.
    """
    beyond = distance**2 + slope * threshold - threshold**2
    return torch.where(distance <= threshold, slope * distance, beyond)


def assistive_loss(
    student: torch.Tensor, teacher: torch.Tensor, truth: torch.Tensor, settings: Assistive
) -> torch.Tensor:
    """Return the Assistive Loss of each coordinate: omega * |e_T - e_S|, before the teacher's weight.

    The paper first reflects the teacher's point onto the student's side of the label, so only the magnitudes e_T and
    e_S of the two errors matter. omega is alpha+ where e_S > e_T; alpha- where beta * e_T <= e_S <= e_T, which makes
    the loss negative and rewards every step on towards the label; and below, alpha- * e_S / (beta * e_T), or 0. The
    ramp is differentiated in full. Near the label it pushes outwards, up to alpha- / beta: that is how KD-Loss, with
    its main loss against it, becomes flat there.

    All points are `[..., K, 2]`. The teacher's are NaN where there is no prediction, which gives 0, and get no
    gradient.
    """
    predicted = teacher.isfinite()
    teacher_error = torch.where(predicted, (teacher.detach() - truth).abs(), 0)
    student_error = (student - truth).abs()
    knee = settings.beta * teacher_error
    if settings.inner == "ramp":
        # A teacher without error leaves no room for a ramp; 1 keeps the branch that is not taken finite.
        inner = settings.negative * student_error / torch.where(knee > 0, knee, 1)
    else:
        inner = torch.zeros_like(student_error)
    factor = torch.where(student_error < knee, inner, settings.negative)
    factor = torch.where(student_error > teacher_error, settings.positive, factor)
    return torch.where(predicted, factor * (teacher_error - student_error).abs(), 0)


def point_distillation(student: torch.Tensor, teacher: torch.Tensor, confidence: torch.Tensor) -> torch.Tensor:
    """Return the mean distance from the teacher's coordinates, each weighted by the teacher's confidence.

    Doubtful points lower the term as a whole: the mean is over the predictions, not over their confidence. The points
    are `[..., K, 2]` in [0, 1] of the crop, the teacher's NaN where there is no prediction and without a gradient; the
    confidence is `[..., K]` in [0, 1].
    """
    predicted = teacher.isfinite()
    distance = (student - torch.where(predicted, teacher.detach(), 0)).abs()
    return mean_of(distance * torch.where(predicted, confidence.detach()[..., None], 0), predicted)


def _by_role(teachers: torch.Tensor, settings: KDLoss) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return the points `[B, K, 2]` of Tough and Tolerant; None for one that has no weight or is not there."""
    places = teachers.unbind(1)
    check_roles(len(places), settings)
    # With one teacher, first and last are the same, and it plays the role that has a weight.
    return places[0] if settings.tough.weight else None, places[-1] if settings.tolerant.weight else None


def check_roles(teachers: int, settings: KDLoss) -> None:
    """Raise `UsageError` if fewer teachers are given than Assistive Losses have a weight, or more than two."""
    roles = (settings.tough.weight != 0) + (settings.tolerant.weight != 0)
    if not roles <= teachers <= 2:
        raise UsageError(
            f"The number of teachers, {teachers}, does not fit KD-Loss",
            f"{roles} of its two Assistive Losses have a weight",
            "give Tough and Tolerant, or set the weight of the missing one to 0",
        )


def _threshold(
    tough: torch.Tensor | None, tolerant: torch.Tensor | None, truth: torch.Tensor, settings: KDLoss
) -> torch.Tensor | float:
    teacher = tough if tolerant is None else tolerant
    if settings.threshold_from == "fixed" or teacher is None:
        return settings.threshold
    return torch.where(teacher.isfinite(), (teacher - truth).abs(), settings.threshold)
