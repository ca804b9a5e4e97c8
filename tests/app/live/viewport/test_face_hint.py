"""The line that says that no face is seen, or that the face is too small: late, quiet, and gone with its reason."""

from dataclasses import replace

import numpy as np
import pytest

from app.live.viewport.face_hint import FaceHint
from app.live.viewport.viewport import Viewport
from engine.core.faces import SMALLEST_FACE, Face
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from tests.fakes.models import face_points
from tests.fakes.views import result


def seen(*sizes, model="student-68"):
    faces = []
    for number, size in enumerate(sizes):
        points = face_points(100 + 200 * number, 100, size)
        faces.append(Face(number, landmark_box(points), 1.0, IBUG_68, points, np.ones(68, np.float32), 0.0))
    return replace(result(model), faces=tuple(faces))


@pytest.fixture
def hint(qtbot):
    stage = Viewport()
    qtbot.addWidget(stage)
    stage.resize(640, 480)
    stage.show()
    made = FaceHint(stage)
    made._wait.setInterval(30)
    return made


def test_no_face_is_said_after_a_while_and_taken_back_at_once(hint, qtbot):
    hint.see(seen())
    assert hint.isHidden()
    qtbot.waitUntil(hint.isVisible, timeout=2000)
    assert hint.text() == "No face is seen"
    assert hint.accessibleName() == hint.text()
    assert hint.parentWidget().rect().contains(hint.geometry())
    hint.see(seen(100))
    assert hint.isHidden()


def test_a_face_that_is_missed_for_a_moment_is_not_worth_a_word(hint, qtbot):
    hint.see(seen())
    hint.see(seen(100))
    qtbot.wait(100)
    assert hint.isHidden()


def test_come_nearer_is_said_only_if_every_face_is_too_small(hint, qtbot):
    hint.see(seen(SMALLEST_FACE - 2))
    qtbot.waitUntil(hint.isVisible, timeout=2000)
    assert hint.text().startswith("Come nearer")
    hint.see(seen())
    assert hint.text() == "No face is seen", "the line on screen changes at once"
    hint.see(seen(SMALLEST_FACE - 2, SMALLEST_FACE + 2))
    assert hint.isHidden()


def test_a_frame_without_a_model_and_the_end_of_the_picture_end_the_line(hint, qtbot):
    for end in (seen(model=""), None):
        hint.see(seen())
        qtbot.waitUntil(hint.isVisible, timeout=2000)
        hint.see(end)
        assert hint.isHidden()
