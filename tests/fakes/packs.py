"""Packs in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.formats.images import write_picture
from engine.sources.sample import SampleClip


def make_pack(folder: Path, faces: int = 3, points: int = 68, **arrays: np.ndarray) -> Path:
    """Write a pack of faces, with further arrays or others; return its folder."""
    folder.mkdir(parents=True)
    names = [f"images/face {index} Öß.png" for index in range(faces)]
    for name in names:
        write_picture(folder / name, np.full((60, 80, 3), 90, np.uint8))
    landmarks = np.random.default_rng(0).uniform(5, 50, (faces, points, 2)).astype(np.float32)
    stored = {"image": np.array(names), "landmarks": landmarks, **arrays}
    np.savez(folder / "annotations.npz", **stored)
    return folder


def sample_pack(folder: Path, **arrays: np.ndarray) -> Path:
    """Write a pack of three frames of the sample with their truth, with further arrays; return its folder."""
    clip = SampleClip()
    frames = [clip.frame(number) for number in (0, 60, 200)]
    names = [f"images/{index}.png" for index in range(len(frames))]
    for name, (image, _) in zip(names, frames, strict=True):
        write_picture(folder / name, image)
    points = np.stack([truth.points for _, truth in frames])
    np.savez(folder / "annotations.npz", image=np.array(names), landmarks=points, **arrays)
    return folder


def rewrite(folder: Path, **changes: np.ndarray) -> None:
    """Change arrays of a pack."""
    with np.load(folder / "annotations.npz") as archive:
        arrays = {**archive, **changes}
    np.savez(folder / "annotations.npz", **arrays)
