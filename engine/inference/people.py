"""Who is who: people keep their ids while their faces cross, hide behind each other and come back.

A person is known by motion, by size and by looks. Where two tracks fall on one face, it stays the one's whom it fits
better; the other is hidden, and keeps the id for some seconds. Motion decides at once. Once both faces are apart, their
looks have the last word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box, Crop, crop_of_box
from engine.inference.landmarker import Landmarks

HIDDEN_SECONDS = 5.0  # for which the id of a face that is not seen is kept
# Similarities of looks, measured on clips and on 300 people: a face from one picture to the next at least 0.95, over
# some seconds 0.9; two people 0.36 in the median and below 0.78 in 99 of 100 pairs.
SAME_LOOK, OTHER_LOOK, SURE_LOOK = 0.75, 0.5, 0.9
CLEAR_SCORE = 0.9  # of a face that nothing covers
SURER = 0.1  # by which the sum of two similarities must be higher for two people to exchange their ids
HEAD = 0.25  # sizes of a face by which hair goes beyond the landmarks
LOOK_SIDE = 12  # cells a side of a look
LOOK_WEIGHT = 2.0  # of the dissimilarity of looks against a distance of one size of a face
LOOK_GAIN, SPEED_GAIN = 0.1, 0.4  # shares of the newest sight in the mean look and speed
FARTHEST = 2.0  # sizes of a face: no fit gets worse with a longer distance
SHORT_GAP = 0.15  # seconds up to which somebody hidden kept the pace
MOVED = 0.05  # of the crop's side: motion that lets a crop run ahead
LONGEST_PATH = 1.0  # seconds for which somebody hidden is expected to go on
# How far from that path somebody may come back: in sizes of the face, and how it grows in a second and at most.
REACH, REACH_GROWTH, REACH_SECONDS = 0.8, 1.0, 2.0
SIZE_CHANGE = 0.6  # natural logarithm of the ratio of sizes up to which a returning face may have changed


@dataclass(frozen=True)
class Sight:
    """A face on one picture.

    Attributes:
        landmarks: of the face.
        crop: the landmark model's for the next picture.
        box: tight box around the landmarks.
        look: see `look_of`.
    """

    landmarks: Landmarks
    crop: Crop
    box: Box
    look: NDArray[np.float32]

    @property
    def place(self) -> NDArray[np.float64]:
        """Centre of the box, `[2]`, pixels."""
        return np.array(self.box.centre)

    @property
    def size(self) -> float:
        """The box's larger side in pixels."""
        return max(self.box.width, self.box.height, 1.0)


@dataclass
class Person:
    """Somebody whose face is tracked, or was until a moment ago.

    Attributes:
        id: never given to anybody else.
        sight: the last one.
        moment: of the last sight, in seconds.
        look: mean look while nobody else was near.
        velocity: `[2]` pixels a second, while nobody else was near.
        anchor: place and moment when nobody else was near for the last time.
        alone: whether no other face was near at the last sight.
        replaced: whether another face took the place from one picture to the next, as at a cut.
        met: ids of people with whom this one may have been mixed up.
    """

    id: int
    sight: Sight
    moment: float
    look: NDArray[np.float32]
    velocity: NDArray[np.float64]
    anchor: tuple[NDArray[np.float64], float]
    alone: bool = True
    replaced: bool = False
    met: set[int] = field(default_factory=set)

    def expected(self, moment: float) -> NDArray[np.float64]:
        """Return where the face should be at a moment, pixels."""
        place, since = self.anchor
        return place + self.velocity * _passed(since, moment)

    def misfit(self, sight: Sight, moment: float) -> float:
        """Return how badly a sight fits this person's motion, size and look; 0 is a perfect fit."""
        last = self.sight.place + self.velocity * _passed(self.moment, moment)
        expected = min(_distance(sight, place) for place in (self.expected(moment), last))
        return expected + _growth(self, sight) + LOOK_WEIGHT * (1 - self.likeness(sight))

    def misfit_on_return(self, sight: Sight, moment: float, others: Sequence[Person]) -> float:
        """Return how badly a sight fits this person who was hidden; infinite if it is somebody else.

        Somebody comes back near the way that was taken before, or from behind one of the `others` who was met on it.
        While another face is near, covers a part and spoils the look, the place decides.
        """
        likeness, growth = self.likeness(sight), _growth(self, sight)
        known = bool(self.look.any() and sight.look.any())
        reach = REACH + REACH_GROWTH * min(moment - self.moment, REACH_SECONDS)
        if likeness > SURE_LOOK:
            reach *= 2
        away = _distance_to_path(sight, self.sight.place, self.expected(moment))
        for other in others:
            if other.id in self.met:
                away = min(away, _distance_to_path(sight, other.sight.place, other.sight.place))
        alone = is_alone(sight, (other.sight for other in others))
        strange = known and alone and likeness < (SAME_LOOK if self.replaced else OTHER_LOOK)
        if away > reach or growth > SIZE_CHANGE or strange:
            return math.inf
        return away + growth + LOOK_WEIGHT * (1 - likeness)

    def is_replaced(self, sight: Sight, alone: bool, cut: bool) -> bool:
        """Return whether the face in this person's place is another's, from one picture to the next."""
        continues = alone and self.alone
        before = self.sight.look if continues else self.look
        likeness = float(before @ sight.look)
        if likeness >= SAME_LOOK:
            return False
        if cut or not before.any() or not sight.look.any():
            return cut
        return sight.landmarks.score > CLEAR_SCORE if continues else likeness < OTHER_LOOK

    def come_back(self, sight: Sight, moment: float, alone: bool) -> None:
        """Continue after the face was hidden."""
        step = moment - self.moment
        self.velocity = (sight.place - self.sight.place) / step if 0 < step < SHORT_GAP else np.zeros(2)
        self.sight, self.moment, self.anchor = sight, moment, (sight.place, moment)
        self.replaced, self.alone = False, alone

    def likeness(self, sight: Sight) -> float:
        """Return the similarity of looks, in [-1, 1]."""
        return float(self.look @ sight.look)

    def see(self, sight: Sight, moment: float, alone: bool) -> None:
        """Continue with the newest sight; `alone` while no other face is near, so that motion and look are its own."""
        place, since = self.anchor
        step = moment - since
        if alone:
            if 0 < step < LONGEST_PATH:
                self.velocity += SPEED_GAIN * ((sight.place - place) / step - self.velocity)
            self.anchor = sight.place, moment
            if not self.met:
                self.look = _unit(self.look + LOOK_GAIN * (sight.look - self.look))
        self.sight, self.moment, self.alone = sight, moment, alone

    def next_crop(self, moment: float) -> Crop:
        """Return the last crop, moved to where a face in motion should be at a moment."""
        crop = self.sight.crop
        x, y = self.velocity * _passed(self.moment, moment)
        if math.hypot(x, y) < MOVED * crop.side:
            return crop
        return replace(crop, centre_x=crop.centre_x + float(x), centre_y=crop.centre_y + float(y))


def look_of(picture: NDArray[np.uint8], box: Box, roll: float) -> NDArray[np.float32]:
    """Return what the face in a box looks like: a few cells of it, level, as a vector of length 1 and mean 0.

    Zero where the face is of one colour. The product of two is their similarity, whatever the light.
    """
    side = 2 * LOOK_SIDE
    crop = replace(crop_of_box(box, 1.0), roll=roll)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cells = cv2.resize(
        cv2.warpAffine(picture, crop.matrix(side), (side, side), flags=flags),
        (LOOK_SIDE, LOOK_SIDE),
        interpolation=cv2.INTER_AREA,
    )
    values = cells.astype(np.float32).ravel()
    return _unit(values - values.mean())


def new_person(number: int, sight: Sight, moment: float) -> Person:
    """Return somebody who is seen for the first time."""
    return Person(number, sight, moment, sight.look, np.zeros(2), (sight.place, moment))


def is_alone(sight: Sight, sights: Iterable[Sight]) -> bool:
    """Return whether no other head touches this face."""
    return all(other is sight or not sight.box.overlap(_head(other)) for other in sights)


def settle(people: Sequence[Person]) -> None:
    """Let those who may have been mixed up, and are apart again, exchange their sights if their looks say so."""
    sights = [person.sight for person in people]
    for person in people:
        for other in people:
            if other.id not in person.met or not all(is_alone(its.sight, sights) for its in (person, other)):
                continue
            person.met.discard(other.id)
            other.met.discard(person.id)
            now = person.likeness(person.sight) + other.likeness(other.sight)
            if person.likeness(other.sight) + other.likeness(person.sight) > now + SURER:
                person.sight, other.sight = other.sight, person.sight
                person.velocity, other.velocity = other.velocity, person.velocity
                person.anchor, other.anchor = other.anchor, person.anchor


def _passed(since: float, moment: float) -> float:
    """Return for how many seconds somebody went on; 0 where the clock jumped back."""
    return min(max(moment - since, 0.0), LONGEST_PATH)


def _head(sight: Sight) -> Box:
    """Return the box of a face with its hair."""
    box, more = sight.box, HEAD * sight.size
    return Box(box.x0 - more, box.y0 - more, box.x1 + more, box.y1 + more)


def _distance(sight: Sight, place: NDArray[np.float64]) -> float:
    """Return how far a face is from a place, in sizes of the face, at most `FARTHEST`."""
    return min(float(np.hypot(*(sight.place - place))) / sight.size, FARTHEST)


def _distance_to_path(sight: Sight, start: NDArray[np.float64], end: NDArray[np.float64]) -> float:
    """Return how far a face is from the line between two places, in sizes of the face."""
    along = end - start
    length = float(along @ along)
    share = min(max(float((sight.place - start) @ along) / length, 0.0), 1.0) if length > 0 else 0.0
    return float(np.hypot(*(sight.place - (start + share * along)))) / sight.size


def _growth(person: Person, sight: Sight) -> float:
    return abs(math.log(sight.size / person.sight.size))


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = math.sqrt(float(vector @ vector))
    return vector / np.float32(length) if length > 0 else vector
