"""Captions say which model made a picture and how old it is, and only what is known."""

from dataclasses import replace

import numpy as np
import pytest

from app.live.viewport.captions import CaptionData, lane_lines, legend_lines
from app.models.facts import MEGABYTE, cards_of, points_words, role_words, size_words
from app.theme.theme import ON_DARK
from engine.core.faces import Face
from engine.core.geometry import Box
from engine.core.schemes import IBUG_68, WFLW_98
from engine.inference.library import ModelLibrary
from engine.live.settings import LiveSettings, Pace
from engine.render.scene import Layout
from tests.fakes.foreign_models import foreign_card
from tests.fakes.models import FAKE_CARD
from tests.fakes.views import BLUE, RED, one, plain, result, two

MODELS = {
    "student-68": replace(FAKE_CARD, name="student-68", role="student", scheme=68, bytes=2_200_000),
    "teacher-98": replace(FAKE_CARD, name="teacher-98", role="teacher", scheme=98, bytes=3_140_000),
    "teacher-68": replace(FAKE_CARD, name="teacher-68", role="teacher", scheme=68, bytes=3_140_000),
}


def reported(first=None, second=None, layout=Layout.SIDE_BY_SIDE, pace=Pace.LIVE, ages=(None, None), models=MODELS):
    return CaptionData(
        (first or result(), second), LiveSettings(layout=layout, pace=pace, magnification=3.0), models, ages
    )


def texts(said, lane):
    return [line.text for line in lane_lines(said, lane)]


def face(scheme):
    points = np.zeros((scheme.points, 2), np.float32)
    return Face(0, Box(0, 0, 9, 9), 1.0, scheme, points, np.ones(scheme.points, np.float32), 0.0)


def test_a_single_lane_names_its_model_role_points_size_and_age():
    said = reported(layout=Layout.SINGLE, ages=(23.4, None))
    assert texts(said, 0) == ["student-68", "Student · 68 points · 2.2 MB", "shown 23 ms after capture"]
    assert texts(said, 1) == []
    assert lane_lines(said, 0)[0].colour == ""


def test_an_age_that_was_not_measured_is_not_reported():
    assert texts(reported(layout=Layout.SINGLE), 0) == ["student-68", "Student · 68 points · 2.2 MB"]


def test_a_model_without_a_card_has_its_name_alone():
    assert texts(reported(models={}), 0) == ["student-68"]


def test_a_mean_with_the_mirror_image_is_said_beside_the_name_of_the_model():
    said = reported(second=result("teacher-68 + mirror image"))
    assert texts(said, 1) == ["teacher-68 + mirror image", "Teacher · 68 points · 3.1 MB"]


def test_nothing_is_said_of_a_picture_that_no_model_saw():
    assert texts(reported(result("")), 0) == []


def test_two_lanes_bear_the_colours_of_the_overlay():
    said = reported(second=result("teacher-68"))
    assert tuple(lane_lines(said, lane)[0].colour for lane in (0, 1)) == ON_DARK[:2]


def test_locked_lanes_with_one_frame_say_so():
    said = reported(result(number=5), result("teacher-68", 5), pace=Pace.LOCKED, ages=(40.0, 41.0))
    assert texts(said, 0)[-1] == "same frame · shown 40 ms after capture"
    assert texts(said, 1)[-1] == "same frame · shown 41 ms after capture"


def test_locked_lanes_with_different_frames_do_not_claim_the_same():
    said = reported(result(number=6), result("teacher-68", 5), pace=Pace.LOCKED, ages=(40.0, 41.0))
    assert not any("same frame" in text for lane in (0, 1) for text in texts(said, lane))


def test_live_lanes_show_the_age_of_each():
    said = reported(result(number=9), result("teacher-68", 5), ages=(20.0, 320.0))
    assert texts(said, 0)[-1] == "shown 20 ms after capture"
    assert texts(said, 1)[-1] == "shown 320 ms after capture"


@pytest.mark.parametrize("layout", [Layout.OVERLAID, Layout.DIFFERENCE])
def test_on_one_picture_the_second_lane_says_how_much_earlier_its_frame_was(layout):
    said = reported(result(number=9, captured=2.0), result("teacher-68", 5, captured=1.75), layout, ages=(20.0, 270.0))
    assert texts(said, 1)[-1] == "of a frame 250 ms earlier"


def test_fault_50_68_against_98_is_compared_on_the_shared_points():
    assert texts(reported(second=result("teacher-98")), 1)[-1] == "compared on the 68 shared points"
    assert "compared on the 68 shared points" not in texts(reported(second=result("teacher-68")), 1)


def test_68_against_98_is_recognised_by_the_faces_where_there_is_no_card():
    said = reported(result(faces=(face(IBUG_68),)), result("teacher-98", faces=(face(WFLW_98),)), models={})
    assert texts(said, 1)[-1] == "compared on the 68 shared points"


def test_the_legend_of_the_difference_shows_direction_and_magnification():
    said = reported(second=result("teacher-68"), layout=Layout.DIFFERENCE)
    assert [line.text for line in legend_lines(said)] == ["arrows: student-68 to teacher-68", "magnified 3\u00d7"]
    assert legend_lines(reported(second=result("teacher-68"))) == ()
    assert legend_lines(reported(layout=Layout.DIFFERENCE)) == ()


def test_on_one_picture_the_result_that_is_drawn_counts_not_a_newer_one():
    view = two(plain(RED), plain(BLUE))
    assert view.results(LiveSettings(layout=Layout.OVERLAID))[1] is view.first.other
    assert view.results(LiveSettings(layout=Layout.SPLIT))[1] is view.second.result
    assert view.results(LiveSettings(layout=Layout.SINGLE)) == (view.first.result,)
    assert one(plain(RED)).results(LiveSettings(layout=Layout.SIDE_BY_SIDE))[1] is None


def test_words_on_the_shipped_models_come_from_their_cards():
    student = cards_of(ModelLibrary().entries())["student-68"]
    assert (role_words(student), points_words(student)) == ("Student", "68 points")
    entry = next(entry for entry in ModelLibrary().entries() if entry.name == "student-68")
    assert student.bytes / MEGABYTE == pytest.approx(entry.path.stat().st_size / 1e6)
    assert size_words(student) == f"{student.bytes / MEGABYTE:.1f} MB"


@pytest.mark.parametrize(("fields", "expected"), [({}, "Other model"), ({"role": "teacher"}, "Teacher")])
def test_a_model_from_elsewhere_is_no_student_of_ours(fields, expected):
    assert role_words(foreign_card(**fields)) == expected
