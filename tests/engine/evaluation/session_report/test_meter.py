"""What the meter collects equals what a few lines of NumPy compute from the same landmarks."""

from dataclasses import replace

import numpy as np
import pytest

from engine.core.geometry import landmark_box
from engine.evaluation.session_report.figures import distance_matrix, lane_figures
from tests.fakes.sessions import STILL, measured, random_session, without_faces


@pytest.fixture
def session():
    return random_session()


def landmarks(session):
    """The landmarks of all lanes `[frames, lanes, 68, 2]`, and the truth `[frames, 68, 2]`."""
    points = np.array([[result.faces[0].landmarks for result in results] for _, results in session], np.float64)
    return points, np.array([frame.truth.points for frame, _ in session], np.float64)


def eyes(points):
    return np.linalg.norm(points[..., 36, :] - points[..., 45, :], axis=-1)


def test_the_distance_matrix_is_that_of_numpy(session):
    points, _ = landmarks(session)
    matrix = distance_matrix(measured(session))
    for first in range(3):
        for second in range(3):
            if first == second:
                assert matrix[first][second] is None
                continue
            apart = np.linalg.norm(points[:, first] - points[:, second], axis=-1).mean(-1)
            percent = 100 * apart / ((eyes(points[:, first]) + eyes(points[:, second])) / 2)
            assert matrix[first][second].mean == pytest.approx(percent.mean(), abs=1e-4)
            assert matrix[first][second].p95 == pytest.approx(np.percentile(percent, 95), abs=1e-4)
            assert matrix[first][second].frames == 40


def test_error_jitter_and_latency_are_those_of_numpy(session):
    points, truth = landmarks(session)
    meter = measured(session)
    for index in range(3):
        figures, own = lane_figures(meter.lanes[index], has_truth=True), points[:, index]
        errors = 100 * np.linalg.norm(own - truth, axis=-1).mean(-1) / eyes(truth)
        assert figures.accuracy.nme == pytest.approx(errors.mean(), abs=1e-4)
        assert figures.accuracy.fr10 == 0
        moves = 100 * np.linalg.norm(np.diff(own[STILL], axis=0), axis=-1).mean(-1) / eyes(own[STILL][1:])
        assert figures.still == len(moves) == 9
        assert figures.jitter == pytest.approx(moves.mean(), abs=1e-4)
        latency = np.array([2.5 + index + (4.0 if number % 10 == 0 else 0.0) for number in range(40)])
        assert figures.latency.p95 == pytest.approx(np.percentile(latency, 95))
        assert figures.throughput == pytest.approx(1e3 / latency.mean())
        assert (figures.detect.count, figures.detect.p50) == (4, 4.0)
        assert figures.frames == 40


def test_a_missed_face_is_a_failure_and_no_error(session):
    for number in (5, 6, 30):
        frame, results = session[number]
        session[number] = frame, [results[0], without_faces(results[1]), results[2]]
    meter = measured(session)
    figures = lane_figures(meter.lanes[1], has_truth=True)
    assert figures.found == pytest.approx(37 / 40)
    assert figures.lost == 2, "frames 5 and 6 are one loss"
    assert figures.accuracy.fr10 == pytest.approx(100 * 3 / 40)
    assert np.isfinite(figures.accuracy.nme)
    assert distance_matrix(meter)[0][1].frames == 37
    assert distance_matrix(meter)[0][2].frames == 40
    assert meter.most_wrong[0].words[1] == "missed"


def test_a_face_elsewhere_is_neither_an_error_nor_a_lag(session):
    for number in (5, 6, 30):
        frame, results = session[number]
        face = results[1].faces[0]
        away = replace(face, landmarks=face.landmarks + np.float32(500), box=landmark_box(face.landmarks + 500))
        session[number] = frame, [results[0], replace(results[1], faces=(away,), nme=None), results[2]]
    meter = measured(session)
    figures = lane_figures(meter.lanes[1], has_truth=True)
    assert figures.accuracy.fr10 == pytest.approx(100 * 3 / 40)
    assert figures.accuracy.nme < 10
    assert meter.lanes[1].behind_truth.milliseconds == pytest.approx(0, abs=3)


def test_without_truth_there_is_no_error_and_the_lag_is_behind_the_first_lane(session):
    bare = []
    for frame, results in session:
        same = replace(frame, truth=None)
        bare.append((same, [replace(result, frame=same, nme=None) for result in results]))
    meter = measured(bare)
    assert not meter.has_truth
    assert lane_figures(meter.lanes[1], meter.has_truth).accuracy is None
    assert [lane.behind_first.pairs > 10 for lane in meter.lanes] == [False, True, True]
    assert meter.most_wrong == ()


def test_the_lag_of_a_lane_that_shows_the_last_frame_is_a_frame(session):
    late = [session[0], *((frame, []) for frame, _ in session[1:])]
    for number in range(1, len(session)):
        frame, results = session[number]
        before = session[number - 1][0].truth.points
        face = results[0].faces[0]
        faces = (replace(face, landmarks=before),)
        late[number] = frame, [results[0], replace(results[1], faces=faces), results[2]]
    lags = [lane.behind_truth.milliseconds for lane in measured(late).lanes]
    assert lags[1] == pytest.approx(1e3 / 30, abs=3)
    assert lags[0] == pytest.approx(0, abs=3)


def test_lanes_that_leave_every_other_frame_out_have_a_lag(session):
    sparse = [
        (frame, [None if (number + lane) % 2 else result for lane, result in enumerate(results)])
        for number, (frame, results) in enumerate(session)
    ]
    lanes = measured(sparse).lanes
    assert all(lane.behind_truth.pairs > 10 for lane in lanes)
    assert lanes[2].behind_first.pairs > 10, "it sees the same frames as the first"
    assert lanes[1].behind_first.pairs == 0, "it sees none that the first sees"


def test_the_lag_behind_the_truth_is_not_mixed_with_that_behind_the_first_lane(session):
    mixed = []
    for number, (frame, results) in enumerate(session):
        truth, before = frame.truth, session[max(0, number - 1)][0].truth
        found = (before.points, truth.points, truth.points)  # the first lane is late, the others are not
        shown = replace(frame, truth=truth if number >= 15 else None)
        made = [
            replace(result, frame=shown, faces=(replace(result.faces[0], landmarks=points),), nme=None)
            for result, points in zip(results, found, strict=True)
        ]
        mixed.append((shown, made))
    meter = measured(mixed)
    figures = [lane_figures(lane, meter.has_truth) for lane in meter.lanes]
    assert [its.lag for its in figures] == pytest.approx([1e3 / 30, 0, 0], abs=3)
    assert {its.moving for its in figures} == {20}, "of the 24 pairs of labelled frames, on which the face moves"


def test_pictures_have_neither_jitter_nor_lag(session):
    meter = measured(session, continuous=False)
    figures = lane_figures(meter.lanes[0], has_truth=True)
    assert (figures.jitter, figures.lag, figures.lost) == (None, None, 0)
    assert list(meter.moments) == list(range(40))


def test_a_lane_that_failed_leaves_gaps(session):
    for number in range(20, 40):
        frame, results = session[number]
        session[number] = frame, [results[0], None, results[2]]
    meter = measured(session)
    assert lane_figures(meter.lanes[1], has_truth=True).frames == 20
    assert distance_matrix(meter)[0][1].frames == 20
    assert {len(column) for lane in meter.lanes for column in lane.columns.values()} == {40}
