"""What defines a training: a recipe of stages, as frozen records of plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

from engine.core.errors import UsageError
from engine.core.records import BelowOne, Choice, Form, NotNegative, Positive, Range, check_fields
from trainer.augment import Augmentation
from trainer.losses.total import LandmarkLoss
from trainer.networks import NetworkShape, shape_of
from trainer.networks.heatmap import HeatmapShape

LARGEST_SEED = 1_000_000  # beyond, the random numbers of batches would become those of dropout, see trainer.loop
SCHEDULES = ("cosine", "inverse")
# Initial weights that need no former run, in the words of a model's card.
FRESH_WEIGHTS = {"imagenet": "ImageNet weights of the encoder", "random": "random weights"}
READ_BY_KIND = Form(read=lambda values, _: shape_of(values))
WEIGHT_FILES = (".safetensors", ".tflite", ".pth", ".pt", ".bin")


@dataclass(frozen=True)
class PackChoice:
    """A pack to train on.

    Attributes:
        name: folder below the data directory.
        weight: how often its faces are drawn, relative to the other packs.
        split: split to take; None takes every face.
        labels: array of the labels.
        validation: whether every n-th face is held out for validation (see `Stage.hold_out`); of packs that
            `trainer.data.validation_faces` lists for 300-W, the listed ones are in any case.
        label_shift: pixels of the stored pictures by which the labels lie to the right of what they mark. Measured as
            half the difference of a model's mean error in x between mirrored pictures and the pictures as they are:
            a network that learns both has no side, so the rest belongs to the labels. Mirrored labels keep it.
        relabel: whether what the stage's teachers see, less their own side, takes the place of the labels.

    Raises:
        UsageError: a number is out of its range.
    """

    name: str
    weight: Positive[float] = 1.0
    split: str | None = "train"
    labels: str = "landmarks"
    validation: bool = False
    label_shift: Annotated[float, Range(-100, 100)] = 0.0
    relabel: bool = False

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class TeacherMean:
    """Teachers that are asked once, as one: the mean of what they see in each face and in its mirror image.

    The predictions of a face differ more where they are more often wrong, so such points count less: half as much where
    their spread is `doubtful`, a fifth where it is twice that.

    Attributes:
        weights: of the teachers, in their order; empty for equal ones.
        doubtful: a spread: root mean square distance of the predictions from their mean, in sides of the stored crop.

    Raises:
        UsageError: a weight is not above 0, or `doubtful` is not.
    """

    weights: tuple[float, ...] = ()
    doubtful: Positive[float] = 0.008

    def __post_init__(self) -> None:
        check_fields(self)
        if any(weight <= 0 for weight in self.weights):
            raise UsageError(
                f"Teachers cannot have the weights {', '.join(map(str, self.weights))}",
                "a teacher's share in the mean is above 0",
                "give numbers above 0, or leave that teacher out",
            )


@dataclass(frozen=True)
class SoftLandmarks:
    """Labels projected on a shape model, for the Tolerant teacher.

    Attributes:
        shapes: file of the shapes that the model is fitted on, below the data directory; None: the run's own faces for
            training that have all of their labels.
        variance_share: share of the variance that the model keeps, in (0, 1]; 0.9 is the published 90 %.
        aligned: whether place, size and turn are taken out of the shapes before; published: no.

    Raises:
        UsageError: the share is out of its range.
    """

    shapes: str | None = None
    variance_share: Annotated[float, Range(0, 1, open_low=True)] = 0.9
    aligned: bool = False

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Stage:
    """A part of a recipe: steps under the same settings.

    Attributes:
        name: short, unique in its recipe.
        packs: what to train on.
        steps, batch: number and size of optimiser steps.
        epochs: how often each face is drawn in the mean; then `steps` is what the published number of faces comes to,
            until the run begins and counts its own. None: the steps count.
        learning_rate, weight_decay: of AdamW, which without decay is Adam.
        schedule: `cosine`, in which the rate falls to 0, or `inverse`, the published rate / (1 + 1e-4 step).
        warmup: share of the steps in which the rate rises linearly.
        clip: largest norm of the gradient.
        ema: decay of the running mean of the weights, which is what is evaluated and exported.
        seed: of sampling, augmentation and initial weights.
        hold_out: of packs with `validation`, every `hold_out`-th face is kept for validation; 0: none.
        validation: packs that are held out whole, for validation too.
        crop_scale: side of the model's crop as a multiple of the larger side of the landmark box, at most that of
            `trainer.data.crops.CROP_SCALE`.
        loss, augmentation: their constants.
        soft: how the labels of training are softened; None for hard labels.
        teachers: names of runs, checkpoints or exported heatmap models with MobileNetV2 (`.tflite`), Tough first, then
            Tolerant; empty for none.
        live: whether they look at each augmented batch, as published; else they are asked once about each face, and
            their points are augmented like labels, which costs the run no time.
        teacher_mean: how teachers that are asked once become one; None: each stays by itself.
        frozen: how many of the encoder's lowest parts, its stem and then its stages, do not learn: their weights and
            statistics stay, and no gradient is computed for them.
        turned_draws, closed_draws: how many times as often heads that are turned to the side by more than 35 degrees,
            and faces with closed eyes, are drawn; both are seen from the labels of their packs.
        network: sizes of the network; None for those of the recipe.
        init: where the weights come from. `imagenet`, `random`, the name of a run (`NAME` for the end of a recipe,
            `NAME:STAGE` for that of a stage), or the path of a checkpoint or an exported heatmap model (`.tflite`, its
            card beside it), of the same, a narrower or a wider network; or the path of downloaded weights of timm.
            None: where the stage before ended, or as the recipe says.

    Raises:
        UsageError: there is no such schedule, or a number is out of its range.
    """

    name: str
    packs: tuple[PackChoice, ...] = ()
    steps: Positive[int] = 5000
    epochs: Positive[float] | None = None
    batch: Positive[int] = 64
    learning_rate: Positive[float] = 1.5e-3
    weight_decay: NotNegative[float] = 0.05
    schedule: Annotated[str, Choice(SCHEDULES, "schedule")] = "cosine"
    warmup: BelowOne[float] = 0.05
    clip: Positive[float] = 5.0
    ema: BelowOne[float] = 0.998
    seed: Annotated[int, Range(0, LARGEST_SEED)] = 0
    hold_out: NotNegative[int] = 20
    validation: tuple[PackChoice, ...] = ()
    crop_scale: Annotated[float, Range(0.5, 10)] = 1.3
    loss: LandmarkLoss = field(default_factory=LandmarkLoss)
    augmentation: Augmentation = field(default_factory=Augmentation)
    soft: SoftLandmarks | None = None
    teachers: tuple[str, ...] = ()
    live: bool = False
    teacher_mean: TeacherMean | None = None
    turned_draws: Positive[float] = 1.0
    closed_draws: Positive[float] = 1.0
    frozen: NotNegative[int] = 0
    network: NetworkShape | None = None
    init: str | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.loss.views_weight and self.batch % 2:
            raise UsageError(
                f"A batch of {self.batch} cannot hold two views of each face",
                "that number is odd",
                "choose an even --set batch, or set loss.views_weight=0",
            )


@dataclass(frozen=True)
class Training(Stage):
    """All that defines one training run, except the machine: a stage with what it takes from its recipe.

    Attributes:
        name: of the run: that of the recipe if it is the only stage, else `RECIPE:STAGE`.
        network, init: as in `Stage`, never left out.
    """

    network: Annotated[NetworkShape, READ_BY_KIND] = field(default_factory=HeatmapShape)
    init: str = "imagenet"

    @property
    def needs(self) -> tuple[str, ...]:
        """The runs and files whose weights it begins with or learns from."""
        return (*((self.init,) if self.init not in FRESH_WEIGHTS else ()), *self.teachers)


@dataclass(frozen=True)
class Recipe:
    """A named way to a model: stages, each from where the one before ended.

    Attributes:
        description: what it makes, in one or more sentences.
        network: sizes of the network, unless a stage has its own.
        init: where the weights of the first stage come from, see `Stage.init`.
        stages: what is done, first to last.
    """

    description: str
    network: NetworkShape
    init: str
    stages: tuple[Stage, ...]

    def trainings(self, name: str) -> tuple[Training, ...]:
        """Return the stages, complete with what they take from the recipe of this name."""
        trainings: list[Training] = []
        for stage in self.stages:
            values = {entry.name: getattr(stage, entry.name) for entry in fields(Stage)}
            values["network"] = stage.network or self.network
            values["init"] = stage.init or (trainings[-1].name if trainings else self.init)
            values["name"] = name if len(self.stages) == 1 else f"{name}:{stage.name}"
            trainings.append(Training(**values))
        return tuple(trainings)


def steps_of(epochs: float, faces: int, batch: int) -> int:
    """Return the steps in which `faces` faces are drawn `epochs` times each in the mean."""
    return max(1, math.ceil(round(epochs * faces / batch, 6)))


def is_file(weights: str) -> bool:
    """Tell whether weights are named by the path of a file, not by the name of a run."""
    return Path(weights).suffix in WEIGHT_FILES
