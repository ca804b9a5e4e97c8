"""Pseudo-labels: a model's landmarks for faces of which people marked only five points, and these check them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError, UsageError
from engine.core.geometry import Crop
from engine.core.schemes import Scheme, eye_centres
from engine.formats.images import read_picture
from engine.formats.packs import read_arrays, same_picture_as_test
from engine.inference.card import Card
from engine.inference.landmarker import Landmarker, Landmarks, not_finite_error
from trainer.data.new_pack import new_pack, write_relabelled

# The five points of MTFL: the eye on the left of the picture, that on its right, nose tip, mouth corners in this order.
FIVE = 5
NOSE_TIP, MOUTH_CORNERS = 30, (48, 54)  # of iBUG-68
# The landmark box, in a frame turned by the eye line: its larger side, and how far its centre lies below the middle
# between eyes and mouth. The unit is the root of the sum of squares of two distances, eye to eye and eyes to mouth:
# a turned head shortens one of them, never both. Medians on 400 faces of faces5, where the crop had come to rest; the
# side varies by 6 %.
BOX_SIDE, BOX_DOWN = 1.6, 0.15
# A crop that moves by less than this share of its side stands still; most do in the second or third round.
STILL, MOST_ROUNDS = 0.02, 4
# Percent of the eye distance. On faces5, student-68 differs by 3.9 in the median, of which about 3 are a difference of
# definition: people put the centre of an eye higher than the mean of its outline. Up to 10 the landmarks look right;
# between 7 and 10 are mostly turned heads, whose eyes appear close together. Beyond are 0.6 % of the faces.
LARGEST_DISAGREEMENT = 10.0
# Arrays that say who and what a face is: they go over into the new pack.
KEPT_ARRAYS = ("identity", "video", "group", "attributes", "source")


@dataclass(frozen=True)
class Labelling:
    """What labelling a pack came to.

    Attributes:
        pack: folder of the new pack.
        model: name of the model that made the labels.
        faces: faces of the pack that was labelled.
        kept: faces of the new pack.
        disagreeing: faces left out because model and people disagree by more than `largest_disagreement`.
        incomplete: faces left out because one of the five points is missing or the eyes fall together.
        largest_disagreement: limit in percent of the distance of the eye centres.
        median, p90: disagreement over all faces with five points, in percent.
    """

    pack: Path
    model: str
    faces: int
    kept: int
    disagreeing: int
    incomplete: int
    largest_disagreement: float
    median: float
    p90: float


def _read_five_points(folder: Path) -> dict[str, NDArray]:
    """Read the arrays of a pack of faces with five points; `landmarks` `[N, 5, 2]` float32, NaN without a label."""
    arrays = read_arrays(folder)
    landmarks = arrays.get("landmarks", np.empty(0))
    if landmarks.shape[1:] != (FIVE, 2) or landmarks.dtype.kind not in "fiu":
        raise PackError(
            f"The pack {folder} has no five points to go by",
            f"its array “landmarks” has the shape {landmarks.shape}, (faces, 5, 2) is needed",
            "give a pack with eye centres, nose tip and mouth corners, or a folder of pictures without labels",
        )
    if not len(landmarks):
        raise PackError(f"The pack {folder} holds no face", "its arrays have the length 0", "choose another pack")
    return {**arrays, "image": arrays["image"].astype(str), "landmarks": landmarks.astype(np.float32)}


def label_pack(
    folder: Path, landmarker: Landmarker, out: Path, largest_disagreement: float, progress: bool = False
) -> Labelling:
    """Write a pack of a model's landmarks for a pack of faces with five points.

    The new pack `out` gets the pictures, `landmarks` (N, K, 2) and `confidence` (N, K) of the model, `bbox` (N, 4),
    `disagreement` (N,): mean distance to the five points in percent of the distance of the eye centres, `split`, `use`,
    and what the pack says about its faces (`KEPT_ARRAYS`). Faces with a greater distance than `largest_disagreement`,
    in percent, are left out.

    Raises:
        UsageError: the model's markup has no place for the five points.
        PackError: there is a pack in `out`, `folder` is none with five points, or no face is left.
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
        OSError: the pack cannot be written.
    """
    card = landmarker.card
    if not card.markup.as_68:
        raise UsageError(
            f"The model {card.name} cannot label faces with five points",
            f"among its {card.scheme} points the five are unknown",
            "choose a model of 68 or 98 points with --model",
        )
    arrays = _read_five_points(folder)
    images, manual = arrays["image"], arrays["landmarks"]
    with new_pack(out) as place:
        title = f"labelling {folder.resolve().name}"
        quiet = not progress or None  # None: quiet unless a person is watching
        found, distances = [], np.full(len(images), np.nan, np.float32)
        for index, five in enumerate(tqdm(manual, desc=title, unit="face", disable=quiet)):
            face = None
            if np.isfinite(five).all() and (five[0] != five[1]).any():
                face = locate(read_picture(folder / images[index]), five, landmarker)
                distances[index] = distance_of(card.markup, face.points, five)
            found.append(face)
        kept = np.flatnonzero(distances <= largest_disagreement)  # NaN is not
        complete = distances[np.isfinite(distances)]
        if not len(kept):
            raise PackError(
                f"No face of the pack {folder} is left",
                f"{len(images) - len(complete)} lack one of the five points, and on the others {card.name} "
                f"differs from them by more than {largest_disagreement:g} % of the eye distance",
                "check the order of the points, choose a better model, or raise --largest-disagreement",
            )
        labelling = Labelling(
            pack=out,
            model=card.name,
            faces=len(images),
            kept=len(kept),
            disagreeing=len(complete) - len(kept),
            incomplete=len(images) - len(complete),
            largest_disagreement=largest_disagreement,
            median=float(np.median(complete)),
            p90=float(np.percentile(complete, 90)),
        )
        faces = [face for index in kept if (face := found[index]) is not None]
        written = {**_arrays(arrays, kept, faces), "disagreement": distances[kept]}
        write_relabelled(place, folder, written, _meta(card, labelling))
    return labelling


def first_crop(five: NDArray[np.floating], landmarker: Landmarker) -> Crop:
    """Return the crop in which the landmarks are found first, of a face with five points `[5, 2]`."""
    rule = landmarker.card.crop
    eyes, mouth = five[:2].mean(0), five[3:].mean(0)
    size = math.hypot(*(five[1] - five[0]), *(mouth - eyes))
    roll = math.atan2(float(five[1, 1] - five[0, 1]), float(five[1, 0] - five[0, 0]))
    side = BOX_SIDE * size
    down = BOX_DOWN * size + rule.dy * side
    x, y = (eyes + mouth) / 2 + (-math.sin(roll) * down, math.cos(roll) * down)
    return Crop(float(x), float(y), rule.scale * side, roll if rule.level else 0.0)


def locate(picture: NDArray[np.uint8], five: NDArray[np.floating], landmarker: Landmarker) -> Landmarks:
    """Find the landmarks of the face with the points `five` `[5, 2]`, from one crop to the next until it stands still.

    Raises:
        ModelError: the model gave numbers that are not finite.
    """
    crop = first_crop(five, landmarker)
    for _ in range(MOST_ROUNDS):
        found = landmarker.predict(picture, crop)
        if not found.finite:
            raise not_finite_error(landmarker.card.name)
        before, crop = crop, landmarker.crop_of_face(found)
        moved = math.hypot(crop.centre_x - before.centre_x, crop.centre_y - before.centre_y)
        if max(moved, abs(crop.side - before.side)) < STILL * crop.side:
            break
    return found


def distance_of(scheme: Scheme, points: NDArray[np.floating], five: NDArray[np.floating]) -> float:
    """Return the mean distance of landmarks `[K, 2]` to five points `[5, 2]` in percent of the eyes' distance.

    NaN where a point is missing or the eyes fall together.
    """
    # The subject's right eye is on the left of the picture.
    single = [points[scheme.as_68[index]] for index in (NOSE_TIP, *MOUTH_CORNERS)]
    shown = np.stack([*eye_centres(scheme, points), *single])
    eyes = float(np.linalg.norm(five[1] - five[0]))
    return float(np.linalg.norm(shown - five, axis=1).mean()) / eyes * 100 if eyes > 0 else math.nan


def _arrays(given: dict[str, NDArray], kept: NDArray[np.intp], faces: list[Landmarks]) -> dict[str, NDArray]:
    splits = given["split"].astype(str) if "split" in given else np.full(len(given["image"]), "train")
    return {
        **{name: given[name][kept] for name in KEPT_ARRAYS if name in given},
        "image": given["image"][kept],
        "landmarks": np.stack([face.points for face in faces]),
        "confidence": np.stack([face.confidence for face in faces]),
        "split": splits[kept],
        "same_picture_as_test": same_picture_as_test(given, splits)[kept],
        "use": np.full(len(kept), "pseudo-labels"),
    }


def _meta(card: Card, labelling: Labelling) -> dict[str, object]:
    return {
        "name": labelling.pack.name,
        "markup": f"the {card.scheme} points of the model {card.name}",
        "labels": f"machine-made by the model {card.name}, checked against five manual points",
        "model": {"name": card.name, "sha256": card.sha256, "revision": card.revision, "licence": card.licence},
        "disagreement": "mean distance to the five manual points in percent of the distance of the eye centres",
        "largest_disagreement": labelling.largest_disagreement,
        "left_out": {"disagreeing": labelling.disagreeing, "incomplete": labelling.incomplete},
    }
