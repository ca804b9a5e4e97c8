"""The students of plain training: heatmaps, no teacher."""

from __future__ import annotations

from dataclasses import replace

from trainer.networks.heatmap import HeatmapShape
from trainer.recipes.packs import ALL_68, GENTLE, MOSTLY_300W
from trainer.recipes.schema import Recipe


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
