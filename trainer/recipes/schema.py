"""What defines a training run: frozen records of plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from engine.core.records import BelowOne, Choice, NotNegative, Positive, check_fields
from trainer.augment import Augmentation
from trainer.init.initialise import NetworkShape
from trainer.losses.total import LandmarkLoss
from trainer.networks.heatmap import HeatmapShape

SCHEDULES = ("cosine", "inverse")


@dataclass(frozen=True)
class PackChoice:
    """A pack to train on.

    Attributes:
        name: folder below the data directory.
        weight: how often its faces are drawn, relative to the other packs.
        split: split to take; None takes every face.
        labels: array of the labels.
        validation: whether every n-th face is held out for validation (see `Recipe.hold_out`); of packs that
            `trainer.data.validation_faces` lists for 300-W, the listed ones are in any case.
        label_shift: pixels of the stored pictures by which the labels lie to the right of what they mark. Measured as
            half the difference of a model's mean error in x between mirrored pictures and the pictures as they are:
            whoever learns both alike has no side, so what remains belongs to the labels. Mirrored labels keep it.
    """

    name: str
    weight: float = 1.0
    split: str | None = "train"
    labels: str = "landmarks"
    validation: bool = False
    label_shift: float = 0.0


@dataclass(frozen=True)
class SoftLandmarks:
    """Labels projected on a shape model, for the Tolerant teacher.

    Attributes:
        shapes: file of the shapes that the model is fitted on, below the data directory.
        variance_share: share of the variance that the model keeps, in (0, 1]; 0.9 is the published 90 %.
        aligned: whether place, size and turn are taken out of the shapes before; published: no.
    """

    shapes: str = "shapes/300w_train_68.npz"
    variance_share: float = 0.9
    aligned: bool = False


@dataclass(frozen=True)
class Distillation:
    """Teachers of a run.

    Attributes:
        teachers: checkpoints or exported heatmap models with MobileNetV2 (`.tflite`), Tough first, then Tolerant;
            empty for none.
        live: whether they look at each augmented batch, as published; else they are asked once about each face, and
            their points are augmented like labels, which costs the run no time.
    """

    teachers: tuple[str, ...] = ()
    live: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that defines a training run, except the machine it runs on.

    Attributes:
        name: name of the recipe and of the model it makes.
        shape: sizes of the network.
        start: where the weights come from: `imagenet`, `random`, or the path of a checkpoint or of an exported
            heatmap model (`.tflite`, its card beside it), of the same, a narrower or a wider network.
        packs: what to train on.
        hold_out: of packs with `validation`, every `hold_out`-th face is kept for validation.
        crop_scale: side of the model's crop as a multiple of the larger side of the landmark box.
        steps, batch: number and size of optimiser steps.
        learning_rate, weight_decay: of AdamW, which without decay is Adam.
        schedule: `cosine`, in which the rate falls to 0, or `inverse`, the published rate / (1 + 1e-4 step).
        warmup: share of the steps in which the rate rises linearly.
        clip: largest norm of the gradient.
        ema: decay of the running mean of the weights, which is what is evaluated and exported.
        seed: of sampling, augmentation and initial weights.
        loss, augmentation: their constants.
        soft: how the labels of training are softened; None for hard labels.
        distillation: the teachers.

    Raises:
        UsageError: there is no such schedule, or a number is out of its range.
    """

    name: str
    shape: NetworkShape = field(default_factory=HeatmapShape)
    start: str = "imagenet"
    packs: tuple[PackChoice, ...] = ()
    hold_out: Positive[int] = 20
    crop_scale: Positive[float] = 1.3
    steps: Positive[int] = 5000
    batch: Positive[int] = 64
    learning_rate: Positive[float] = 1.5e-3
    weight_decay: NotNegative[float] = 0.05
    schedule: Annotated[str, Choice(SCHEDULES, "schedule")] = "cosine"
    warmup: BelowOne[float] = 0.05
    clip: Positive[float] = 5.0
    ema: BelowOne[float] = 0.998
    seed: int = 0
    loss: LandmarkLoss = field(default_factory=LandmarkLoss)
    augmentation: Augmentation = field(default_factory=Augmentation)
    soft: SoftLandmarks | None = None
    distillation: Distillation = field(default_factory=Distillation)

    def __post_init__(self) -> None:
        check_fields(self)
