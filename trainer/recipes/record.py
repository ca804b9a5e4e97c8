"""Named training runs. A recipe is a frozen record; a function of its name makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from trainer.augment import Augmentation
from trainer.losses.heatmap import HeatmapLoss
from trainer.networks.heatmap import HeatmapShape


@dataclass(frozen=True)
class PackChoice:
    """A pack to train on.

    Attributes:
        name: folder below the data directory.
        weight: how often its faces are drawn, relative to the other packs.
        split: split to take; None takes every face.
        labels: array of the labels.
        validation: whether every n-th face is held out for validation (see `Recipe.hold_out`).
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
class Recipe:
    """Everything that defines a training run, except the machine it runs on.

    Attributes:
        name: name of the recipe and of the model it makes.
        shape: sizes of the network.
        start: where the weights come from: `imagenet`, `random`, or the path of a checkpoint of a wider network.
        packs: what to train on.
        hold_out: of packs with `validation`, every `hold_out`-th face is kept for validation.
        crop_scale: side of the model's crop as a multiple of the larger side of the landmark box.
        steps, batch: number and size of optimiser steps.
        learning_rate, weight_decay: of AdamW; the rate falls to 0 along a cosine.
        warmup: share of the steps in which the rate rises linearly.
        clip: largest norm of the gradient.
        ema: decay of the running mean of the weights, which is what is evaluated and exported.
        seed: of sampling, augmentation and initial weights.
        loss, augmentation: their constants.
    """

    name: str
    shape: HeatmapShape = field(default_factory=HeatmapShape)
    start: str = "imagenet"
    packs: tuple[PackChoice, ...] = ()
    hold_out: int = 20
    crop_scale: float = 1.3
    steps: int = 5000
    batch: int = 64
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    warmup: float = 0.05
    clip: float = 5.0
    ema: float = 0.998
    seed: int = 0
    loss: HeatmapLoss = field(default_factory=HeatmapLoss)
    augmentation: Augmentation = field(default_factory=Augmentation)


# Packs whose labels a machine made; a model's card says so.
MACHINE_LABELLED = frozenset({"ytf68"})
LFPW = PackChoice("lfpw68", validation=True, label_shift=0.7)
HELEN = PackChoice("helen68", validation=True, label_shift=0.6)
AFW = PackChoice("afw68", validation=True, label_shift=1.0)
INFANTS = PackChoice("infants68")
AFLW2000 = PackChoice("aflw2000_3d", weight=0.7, labels="landmarks_2d", label_shift=-0.2)
MERL = PackChoice("aflw_merl68", weight=0.5, label_shift=1.1)
YTF = PackChoice("ytf68", weight=0.12, label_shift=1.2)

ALL_68 = (LFPW, HELEN, AFW, INFANTS, AFLW2000, MERL, YTF)
# For the last stretch: the other packs place some points by slightly other rules (labels that were carried over from
# other pictures, or machine-made), so 300-W has the last word.
MOSTLY_300W = (
    LFPW,
    HELEN,
    AFW,
    replace(INFANTS, weight=0.5),
    replace(AFLW2000, weight=0.35),
    replace(MERL, weight=0.25),
    replace(YTF, weight=0.04),
)
# The last stretch of a training: near the faces that a tracker sees, mostly upright and well framed.
GENTLE = Augmentation(
    large_turn_share=0.25,
    scale=(0.9, 1.12),
    shift=0.045,
    colour=0.2,
    grey_share=0.05,
    blur_share=0.1,
    noise_share=0.15,
    cover_share=0.2,
)


def student_68_base() -> Recipe:
    """MobileNetV2 with slim blocks from ImageNet weights, 128 px, 68 points, under strong augmentation."""
    return Recipe("student-68-base", shape=HeatmapShape(expansions=(1, 4, 4, 4, 4, 4)), packs=ALL_68)


def student_68_second() -> Recipe:
    """`student-68-base`, brought nearer to 300-W under gentle augmentation."""
    return replace(
        student_68_base(),
        name="student-68-second",
        start="runs/student-68-base/last.safetensors",
        packs=MOSTLY_300W,
        steps=1800,
        learning_rate=6e-4,
        augmentation=GENTLE,
    )


def student_68() -> Recipe:
    """The student that the application starts with: a last, slow stretch after `student-68-second`."""
    return replace(
        student_68_second(),
        name="student-68",
        start="runs/student-68-second/last.safetensors",
        steps=600,
        learning_rate=3e-4,
    )


def student_68_lite_second() -> Recipe:
    """Half the width, started from the best channels of `student-68-second`."""
    shape = HeatmapShape(encoder_width=0.5, expansions=(1, 4, 4, 4, 4, 4), decoder_width=48)
    return replace(
        student_68_second(),
        name="student-68-lite-second",
        shape=shape,
        start="runs/student-68-second/last.safetensors",
        steps=2000,
        learning_rate=1.5e-3,
    )


def student_68_lite() -> Recipe:
    """The lighter student: a last, slow stretch after `student-68-lite-second`."""
    return replace(
        student_68_lite_second(),
        name="student-68-lite",
        start="runs/student-68-lite-second/last.safetensors",
        steps=600,
        learning_rate=3e-4,
    )


def teacher_tough_68() -> Recipe:
    """The Tough teacher: hard landmarks, MobileNetV2 with its published hidden layers, grown from `student-68`."""
    return replace(
        student_68_second(),
        name="teacher-tough-68",
        shape=HeatmapShape(decoder_width=96, input_size=160),
        start="runs/student-68/last.safetensors",
        steps=1800,
        learning_rate=8e-4,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    "student-68-base": student_68_base,
    "student-68-second": student_68_second,
    "student-68": student_68,
    "student-68-lite-second": student_68_lite_second,
    "student-68-lite": student_68_lite,
    "teacher-tough-68": teacher_tough_68,
}
