"""How far the labels of a pack lie beside what they mark, by what a model finds in pictures and their mirror images.

A network that learned from pictures and mirrored ones has no side: its points lie as far to the right of what they mark
in the one as in the other. Labels that lie to the right lie to the left once they are mirrored. So half the difference
of the mean errors in x is the labels' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError
from engine.core.geometry import landmark_box
from engine.evaluation.compare import bootstrap_interval
from engine.formats.images import read_picture
from engine.formats.packs import read_pack
from engine.inference.landmarker import Landmarker, not_finite_error
from trainer.data.cutting import refuse_wrong_labels

FEWEST_FACES = 2  # of which there is an interval


@dataclass(frozen=True)
class PackShift:
    """The shift of a pack's labels.

    Attributes:
        pack: its name.
        faces: how many were measured.
        label_shift: in pixels of the stored pictures, to the right; what `PackChoice.label_shift` takes.
        low, high: ends of its 95 % interval.
        model: whose points were compared with the labels.
    """

    pack: str
    faces: int
    label_shift: float
    low: float
    high: float
    model: str


def measure_pack_shift(
    folder: Path, landmarker: Landmarker, split: str | None, labels: str, progress: bool = False
) -> PackShift:
    """Measure the shift of the labels in the array `labels` of a pack.

    Raises:
        PackError: the pack is missing, damaged, of another markup than the model, has fewer than two faces, or labels
            outside their pictures.
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
    """
    pack, markup = read_pack(folder, split, labels, skip_unlabelled=True), landmarker.card.markup
    if pack.scheme is not markup:
        raise PackError(
            f"The pack {pack.name} has {pack.scheme.points} points and the model {landmarker.card.name} "
            f"{markup.points}",
            "errors are measured point by point",
            "choose a model of the pack's markup with --model",
        )
    if len(pack.faces) < FEWEST_FACES:
        raise PackError(
            f"The pack {pack.name} has too few faces to measure a shift on", "there is only one", "take another split"
        )
    mirror, shifts = list(markup.mirror), []
    for face in tqdm(pack.faces, desc=f"measuring {pack.name}", unit="face", disable=not progress or None):
        picture, truth = read_picture(face.image), face.landmarks
        refuse_wrong_labels(face.image, picture, truth)
        mirrored = np.array([picture.shape[1] - 1, 0]) + np.array([-1, 1]) * truth[mirror]
        plain = _error(landmarker, picture, truth)
        other = _error(landmarker, np.ascontiguousarray(picture[:, ::-1]), mirrored.astype(np.float32))
        shifts.append((other - plain) / 2)
    found = np.array(shifts)
    low, high = bootstrap_interval(found)
    return PackShift(pack.name, len(found), float(found.mean()), low, high, landmarker.card.name)


def _error(landmarker: Landmarker, picture: NDArray[np.uint8], truth: NDArray[np.float32]) -> float:
    """Return the mean error in x, in pixels, of the labelled points; to the right is positive."""
    found = landmarker.locate(picture, landmark_box(truth))
    if not found.finite:
        raise not_finite_error(landmarker.card.name)
    return float(np.nanmean(found.points[:, 0] - truth[:, 0]))
