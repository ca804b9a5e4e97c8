"""A large teacher that learned from no other model: ResNet-50 with a wide decoder to dense heatmaps."""

from __future__ import annotations

from dataclasses import replace

from trainer.augment import Augmentation
from trainer.networks.heatmap import HeatmapShape
from trainer.recipes.packs import AFLW2000, AFW, GENTLE, HELEN, HELEN_MORE, INFANTS, LFPW, MERL
from trainer.recipes.schema import Recipe

FIRST = "teacher-dense-68"
# Between the strong changes, under which small networks start, and `GENTLE`.
MEDIUM = Augmentation(
    large_turn_share=0.35,
    scale=(0.88, 1.15),
    shift=0.055,
    colour=0.28,
    grey_share=0.08,
    blur_share=0.12,
    noise_share=0.2,
    cover_share=0.3,
)


def teacher_dense_68() -> Recipe:
    """ResNet-50 from ImageNet weights at 160 pixels, on manual labels alone."""
    infants, merl = replace(INFANTS, weight=0.5), replace(MERL, weight=0.35)
    return Recipe(
        FIRST,
        shape=HeatmapShape(encoder="resnet50", decoder_width=128, input_size=160),
        packs=(LFPW, HELEN, HELEN_MORE, AFW, infants, AFLW2000, merl),
        steps=4400,
        learning_rate=6e-4,
        augmentation=MEDIUM,
    )


def teacher_dense_68_last() -> Recipe:
    """A last, slow stage after `teacher-dense-68`, brought nearer to 300-W under gentle augmentation."""
    infants, aflw2000, merl = replace(INFANTS, weight=0.25), replace(AFLW2000, weight=0.35), replace(MERL, weight=0.2)
    return replace(
        teacher_dense_68(),
        name=f"{FIRST}-last",
        start=f"runs/{FIRST}/last.safetensors",
        # Labels that were carried over count half as much here.
        packs=(LFPW, HELEN, replace(HELEN_MORE, weight=0.5), AFW, infants, aflw2000, merl),
        steps=900,
        learning_rate=2e-4,
        augmentation=GENTLE,
    )
