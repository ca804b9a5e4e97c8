"""The heatmap school of Hong & Lin (ICME 2024): SwinV2 teaches MobileViT-v2; as published, and on our networks.

The names `b-...` are the published networks at 256 pixels with the published loss and optimiser. What differs:
SwinV2-tiny for SwinV2-base; random weights, since those of ImageNet cannot be had; 68 points of 300-W for 51 of another
set; one learning rate and one decay for all (published: five times the rate for the head); a warm-up and a limit to the
gradient, which random weights need; averaged weights for the student too; our crop and confidence; and what
`TransposedNeck` and `trainer.losses.target_maps` tell of noise and of targets.

A short run is for instance `understudy train b-student-kd --set shape.input_size=128 --set steps=600`. The rows of an
ablation differ by `--set loss.points=smooth_l1`, `--set loss.heatmap_kd.variant=paper` and the like; the row without
distillation is `b-student-plain --set start=runs/b-teacher/last.safetensors`.
"""

from __future__ import annotations

from dataclasses import replace

from trainer.augment import Augmentation
from trainer.losses.attention_maps import AttentionLoss
from trainer.losses.fard_mahoor import KDLoss
from trainer.losses.heatmap_distillation import HeatmapKD
from trainer.losses.total import LandmarkLoss
from trainer.networks.heatmap import HeatmapShape
from trainer.networks.star import StarShape
from trainer.recipes.fard_mahoor_2022 import TOUGH, pulled
from trainer.recipes.packs import AFW, ALL_68, ALL_98, FACES5, GENTLE, HELEN, LFPW, MOSTLY_300W
from trainer.recipes.schema import Distillation, Recipe

B_TEACHER = "runs/b-teacher/last.safetensors"
# Shift 0.05 of the side, turn 45 degrees, scale 0.1: published as normal deviations, here even ranges as wide as these.
# Colour, blur, noise and covered parts are ours at about the published strength.
PUBLISHED_CHANGES = Augmentation(
    large_turn=78.0,
    large_turn_share=1.0,
    scale=(0.83, 1.17),
    shift=0.087,
    colour=0.35,
    grey_share=0.2,
    blur_share=0.4,
    noise_share=0.2,
    cover_share=0.4,
    no_face_share=0.0,
)
# On a CPU hard swish costs a third less than the published SiLU, and ReLU6 hardly less than hard swish.
OURS = HeatmapShape(encoder="mobilevitv2", encoder_width=0.5, decoder_width=48, activation="hardswish")
# The published point maps are one bright cell, fine at 64x64 cells; with 40x40 or fewer that rounds points to cells.
# These are as wide as the heatmaps of networks without attention, from which heads may begin, and pull less.
WIDE_MAPS = AttentionLoss(points_weight=1.0, edges_weight=1.0, sigma=1.0)
# A pull of 4 helps a linear loss most. Where heatmaps spread over two cells, STAR is about twenty times as steep, and
# less where they spread further, as they do at first; ten times the pull lies between.
STAR_PULL = KDLoss(point_distillation_weight=40.0)
# The paper's reading for maps that are probabilities. 0.02 and 0.1 did no better (docs/results/0003).
DISTILLED = HeatmapKD("paper", weight=0.04, normalised=True)


# The published student, on whose maps STAR takes wide targets too.
FAITHFUL = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", activation="hardswish")
STAR = LandmarkLoss(points="star", attention=WIDE_MAPS)


def b_teacher() -> Recipe:
    """SwinV2-tiny with the attention module and STAR, without a teacher of its own."""
    return Recipe(
        "b-teacher",
        shape=StarShape(encoder="swinv2_tiny"),
        start="random",
        packs=(LFPW, HELEN, AFW),
        steps=33_000,
        batch=32,
        learning_rate=2e-4,
        weight_decay=1e-4,
        warmup=0.02,
        ema=0.5 ** (32 / 10_000),
        loss=LandmarkLoss(points="star"),
        augmentation=PUBLISHED_CHANGES,
    )


def b_student_plain() -> Recipe:
    """MobileViT-v2-0.5, whose maps are an 8x8 map repeated, with the teacher's loss and no teacher."""
    return replace(
        b_teacher(),
        name="b-student-plain",
        shape=StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat"),
    )


def b_student_kd() -> Recipe:
    """The same with heatmap distillation as released, and heads that begin as the teacher's."""
    plain = b_student_plain()
    return replace(
        plain,
        name="b-student-kd",
        start=B_TEACHER,
        loss=replace(plain.loss, heatmap_kd=HeatmapKD("released")),
        distillation=Distillation((B_TEACHER,), live=True),
    )


def improved_student_plain() -> Recipe:
    """Our form of the student with the faces, changes and steps of `b-student-plain`: what the form is worth."""
    return replace(
        b_student_plain(),
        name="improved-student-plain",
        shape=replace(OURS, input_size=256, stride=8),
        loss=LandmarkLoss(),
    )


def improved_student_kd() -> Recipe:
    """The same with heatmap distillation, as `b-student-kd`; no head of its teacher fits it."""
    plain = improved_student_plain()
    return replace(
        plain,
        name="improved-student-kd",
        loss=replace(plain.loss, heatmap_kd=DISTILLED),
        distillation=Distillation((B_TEACHER,), live=True),
    )


def b_teacher_98() -> Recipe:
    """`b-teacher` of 98 points."""
    return _of_98(b_teacher())


def b_student_plain_98() -> Recipe:
    """`b-student-plain` of 98 points."""
    return _of_98(b_student_plain())


def b_student_kd_98() -> Recipe:
    """`b-student-kd` of 98 points."""
    teacher = "runs/b-teacher-98/last.safetensors"
    return replace(_of_98(b_student_kd()), start=teacher, distillation=Distillation((teacher,), live=True))


def teacher_star_68() -> Recipe:
    """The Tough teacher with the attention module, whose heads begin as its last layer, and STAR.

    STAR alone forgives errors along a contour, which the NME counts; so its own points of before hold it.
    """
    return Recipe(
        "teacher-star-68",
        shape=StarShape(encoder="mobilenetv2", neck="pyramid", channels=96, input_size=160),
        start=TOUGH,
        packs=MOSTLY_300W,
        steps=260,
        batch=48,
        learning_rate=1.5e-4,
        loss=LandmarkLoss(points="star", kd=STAR_PULL, attention=WIDE_MAPS),
        augmentation=GENTLE,
        distillation=Distillation((TOUGH,)),
    )


def teacher_swinv2_68_first() -> Recipe:
    """SwinV2-tiny from random weights at 64 pixels, where it sees four times as many faces a second as at 128.

    It learns from labels and from the Tough teacher's points. The biases of its windows are functions of log-spaced
    places, so they carry over to larger pictures.
    """
    return Recipe(
        "teacher-swinv2-68-first",
        shape=StarShape(encoder="swinv2_tiny", input_size=64),
        start="random",
        packs=(*ALL_68, FACES5),
        steps=1800,
        learning_rate=1e-3,
        loss=LandmarkLoss(points="star", kd=STAR_PULL, attention=WIDE_MAPS),
        augmentation=GENTLE,
        distillation=Distillation((TOUGH,)),
    )


def teacher_swinv2_68() -> Recipe:
    """A second stretch after `teacher-swinv2-68-first` at 128 pixels, brought nearer to 300-W."""
    first = teacher_swinv2_68_first()
    return replace(
        _brought_nearer(first, "teacher-swinv2-68"),
        shape=replace(first.shape, input_size=128),
        steps=1300,
        batch=32,
        learning_rate=4e-4,
    )


def student_mvit2_68_base() -> Recipe:
    """MobileViT-v2-0.5 with a decoder to stride 4 at 128 pixels, from random weights; a teacher labelled some faces."""
    return Recipe(
        "student-mvit2-68-base",
        shape=OURS,
        start="random",
        packs=(*ALL_68, FACES5),
        steps=2800,
        learning_rate=2e-3,
    )


def student_mvit2_68_second() -> Recipe:
    """A second stretch after `student-mvit2-68-base` on the same faces, under gentle augmentation."""
    return replace(
        student_mvit2_68_base(),
        name="student-mvit2-68-second",
        start="runs/student-mvit2-68-base/last.safetensors",
        steps=2400,
        learning_rate=1.2e-3,
        augmentation=GENTLE,
    )


def student_mvit2_68_third() -> Recipe:
    """A third stretch after `student-mvit2-68-second`, brought nearer to 300-W."""
    return replace(_brought_nearer(student_mvit2_68_second(), "student-mvit2-68-third"), steps=900)


def student_mvit2_68_plain() -> Recipe:
    """A last stretch after `student-mvit2-68-third`, without a teacher."""
    return replace(
        student_mvit2_68_third(),
        name="student-mvit2-68-plain",
        start="runs/student-mvit2-68-third/last.safetensors",
        steps=1200,
        learning_rate=8e-4,
    )


def student_mvit2_68() -> Recipe:
    """The same stretch taught by the better teacher, the Tough one: by its heatmaps and points of each batch.

    Faces that only the teacher has labelled are among them.
    """
    plain = student_mvit2_68_plain()
    return replace(
        plain,
        name="student-mvit2-68",
        packs=(*plain.packs, FACES5),
        loss=pulled(replace(plain.loss, heatmap_kd=DISTILLED)),
        distillation=Distillation((TOUGH,), live=True),
    )


def student_mvit2_68_256() -> Recipe:
    """`student-mvit2-68` at 256 pixels: heatmaps of as many cells, which see each twice as fine."""
    taught = student_mvit2_68()
    return replace(
        taught,
        name="student-mvit2-68-256",
        shape=replace(OURS, input_size=256, stride=8),
        start=f"runs/{taught.name}/last.safetensors",
        steps=1000,
        batch=32,
        learning_rate=8e-4,
    )


def student_mvit2_68_alone_base() -> Recipe:
    """`student-mvit2-68-base` without the faces that a teacher labelled."""
    return replace(student_mvit2_68_base(), name="student-mvit2-68-alone-base", packs=ALL_68)


def student_mvit2_68_alone_second() -> Recipe:
    """`student-mvit2-68-second` without a teacher, its start included."""
    return replace(_alone(student_mvit2_68_second()), packs=ALL_68)


def student_mvit2_68_alone_third() -> Recipe:
    """`student-mvit2-68-third` without a teacher, its start included."""
    return _alone(student_mvit2_68_third())


def student_mvit2_68_alone() -> Recipe:
    """The student of `student-mvit2-68` after as many steps, none of which saw anything of a teacher."""
    return replace(_alone(student_mvit2_68_plain()), name="student-mvit2-68-alone")


def faithful_mvit2_68_base() -> Recipe:
    """The published student's decoder, attention and STAR, trained as `student-mvit2-68-base`: to compare the forms."""
    return replace(
        student_mvit2_68_base(), name="faithful-mvit2-68-base", shape=replace(FAITHFUL, input_size=128), loss=STAR
    )


def faithful_mvit2_68() -> Recipe:
    """`faithful-mvit2-68-base` at the published 256 pixels, trained further as `student-mvit2-68-second`."""
    return replace(
        student_mvit2_68_second(),
        name="faithful-mvit2-68",
        shape=FAITHFUL,
        start="runs/faithful-mvit2-68-base/last.safetensors",
        steps=400,
        loss=STAR,
    )


def student_mvit2_98() -> Recipe:
    """98 points, grown out of `student-mvit2-68-second`; no teacher has these points."""
    return Recipe(
        "student-mvit2-98",
        shape=replace(OURS, points=98),
        start="runs/student-mvit2-68-second/last.safetensors",
        packs=ALL_98,
        steps=600,
        learning_rate=8e-4,
        augmentation=GENTLE,
    )


def _of_98(recipe: Recipe) -> Recipe:
    """Return a recipe of 68 points as one of 98: 2.7 times as many faces, and steps."""
    shape = replace(recipe.shape, points=98)
    return replace(recipe, name=f"{recipe.name}-98", shape=shape, packs=ALL_98, steps=89_000)


def _alone(recipe: Recipe) -> Recipe:
    """Return a stretch of `student-mvit2-68` as one of the same student without a teacher."""
    prefix, alone = "student-mvit2-68-", "student-mvit2-68-alone-"
    return replace(recipe, name=recipe.name.replace(prefix, alone), start=recipe.start.replace(prefix, alone))


def _brought_nearer(first: Recipe, name: str) -> Recipe:
    """Return the second stretch after `first`: mostly 300-W, gentle changes, a lower rate."""
    return replace(
        first,
        name=name,
        start=f"runs/{first.name}/last.safetensors",
        packs=MOSTLY_300W,
        steps=2000,
        learning_rate=6e-4,
        augmentation=GENTLE,
    )
