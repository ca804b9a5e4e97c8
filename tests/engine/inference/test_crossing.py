"""People whose faces cross keep their ids; ten clips of two people, made from two portraits."""

import numpy as np
import pytest

from engine.core.geometry import landmark_box
from engine.inference.detector import make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.tracking import LOOK_EVERY, FaceTracker
from tests.fakes.two_people import CROSSINGS, Cutout, background, cutouts, frames

ALIKE = 0.4  # overlap of boxes above which a face is a person's
VISIBLE = 0.6  # share of a face's box that can be seen
LONGEST_GAP = 3  # frames


@pytest.fixture(scope="module")
def people() -> tuple[Cutout, ...]:
    return cutouts()


@pytest.fixture
def tracker() -> FaceTracker:
    return FaceTracker(make_detector(), ModelLibrary().load(DEFAULT_MODEL))


def id_at(tracks, box):
    """Return the id of the face in a place; None where there is none."""
    near = [(landmark_box(track.landmarks.points).overlap(box), track.id) for track in tracks]
    overlap, number = max(near, default=(0.0, None))
    return number if overlap > ALIKE else None


@pytest.mark.parametrize("crossing", CROSSINGS, ids=lambda crossing: crossing.name)
def test_people_keep_their_ids_while_their_faces_cross(crossing, people, tracker):
    owners, gaps = {}, [0, 0]
    for number, shown in enumerate(crossing.shown(people, background())):
        tracks = tracker.track(shown.image).tracks
        for person, (box, visible) in enumerate(zip(shown.boxes, shown.visible, strict=True)):
            if visible < VISIBLE:
                gaps[person] = 0
                continue
            found = id_at(tracks, box)
            gaps[person] = gaps[person] + 1 if found is None else 0
            assert gaps[person] <= LONGEST_GAP, f"frame {number}: person {person} is missing"
            assert found in (None, owners.setdefault(person, found)), f"frame {number}: person {person}"
    assert len(set(owners.values())) == 2
    assert None not in owners.values()


@pytest.mark.parametrize(("same_room", "late"), [(False, 0), (True, LOOK_EVERY)], ids=["another room", "the same room"])
def test_at_a_hard_cut_another_person_in_the_same_place_gets_an_id_of_its_own(same_room, late, people, tracker):
    here, gone = (300.0, 260.0, 150.0), (-400.0, 260.0, 150.0)
    rooms = background(), background(seed=0 if same_room else 7)
    ids = []
    for room, places in zip(rooms, ((here, gone), (gone, here)), strict=True):
        for shown in frames(people, room, [places] * 8, front=0):
            tracks = tracker.track(shown.image).tracks
            ids.append([track.id for track in tracks])
    assert ids[:8] == [[1]] * 8
    assert ids[8 + late :] == [[2]] * (8 - late)
    assert all(its in ([1], [2]) for its in ids)


def test_somebody_who_was_hidden_by_an_object_comes_back_with_the_same_id(people, tracker):
    place = (480.0, 260.0, 150.0)
    away = (-400.0, 260.0, 150.0)
    ids = []
    for number, shown in enumerate(frames(people, background(), [(place, away)] * 60, front=0)):
        image = shown.image.copy()
        if 15 <= number < 45:
            image[120:420, 330:640] = np.uint8((90, 110, 130))
        ids.append([track.id for track in tracker.track(image).tracks])
    assert ids[:15] == [[1]] * 15
    assert [] in ids[15:45]
    assert ids[48:] == [[1]] * 12
