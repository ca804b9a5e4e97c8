"""What differs between the published trainings and those that `understudy reproduce` carries out.

`python -m trainer.reproduce.differences` prints the lists as they stand in docs/reproduction.md.
"""

from __future__ import annotations

# Of both papers.
SHARED = (
    "The full texts were not at hand: what is not in the abstract, the published figures or the released code is "
    "taken from the released code.",
    "Crop: 1.3 times the larger side of the landmark box, in training and in test; Fard & Mahoor leave 5 to 20 pixels "
    "a side at random, Hong & Lin about 1.05 times the box.",
    "Every picture is turned, scaled, moved, coloured and mirrored in another way each time it is drawn, by one "
    "similarity (both sides are scaled alike), not once beforehand or by one axis each.",
    "Faces are drawn at random with replacement, so an epoch is as many draws as there are faces.",
    "The confidence of a point is ours: it is learned beside the points, and its gradient changes nothing else.",
    "A batch's worth of training faces, about 70, is held out; the last checkpoint is what counts, none is chosen.",
    "The figures are of one upright crop of the true box, without averaging over mirror images.",
)
DIFFERENCES = {
    "fard-mahoor": (
        *SHARED,
        "The constants of KD-Loss are those of the released code (beta 0.15, positive alphas 1.9 and 1.8); those "
        "fitted to the figures of the paper are set by hand.",
        "Of 150 epochs with four changed copies of each picture of 300-W and WFLW (COFW: ten) beforehand come 750 "
        "(COFW: 1,650) epochs of changed faces.",
        "Noise is gaussian, of a deviation of 2 to 14 of 255 in three of four pictures; published are gaussian, "
        "salt-and-pepper or speckle noise or none.",
        "Colour: brightness, contrast, saturation and gamma, each channel by a little of its own; pictures of a single "
        "channel, and noise in place of one, are left out.",
        "Soft labels are made of the labels as they are, before a face is turned; published is the same, but of the "
        "copies that were changed beforehand.",
        "Soft labels keep 90 % of the variance: what the authors' example commands say.",
        "Batch norm and initial weights are those of timm's EfficientNet-b3 and MobileNetV2, not those of Keras.",
        "300-W and WFLW without a teacher are compared with MobileNetV2 under plain mean square in the same authors' "
        "ASMNet paper, whose changes of pictures differ.",
    ),
    "hong-lin": (
        *SHARED,
        "68 points of 300-W and 98 of WFLW; published are 51 points of another set, and a score without an NME.",
        "Random weights, unless `--set teacher.init=FILE` and `--set student.init=FILE` name downloaded ones; "
        "published are ImageNet-22k for SwinV2-base and ImageNet for MobileViT-v2.",
        "The taught student has the teacher's heads, as published, but then an encoder of random weights; with `--set "
        "student-kd.init=FILE` it is the heads that are random. Only students whose encoders begin alike show what "
        "distillation is worth.",
        "One learning rate for all weights, and one decay for all but biases and norms; published are five times the "
        "rate and a fifth of the decay for the heads.",
        "A warm-up of 2 % of the steps and a limit to the gradient, which random weights need.",
        "Averaged weights count for the student too; published only for the teacher.",
        "Pixels are RGB by the mean and deviation of ImageNet; published BGR, -1 to 1.",
        "Shift, turn and scale come from even ranges about as wide as the published normal deviations; what covers a "
        "part is a colour or another picture, 10 to 45 % of a side (published black, 10 to 40 %).",
        "Noise in the teacher's neck is added in training alone; published always.",
        "Edge maps are Catmull-Rom splines as soft as the point maps; published are cubic splines of one pixel, which "
        "shrinking breaks into dots. Points of point maps stand at their exact place; published at a whole pixel.",
        "The heads have one edge more than published where the markup has a jaw.",
    ),
}


def differences_markdown(paper: str) -> str:
    """Return the list of a paper as Markdown."""
    return "\n".join(f"- {entry}" for entry in DIFFERENCES[paper])


if __name__ == "__main__":
    for name in DIFFERENCES:
        print(f"{name}\n\n{differences_markdown(name)}\n")  # noqa: T201
