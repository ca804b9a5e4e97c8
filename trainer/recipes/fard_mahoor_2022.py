"""The two-teacher school of Fard & Mahoor (CVIU 2022): as published, and on our heatmap networks.

The names `a-...` are the published networks, at 224 pixels. The teachers have the published optimiser and random
weights; the students start from ImageNet weights, with a cosine schedule and averaged weights. A short run is for
instance `understudy train a-student-kd --set shape.input_size=128 --set steps=600`.
"""

from __future__ import annotations

from dataclasses import replace

from trainer.augment import Augmentation
from trainer.losses.fard_mahoor import KDLoss, released_code
from trainer.losses.total import LandmarkLoss
from trainer.networks.heatmap import HeatmapShape
from trainer.networks.regression import RegressionShape
from trainer.recipes.packs import AFW, FACES5, HELEN, LFPW, MOSTLY_300W
from trainer.recipes.schema import Distillation, Recipe, SoftLandmarks
from trainer.recipes.students import student_68, student_68_second

TOUGH, TOLERANT = "runs/teacher-tough-68/last.safetensors", "runs/teacher-tolerant-68/last.safetensors"
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


def teacher_tough_68_first() -> Recipe:
    """MobileNetV2 with its published hidden layers at 160 pixels, grown from `student-68`, on hard landmarks."""
    return replace(
        student_68_second(),
        name="teacher-tough-68-first",
        shape=HeatmapShape(decoder_width=96, input_size=160),
        start="runs/student-68/last.safetensors",
        steps=500,
        learning_rate=8e-4,
    )


def teacher_tough_68() -> Recipe:
    """The Tough teacher: a second stretch after `teacher-tough-68-first`."""
    return replace(
        teacher_tough_68_first(),
        name="teacher-tough-68",
        start="runs/teacher-tough-68-first/last.safetensors",
        steps=700,
        learning_rate=6e-4,
    )


def teacher_tolerant_68() -> Recipe:
    """The Tolerant teacher: the Tough one, brought to the soft landmarks of a shape model of 90 % of the variance."""
    return replace(
        teacher_tough_68(), name="teacher-tolerant-68", start=TOUGH, steps=300, learning_rate=3e-4, soft=SoftLandmarks()
    )


def student_68_kd() -> Recipe:
    """The heatmap student with both teachers, from where `student-68` starts."""
    return replace(
        student_68(),
        name="student-68-kd",
        loss=LandmarkLoss(points="kd", kd=released_code()),
        distillation=Distillation((TOUGH, TOLERANT)),
    )


def student_68_pull() -> Recipe:
    """The heatmap student with a linear loss and a pull to the Tough teacher's points."""
    return replace(
        student_68(),
        name="student-68-pull",
        steps=400,
        loss=pulled(LandmarkLoss(points="kd", kd=linear_loss())),
        distillation=Distillation((TOUGH,)),
    )


def student_68_one_teacher() -> Recipe:
    """`student-68-kd` with the Tough teacher alone."""
    return _tough_only(replace(student_68_kd(), name="student-68-one-teacher"))


def a_tough() -> Recipe:
    """The published Tough teacher: EfficientNet-b3 from random weights, coordinates, mean square of hard landmarks."""
    return Recipe(
        "a-tough",
        shape=RegressionShape(encoder="efficientnet_b3", dropout=0.5),
        start="random",
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


def a_tolerant() -> Recipe:
    """The published Tolerant teacher: the same on soft landmarks."""
    return replace(a_tough(), name="a-tolerant", soft=SoftLandmarks())


def a_student_plain() -> Recipe:
    """MobileNetV2 from ImageNet weights, coordinates, mean square of hard landmarks, no teacher."""
    return replace(
        a_tough(),
        name="a-student-plain",
        shape=RegressionShape(),
        start="imagenet",
        packs=MOSTLY_300W,
        schedule="cosine",
        ema=0.998,
    )


def a_student_kd() -> Recipe:
    """The same with KD-Loss and both teachers."""
    return replace(
        a_student_plain(),
        name="a-student-kd",
        loss=LandmarkLoss(points="kd", kd=released_code()),
        distillation=Distillation((TOUGH, TOLERANT)),
    )


def a_student_one_teacher() -> Recipe:
    """The same with KD-Loss and the Tough teacher alone."""
    return _tough_only(replace(a_student_kd(), name="a-student-one-teacher"))


def _tough_only(recipe: Recipe) -> Recipe:
    without_tolerant = replace(recipe.loss.kd, tolerant=replace(recipe.loss.kd.tolerant, weight=0.0))
    return replace(recipe, loss=replace(recipe.loss, kd=without_tolerant), distillation=Distillation((TOUGH,)))


def student_kd_68_plain() -> Recipe:
    """The regression student for live use, without teachers: 128 pixels, encoder of the Tough teacher, linear loss."""
    return replace(
        a_student_plain(),
        name="student-kd-68-plain",
        shape=RegressionShape(input_size=128),
        start=TOUGH,
        steps=400,
        batch=64,
        loss=LandmarkLoss(points="kd", kd=linear_loss()),
    )


def student_kd_68() -> Recipe:
    """The same with what helps most: a pull to the Tough teacher's points, also on faces that have no other labels."""
    plain = student_kd_68_plain()
    return replace(
        plain,
        name="student-kd-68",
        packs=(*plain.packs, FACES5),
        loss=pulled(plain.loss),
        distillation=Distillation((TOUGH,)),
    )


def linear_loss() -> KDLoss:
    """Return KD-Loss without its teachers: the main loss, linear all over."""
    published = released_code()
    return replace(
        published,
        threshold_from="fixed",
        tough=replace(published.tough, weight=0.0),
        tolerant=replace(published.tolerant, weight=0.0),
    )


def pulled(loss: LandmarkLoss) -> LandmarkLoss:
    """Return the loss with a pull to the teachers' points as strong as helps a linear loss most."""
    return replace(loss, kd=replace(loss.kd, point_distillation_weight=4.0))
