"""Face tracking: the detector finds faces once, then each crop comes from the last landmarks."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.frame import thumbnail
from engine.core.geometry import Box, Crop, landmark_box
from engine.inference.detector import Detection, FaceDetector, crop_of_detection
from engine.inference.landmarker import Landmarker, Landmarks
from engine.inference.people import HIDDEN_SECONDS, Person, Sight, is_alone, look_of, new_person, settle
from engine.inference.tiles import AROUND, Tile, detect_in_tiles, tile_around, tiles_of

LIVE_FACES = 4  # as many as leave a laptop's processor time for 30 frames a second
FRAME_SECONDS = 1 / 30  # between two pictures without a time
LOOK_EVERY = 4  # pictures between two looks at a face that is followed alone
CUT = 16.0  # mean difference of two thumbnails in grey levels; a moving camera gives less than 7
# The whole picture's detector misses a face that is smaller than this share of the picture's longer side.
SMALL = 0.15


@dataclass(frozen=True)
class TrackingSettings:
    """When to detect faces, and when to accept them.

    Attributes:
        max_faces: faces tracked at the same time; None for any number.
        detect_every: frames between two runs of the detector while a face is tracked and more may follow.
        thorough: whether each of these runs looks at all tiles of the picture, so that small faces are found wherever
            they are. Else tiles are searched only while there is no face, one a picture in turn.
        keep_score: a tracked face is dropped below this score (see `Landmarks.score`).
        accept_score: a newly found face must reach this score.
        accept_small_score: a face that was found in a tile must reach this one: a picture has many tiles.
        same_face_overlap: overlap of boxes (intersection over union) above which a new face is one that is tracked.
        same_face_distance: mean distance of the landmarks of two tracked faces, in sizes of the face, below which they
            are on one face.
        still_move, still_size, still_roll: the crop stays where it is while the face moves by less than this share of
            the crop's side, changes its size by less than this share, and turns by fewer radians. A still face then
            gives a still crop, and jitter of the landmarks does not feed back through the crop.
    """

    max_faces: int | None = LIVE_FACES
    detect_every: int = 30
    thorough: bool = False
    keep_score: float = 0.4
    accept_score: float = 0.5
    accept_small_score: float = 0.87
    same_face_overlap: float = 0.3
    same_face_distance: float = 0.2
    still_move: float = 0.02
    still_size: float = 0.04
    still_roll: float = math.radians(2)


@dataclass(frozen=True)
class Track:
    """A tracked face; its id is never given to another face, and its crop is that for the next picture."""

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
        settings: may be exchanged between two pictures.
    """

    def __init__(
        self, detector: FaceDetector, landmarker: Landmarker, settings: TrackingSettings | None = None
    ) -> None:
        self.landmarker, self.settings = landmarker, settings or TrackingSettings()
        self._detector = detector
        self._people: list[Person] = []  # whose faces are tracked
        self._hidden: list[Person] = []
        self._next_id = 1
        self._since_detection = self._since_look = self._turn = 0
        self._since_tiles = self.settings.detect_every  # pictures since all tiles were searched
        self._moment = 0.0
        self._thumbnail: NDArray[np.uint8] | None = None  # of the last picture

    def reset(self) -> None:
        """Drop all tracks: the next picture does not continue the last."""
        self._people, self._hidden = [], []
        self._thumbnail, self._since_tiles = None, self.settings.detect_every

    def track(
        self, picture: NDArray[np.uint8], moment: float | None = None, small: NDArray[np.uint8] | None = None
    ) -> TrackedFrame:
        """Find the faces of an RGB picture `[H, W, 3]` uint8, taken at a moment in seconds.

        None, or no number, lets a thirtieth of a second pass. `small` is the picture's thumbnail, if it is there
        already.
        """
        if moment is None or not math.isfinite(moment):
            moment = self._moment + FRAME_SECONDS
        self._moment = moment
        found = TrackedFrame()
        start = time.perf_counter()
        cut = self._is_cut(thumbnail(picture) if small is None else small)
        self._track_known(picture, found, cut)
        found.landmark_ms = _milliseconds_since(start)
        self._since_detection += 1
        self._since_tiles += 1
        due = not self._people or self._since_detection >= self.settings.detect_every
        if cut or (self._has_room() and (self._hidden or due)):
            self._detect(picture, found)
        settle(self._people)
        tracks = [Track(its.id, its.sight.crop, its.sight.landmarks) for its in self._people]
        found.tracks = sorted(tracks, key=lambda track: track.crop.side, reverse=True)
        return found

    def _has_room(self) -> bool:
        limit = self.settings.max_faces
        return limit is None or len(self._people) < limit

    def _is_cut(self, small: NDArray[np.uint8]) -> bool:
        """Return whether the picture with this thumbnail shows another scene than the last one."""
        before, self._thumbnail = self._thumbnail, small
        return before is not None and cv2.norm(before, small, cv2.NORM_L1) > CUT * before.size

    def _track_known(self, picture: NDArray[np.uint8], found: TrackedFrame, cut: bool) -> None:
        """Track the known faces, and hide who is not seen any more; at a cut only those stay who look the same."""
        seen: list[tuple[Person, Sight]] = []
        self._since_look += 1
        looks = cut or len(self._people) + len(self._hidden) > 1 or self._since_look >= LOOK_EVERY
        if looks:
            self._since_look = 0
        for person in self._people:
            crop = person.next_crop(self._moment)
            landmarks = self.landmarker.predict(picture, crop)
            box = self._box_of(picture, crop, landmarks, self.settings.keep_score, found)
            if box is None:
                self._hidden.append(person)
            else:
                look = look_of(picture, box, landmarks.roll) if looks else person.sight.look
                seen.append((person, Sight(landmarks, self._next_crop(crop, landmarks), box, look)))
        self._people = []
        sights = [sight for _, sight in seen]
        for person, sight in self._one_a_face(seen):
            alone = is_alone(sight, sights)
            if person.is_replaced(sight, alone, cut):
                person.replaced = alone
                self._hidden.append(person)
            else:
                person.see(sight, self._moment, alone)
                self._people.append(person)
        # What was hidden before a cut is gone.
        self._hidden = [] if cut else [its for its in self._hidden if 0 <= self._moment - its.moment <= HIDDEN_SECONDS]

    def _one_a_face(self, seen: list[tuple[Person, Sight]]) -> list[tuple[Person, Sight]]:
        """Return who is seen, with one person a face: the one whom it fits best; the others are hidden."""
        if len(seen) < 2:
            return seen
        apart: list[tuple[Person, Sight]] = []
        for person, sight in sorted(seen, key=lambda pair: pair[0].misfit(pair[1], self._moment)):
            same = next((its for its, other in apart if self._on_one_face(sight, other)), None)
            if same is None:
                apart.append((person, sight))
            else:
                self._hidden.append(person)
            for other, its in apart:
                if other is not person and (other is same or its.box.overlap(sight.box)):
                    person.met.add(other.id)
                    other.met.add(person.id)
        return apart

    def _on_one_face(self, first: Sight, second: Sight) -> bool:
        apart = np.linalg.norm(first.landmarks.points - second.landmarks.points, axis=1).mean()
        return float(apart) < self.settings.same_face_distance * max(first.size, second.size)

    def _detect(self, picture: NDArray[np.uint8], found: TrackedFrame) -> None:
        """Detect new faces in the whole picture, and where that is too coarse in tiles of it."""
        self._since_detection = 0
        found.detected = True
        start = time.perf_counter()
        detections = self._detector.detect(picture)
        found.detect_ms = _milliseconds_since(start)
        self._add(picture, detections, self.settings.accept_score, found)
        start = time.perf_counter()
        detections = detect_in_tiles(self._detector, picture, self._tiles(*picture.shape[:2]))
        found.detect_ms += _milliseconds_since(start)
        self._add(picture, detections, self.settings.accept_small_score, found)

    def _tiles(self, height: int, width: int) -> list[Tile]:
        """Return where to look for small faces."""
        self._turn += 1
        if self.settings.thorough and self._since_tiles >= self.settings.detect_every:
            self._since_tiles = 0
            return tiles_of(height, width)
        small = [its for its in self._hidden if its.sight.size < SMALL * max(height, width)]
        if small:
            person = small[self._turn % len(small)]
            return [tile_around(self._hiding_place(person), person.sight.size, height, width)]
        tiles = [] if self._people else tiles_of(height, width)
        return [tiles[self._turn % len(tiles)]] if tiles else []

    def _hiding_place(self, person: Person) -> NDArray[np.float64]:
        """Return where somebody hidden is to be expected: behind the nearest face, if one is near."""
        place = person.expected(self._moment)
        faces = [its.sight.place for its in self._people]
        nearest = min(faces, key=lambda face: float(np.hypot(*(face - place))), default=place)
        return nearest if np.hypot(*(nearest - place)) < AROUND / 2 * person.sight.size else place

    def _add(self, picture: NDArray[np.uint8], detections: list[Detection], score: float, found: TrackedFrame) -> None:
        """Track the detected faces that are not tracked yet."""
        start = time.perf_counter()
        for detection in detections:
            x, y = detection.box.centre
            boxes = [person.sight.box for person in self._people]
            if not self._has_room() or any(box.x0 < x < box.x1 and box.y0 < y < box.y1 for box in boxes):
                continue
            crop = crop_of_detection(detection, self.landmarker.card.crop)
            landmarks = self.landmarker.locate_detection(picture, detection)
            box = self._box_of(picture, crop, landmarks, score, found)
            if box is None or any(box.overlap(other) > self.settings.same_face_overlap for other in boxes):
                continue
            look = look_of(picture, box, landmarks.roll)
            sight = Sight(landmarks, self.landmarker.crop_of_face(landmarks), box, look)
            self._people.append(self._who_is(sight))
        found.landmark_ms += _milliseconds_since(start)

    def _who_is(self, sight: Sight) -> Person:
        """Return whose face it is that was just found: of somebody hidden, or of somebody new."""
        alone = is_alone(sight, (its.sight for its in self._people))
        misfits = {its.id: its.misfit_on_return(sight, self._moment, self._people) for its in self._hidden}
        best = min(self._hidden, key=lambda its: misfits[its.id], default=None)
        if best is None or math.isinf(misfits[best.id]):
            self._next_id += 1
            return new_person(self._next_id - 1, sight, self._moment)
        self._hidden.remove(best)
        best.come_back(sight, self._moment, alone)
        return best

    def _box_of(
        self, picture: NDArray[np.uint8], crop: Crop, landmarks: Landmarks, score: float, found: TrackedFrame
    ) -> Box | None:
        """Return the box of these landmarks; None if they cannot be a face's. Those not finite are noted in `found`."""
        if not landmarks.finite:
            found.not_finite = True
            return None
        box = landmark_box(landmarks.points)
        return box if landmarks.score >= score and _plausible(box, crop, picture) else None

    def _next_crop(self, last: Crop, landmarks: Landmarks) -> Crop:
        """Return the crop for the next picture: that of these landmarks, or the last one while it still fits."""
        wanted = self.landmarker.crop_of_face(landmarks)
        settings = self.settings
        moved = math.hypot(wanted.centre_x - last.centre_x, wanted.centre_y - last.centre_y) / last.side
        resized = abs(wanted.side / last.side - 1)
        turned = abs(math.remainder(wanted.roll - last.roll, 2 * math.pi))
        still = moved < settings.still_move and resized < settings.still_size and turned < settings.still_roll
        return last if still else wanted


def _plausible(box: Box, crop: Crop, picture: NDArray[np.uint8]) -> bool:
    """Return whether a box can be a face's: not collapsed, nor far larger than its crop, partly in the picture."""
    larger = max(box.width, box.height)
    height, width = picture.shape[:2]
    inside = box.x1 > 0 and box.y1 > 0 and box.x0 < width and box.y0 < height
    return inside and 0.2 * crop.side < larger < 1.6 * crop.side


def _milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3
