"""Recipes for somebody without data sets: a model of one's own pictures, and a toy that needs nothing at all."""

from __future__ import annotations

from trainer.networks.heatmap import HeatmapShape
from trainer.recipes.packs import GENTLE, MEDIUM, OWN, SAMPLE
from trainer.recipes.plain import LITE_68, SLIM
from trainer.recipes.schema import PackChoice, Recipe, Stage

TINY = HeatmapShape(encoder_width=0.35, expansions=SLIM, decoder_width=32, input_size=64)

RECIPES = {
    "own-68": Recipe(
        "student-68-lite learned on from your own pictures, which the teacher labels: it comes to see the faces in "
        "them as the teacher does, and what the teacher gets wrong it learns too.",
        network=LITE_68,
        init="student-68-lite",
        stages=(
            Stage(
                "own",
                packs=(OWN,),
                steps=300,
                batch=16,
                learning_rate=3e-4,
                ema=0.99,
                hold_out=10,
                augmentation=GENTLE,
                frozen=3,
            ),
        ),
    ),
    "toy-68": Recipe(
        "A toy to see a training at work: in minutes, a tiny network from random weights learns the face of the "
        "sample, and no other.",
        network=TINY,
        init="random",
        stages=(
            Stage(
                "toy",
                packs=(SAMPLE,),
                validation=(PackChoice(SAMPLE.name, split="test"),),
                steps=600,
                batch=16,
                learning_rate=3e-3,
                ema=0.99,
                hold_out=0,
                augmentation=MEDIUM,
            ),
        ),
    ),
}
