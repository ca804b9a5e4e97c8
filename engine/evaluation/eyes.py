"""How well a model tells closed eyes from open ones, on packs that know which is which but have no landmarks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.faces import EyeLevels
from engine.core.geometry import Box, crop_of_box
from engine.core.metrics import roc_area
from engine.evaluation.files import DIGITS, all_rounded
from engine.formats.images import read_picture
from engine.formats.packs import chosen_faces, is_pack, read_arrays
from engine.inference.landmarker import Landmarker, not_finite_error
from engine.inference.signals import LEFT_EYE, RIGHT_EYE, aspect_ratio

NEEDED = ("state", "bbox", "roll")
# The split by which the signals are calibrated; on others that is only tested.
CALIBRATION_SPLIT = "train"
# Percent of the faces that the best cut has to get right for the levels to say anything: below, blinks would be noise.
LEAST_RIGHT = 80.0
PROTOCOL = (
    "Mean aspect ratio of both eyes as a test for open ones: area under the ROC curve, medians of closed and of open "
    "eyes, and the ratio at which sensitivity plus specificity are highest; level crop of the pack's box"
)


@dataclass(frozen=True)
class EyeEvaluation:
    """How far a model's closed eyes are from its open ones.

    Attributes:
        model, data, split: what was measured; "all" for the whole pack.
        n: faces, of whom both eyes are open or both are closed.
        closed: how many of them have closed eyes.
        eyes_auc: area under the ROC curve of the mean aspect ratio of both eyes, in [0, 1].
        eyes_closed, eyes_open: median aspect ratio of either kind.
        eyes_cut: aspect ratio with the highest sum of sensitivity and specificity.
        eyes_right: percent of the faces that this cut gets right, the mean of both kinds.
    """

    model: str
    data: str
    split: str
    n: int
    closed: int
    eyes_auc: float
    eyes_closed: float
    eyes_open: float
    eyes_cut: float
    eyes_right: float

    def figures(self) -> dict[str, Any]:
        """Return everything as plain values with the digits that mean something."""
        return all_rounded({**asdict(self), "protocol": PROTOCOL}, DIGITS)

    @property
    def levels(self) -> EyeLevels:
        """What signals need to know of the model.

        Raises:
            ValueError: it hardly sees whether eyes are closed.
        """
        if self.eyes_right < LEAST_RIGHT:
            raise ValueError(f"the best cut is right on {self.eyes_right:.1f} % of the faces, not on {LEAST_RIGHT:g} %")
        return EyeLevels(*(round(value, DIGITS) for value in (self.eyes_closed, self.eyes_open, self.eyes_cut)))


def has_eye_states(folder: Path) -> bool:
    """Return whether a folder is a pack that knows the state of eyes and no landmarks."""
    arrays = read_arrays(folder, ("state", "landmarks")) if is_pack(folder) else {}
    return "state" in arrays and "landmarks" not in arrays


def evaluate_eyes(
    landmarker: Landmarker, folder: Path, split: str | None, pictures: Collection[str] | None = None
) -> EyeEvaluation:
    """Measure a model on the faces of a split whose state is sure, and of these `pictures` alone; None for all.

    Raises:
        PackError: the pack is damaged, lacks an array, or has only one kind of eyes; or the model's points are no lids.
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
    """
    arrays, scheme = read_arrays(folder, (*NEEDED, "split", "sure")), landmarker.card.markup
    missing = [name for name in NEEDED if name not in arrays]
    if missing or not scheme.has_68:
        raise PackError(
            f"The eyes in the pack {folder} cannot be measured",
            f"it has no array “{missing[0]}”" if missing else f"{landmarker.card.name} finds no eyelids",
            "copy the pack again" if missing else "choose a model of 68 or 98 points",
        )
    splits = arrays.get("split", np.full(len(arrays["image"]), "")).astype(str)
    chosen = np.flatnonzero(chosen_faces(folder, splits, split) & (arrays.get("sure", np.ones(len(splits))) > 0))
    if pictures is not None:
        chosen = chosen[np.isin(arrays["image"][chosen].astype(str), list(pictures))]
    is_open = arrays["state"][chosen] == 1
    if is_open.all() or not is_open.any():
        raise PackError(
            f"Of the {len(chosen)} faces of {folder} none has {'closed' if is_open.any() else 'open'} eyes",
            "only the difference of both kinds says something",
            "choose another split with --split",
        )
    rule, ratios = landmarker.card.crop, []
    for index in chosen:
        roll = float(arrays["roll"][index]) if rule.level else 0.0
        box = Box(*arrays["bbox"][index].tolist())
        crop = replace(crop_of_box(box, rule.scale, rule.dy), roll=roll)
        points = landmarker.predict(read_picture(folder / str(arrays["image"][index])), crop).points
        if not np.isfinite(points).all():
            raise not_finite_error(landmarker.card.name)
        points = scheme.to_68(points)
        eyes = (points[list(eye)].tolist() for eye in (RIGHT_EYE, LEFT_EYE))
        ratios.append(float(np.mean([aspect_ratio(eye) for eye in eyes])))
    found = np.array(ratios)
    cut, right = best_cut(found, is_open)
    return EyeEvaluation(
        model=landmarker.name,
        data=folder.resolve().name,
        split=split or "all",
        n=len(found),
        closed=int((~is_open).sum()),
        eyes_auc=roc_area(found, is_open),
        eyes_closed=float(np.median(found[~is_open])),
        eyes_open=float(np.median(found[is_open])),
        eyes_cut=cut,
        eyes_right=100 * right,
    )


def best_cut(values: NDArray[np.floating], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the cut above which values are best taken for positive, and half of sensitivity plus specificity there.

    It lies midway between two values; of equally good ones the middle one is taken.
    """
    order = np.sort(np.unique(values))
    cuts = (order[1:] + order[:-1]) / 2 if len(order) > 1 else order
    above = values[None] > cuts[:, None]
    sums = above[:, positive].mean(1) + (~above)[:, ~positive].mean(1)
    best = np.flatnonzero(sums >= sums.max() - 1e-12)
    place = int(best[len(best) // 2])
    return float(cuts[place]), float(sums[place]) / 2
