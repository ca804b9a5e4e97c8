"""Evaluating landmarks on a pack of labelled faces: those of a model, or those that another tool wrote."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.geometry import in_picture, landmark_box
from engine.core.metrics import accuracy, mean_error, nme_box, normaliser, part_errors, roc_area
from engine.core.schemes import Scheme, common_scheme
from engine.formats.images import read_picture
from engine.formats.packs import VISIBLE, Pack, PackFace
from engine.inference.detector import FaceDetector
from engine.inference.landmarker import Landmarker, Landmarks, not_finite_error

# Where the crops come from when they are not ours: landmarks out of a file.
FROM_FILE = "predictions"
# The names of a scheme's parts in tables, in their order there.
PART_TITLES = {"jaw": "jaw", "brow": "brows", "nose": "nose", "eye": "eyes", "lip": "mouth", "pupil": "pupils"}


@dataclass(frozen=True)
class Task:
    """What is measured.

    Attributes:
        model: name of the model, or of the file with the landmarks.
        split: "all" for the whole pack.
        labels: the array of the pack that is the truth.
        box: `truth` or `detector`, where the crops come from; `predictions` for landmarks out of a file.
        normaliser: what errors are divided by, one of `engine.core.metrics.NORMALISERS`.
    """

    model: str
    split: str = "all"
    labels: str = "landmarks"
    box: str = "truth"
    normaliser: str = "eyes"


@dataclass(frozen=True)
class ScoredFace:
    """One labelled face of a pack with the landmarks found and their error.

    Attributes:
        image: path of its picture below the pack.
        truth: `[K, 2]` float32, pixels; NaN without a label; in the markup that is compared.
        points: `[K, 2]` float32, pixels; None if the face was missed.
        length: what errors are divided by, in pixels; NaN if it is unknown.
        nme: mean error in percent of `length`; infinite if the face was missed, NaN if `length` is unknown.
        nme_box: the same in percent of the square root of the true box's area; NaN if the face was missed.
        parts: for each part of the face, by its title, the mean error of its points in percent of `length`, NaN where
            none has a label; empty if missed.
    """

    face: PackFace
    image: str
    truth: NDArray[np.float32]
    points: NDArray[np.float32] | None
    length: float
    nme: float
    nme_box: float
    parts: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The accuracy of landmarks on a pack.

    Attributes:
        model, split, labels, box, normaliser: see `Task`.
        data: name of the pack.
        n: faces measured, missed ones included.
        points: landmarks compared: 29, 68 or 98.
        nme: mean error in percent of the normaliser, over labelled points; missed faces and those whose normaliser is
            unknown (a hidden eye corner) are left out. None if there is no such face.
        nme_faces: faces whose normaliser is known, missed ones included: the basis of `fr10` and `auc10`.
        nme_box: mean error in percent of the square root of the truth box's area, over all faces found.
        fr10: percent of faces with an error above 10 % of the normaliser; a missed face counts as a failure.
        auc10: area under the cumulative error distribution up to 10 %, in [0, 1]; a missed face counts as beyond.
        missed: faces that were not found.
        outside: faces most of whose labels lie outside their picture; None for landmarks out of a file, for which no
            picture is opened.
        visibility_auc: area under the ROC curve of the confidence as a classifier of visible points; None where the
            pack has no flags.
        scheme: the markup that is compared.
        faces: every face, in the pack's order.
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
    outside: int | None
    box: str
    normaliser: str
    visibility_auc: float | None
    scheme: Scheme
    faces: tuple[ScoredFace, ...]


def evaluate(landmarker: Landmarker, pack: Pack, task: Task, detector: FaceDetector | None) -> Evaluation:
    """Measure a model on every face of `pack`; with `detector` on the faces that it finds, else in the true boxes.

    Its points are taken as labelled, so that figures can be compared with those of papers.

    Raises:
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
        PackError: most faces lie outside their pictures, so the labels are of other ones.
    """
    landmarker = copy(landmarker)
    landmarker.as_labelled = True
    found: list[Landmarks | None] = []
    outside = 0
    for face in pack.faces:
        picture = read_picture(face.image)
        outside += lies_outside(face, picture)
        found.append(locate(landmarker, picture, face, detector))
    if outside > len(pack.faces) / 2:
        raise PackError(
            f"The labels of {pack.name} do not fit its pictures: {outside} of {len(pack.faces)} faces lie outside",
            "the pictures were exchanged, cropped or scaled after they were labelled",
            "look at them with “understudy data check”, and give the pack its own pictures",
        )
    scheme = landmarker.card.markup
    points = [None if landmarks is None else landmarks.points for landmarks in found]
    visibility = _visibility_auc(pack, found) if scheme is pack.scheme else None
    return evaluate_points(points, scheme, pack, task, visibility, outside)


def evaluate_points(
    found: Sequence[NDArray[np.float32] | None],
    scheme: Scheme,
    pack: Pack,
    task: Task,
    visibility_auc: float | None = None,
    outside: int | None = None,
) -> Evaluation:
    """Measure landmarks `[K, 2]` in pixels that were found for each face of `pack`; None where it was missed.

    Where the pack has another markup, the points that both share are compared.

    Raises:
        PackError: the two markups share no points.
    """
    compared = _compared(pack.scheme, scheme, pack.name)
    faces = tuple(
        _scored(
            pack,
            face,
            compared,
            pack.scheme.points_in(compared, face.landmarks),
            None if points is None else scheme.points_in(compared, points),
            task,
        )
        for face, points in zip(pack.faces, found, strict=True)
    )
    figures = accuracy(np.array([face.nme for face in faces]))
    return Evaluation(
        **vars(task),
        data=pack.name,
        n=len(faces),
        points=compared.points,
        nme=figures.nme,
        nme_faces=figures.faces,
        nme_box=accuracy(np.array([face.nme_box for face in faces])).nme,
        fr10=figures.fr10,
        auc10=figures.auc10,
        missed=sum(points is None for points in found),
        outside=outside,
        visibility_auc=visibility_auc,
        scheme=compared,
        faces=faces,
    )


def lies_outside(face: PackFace, picture: NDArray[np.uint8]) -> bool:
    """Return whether most of a face's known landmarks are outside its picture `[H, W, 3]`."""
    points = face.landmarks[np.isfinite(face.landmarks).all(1)]
    height, width = picture.shape[:2]
    return bool(in_picture(points, width, height).sum() < len(points) / 2)


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
        best = max(detector.detect(picture), key=lambda detection: detection.box.overlap(truth), default=None)
        if best is None or best.box.overlap(truth) <= 0:
            return None
        found = landmarker.locate_detection(picture, best)
    if not found.finite:
        raise not_finite_error(landmarker.card.name)
    return found


def _compared(of_pack: Scheme, of_found: Scheme, pack: str) -> Scheme:
    """Return the markup to compare in."""
    scheme = common_scheme(of_pack, of_found)
    if scheme is None:
        raise PackError(
            f"{of_found.points} points cannot be compared with the {of_pack.points} points of the pack {pack}",
            "only markups that have the 68 points of iBUG can be turned into one another",
            "choose landmarks of the pack's own markup",
        )
    return scheme


def _scored(
    pack: Pack,
    face: PackFace,
    scheme: Scheme,
    truth: NDArray[np.float32],
    points: NDArray[np.float32] | None,
    task: Task,
) -> ScoredFace:
    image = face.image.relative_to(pack.folder).as_posix()
    length = normaliser(scheme, truth, task.normaliser)
    if points is None:
        missed = np.inf if np.isfinite(length) else np.nan
        return ScoredFace(face, image, truth, None, length, missed, np.nan, {})
    error = mean_error(points, truth) / length * 100
    parts = {PART_TITLES[part]: value for part, value in part_errors(scheme, points, truth, length).items()}
    return ScoredFace(face, image, truth, points, length, error, nme_box(points, truth), parts)


def _visibility_auc(pack: Pack, found: Sequence[Landmarks | None]) -> float | None:
    flagged = [
        (landmarks.confidence, face.visibility == VISIBLE)
        for face, landmarks in zip(pack.faces, found, strict=True)
        if landmarks is not None and face.visibility is not None
    ]
    if not flagged:
        return None
    confidence, visible = (np.concatenate(column) for column in zip(*flagged, strict=True))
    area = roc_area(confidence, visible)
    return area if np.isfinite(area) else None
