"""A small pack of real pictures with exact labels, made from the sample, and a recipe small enough for tests."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.pictures import write_picture
from engine.sources.sample import SampleClip
from trainer.networks.heatmap import HeatmapShape
from trainer.recipes import PackChoice, Recipe


@pytest.fixture(autouse=True)
def two_threads():
    """Keep PyTorch to the two cores that every test machine has."""
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder with the pack `faces`: 24 frames of the sample."""
    folder = tmp_path_factory.mktemp("data")
    clip = SampleClip()
    names, landmarks, visibility = [], [], []
    for index in range(24):
        image, truth = clip.frame(index * 29)
        names.append(f"images/{index}.png")
        landmarks.append(truth.points)
        visibility.append(np.full(68, 2 if index % 2 else 1, np.uint8))
        write_picture(folder / "faces" / names[-1], image)
    np.savez(
        folder / "faces" / "annotations.npz",
        image=np.array(names),
        landmarks=np.stack(landmarks),
        visibility=np.stack(visibility),
    )
    return folder


@pytest.fixture
def recipe():
    """A run of 6 steps of a tiny network."""
    shape = HeatmapShape(encoder_width=0.25, expansions=(1, 2, 2, 2, 2, 2), decoder_width=16, input_size=64)
    tiny = Recipe("tiny", shape=shape, start="random", packs=(PackChoice("faces", split=None, validation=True),))
    return replace(tiny, steps=6, batch=4, hold_out=8)
