"""The two-teacher method of Fard & Mahoor (CVIU 2022): as published, improved, and on our heatmap networks.

The names `fard-mahoor/...` are the published trainings on the official sets; `trainer.reproduce.differences` lists what
differs. The names `fard-mahoor/ours/...` are the same networks on our packs: the teachers with the published optimiser,
the students from ImageNet weights, with a cosine schedule, averaged weights and our teachers. A short run is for
instance `understudy train fard-mahoor/ours/student-kd --set network.input_size=128 --set steps=600`.
"""

from __future__ import annotations

from dataclasses import replace

from trainer.augment import Augmentation
from trainer.losses.fard_mahoor import released_code
from trainer.losses.total import LandmarkLoss
from trainer.networks.heatmap import HeatmapShape
from trainer.networks.regression import RegressionShape
from trainer.recipes import plain
from trainer.recipes.packs import AFW, FACES5, GENTLE, HELEN, LFPW, MOSTLY_300W, OFFICIAL, OFFICIAL_FACES
from trainer.recipes.schema import Recipe, SoftLandmarks, Stage, steps_of
from trainer.recipes.taught import FEWER_FALSE_FACES, RETAUGHT, WHOLE

TOUGH, TOLERANT = "teacher-tough-68", "teacher-tolerant-68"
# Turned by up to 0.55 radians, scaled, mirrored, with noise: the published changes as near as one similarity comes.
PUBLISHED_CHANGES = Augmentation(
    large_turn=31.5,
    large_turn_share=1.0,
    scale=(0.85, 1.2),
    shift=0.05,
    colour=0.2,
    blur_share=0.0,
    noise_share=0.75,
    cover_share=0.0,
    no_face_share=0.0,
)


def with_point_distillation(loss: LandmarkLoss) -> LandmarkLoss:
    """Return the loss with point distillation as strong as helps a linear loss most."""
    return replace(loss, kd=replace(loss.kd, point_distillation_weight=4.0))


RELEASED = released_code()
TOUGH_ALONE = replace(RELEASED, tolerant=replace(RELEASED.tolerant, weight=0.0))
# The main loss alone, linear all over.
MAIN = replace(TOUGH_ALONE, threshold_from="fixed", tough=replace(RELEASED.tough, weight=0.0))
LINEAR = LandmarkLoss(points="kd", kd=MAIN)
TWO_TEACHERS = LandmarkLoss(points="kd", kd=RELEASED)
ONE_TEACHER = LandmarkLoss(points="kd", kd=TOUGH_ALONE)

# What the heatmap students with teachers share with `student-68`: its shape, and where its last stage begins.
SLIM = plain.RECIPES["student-68"].network
NEARER = "student-68:nearer"
TEACHER = HeatmapShape(decoder_width=96, input_size=160)

# Published are 150 epochs of each picture and its changed copies, four of 300-W and WFLW, ten of COFW, made beforehand.
# Here each draw is changed in its own way, so that these are so many epochs of the faces.
EPOCHS = {68: 150 * 5, 98: 150 * 5, 29: 150 * 11}
BATCH = 70
# A clip that no gradient reaches.
UNCLIPPED = 1e6


def _published(points: int) -> dict[str, Recipe]:
    """Return the published recipes for a number of points, on the official set of that markup."""
    faces = OFFICIAL_FACES[points]
    hold_out = faces // BATCH  # one batch of faces, as published
    teacher = Stage(
        "published",
        packs=(OFFICIAL[points],),
        steps=steps_of(EPOCHS[points], faces - faces // hold_out, BATCH),
        epochs=EPOCHS[points],
        batch=BATCH,
        learning_rate=1e-3,
        weight_decay=0.0,
        schedule="inverse",
        clip=UNCLIPPED,
        ema=0.0,
        hold_out=hold_out,
        loss=LandmarkLoss(points="l2"),
        augmentation=PUBLISHED_CHANGES,
    )
    ending = "" if points == 68 else f"-{points}"
    tough, tolerant = f"fard-mahoor/tough{ending}", f"fard-mahoor/tolerant{ending}"
    large = RegressionShape(points, encoder="efficientnet_b3", dropout=0.5)
    taught = replace(teacher, loss=TWO_TEACHERS, teachers=(tough, tolerant), live=True)
    of_points = f", {points} points"
    return {
        tough: Recipe(
            "The published Tough teacher: EfficientNet-b3 from random weights, coordinates, mean square of hard "
            f"landmarks{of_points}.",
            network=large,
            init="random",
            stages=(teacher,),
        ),
        tolerant: Recipe(
            f"The published Tolerant teacher: the Tough one on soft landmarks{of_points}.",
            network=large,
            init="random",
            stages=(replace(teacher, soft=SoftLandmarks()),),
        ),
        f"fard-mahoor/student{ending}": Recipe(
            "The published student: MobileNetV2 from random weights, coordinates, mean square of hard landmarks, no "
            f"teacher{of_points}.",
            network=RegressionShape(points),
            init="random",
            stages=(teacher,),
        ),
        f"fard-mahoor/student-kd{ending}": Recipe(
            f"The published student with KD-Loss and both teachers, which look at each batch{of_points}.",
            network=RegressionShape(points),
            init="random",
            stages=(taught,),
        ),
    }


PUBLISHED_TEACHER = Stage(
    "published",
    packs=(LFPW, HELEN, AFW),
    steps=34_000,
    batch=70,
    learning_rate=1e-3,
    weight_decay=0.0,
    schedule="inverse",
    ema=0.0,
    loss=LandmarkLoss(points="l2"),
    augmentation=PUBLISHED_CHANGES,
)
PUBLISHED_STUDENT = replace(PUBLISHED_TEACHER, packs=MOSTLY_300W, schedule="cosine", ema=0.998)
LIVE_STUDENT = replace(PUBLISHED_STUDENT, name="linear", steps=400, batch=64, loss=LINEAR)

RECIPES = {
    TOUGH: Recipe(
        "The Tough teacher: MobileNetV2 with its published hidden layers at 160 pixels, grown from student-68, on hard "
        "landmarks.",
        network=TEACHER,
        init="student-68:last",
        stages=(
            Stage("first", packs=MOSTLY_300W, steps=500, learning_rate=8e-4, augmentation=GENTLE),
            Stage("last", packs=MOSTLY_300W, steps=700, learning_rate=6e-4, augmentation=GENTLE),
        ),
    ),
    "teacher-68": Recipe(
        "The best teacher: teacher-tough-68 trained on with all layers, turned heads and closed eyes drawn more often, "
        "taught by the mean of teacher-tough-68 and student-68:whole over both views, then by that of itself and "
        "student-68:retaught.",
        network=TEACHER,
        init=TOUGH,
        stages=(
            replace(WHOLE, steps=4000, teachers=(TOUGH, "student-68:whole"), augmentation=FEWER_FALSE_FACES),
            replace(RETAUGHT, steps=9600, teachers=("teacher-68:whole", "student-68:retaught")),
        ),
    ),
    TOLERANT: Recipe(
        "The Tolerant teacher: the Tough one, brought to the soft landmarks of a shape model of 90 % of the variance.",
        network=TEACHER,
        init=TOUGH,
        stages=(
            Stage(
                "soft",
                packs=MOSTLY_300W,
                steps=300,
                learning_rate=3e-4,
                augmentation=GENTLE,
                soft=SoftLandmarks(),
            ),
        ),
    ),
    "student-68-one-teacher": Recipe(
        "The heatmap student with the Tough teacher alone, from where the last stage of student-68 begins.",
        network=SLIM,
        init=NEARER,
        stages=(replace(plain.LAST, loss=ONE_TEACHER, teachers=(TOUGH,)),),
    ),
    "student-68-kd": Recipe(
        "The heatmap student with both teachers, from where the last stage of student-68 begins.",
        network=SLIM,
        init=NEARER,
        stages=(replace(plain.LAST, loss=TWO_TEACHERS, teachers=(TOUGH, TOLERANT)),),
    ),
    "student-68-points": Recipe(
        "The heatmap student with a linear loss and distillation of the Tough teacher's points.",
        network=SLIM,
        init=NEARER,
        stages=(replace(plain.LAST, steps=400, loss=with_point_distillation(LINEAR), teachers=(TOUGH,)),),
    ),
    **_published(68),
    **_published(98),
    **_published(29),
    "fard-mahoor/ours/tough": Recipe(
        "The published Tough teacher on our packs of 300-W.",
        network=RegressionShape(encoder="efficientnet_b3", dropout=0.5),
        init="random",
        stages=(PUBLISHED_TEACHER,),
    ),
    "fard-mahoor/ours/tolerant": Recipe(
        "The published Tolerant teacher on our packs of 300-W.",
        network=RegressionShape(encoder="efficientnet_b3", dropout=0.5),
        init="random",
        stages=(replace(PUBLISHED_TEACHER, soft=SoftLandmarks()),),
    ),
    "fard-mahoor/ours/student": Recipe(
        "The published student improved: from ImageNet weights, on all packs, with a cosine schedule and averaged "
        "weights.",
        network=RegressionShape(),
        init="imagenet",
        stages=(PUBLISHED_STUDENT,),
    ),
    "fard-mahoor/ours/student-one-teacher": Recipe(
        "fard-mahoor/ours/student with KD-Loss and our Tough teacher alone.",
        network=RegressionShape(),
        init="imagenet",
        stages=(replace(PUBLISHED_STUDENT, loss=ONE_TEACHER, teachers=(TOUGH,)),),
    ),
    "fard-mahoor/ours/student-kd": Recipe(
        "fard-mahoor/ours/student with KD-Loss and both of our teachers, asked once about each face.",
        network=RegressionShape(),
        init="imagenet",
        stages=(replace(PUBLISHED_STUDENT, loss=TWO_TEACHERS, teachers=(TOUGH, TOLERANT)),),
    ),
    "student-kd-68-plain": Recipe(
        "The regression student for live use, without teachers: 128 pixels, encoder of the Tough teacher, linear loss.",
        network=RegressionShape(input_size=128),
        init=TOUGH,
        stages=(LIVE_STUDENT,),
    ),
    "student-kd-68": Recipe(
        "The regression student for live use with what helps it most: distillation of the Tough teacher's points, also "
        "on faces that have no other labels.",
        network=RegressionShape(input_size=128),
        init=TOUGH,
        stages=(
            replace(
                LIVE_STUDENT, packs=(*MOSTLY_300W, FACES5), loss=with_point_distillation(LINEAR), teachers=(TOUGH,)
            ),
        ),
    ),
}
