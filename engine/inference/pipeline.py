"""The pipeline of a frame: faces are detected or tracked, landmarks smoothed, accuracy measured."""

from __future__ import annotations

import math
import time

from engine.core.faces import Face, Result
from engine.core.frame import Frame, Truth
from engine.core.geometry import landmark_box
from engine.core.metrics import interocular_distance
from engine.core.pairing import beside_truth
from engine.inference.detector import FaceDetector
from engine.inference.landmarker import Landmarker
from engine.inference.smoothing import OneEuroFilter
from engine.inference.tracking import LIVE_FACES, FaceTracker, Track, TrackingSettings

DEFAULT_SMOOTHING = 0.5


class Pipeline:
    """Turns the frames of one source into results. Belongs to one thread.

    Args:
        detector: finds the faces.
        landmarker: finds their landmarks.
        smoothing: strength of the One-Euro filter, 0 for none to 1.
        max_faces: how many faces are looked for; None for any number in pictures, and `LIVE_FACES` in cameras and
            videos.
        thorough: whether the frames of a video are searched as pictures are: for any number of faces, and in tiles.
        tracking: when faces are looked for and accepted, in pictures and videos alike, instead of what follows from
            the last two.

    Attributes:
        smoothing: as above; may be changed between two frames.
    """

    def __init__(
        self,
        detector: FaceDetector,
        landmarker: Landmarker,
        smoothing: float = DEFAULT_SMOOTHING,
        *,
        max_faces: int | None = None,
        thorough: bool = False,
        tracking: TrackingSettings | None = None,
    ) -> None:
        self.smoothing = smoothing
        self._still = tracking or TrackingSettings(max_faces, thorough=True)
        self._live = tracking or (self._still if thorough else TrackingSettings(max_faces or LIVE_FACES))
        self._tracker = FaceTracker(detector, landmarker, self._live)
        self._filters: dict[int, OneEuroFilter] = {}
        self._picture = ""

    @property
    def landmarker(self) -> Landmarker:
        """The landmark model in use; may be exchanged between two frames."""
        return self._tracker.landmarker

    @landmarker.setter
    def landmarker(self, landmarker: Landmarker) -> None:
        self._tracker.landmarker = landmarker
        self._filters.clear()

    def reset(self) -> None:
        """Reset tracking: the next frame does not continue the last."""
        self._tracker.reset()
        self._filters.clear()

    def process(self, frame: Frame, capture_ms: float = 0.0) -> Result:
        """Find the faces of a frame that took `capture_ms` milliseconds to arrive."""
        if frame.name != self._picture:
            self.reset()  # the pictures of a folder do not continue one another
            self._picture = frame.name
            self._tracker.settings = self._still if frame.name else self._live
        found = self._tracker.track(frame.image, frame.moment, frame.thumbnail)
        start = time.perf_counter()
        faces = tuple(self._face(track, frame) for track in found.tracks)
        self._filters = {face.id: self._filters[face.id] for face in faces}
        smooth_ms = (time.perf_counter() - start) * 1e3
        networks = {"detect": found.detect_ms, "landmark": found.landmark_ms}
        stages = {"capture": capture_ms, **networks, "smooth": smooth_ms}
        error = None if frame.truth is None else _error(faces, frame.truth)
        model = self.landmarker.name
        eyes = self.landmarker.card.eye_levels
        return Result(frame, faces, model, stages, found.detected, error, found.not_finite, eyes=eyes)

    def _face(self, track: Track, frame: Frame) -> Face:
        scheme = self.landmarker.card.markup
        landmarks = track.landmarks
        smooth = self._filters.setdefault(track.id, OneEuroFilter(self.smoothing))
        smooth.strength = self.smoothing
        smoothed = smooth(landmarks.points, frame.moment, interocular_distance(scheme, landmarks.points))
        return Face(
            track.id, landmark_box(smoothed), landmarks.score, scheme, smoothed, landmarks.confidence, landmarks.roll
        )


def _error(faces: tuple[Face, ...], truth: Truth) -> float | None:
    """Return the NME in percent of the true face, on the 68 shared points where markups differ.

    None where it was missed, where the truth lacks an outer eye corner, and where one of the markups lacks the 68
    points.
    """
    shared = beside_truth(truth, faces)
    error = math.nan if shared is None else shared.nme
    return error if math.isfinite(error) else None
