"""Plain training, on heatmaps and without a teacher: the students, and a large network with a wide decoder to teach."""

from __future__ import annotations

from dataclasses import replace

from trainer.networks.heatmap import HeatmapShape
from trainer.recipes.packs import ALL_68, GENTLE, MEDIUM, MOSTLY_300W, manual_68
from trainer.recipes.schema import Recipe, Stage
from trainer.recipes.taught import FEWER_FALSE_FACES, FINE, RETAUGHT, WHOLE, alone

SLIM = (1, 4, 4, 4, 4, 4)
# The last stage of both students, and of those with teachers that begin where it does.
LAST = Stage("last", packs=MOSTLY_300W, steps=600, learning_rate=3e-4, augmentation=GENTLE)
SMALL = 96  # pixels: half the time of 128, and as trained here almost as exact
SLIM_68 = HeatmapShape(expansions=SLIM)
SLIM_68_SMALL = replace(SLIM_68, input_size=SMALL)
LITE_68 = HeatmapShape(encoder_width=0.5, expansions=SLIM, decoder_width=48, input_size=112)
LITE_68_LARGE = replace(LITE_68, input_size=128)


RECIPES = {
    "student-68": Recipe(
        "The student that the application starts with: MobileNetV2 with slim blocks, 128 px, 68 points; first under "
        "strong augmentation, then brought nearer to 300-W, then taught, with turned heads and closed eyes drawn more "
        "often.",
        network=SLIM_68,
        init="imagenet",
        stages=(
            Stage("base", packs=ALL_68, network=SLIM_68_SMALL),
            Stage("nearer", packs=MOSTLY_300W, steps=1800, learning_rate=6e-4, augmentation=GENTLE),
            LAST,
            FINE,
            replace(WHOLE, steps=7000, augmentation=FEWER_FALSE_FACES),
            replace(RETAUGHT, steps=9200, augmentation=replace(GENTLE, no_face_share=0.1)),
        ),
    ),
    "student-68-lite": Recipe(
        "The lighter student: half the width. It keeps the best channels of student-68:nearer, is taught like "
        "student-68, and ends at 112 px, in three quarters of the time of 128.",
        network=LITE_68,
        init="student-68:nearer",
        stages=(
            Stage(
                "nearer",
                packs=MOSTLY_300W,
                network=LITE_68_LARGE,
                steps=2000,
                learning_rate=1.5e-3,
                augmentation=GENTLE,
            ),
            replace(LAST, network=LITE_68_LARGE),
            replace(FINE, network=LITE_68_LARGE, steps=12000),
            replace(WHOLE, network=LITE_68_LARGE),
            replace(RETAUGHT, steps=21000),
        ),
    ),
    "teacher-dense-68": Recipe(
        "A large teacher that learned from no other: ResNet-50 at 160 pixels, on manual labels alone, then brought "
        "nearer to 300-W.",
        network=HeatmapShape(encoder="resnet50", decoder_width=128, input_size=160),
        init="imagenet",
        stages=(
            Stage("base", packs=manual_68(1.0, 0.5, 0.7, 0.35), steps=4400, learning_rate=6e-4, augmentation=MEDIUM),
            # Labels that were carried over count half as much here.
            Stage("last", packs=manual_68(0.5, 0.25, 0.35, 0.2), steps=900, learning_rate=2e-4, augmentation=GENTLE),
        ),
    ),
}
RECIPES |= {f"{name}-alone": alone(RECIPES[name], f"{name}:{LAST.name}") for name in ("student-68", "student-68-lite")}
