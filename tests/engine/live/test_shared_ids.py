"""One person has one id in all lanes, whichever lane comes first on a frame and whatever their trackers count."""

import numpy as np

from engine.core.face_signals import FaceSignals
from engine.core.faces import Face, Result
from engine.core.frame import Frame
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.live.shared_ids import FRAMES, SharedIds
from tests.fakes.models import face_points

IMAGE = np.zeros((4, 4, 3), np.uint8)


def result(number, *faces):
    """The result of a frame with faces `(id, x)`."""
    made = []
    for id, x in faces:
        points = face_points(x, 200, 100)
        made.append(Face(id, landmark_box(points), 1.0, IBUG_68, points, np.ones(68, np.float32), 0.0))
    return Result(Frame(number, float(number), IMAGE, "test"), tuple(made), "model", {}, detected=False)


def signals(id):
    return FaceSignals(id, None, 1.0, 1.0, 0, 0.0)


def ids(shared, lane, its):
    renamed, _ = shared.rename(lane, its, ()) if not its.faces else shared.rename(lane, its, (None,) * len(its.faces))
    return [face.id for face in renamed.faces]


def test_a_single_lane_keeps_the_ids_of_its_tracker():
    shared = SharedIds()
    assert ids(shared, 0, result(0, (2, 300), (1, 100))) == [2, 1]
    assert ids(shared, 0, result(1, (5, 500), (1, 100))) == [5, 1]


def test_a_face_has_one_id_in_both_lanes_whichever_comes_first():
    for lanes in ((0, 1), (1, 0)):
        shared = SharedIds()
        assert ids(shared, lanes[0], result(0, (1, 100), (2, 300))) == [1, 2]
        assert ids(shared, lanes[1], result(0, (1, 302), (2, 101))) == [2, 1]
        assert ids(shared, lanes[1], result(5, (1, 402), (2, 201))) == [2, 1], "also where the other saw nothing"


def test_a_face_that_only_one_lane_sees_has_an_id_of_its_own():
    shared = SharedIds()
    assert ids(shared, 0, result(0, (1, 100))) == [1]
    assert ids(shared, 1, result(0, (1, 400))) == [2]
    assert ids(shared, 0, result(1, (1, 100), (2, 400))) == [1, 3], "not yet seen on this frame by the other"
    assert ids(shared, 1, result(1, (1, 400))) == [3], "the first lane's id holds"


def test_a_face_that_the_first_lane_lost_and_found_again_has_one_id_in_both_lanes():
    shared = SharedIds()
    for lane in (0, 1):
        assert ids(shared, lane, result(0, (1, 100))) == [1]
    assert ids(shared, 0, result(1, (9, 100))) == [9]
    assert ids(shared, 1, result(1, (1, 100))) == [9]
    assert ids(shared, 0, result(2, (9, 100))) == ids(shared, 1, result(2, (1, 100))) == [9]


def test_no_two_faces_of_a_lane_have_one_id():
    shared = SharedIds()
    assert ids(shared, 0, result(0, (1, 100))) == [1]
    both = ids(shared, 1, result(0, (1, 100), (2, 110)))
    assert len(set(both)) == 2


def test_signals_have_the_ids_of_their_faces():
    shared = SharedIds()
    ids(shared, 0, result(0, (7, 100)))
    renamed, named = shared.rename(1, result(0, (1, 100)), (signals(1),))
    assert (renamed.faces[0].id, named[0].id) == (7, 7)
    _, named = shared.rename(1, result(0, (1, 100)), (None,))
    assert named == (None,)


def test_what_is_remembered_is_bounded():
    shared = SharedIds()
    for number in range(5 * FRAMES):
        ids(shared, 0, result(number, (number + 1, 100)))
    assert len(shared._seen) <= FRAMES
    assert len(shared._known[0]) <= 256
