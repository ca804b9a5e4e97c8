"""Face tracking: the detector finds faces once, then each crop comes from the last landmarks."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Crop, landmark_box
from engine.inference.detector import FaceDetector, crop_of_detection
from engine.inference.landmarker import Landmarker, Landmarks

MOST_FACES = 4  # tracked at the same time
DETECT_EVERY = 30  # frames between two runs of the detector while a face is tracked and more may follow
# A tracked face is dropped below the first score (see `Landmarks.score`), a newly found one must reach the second.
KEEP_SCORE, ACCEPT_SCORE = 0.4, 0.5
SAME_FACE_OVERLAP = 0.3  # of boxes (intersection over union), above which two faces are one
# The crop stays where it is while the face moves by less than this share of the crop's side, changes its size by less
# than this share, and turns by fewer radians. A still face then gives a still crop, and jitter of the landmarks does
# not feed back through the crop.
STILL_MOVE, STILL_SIZE, STILL_ROLL = 0.02, 0.04, math.radians(2)


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
    """Finds the faces of successive pictures, up to `most_faces`. Belongs to one thread.

    Attributes:
        landmarker: finds the landmarks; may be exchanged at any time, the faces stay.
    """

    def __init__(
        self,
        detector: FaceDetector,
        landmarker: Landmarker,
        most_faces: int = MOST_FACES,
        detect_every: int = DETECT_EVERY,
    ) -> None:
        self.landmarker = landmarker
        self._detector = detector
        self._most_faces, self._detect_every = most_faces, detect_every
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
        room = len(found.tracks) < self._most_faces
        if lost or not found.tracks or (room and self._since_detection >= self._detect_every):
            self._detect(picture, found)
        found.tracks.sort(key=lambda track: track.crop.side, reverse=True)
        self._tracks = found.tracks
        return found

    def _track_known(self, picture: NDArray[np.uint8], found: TrackedFrame) -> bool:
        """Track the known faces; return whether one was lost."""
        lost = False
        for track in self._tracks:
            landmarks = self.landmarker.predict(picture, track.crop)
            if self._accepted(picture, track.crop, landmarks, KEEP_SCORE, found):
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
            x, y = detection.box.centre
            boxes = [landmark_box(track.landmarks.points) for track in found.tracks]
            if len(boxes) >= self._most_faces or any(box.x0 < x < box.x1 and box.y0 < y < box.y1 for box in boxes):
                continue
            crop = crop_of_detection(detection, self.landmarker.card.crop)
            landmarks = self.landmarker.locate_detection(picture, detection)
            accepted = self._accepted(picture, crop, landmarks, ACCEPT_SCORE, found)
            if accepted and not self._known(landmarks, found.tracks):
                found.tracks.append(Track(self._next_id, self.landmarker.crop_of_face(landmarks), landmarks))
                self._next_id += 1
        found.landmark_ms += _milliseconds_since(start)

    def _known(self, landmarks: Landmarks, tracks: list[Track]) -> bool:
        box = landmark_box(landmarks.points)
        return any(box.overlap(landmark_box(track.landmarks.points)) > SAME_FACE_OVERLAP for track in tracks)

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
        moved = math.hypot(wanted.centre_x - last.centre_x, wanted.centre_y - last.centre_y) / last.side
        resized = abs(wanted.side / last.side - 1)
        turned = abs(math.remainder(wanted.roll - last.roll, 2 * math.pi))
        still = moved < STILL_MOVE and resized < STILL_SIZE and turned < STILL_ROLL
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
