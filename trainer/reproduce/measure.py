"""A trained network measured on the test faces of its set, as an evaluation that `understudy compare` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from engine.core.geometry import crop_of_box, landmark_box
from engine.core.schemes import SCHEMES
from engine.evaluation.evaluate import Task, evaluate_points
from engine.evaluation.files import write_evaluation
from engine.formats.images import read_picture
from engine.formats.packs import Pack, PackFace, read_pack
from trainer.checkpoint import read_header
from trainer.init.initialise import load_network
from trainer.networks import LandmarkNetwork
from trainer.reproduce.official_sets import TEST, OfficialSet


def faces_to_measure(dataset: OfficialSet) -> Pack:
    """Return the test faces of a set.

    Raises:
        PackError: its pack is damaged, or has no split `test`.
    """
    return read_pack(dataset.data / dataset.test, TEST)


@torch.inference_mode()
def measure(checkpoint: Path, dataset: OfficialSet, name: str, out: Path, device: torch.device) -> None:
    """Write the folder of an evaluation of a checkpoint, whole or not at all.

    Args:
        checkpoint: of the network, whose averaged weights count.
        dataset: on whose test faces it is measured, in upright crops of their true boxes.
        name: what the evaluation calls it.
        out: the folder.
        device: where the network runs.

    Raises:
        UsageError: the checkpoint cannot be read.
        PackError, SourceError: the pack is damaged.
        RecordingError: the folder cannot be written.
    """
    network = load_network(checkpoint).to(device)
    header = read_header(checkpoint)
    assert header is not None, "its network was read"
    pack, scale = faces_to_measure(dataset), float(header.recipe["crop_scale"])
    faces = tqdm(pack.faces, desc=f"measuring {name}", unit="face", disable=None)
    found = [_points(network, face, scale, device) for face in faces]
    write_evaluation(evaluate_points(found, SCHEMES[network.shape.points], pack, Task(name, TEST)), out)


def _points(network: LandmarkNetwork, face: PackFace, scale: float, device: torch.device) -> np.ndarray:
    """Return the points `[K, 2]` of a face in pixels of its picture."""
    crop = crop_of_box(landmark_box(face.landmarks), scale)
    pixels = crop.sample(read_picture(face.image), network.shape.input_size)
    image = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float().to(device)
    return crop.to_picture(network(image).points[0].float().cpu().numpy())
