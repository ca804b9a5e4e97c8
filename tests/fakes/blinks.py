"""A pack that knows the state of eyes, as `eyes_state` does."""

from pathlib import Path

import numpy as np

from engine.core.geometry import landmark_box, roll_of_landmarks
from engine.formats.images import write_picture
from engine.sources.sample import RATE, SampleClip


def write_blinks(folder: Path) -> Path:
    """Write frames of the sample, six with closed eyes and then six with open ones, and return the folder."""
    clip = SampleClip()
    frames = [clip.frame(number) for number in range(0, round(24 * RATE), 2)]
    heights = [
        truth.points[41, 1] + truth.points[40, 1] - truth.points[37, 1] - truth.points[38, 1] for _, truth in frames
    ]
    ratios = [height / 2 / np.linalg.norm(truth.points[36] - truth.points[39]) for height, (_, truth) in
              zip(heights, frames, strict=True)]  # fmt: skip
    order = np.argsort(ratios)
    chosen = [*order[:6], *order[-6:]]
    for place, index in enumerate(chosen):
        write_picture(folder / f"{place}.png", frames[index][0])
    truths = [frames[index][1] for index in chosen]
    boxes = [landmark_box(truth.points) for truth in truths]
    np.savez(
        folder / "annotations.npz",
        image=np.array([f"{place}.png" for place in range(12)]),
        state=np.array([0] * 6 + [1] * 6),
        bbox=np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes], np.float32),
        roll=np.array([roll_of_landmarks(truth.scheme, truth.points) for truth in truths], np.float32),
        split=np.array((["train"] * 4 + ["test"] * 2) * 2),
    )
    return folder
