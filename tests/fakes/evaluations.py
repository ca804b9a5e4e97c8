"""A small pack and evaluations with known errors."""

from pathlib import Path

import numpy as np

from engine.core.schemes import IBUG_68
from engine.evaluation.evaluate import Evaluation, Task, evaluate_points
from engine.formats.images import write_picture
from engine.formats.packs import read_pack
from tests.fakes.models import face_points

EYES = 60.0  # pixels between the outer eye corners of every face


def write_pack(folder: Path, count: int = 4, pictures: bool = True, **arrays: np.ndarray) -> Path:
    """Write a pack of one face a picture, each a little further right; `arrays` come on top or instead."""
    names = [f"images/{index}.png" for index in range(count)]
    landmarks = np.stack([face_points(100 + 10 * index, 100, 100) for index in range(count)])
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "annotations.npz", **{"image": np.array(names), "landmarks": landmarks, **arrays})
    if pictures:
        for name in names:
            write_picture(folder / name, np.full((200, 250, 3), 90, np.uint8))
    return folder


def evaluation(folder: Path, errors: list[float | None], model: str = "fake", **task: str) -> Evaluation:
    """Evaluate landmarks that are off by `errors` percent of the eye distance; None for a missed face."""
    pack = read_pack(folder, need_pictures=False)
    found = [
        None if error is None else (face.landmarks + (0, error / 100 * EYES)).astype(np.float32)
        for face, error in zip(pack.faces, errors, strict=True)
    ]
    return evaluate_points(found, IBUG_68, pack, Task(model, **task))
