"""Pseudo-labels: a model's landmarks for faces of which people marked only five points, and these check them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError, UsageError
from engine.core.geometry import Crop
from engine.core.schemes import Scheme, eye_centres
from engine.formats.images import read_picture
from engine.formats.packs import read_arrays, same_picture_as_test
from engine.inference.landmarker import Landmarker, Landmarks, not_finite_error
from trainer.data.new_pack import boxes_of, copy_pictures, new_pack, read_meta, write_annotations

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


@dataclass(frozen=True)
class FivePointPack:
    """A pack of faces with five points.

    Attributes:
        folder: where it lies.
        images: `[N]` str, paths below it.
        points: `[N, 5, 2]` float32, pixels of the pictures; NaN without a label.
        arrays: every array of the pack by its name.
    """

    folder: Path
    images: NDArray[np.str_]
    points: NDArray[np.float32]
    arrays: dict[str, NDArray]


def read_five_points(folder: Path) -> FivePointPack:
    """Read a pack of faces with five points.

    Raises:
        PackError: the folder is no pack, is damaged or empty, or its landmarks are others than five points.
    """
    arrays = read_arrays(folder)
    landmarks = arrays.get("landmarks", np.empty(0))
    if landmarks.shape[1:] != (FIVE, 2) or landmarks.dtype.kind not in "fiu":
        raise PackError(
            f"The pack {folder} has no five points to go by",
            f"its array “landmarks” has the shape {landmarks.shape}, (faces, 5, 2) is needed",
            "give a pack with eye centres, nose tip and mouth corners",
        )
    if not len(landmarks):
        raise PackError(f"The pack {folder} holds no face", "its arrays have the length 0", "choose another pack")
    return FivePointPack(folder, arrays["image"].astype(str), landmarks.astype(np.float32), arrays)


def label_pack(
    folder: Path, landmarker: Landmarker, out: Path, largest_disagreement: float, progress: bool = False
) -> Labelling:
    """Write a pack of a model's landmarks for a pack of faces with five points.

    Args:
        folder: the pack with five points.
        landmarker: the model.
        out: folder of the new pack. It gets the pictures, `landmarks` (N, K, 2) and `confidence` (N, K) of the model,
            `bbox` (N, 4), `agreement` (N,): mean distance to the five points in percent of the distance of the eye
            centres, `split`, `use`, and what the pack says about its faces (`KEPT_ARRAYS`).
        largest_disagreement: faces with a greater distance are left out; percent.
        progress: whether to show a bar where a person is watching.

    Raises:
        UsageError: the model's markup has no place for the five points.
        PackError: there is a pack in `out`, `folder` is none with five points, or no face is left.
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
        OSError: the pack cannot be written.
    """
    if not landmarker.card.markup.as_68:
        raise UsageError(
            f"The model {landmarker.card.name} cannot label faces with five points",
            f"among its {landmarker.card.scheme} points the five are unknown",
            "choose a model of 68 or 98 points with --model",
        )
    pack = read_five_points(folder)
    with new_pack(out) as place:
        found = [_found_face(pack, index, landmarker) for index in _progress(pack, progress)]
        agreement = np.array([math.nan if face is None else face.agreement for face in found], np.float32)
        kept = np.flatnonzero(agreement <= largest_disagreement)  # NaN is not
        if not len(kept):
            raise PackError(
                f"No face of the pack {folder} is left",
                f"{np.isnan(agreement).sum()} lack one of the five points, and on the others {landmarker.card.name} "
                f"differs from them by more than {largest_disagreement:g} % of the eye distance",
                "check the order of the points, choose a better model, or raise --largest-disagreement",
            )
        labelling = _summary(out, landmarker, agreement, largest_disagreement)
        faces = [face for index in kept if (face := found[index]) is not None]
        write_annotations(place, _arrays(pack, kept, faces), _meta(pack, landmarker, labelling))
        copy_pictures(folder, place, pack.images[kept].tolist())
    return labelling


def first_crop(five: NDArray[np.floating], landmarker: Landmarker) -> Crop:
    """Return the crop in which the landmarks are found first, of a face with five points `[5, 2]`."""
    rule = landmarker.card.crop
    eyes, mouth, size = _measures(five)
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


def agreement_of(scheme: Scheme, points: NDArray[np.floating], five: NDArray[np.floating]) -> float:
    """Return the mean distance of landmarks `[K, 2]` to five points `[5, 2]` in percent of the eyes' distance.

    NaN where a point is missing or the eyes fall together.
    """
    # The subject's right eye is on the left of the picture.
    single = [points[scheme.as_68[index]] for index in (NOSE_TIP, *MOUTH_CORNERS)]
    shown = np.stack([*eye_centres(scheme, points), *single])
    eyes = float(np.linalg.norm(five[1] - five[0]))
    return float(np.linalg.norm(shown - five, axis=1).mean()) / eyes * 100 if eyes > 0 else math.nan


@dataclass(frozen=True)
class _Found:
    """A model's landmarks of a face and how well they meet its five points."""

    landmarks: Landmarks
    agreement: float


def _found_face(pack: FivePointPack, index: int, landmarker: Landmarker) -> _Found | None:
    """Return the labels of a face; None where its five points do not say where it is."""
    five = pack.points[index]
    if not np.isfinite(five).all() or not (five[0] != five[1]).any():
        return None
    landmarks = locate(read_picture(pack.folder / pack.images[index]), five, landmarker)
    return _Found(landmarks, agreement_of(landmarker.card.markup, landmarks.points, five))


def _measures(five: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating], float]:
    """Return the middle of the eyes, the middle of the mouth, and the size of a face, in pixels."""
    eyes, mouth = five[:2].mean(0), five[3:].mean(0)
    return eyes, mouth, math.hypot(*(five[1] - five[0]), *(mouth - eyes))


def _progress(pack: FivePointPack, progress: bool) -> Iterable[int]:
    quiet = None if progress else True  # None: quiet unless a person is watching
    return tqdm(range(len(pack.images)), desc=f"labelling {pack.folder.resolve().name}", unit="face", disable=quiet)


def _summary(out: Path, landmarker: Landmarker, agreement: NDArray[np.float32], limit: float) -> Labelling:
    complete = agreement[np.isfinite(agreement)]
    kept = int((complete <= limit).sum())
    return Labelling(
        pack=out,
        model=landmarker.card.name,
        faces=len(agreement),
        kept=kept,
        disagreeing=len(complete) - kept,
        incomplete=len(agreement) - len(complete),
        largest_disagreement=limit,
        median=float(np.median(complete)),
        p90=float(np.percentile(complete, 90)),
    )


def _arrays(pack: FivePointPack, kept: NDArray[np.intp], faces: list[_Found]) -> dict[str, NDArray]:
    points = np.stack([face.landmarks.points for face in faces])
    splits = pack.arrays["split"].astype(str) if "split" in pack.arrays else np.full(len(pack.images), "train")
    return {
        **{name: pack.arrays[name][kept] for name in KEPT_ARRAYS if name in pack.arrays},
        "image": pack.images[kept],
        "landmarks": points,
        "confidence": np.stack([face.landmarks.confidence for face in faces]),
        "bbox": boxes_of(points),
        "agreement": np.array([face.agreement for face in faces], np.float32),
        "split": splits[kept],
        "same_picture_as_test": same_picture_as_test(pack.arrays, splits)[kept],
        "use": np.full(len(kept), "pseudo-labels"),
    }


def _meta(pack: FivePointPack, landmarker: Landmarker, labelling: Labelling) -> dict[str, Any]:
    card = landmarker.card
    return {
        "name": labelling.pack.name,
        "markup": f"the {card.scheme} points of the model {card.name}",
        "labels": f"machine-made by the model {card.name}, checked against five manual points",
        "model": {"name": card.name, "sha256": card.sha256, "revision": card.revision, "licence": card.licence},
        "agreement": "mean distance to the five manual points in percent of the distance of the eye centres",
        "largest_disagreement": labelling.largest_disagreement,
        "left_out": {"disagreeing": labelling.disagreeing, "incomplete": labelling.incomplete},
        "count": labelling.kept,
        "coords": "0-based pixel centres",
        "made_from": {"pack": pack.folder.resolve().name, **read_meta(pack.folder)},
    }
