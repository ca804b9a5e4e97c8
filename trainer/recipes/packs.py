"""The packs that the recipes train on, and how their faces are changed."""

from __future__ import annotations

from dataclasses import replace

from trainer.augment import Augmentation
from trainer.recipes.schema import PackChoice

# The sets of the papers by their markup, as `understudy data import` makes packs of them, and their faces for training.
OFFICIAL = {
    68: PackChoice("300w", validation=True),
    98: PackChoice("wflw", validation=True),
    29: PackChoice("cofw", validation=True),
}
OFFICIAL_FACES = {68: 3148, 98: 7500, 29: 1345}
# Packs whose labels a machine made; a model's card says so.
MACHINE_LABELLED = frozenset({"ytf68", "faces5_tough68", "own68"})
# Packs of which some points are manual and the others derived from a proposal; a model's card says so.
PARTLY_DERIVED = frozenset({"lfpw68_98", "helen68_98", "afw68_98", "aflw2000_3d_98", "aflw_merl68_98"})
# Packs whose faces stand in a data set's list of test faces, and that set; a model's card says so.
FROM_TEST_LISTS = {"wflw98_full": "WFLW"}
LFPW = PackChoice("lfpw68", validation=True, label_shift=0.7)
HELEN = PackChoice("helen68", validation=True, label_shift=0.6)
AFW = PackChoice("afw68", validation=True, label_shift=1.0)
# The other Helen faces of 300-W on smaller copies: faces of about 100 pixels against 200, and so half of Helen's shift.
HELEN_MORE = PackChoice("helen68_more", label_shift=0.3)
INFANTS = PackChoice("infants68")
AFLW2000 = PackChoice("aflw2000_3d", weight=0.7, labels="landmarks_2d", label_shift=-0.2)
MERL = PackChoice("aflw_merl68", weight=0.5, label_shift=1.1)
YTF = PackChoice("ytf68", weight=0.12, label_shift=1.2)
# Faces of which only the state of their eyes is known.
EYES = PackChoice("eyes_state", weight=0.3, labels="state")
# Packs that `train --with-teachers` makes where they are missing, as `understudy data label` does: of which pack with
# five points a face, and by the model of which run.
LABELLED = {"faces5_tough68": ("faces5", "teacher-tough-68")}
# Of one's own pictures, labelled by the model of this name, and of frames of the sample. `train` makes them by itself.
OWN = PackChoice("own68", validation=True)
OWN_TEACHER = "teacher-68"
SAMPLE = PackChoice("sample68")
# The labels lie as far beside the pictures, in parts of a face, as those that the teacher learned from.
FACES5 = PackChoice("faces5_tough68", weight=0.3, label_shift=0.4)

# Real faces of WFLW. They weigh most, since their annotators decided what the 98 points are.
WFLW_FULL = PackChoice("wflw98_full", weight=8.0, validation=True)
# 30 faces, each warped ten times.
WFLW_MINI = PackChoice("wflw98_mini", weight=1.0)
# Made by `understudy data derive98 lfpw68 ... --out lfpw68_98` and so on.
DERIVED_98 = (
    replace(LFPW, name="lfpw68_98"),
    replace(HELEN, name="helen68_98"),
    replace(AFW, name="afw68_98"),
    replace(AFLW2000, name="aflw2000_3d_98", labels="landmarks"),
    replace(MERL, name="aflw_merl68_98"),
)
ALL_68 = (LFPW, HELEN, AFW, INFANTS, AFLW2000, MERL, YTF)
ALL_98 = (WFLW_FULL, WFLW_MINI, *DERIVED_98)
# For the last stages: the other packs place some points by slightly other rules (labels that were carried over from
# other pictures, or machine-made), so 300-W has the last word.
MOSTLY_300W = (
    LFPW,
    HELEN,
    AFW,
    replace(INFANTS, weight=0.5),
    replace(AFLW2000, weight=0.35),
    replace(MERL, weight=0.25),
    replace(YTF, weight=0.04),
)
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
# For the last stages: near the faces that a tracker sees, mostly upright and well framed.
GENTLE = Augmentation(
    large_turn_share=0.25,
    scale=(0.9, 1.12),
    shift=0.045,
    colour=0.2,
    grey_share=0.05,
    blur_share=0.1,
    noise_share=0.15,
    cover_share=0.2,
)


def manual_68(helen_more: float, infants: float, aflw2000: float, merl: float) -> tuple[PackChoice, ...]:
    """Return the packs of manual labels of 68 points, those beside 300-W by the weights given."""
    others = replace(INFANTS, weight=infants), replace(AFLW2000, weight=aflw2000), replace(MERL, weight=merl)
    return (LFPW, HELEN, replace(HELEN_MORE, weight=helen_more), AFW, *others)
