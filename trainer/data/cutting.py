"""Cutting faces out of their pictures, apart from everything of PyTorch: worker processes start with nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import crop_of_box, landmark_box
from engine.formats.images import read_picture


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
    """
    return [_cut(face) for face in faces]


def _cut(face: ToCut) -> Cut:
    crop = crop_of_box(landmark_box(face.landmarks), face.scale)
    image = crop.sample(read_picture(face.picture), face.size).transpose(2, 0, 1)
    return Cut(image, crop.from_picture(face.landmarks).astype(np.float32), crop.side)
