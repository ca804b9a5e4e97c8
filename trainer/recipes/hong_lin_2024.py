"""The heatmap method of Hong & Lin (ICME 2024): SwinV2 teaches MobileViT-v2; as published, and on our networks.

The names `hong-lin/...` are the published networks at 256 pixels with the published loss and optimiser, on the official
sets; `trainer.reproduce.differences` lists what differs. The names `hong-lin/ours/...` are the same with SwinV2-tiny on
our packs, and our form of the student under that training.

A short run is for instance `understudy train hong-lin/ours/reference-kd --set network.input_size=128 --set steps=600`.
The rows of an ablation differ by `--set loss.points=smooth_l1`, `--set loss.heatmap_kd.variant=paper` and the like; the
row without distillation is `hong-lin/student --set init=hong-lin/teacher`.
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
from trainer.recipes.fard_mahoor_2022 import TOUGH, with_point_distillation
from trainer.recipes.packs import (
    AFW,
    ALL_68,
    ALL_98,
    FACES5,
    GENTLE,
    HELEN,
    LFPW,
    MOSTLY_300W,
    OFFICIAL,
    OFFICIAL_FACES,
)
from trainer.recipes.schema import Recipe, Stage, steps_of
from trainer.recipes.taught import FEWER_FALSE_FACES, FINE, RETAUGHT, WHOLE, alone

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
OURS_256 = replace(OURS, input_size=256, stride=8)
# The published student, on whose maps STAR takes wide targets too.
REFERENCE = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", activation="hardswish")
PUBLISHED_TEACHER = StarShape(encoder="swinv2_base", pretrained_windows=(12, 12, 12, 6))
SMALL_TEACHER = StarShape(encoder="swinv2_tiny")
PUBLISHED_STUDENT = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat")

# The published point maps are one bright cell, fine at 64x64 cells; with 40x40 or fewer that rounds points to cells.
# These are as wide as the heatmaps of networks without attention, from which heads may begin, and weigh less.
WIDE_MAPS = AttentionLoss(points_weight=1.0, edges_weight=1.0, sigma=1.0)
STAR = LandmarkLoss(points="star", attention=WIDE_MAPS)
# A weight of 4 helps a linear loss most. Where heatmaps spread over two cells, STAR is about twenty times as steep, and
# less where they spread further, as they do at first; ten times the weight lies between.
STAR_TAUGHT = replace(STAR, kd=KDLoss(point_distillation_weight=40.0))
# The paper's form for maps that are probabilities. Weights of 0.02 and 0.1 did no better (docs/results/0003).
DISTILLED = HeatmapKD("paper", weight=0.04, normalised=True)

PUBLISHED = Stage(
    "published",
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
EPOCHS = 500
# 2.7 times as many faces, and steps.
PUBLISHED_98 = replace(PUBLISHED, packs=ALL_98, steps=89_000)


def _taught(stage: Stage, teacher: str, form: HeatmapKD) -> Stage:
    return replace(stage, loss=replace(stage.loss, heatmap_kd=form), teachers=(teacher,), live=True)


def _official(points: int) -> Stage:
    """Return the published stage on the official set of a markup."""
    faces = OFFICIAL_FACES[points]
    hold_out = faces // 70  # of the teacher of Fard & Mahoor too: some 70 faces are enough to see a run go wrong
    steps = steps_of(EPOCHS, faces - faces // hold_out, PUBLISHED.batch)
    return replace(PUBLISHED, packs=(OFFICIAL[points],), steps=steps, epochs=EPOCHS, hold_out=hold_out)


def _published(teacher: StarShape, stage: Stage, folder: str = "", student_name: str = "student") -> dict[str, Recipe]:
    """Return the recipes of the published form for the points of a teacher; `folder` ends in a slash."""
    student, points = replace(PUBLISHED_STUDENT, points=teacher.points), teacher.points
    ending = "" if points == 68 else f"-{points}"
    of_points = f", {points} points{' of our packs' if folder else ''}"
    name = f"hong-lin/{folder}teacher{ending}"
    encoder = teacher.encoder.replace("swinv2_", "SwinV2-")
    return {
        name: Recipe(
            f"The published teacher: {encoder} with the attention module and STAR{of_points}.",
            network=teacher,
            init="random",
            stages=(stage,),
        ),
        f"hong-lin/{folder}{student_name}{ending}": Recipe(
            "The published student: MobileViT-v2-0.5, whose maps are an 8x8 map repeated, with the teacher's loss and "
            f"no teacher{of_points}.",
            network=student,
            init="random",
            stages=(stage,),
        ),
        f"hong-lin/{folder}{student_name}-kd{ending}": Recipe(
            "The published student with heatmap distillation as released, and heads that begin as the teacher's"
            f"{of_points}.",
            network=student,
            init=name,
            stages=(_taught(stage, name, HeatmapKD("released")),),
        ),
    }


OURS_PUBLISHED = replace(PUBLISHED, loss=LandmarkLoss())

# The stages of `student-mvit2-68`, from which its relatives differ as each of them says.
BASE = Stage("base", packs=(*ALL_68, FACES5), steps=2800, learning_rate=2e-3)
GENTLER = replace(BASE, name="gentle", steps=2400, learning_rate=1.2e-3, augmentation=GENTLE)
NEARER = replace(GENTLER, name="nearer", packs=MOSTLY_300W, steps=900, learning_rate=6e-4)
PLAIN = replace(NEARER, name="plain", steps=1200, learning_rate=8e-4)
# Taught by the better teacher, the Tough one: by its heatmaps and points of each batch.
TAUGHT = replace(
    PLAIN,
    name="taught",
    packs=(*MOSTLY_300W, FACES5),
    loss=with_point_distillation(LandmarkLoss(heatmap_kd=DISTILLED)),
    teachers=(TOUGH,),
    live=True,
)
# Both its stages by these teachers; the second one draws turned heads, on which it lags, twice as often again.
BY_TEACHER_68 = replace(
    RETAUGHT,
    steps=4500,
    learning_rate=8e-4,
    teachers=("teacher-68:whole", "student-68:retaught"),
    augmentation=replace(GENTLE, no_face_share=0.1),
)
# SwinV2-tiny sees four times as many faces a second at 64 pixels as at 128. The biases of its windows are functions of
# log-spaced places, so they carry over to larger pictures.
SWIN_SMALL = Stage(
    "small",
    packs=(*ALL_68, FACES5),
    steps=1800,
    learning_rate=1e-3,
    loss=STAR_TAUGHT,
    augmentation=GENTLE,
    teachers=(TOUGH,),
    network=StarShape(encoder="swinv2_tiny", input_size=64),
)

RECIPES = {
    **_published(PUBLISHED_TEACHER, _official(68)),
    **_published(replace(PUBLISHED_TEACHER, points=98), _official(98)),
    **_published(SMALL_TEACHER, PUBLISHED, "ours/", "reference"),
    "hong-lin/ours/student": Recipe(
        "Our form of the student with the faces, changes and steps of hong-lin/ours/reference: what the form is worth.",
        network=OURS_256,
        init="random",
        stages=(OURS_PUBLISHED,),
    ),
    "hong-lin/ours/student-kd": Recipe(
        "hong-lin/ours/student with heatmap distillation in the paper's form, of maps of sum 1; no head of its teacher "
        "fits it.",
        network=OURS_256,
        init="random",
        stages=(_taught(OURS_PUBLISHED, "hong-lin/ours/teacher", DISTILLED),),
    ),
    **_published(replace(SMALL_TEACHER, points=98), PUBLISHED_98, "ours/", "reference"),
    "teacher-star-68": Recipe(
        # STAR alone forgives errors along a contour, which the NME counts; so its own points of before hold it.
        "The Tough teacher with the attention module, whose heads begin as its last layer, and STAR; distillation of "
        "its own former points holds it.",
        network=StarShape(encoder="mobilenetv2", neck="pyramid", channels=96, input_size=160),
        init=TOUGH,
        stages=(
            Stage(
                "star",
                packs=MOSTLY_300W,
                steps=260,
                batch=48,
                learning_rate=1.5e-4,
                loss=STAR_TAUGHT,
                augmentation=GENTLE,
                teachers=(TOUGH,),
            ),
        ),
    ),
    "teacher-swinv2-68": Recipe(
        "SwinV2-tiny from random weights, first at 64 pixels, then at 128; learns from labels and from the Tough "
        "teacher's points.",
        network=StarShape(encoder="swinv2_tiny", input_size=128),
        init="random",
        stages=(
            SWIN_SMALL,
            replace(
                SWIN_SMALL, name="nearer", packs=MOSTLY_300W, steps=1300, batch=32, learning_rate=4e-4, network=None
            ),
        ),
    ),
    "student-mvit2-68": Recipe(
        "MobileViT-v2-0.5 with our decoder to stride 4 at 128 pixels; some of its faces the Tough teacher labelled, "
        "and in the fourth stage it learns that teacher's heatmaps and points; then by its mean over both views, with "
        "all layers, by that of teacher-68:whole and student-68:retaught, and at last with more turned heads.",
        network=OURS,
        init="random",
        stages=(
            BASE,
            GENTLER,
            NEARER,
            TAUGHT,
            replace(FINE, steps=2400),
            replace(WHOLE, steps=7000, learning_rate=8e-4, augmentation=FEWER_FALSE_FACES),
            BY_TEACHER_68,
            replace(BY_TEACHER_68, name="turned", steps=2800, turned_draws=6.0),
        ),
    ),
    "student-mvit2-68-plain": Recipe(
        "The fourth stage of student-mvit2-68 without a teacher.",
        network=OURS,
        init="student-mvit2-68:nearer",
        stages=(PLAIN,),
    ),
    "student-mvit2-68-256": Recipe(
        "student-mvit2-68 at 256 pixels: heatmaps of as many cells, which see each twice as fine.",
        network=OURS_256,
        init="student-mvit2-68:taught",
        stages=(replace(TAUGHT, steps=1000, batch=32),),
    ),
    "student-mvit2-68-alone": Recipe(
        "The student of student-mvit2-68 after as many steps as its first four stages, none of which saw anything of a "
        "teacher.",
        network=OURS,
        init="random",
        stages=(replace(BASE, packs=ALL_68), replace(GENTLER, packs=ALL_68), NEARER, PLAIN),
    ),
    "reference-mvit2-68": Recipe(
        "The published student's decoder, attention and STAR, trained as the first stages of student-mvit2-68, then at "
        "the published 256 pixels: to compare the forms.",
        network=REFERENCE,
        init="random",
        stages=(
            replace(BASE, loss=STAR, network=replace(REFERENCE, input_size=128)),
            replace(GENTLER, steps=400, loss=STAR),
        ),
    ),
    "student-mvit2-98": Recipe(
        "98 points, grown out of the second stage of student-mvit2-68; no teacher has these points.",
        network=replace(OURS, points=98),
        init="student-mvit2-68:gentle",
        stages=(replace(GENTLER, packs=ALL_98, steps=600, learning_rate=8e-4),),
    ),
}
RECIPES["student-mvit2-68-fine-alone"] = alone(RECIPES["student-mvit2-68"], "student-mvit2-68:taught")
