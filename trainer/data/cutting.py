"""Cutting faces out of their pictures, apart from everything of PyTorch: worker processes start with nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.geometry import crop_of_box, in_picture, landmark_box
from engine.formats.images import read_picture

NO_FACE = 4.0  # pixels: a larger side of the landmark box below it is no face, but labels that fell together


@dataclass(frozen=True)
class ToCut:
    """A face to cut out.

    Attributes:
        picture: its path.
        landmarks: `[K, 2]` in pixels of the picture.
        size: pixels a side of the crop.
        scale: side of the crop as a multiple of the larger side of the landmark box.
    """

    picture: Path
    landmarks: NDArray[np.float32]
    size: int
    scale: float


@dataclass(frozen=True)
class Cut:
    """A face that was cut out.

    Attributes:
        image: `[3, size, size]` uint8 RGB.
        points: `[K, 2]` float32 in [0, 1] of the crop.
        side: of the crop in pixels of the picture.
    """

    image: NDArray[np.uint8]
    points: NDArray[np.float32]
    side: float


def cut_faces(faces: list[ToCut]) -> list[Cut]:
    """Cut faces out of their pictures.

    Raises:
        SourceError: a picture cannot be read.
        PackError: labels fall together, or none lies in its picture.
    """
    return [_cut(face) for face in faces]


def refuse_wrong_labels(path: Path, picture: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> None:
    """Look whether labels `[K, 2]` can be those of a face in the picture `[H, W, 3]` of that path.

    Raises:
        PackError: they fall together, or none lies in the picture.
    """
    box, (height, width) = landmark_box(landmarks), picture.shape[:2]
    if max(box.width, box.height) < NO_FACE:
        raise _wrong_labels(path, f"lie within {NO_FACE:g} pixels of each other")
    if not in_picture(landmarks, width, height).any():
        raise _wrong_labels(path, f"lie outside the picture of {width} x {height} pixels")


def _cut(face: ToCut) -> Cut:
    picture = read_picture(face.picture)
    refuse_wrong_labels(face.picture, picture, face.landmarks)
    crop = crop_of_box(landmark_box(face.landmarks), face.scale)
    image = crop.sample(picture, face.size).transpose(2, 0, 1)
    return Cut(image, crop.from_picture(face.landmarks).astype(np.float32), crop.side)


def _wrong_labels(path: Path, what: str) -> PackError:
    return PackError(
        f"The labels of a face in {path} {what}",
        "they are of another picture, or were written in other units than pixels",
        "look at the pack with “understudy data check”, and mend or remove what it names",
    )
