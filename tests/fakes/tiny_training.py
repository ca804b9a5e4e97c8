"""Training in miniature: a pack of frames of the sample, and a recipe of a few steps of a tiny network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from engine.formats.images import write_picture
from engine.sources.sample import SampleClip
from trainer.init import from_tflite
from trainer.networks import mobilenetv2
from trainer.networks.heatmap import HeatmapShape
from trainer.recipes.schema import PackChoice, Recipe, Stage, Training

ALL_FRAMES = 24


def write_sample_pack(folder: Path, frames: int = ALL_FRAMES, **arrays: np.ndarray) -> None:
    """Write a pack of frames of the sample with their exact landmarks; `arrays` come on top."""
    clip = SampleClip()
    names, landmarks, visibility = [], [], []
    for index in range(frames):
        image, truth = clip.frame(index * 29)
        names.append(f"images/{index}.png")
        landmarks.append(truth.points)
        visibility.append(np.full(68, 2 if index % 2 else 1, np.uint8))
        write_picture(folder / names[-1], image)
    np.savez(
        folder / "annotations.npz",
        image=np.array(names),
        landmarks=np.stack(landmarks),
        visibility=np.stack(visibility),
        **arrays,
    )


def tiny_recipe() -> Training:
    """A run of 6 steps of a tiny network on the pack `faces`."""
    return tiny().trainings("tiny")[0]


def tiny() -> Recipe:
    """The recipe of that run."""
    shape = HeatmapShape(encoder_width=0.25, expansions=(1, 2, 2, 2, 2, 2), decoder_width=16, input_size=64)
    packs = (PackChoice("faces", split=None, validation=True),)
    stage = Stage("only", packs=packs, steps=6, batch=4, hold_out=8)
    return Recipe("A run of a few steps.", network=shape, init="random", stages=(stage,))


@contextmanager
def few_blocks() -> Iterator[None]:
    """Let a MobileNetV2 have one block in each stage, with its stride or other channels, and a residual one in all.

    Each takes a second to convert.
    """
    (channels, _, stride), *rest = mobilenetv2.STAGES[1:]
    once = tuple((channels, 1, stride) for channels, _, stride in rest)
    stages = (mobilenetv2.STAGES[0], (channels, 2, stride), *once)
    with pytest.MonkeyPatch.context() as patch:
        for module in (mobilenetv2, from_tflite):
            patch.setattr(module, "STAGES", stages)
        yield
