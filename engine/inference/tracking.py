"""Face tracking: the detector finds faces once, then each crop comes from the last landmarks."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Crop, landmark_box
from engine.inference.detector import Detection, FaceDetector
from engine.inference.landmarker import Landmarker, Landmarks


@dataclass(frozen=True)
class TrackingSettings:
    """When to detect faces, and when to accept them.

    Attributes:
        max_faces: faces tracked at the same time.
        detect_every: frames between two runs of the detector while a face is tracked and more may follow.
        keep_score: a tracked face is dropped below this score (see `Landmarks.score`).
        accept_score: a newly found face must reach this score.
        same_face_overlap: overlap of boxes (intersection over union) above which two faces are one.
        still_move, still_size, still_roll: the crop stays where it is while the face moves by less than this share of
            the crop's side, changes its size by less than this share, and turns by fewer radians. A still face then
            gives a still crop, and jitter of the landmarks does not feed back through the crop.
    """

    max_faces: int = 4
    detect_every: int = 30
    keep_score: float = 0.4
    accept_score: float = 0.5
    same_face_overlap: float = 0.3
    still_move: float = 0.02
    still_size: float = 0.04
    still_roll: float = math.radians(2)


@dataclass(frozen=True)
class Track:
    """A tracked face; its id is never reused, and its crop is that for the next picture."""

    id: int
    crop: Crop
    landmarks: Landmarks


@dataclass
class TrackedFrame:
    """What the tracker found on one picture, and how long it took.

    Attributes:
        tracks: faces, largest first.
        not_finite: whether the model gave numbers that are not finite.
        detected: whether the detector ran.
        detect_ms, landmark_ms: time spent in the two networks, milliseconds.
    """

    tracks: list[Track] = field(default_factory=list)
    not_finite: bool = False
    detected: bool = False
    detect_ms: float = 0.0
    landmark_ms: float = 0.0


class FaceTracker:
    """Finds the faces of successive pictures. Belongs to one thread.

    Attributes:
        landmarker: finds the landmarks; may be exchanged at any time, the faces stay.
    """

    def __init__(
        self, detector: FaceDetector, landmarker: Landmarker, settings: TrackingSettings | None = None
    ) -> None:
        self.landmarker = landmarker
        self._detector = detector
        self._settings = settings or TrackingSettings()
        self._tracks: list[Track] = []
        self._next_id = 1
        self._since_detection = 0

    def reset(self) -> None:
        """Drop all tracks: the next picture does not continue the last."""
        self._tracks = []

    def track(self, picture: NDArray[np.uint8]) -> TrackedFrame:
        """Find the faces of an RGB picture `[H, W, 3]` uint8."""
        found = TrackedFrame()
        start = time.perf_counter()
        lost = self._track_known(picture, found)
        found.landmark_ms = _milliseconds_since(start)
        self._since_detection += 1
        room = len(found.tracks) < self._settings.max_faces
        if lost or not found.tracks or (room and self._since_detection >= self._settings.detect_every):
            self._detect(picture, found)
        found.tracks.sort(key=lambda track: track.crop.side, reverse=True)
        self._tracks = found.tracks
        return found

    def _track_known(self, picture: NDArray[np.uint8], found: TrackedFrame) -> bool:
        """Track the known faces; return whether one was lost."""
        lost = False
        for track in self._tracks:
            landmarks = self.landmarker.predict(picture, track.crop)
            if self._accepted(picture, track.crop, landmarks, self._settings.keep_score, found):
                if not self._known(landmarks, found.tracks):
                    found.tracks.append(Track(track.id, self._next_crop(track.crop, landmarks), landmarks))
            else:
                lost = True
        return lost

    def _detect(self, picture: NDArray[np.uint8], found: TrackedFrame) -> None:
        """Detect new faces in the whole picture."""
        self._since_detection = 0
        found.detected = True
        start = time.perf_counter()
        detections = self._detector.detect(picture)
        found.detect_ms = _milliseconds_since(start)
        start = time.perf_counter()
        for detection in detections:
            if len(found.tracks) < self._settings.max_faces:
                self._add(picture, detection, found)
        found.landmark_ms += _milliseconds_since(start)

    def _add(self, picture: NDArray[np.uint8], detection: Detection, found: TrackedFrame) -> None:
        x, y = detection.box.centre
        boxes = [landmark_box(track.landmarks.points) for track in found.tracks]
        if any(box.x0 < x < box.x1 and box.y0 < y < box.y1 for box in boxes):
            return
        crop = self.landmarker.crop_of_detection(detection)
        landmarks = self.landmarker.locate_detection(picture, detection)
        if not self._accepted(picture, crop, landmarks, self._settings.accept_score, found):
            return
        if not self._known(landmarks, found.tracks):
            found.tracks.append(Track(self._next_id, self.landmarker.crop_of_face(landmarks), landmarks))
            self._next_id += 1

    def _known(self, landmarks: Landmarks, tracks: list[Track]) -> bool:
        box = landmark_box(landmarks.points)
        limit = self._settings.same_face_overlap
        return any(box.overlap(landmark_box(track.landmarks.points)) > limit for track in tracks)

    def _accepted(
        self, picture: NDArray[np.uint8], crop: Crop, landmarks: Landmarks, score: float, found: TrackedFrame
    ) -> bool:
        """Return whether these are the landmarks of a face; note numbers that are not finite."""
        if not landmarks.finite:
            found.not_finite = True
            return False
        return landmarks.score >= score and _plausible(landmarks.points, crop, picture)

    def _next_crop(self, last: Crop, landmarks: Landmarks) -> Crop:
        """Return the crop for the next picture: that of these landmarks, or the last one while it still fits."""
        wanted = self.landmarker.crop_of_face(landmarks)
        settings = self._settings
        moved = math.hypot(wanted.centre_x - last.centre_x, wanted.centre_y - last.centre_y) / last.side
        resized = abs(wanted.side / last.side - 1)
        turned = abs(math.remainder(wanted.roll - last.roll, 2 * math.pi))
        still = moved < settings.still_move and resized < settings.still_size and turned < settings.still_roll
        return last if still else wanted


def _plausible(points: NDArray[np.float32], crop: Crop, picture: NDArray[np.uint8]) -> bool:
    """Return whether points can be a face: neither collapsed nor far outside their crop, and partly in the picture."""
    box = landmark_box(points)
    larger = max(box.width, box.height)
    height, width = picture.shape[:2]
    inside = box.x1 > 0 and box.y1 > 0 and box.x0 < width and box.y0 < height
    return inside and 0.2 * crop.side < larger < 1.6 * crop.side


def _milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
