"""Measuring a model on a pack of labelled faces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.geometry import landmark_box
from engine.landmarks.metrics import area_under_ced, failure_rate, nme, nme_box, roc_area
from engine.landmarks.schemes import IBUG_68, Scheme
from engine.models.detector import FaceDetector
from engine.models.landmarker import Landmarker, Landmarks, not_finite_error
from engine.packs import VISIBLE, Pack, PackFace
from engine.pictures import read_picture


@dataclass(frozen=True)
class Evaluation:
    """How well a model does on a pack.

    Attributes:
        model, data, split, labels: what was measured on what; `split` is "all" for the whole pack.
        n: faces measured, missed ones included.
        points: landmarks compared, 68 or 98.
        nme: mean error in percent of the distance of the outer eye corners, over labelled points; missed faces
            and those with a hidden eye corner are left out. None if there is no such face.
        nme_faces: faces with both eye corners labelled, missed ones included: what `fr10` and `auc10` rest on.
        nme_box: mean error in percent of the square root of the truth box's area, over all faces found.
        fr10: percent of faces with an error above 10 % of the eye distance; a missed face counts as a failure.
        auc10: area under the cumulative error distribution up to 10 %, in [0, 1]; a missed face counts as beyond.
        missed: faces that the detector did not find.
        box: `truth` or `detector`, where the crops come from.
        visibility_auc: area under the ROC curve of the confidence telling visible from hidden points; None where the
            pack has no flags.
    """

    model: str
    data: str
    split: str
    labels: str
    n: int
    points: int
    nme: float | None
    nme_faces: int
    nme_box: float | None
    fr10: float | None
    auc10: float | None
    missed: int
    box: str
    visibility_auc: float | None


@dataclass(frozen=True)
class Scored:
    """One face of a pack and what was found on it; None if it was missed."""

    face: PackFace
    landmarks: Landmarks | None


def evaluate(
    landmarker: Landmarker, pack: Pack, split: str | None, labels: str, box: str, detector: FaceDetector | None
) -> Evaluation:
    """Measure a model on every face of `pack`; with `detector` on the faces that it finds, else in the true boxes.

    Raises:
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
    """
    scored = [Scored(face, locate(landmarker, read_picture(face.image), face, detector)) for face in pack.faces]
    scheme, truths, predictions = _comparable(landmarker, pack.scheme, scored)
    missed = sum(entry.landmarks is None for entry in scored)

    errors, box_errors = [], []
    for points, truth in zip(predictions, truths, strict=True):
        if points is None:
            errors.append(np.inf if np.isfinite(nme(scheme, truth, truth)) else np.nan)
            continue
        errors.append(nme(scheme, points, truth))
        box_errors.append(nme_box(points, truth))
    measured = np.array(errors)[~np.isnan(errors)]
    found = measured[np.isfinite(measured)]
    return Evaluation(
        model=landmarker.card.name,
        data=pack.name,
        split=split or "all",
        labels=labels,
        n=len(scored),
        points=scheme.points,
        nme=_mean(found),
        nme_faces=len(measured),
        nme_box=_mean(np.array(box_errors)),
        fr10=failure_rate(measured) if len(measured) else None,
        auc10=area_under_ced(measured) if len(measured) else None,
        missed=missed,
        box=box,
        visibility_auc=_visibility_auc(scored, scheme, landmarker),
    )


def locate(
    landmarker: Landmarker, picture: NDArray[np.uint8], face: PackFace, detector: FaceDetector | None
) -> Landmarks | None:
    """Find the landmarks of a labelled face in its true box, or through the detection that overlaps it most.

    Raises:
        ModelError: the model gave numbers that are not finite.
    """
    truth = landmark_box(face.landmarks)
    if detector is None:
        found = landmarker.locate(picture, truth)
    else:
        detections = [detection for detection in detector.detect(picture) if detection.box.overlap(truth) > 0]
        if not detections:
            return None
        best = max(detections, key=lambda detection: detection.box.overlap(truth))
        found = landmarker.locate_detection(picture, best)
    if not found.finite:
        raise not_finite_error(landmarker.card.name)
    return found


def _comparable(
    landmarker: Landmarker, pack_scheme: Scheme, scored: list[Scored]
) -> tuple[Scheme, list[NDArray[np.float32]], Iterator[NDArray[np.float32] | None]]:
    """Return markup, truths and predictions on the points that model and pack share."""
    own = landmarker.card.markup
    truths = [entry.face.landmarks for entry in scored]
    predictions = (None if entry.landmarks is None else entry.landmarks.points for entry in scored)
    if own is pack_scheme:
        return own, truths, predictions
    shared_truths = [truth[list(pack_scheme.as_68)] for truth in truths]
    shared = (None if points is None else points[list(own.as_68)] for points in predictions)
    return IBUG_68, shared_truths, shared


def _visibility_auc(scored: list[Scored], scheme: Scheme, landmarker: Landmarker) -> float | None:
    flagged = [entry for entry in scored if entry.face.visibility is not None and entry.landmarks is not None]
    if not flagged or landmarker.card.markup is not scheme:
        return None
    confidence = np.concatenate([entry.landmarks.confidence for entry in flagged if entry.landmarks])
    flags = [entry.face.visibility for entry in flagged]
    visible = np.concatenate([flag == VISIBLE for flag in flags if flag is not None])
    area = roc_area(confidence, visible)
    return area if np.isfinite(area) else None


def _mean(values: NDArray[np.floating]) -> float | None:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None
