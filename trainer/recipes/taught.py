"""How students end: taught by the mean of teachers over both views, turned heads and closed eyes drawn more often.

`student-68`, `student-68-lite` and `student-mvit2-68` were trained by `FINE` and then by `WHOLE`, each for as long as
its recipe says. Then `WHOLE` made `teacher-68` of their teacher, and by that they were trained by `RETAUGHT`; so was
it itself at last, by the mean of itself and `student-68`. `student-mvit2-68` went on so with more turned heads.

Each has a twin that begins at the same weights and differs in having no teacher: neither its points nor the packs that
only a teacher can label, and `ytf68` with its own labels.
"""

from __future__ import annotations

from dataclasses import replace

from trainer.losses.eyes import EyesLoss
from trainer.losses.fard_mahoor import KDLoss
from trainer.losses.total import LandmarkLoss
from trainer.recipes.packs import EYES, FACES5, GENTLE, YTF, manual_68
from trainer.recipes.schema import PackChoice, Recipe, Stage, TeacherMean

TEACHERS = ("teacher-tough-68",)
# The labels lie as far beside the pictures, in parts of a face, as those that the teacher learned from.
YTF_RELABELLED = replace(YTF, label_shift=0.25, relabel=True)


def _packs(helen_more: float, infants: float, aflw2000: float, merl: float, ytf: float) -> tuple[PackChoice, ...]:
    return (*manual_68(helen_more, infants, aflw2000, merl), replace(YTF_RELABELLED, weight=ytf))


FINE = Stage(
    "fine",
    packs=(*_packs(0.3, 0.4, 0.4, 0.25, 0.04), replace(FACES5, weight=0.04, relabel=True), replace(EYES, weight=0.2)),
    steps=5000,
    learning_rate=5e-4,
    ema=0.997,
    loss=LandmarkLoss(kd=KDLoss(point_distillation_weight=4.0), eyes=EyesLoss(weight=0.2)),
    augmentation=GENTLE,
    teachers=TEACHERS,
    teacher_mean=TeacherMean(),
    turned_draws=3.0,
    closed_draws=3.0,
    frozen=3,
)
# With half as many crops without a face, student-68 saw faces where there are none.
FEWER_FALSE_FACES = replace(GENTLE, no_face_share=0.08)
# On from there: the first layers learn too, and the higher rate leaves the place where FINE came to rest.
WHOLE = replace(FINE, name="whole", steps=4800, learning_rate=1e-3, ema=0.998, frozen=0)

# Last by teacher-68 and student-68 as they were before it.
RETAUGHT = replace(
    WHOLE, name="retaught", teachers=("teacher-68:whole", "student-68:whole"), augmentation=FEWER_FALSE_FACES
)


def alone(recipe: Recipe, init: str) -> Recipe:
    """Return the twin of a student's stages by the mean of a teacher that has none; both begin with the run `init`."""
    stages = tuple(
        replace(
            stage,
            packs=tuple(_own_labels(pack) for pack in stage.packs if pack.name != FACES5.name),
            loss=replace(stage.loss, kd=KDLoss()),
            teachers=(),
            teacher_mean=None,
        )
        for stage in recipe.stages
        if stage.teacher_mean is not None
    )
    return Recipe(f"What follows {init}, without a teacher.", recipe.network, init, stages)


def _own_labels(pack: PackChoice) -> PackChoice:
    return replace(YTF, weight=pack.weight) if pack.relabel else pack
