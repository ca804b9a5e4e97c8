"""The students of plain training: heatmaps, no teacher."""

from __future__ import annotations

from trainer.networks.heatmap import HeatmapShape
from trainer.recipes.packs import ALL_68, GENTLE, MOSTLY_300W
from trainer.recipes.schema import Recipe, Stage

SLIM = (1, 4, 4, 4, 4, 4)
# The last stage of both students, and of those with teachers that begin where it does.
LAST = Stage("last", packs=MOSTLY_300W, steps=600, learning_rate=3e-4, augmentation=GENTLE)

RECIPES = {
    "student-68": Recipe(
        "The student that the application starts with: MobileNetV2 with slim blocks, 128 px, 68 points; first under "
        "strong augmentation, then brought nearer to 300-W.",
        network=HeatmapShape(expansions=SLIM),
        init="imagenet",
        stages=(
            Stage("base", packs=ALL_68),
            Stage("nearer", packs=MOSTLY_300W, steps=1800, learning_rate=6e-4, augmentation=GENTLE),
            LAST,
        ),
    ),
    "student-68-lite": Recipe(
        "The lighter student: half the width, from the best channels of student-68 before its last stage.",
        network=HeatmapShape(encoder_width=0.5, expansions=SLIM, decoder_width=48),
        init="student-68:nearer",
        stages=(Stage("nearer", packs=MOSTLY_300W, steps=2000, learning_rate=1.5e-3, augmentation=GENTLE), LAST),
    ),
}
