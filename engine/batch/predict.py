"""Landmarks of pictures, videos and packs, as records ready to be written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.batch.frames import process_frames, require_end
from engine.core.errors import SourceError
from engine.core.faces import Face
from engine.core.geometry import landmark_box
from engine.evaluation.evaluate import locate
from engine.formats.images import read_picture
from engine.formats.landmark_writers import Prediction, as_prediction
from engine.formats.packs import Pack, PackFace
from engine.inference.detector import FaceDetector
from engine.inference.landmarker import Landmarker
from engine.inference.pipeline import Pipeline
from engine.inference.signals import SignalReader
from engine.sources.base import Source


def predict_source(
    source: Source, detector: FaceDetector, landmarker: Landmarker, max_faces: int | None = None
) -> Iterator[Prediction]:
    """Yield a prediction for each frame of a source that ends, without smoothing, with at most `max_faces` faces.

    Raises:
        UsageError: the source is a camera or the sample, which never end.
        SourceError: the source failed or gave no frame.
        ModelError: the model gave numbers that are not finite.
    """
    require_end(source, "its landmarks")
    pipeline = Pipeline(detector, landmarker, smoothing=0.0, max_faces=max_faces, thorough=True)
    for result, signals in process_frames(source, pipeline):
        yield as_prediction(result, signals, result.frame.time)


def predict_pack(pack: Pack, landmarker: Landmarker, detector: FaceDetector | None) -> Iterator[Prediction]:
    """Yield a prediction for each picture of a pack: its labelled faces, in the true boxes or those of a detector.

    Raises:
        SourceError: a picture cannot be read, or there is none.
        ModelError: the model gave numbers that are not finite.
    """
    if not pack.faces:
        raise SourceError(f"{pack.folder} gave no picture", "it is empty", "choose another path")
    faces_of: dict[Path, list[tuple[int, PackFace]]] = {}
    for index, face in enumerate(pack.faces):
        faces_of.setdefault(face.image, []).append((index, face))
    for image, labelled in faces_of.items():
        picture = read_picture(image)
        located = [(index, locate(landmarker, picture, face, detector)) for index, face in labelled]
        scheme = landmarker.card.markup
        faces = tuple(
            Face(index, landmark_box(found.points), found.score, scheme, found.points, found.confidence, found.roll)
            for index, found in located
            if found is not None
        )
        name = image.relative_to(pack.folder).as_posix()
        height, width = picture.shape[:2]
        signals = SignalReader().read_faces(faces, width, height, 0.0, landmarker.card.eye_levels)
        yield Prediction(name, None, None, width, height, faces, landmarker.name, signals)
