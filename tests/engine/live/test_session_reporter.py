"""The report of a live session: the figures of the frames that every lane gave, whatever the order and pace."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import datetime
from unittest.mock import ANY

import numpy as np
import pytest

from engine.core.errors import RecordingError
from engine.evaluation.session_report.report import LIVE, LOCKED, Setting
from engine.inference.landmarker import MIRROR_MARK
from engine.live.session_reporter import MOST_PICTURES, LaneFacts, SessionReporter
from tests.fakes.live_fakes import wait_until
from tests.fakes.sessions import measured, random_session, without_faces

SETTING = Setting("clip.mp4", "video", datetime(2026, 1, 2), "blazeface", 0.5, False, pace=LIVE)


def reporter(folder, lanes=3, on_error=None, facts_of=lambda lane: LaneFacts(f"model-{lane}")):
    return SessionReporter(folder, SETTING, lanes, facts_of, on_error)


def taken_at(session, period=1 / 30):
    """Return a session whose frames were taken one after the other."""
    stamped = []
    for frame, results in session:
        taken = replace(frame, captured=100 + frame.id * period)
        stamped.append((taken, [replace(result, frame=taken) for result in results]))
    return stamped


def lanes_of(folder):
    return json.loads((folder / "report.json").read_text("utf-8"))["lanes"]


def test_lanes_that_give_results_at_another_time_have_the_figures_of_compare_live(tmp_path, no_thread_left):
    session, made = taken_at(random_session(frames=40)), reporter(tmp_path / "öß")
    for moment in range(len(session) + 6):
        for lane, late in ((0, 0), (1, 2), (2, 5)):
            if 0 <= moment - late < len(session):
                made.add(lane, session[moment - late][1][lane])
    done = made.stop()
    assert (done.frames, done.path) == (40, tmp_path / "öß" / "report.html")
    expected = measured(session)
    for lane, record in zip(lanes_of(tmp_path / "öß"), expected.lanes, strict=True):
        assert lane["accuracy"]["nme"] == pytest.approx(np.mean(record.columns["nme"]), abs=1e-4)
        assert lane["jitter"] == pytest.approx(record.jitter.value, abs=1e-4)
    matrix = json.loads((tmp_path / "öß" / "report.json").read_text("utf-8"))["distances"]
    assert matrix[0][2]["mean"] == pytest.approx(np.mean(expected.distances[0, 2]), abs=1e-4)


def test_a_slow_lane_counts_the_frames_that_it_took_and_holds_few_pictures(tmp_path):
    session, made = taken_at(random_session(frames=90)), reporter(tmp_path, lanes=2)
    for frame, results in session:
        made.add(0, results[0])
        if frame.id % 30 == 29:  # a second later it has the frame that it took then
            made.add(1, session[frame.id - 29][1][1])
    wait_until(lambda: len(made._incomplete) > MOST_PICTURES and not made._queue)
    pictures = [waiting for waiting in made._incomplete.values() if waiting.frame.image.strides[0]]
    assert len(pictures) <= MOST_PICTURES
    assert made.stop().frames == 90
    first, second = lanes_of(tmp_path)
    assert (first["frames"], second["frames"]) == (90, 3)
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["distances"][0][1]["frames"] == 3


def test_a_lane_that_gives_nothing_any_more_is_not_waited_for(tmp_path):
    session, made = taken_at(random_session(frames=400)), reporter(tmp_path, lanes=2)
    for frame, results in session:
        made.add(0, results[0])
        if frame.id < 10:
            made.add(1, results[1])
    wait_until(lambda: len(made._meter.moments) > 300)
    assert len(made._incomplete) < 100
    assert made.stop().frames == 400


def test_lanes_without_any_result_are_left_out_and_the_report_says_why(tmp_path):
    facts = {
        1: LaneFacts("models/pfld.onnx", error="The model pfld broke. Its file is damaged."),
        2: LaneFacts("student-68", rests=True),
        4: LaneFacts("student-68-lite"),
    }
    made = reporter(tmp_path, lanes=5, facts_of=lambda lane: facts.get(lane, LaneFacts("")))
    for _, results in taken_at(random_session(lanes=4)):
        for lane in (0, 3):
            made.add(lane, results[lane])
    made.stop()
    values = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [lane["name"] for lane in values["lanes"]] == ["model-0", "model-3"]
    assert values["left_out"] == [
        {"name": "pfld", "why": "pfld is left out: The model pfld broke. Its file is damaged."},
        {"name": "student-68", "why": "student-68 is left out: the layout did not show it, so it rested."},
        {"name": "student-68-lite", "why": "student-68-lite is left out: it gave no result in that time."},
    ]
    page = (tmp_path / "report.html").read_text("utf-8")
    assert all(lane["why"] in page for lane in values["left_out"])
    with (tmp_path / "frames.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["lane"] for row in rows} == {"model-0", "model-3"}
    assert [name for name in rows[0] if name.startswith("distance")] == [
        "distance from model-0",
        "distance from model-3",
    ]


def test_a_lane_that_died_on_the_way_says_so(tmp_path):
    made = reporter(tmp_path, lanes=2, facts_of=lambda lane: LaneFacts("", error="It broke." if lane else ""))
    for frame, results in taken_at(random_session(lanes=2)):
        for lane in (0, 1) if frame.id < 20 else (0,):
            made.add(lane, results[lane])
    made.stop()
    assert [(lane["frames"], lane["failure"]) for lane in lanes_of(tmp_path)] == [(40, ""), (20, "It broke.")]


def test_frames_that_are_repeated_or_sought_count_once_and_other_sources_do_not(tmp_path):
    session, made = taken_at(random_session(lanes=1, frames=20)), reporter(tmp_path, lanes=1)
    for again in (0, 1, 2):
        for frame, (result,) in session:
            other = replace(frame, id=frame.id + 100 * again, place=frame.id)
            made.add(0, replace(result, frame=other))
    made.add(0, replace(result, frame=replace(frame, id=999, place=999, source="other.mp4")))
    assert made.stop().frames == 20


def test_what_came_before_the_frame_that_is_sought_does_not_count(tmp_path):
    session = taken_at(random_session(frames=12))
    made = SessionReporter(tmp_path, SETTING, 2, lambda lane: LaneFacts(f"model-{lane}"), from_sought=True)
    for _, results in session[4:6]:
        made.add(0, results[0])  # while the source was being opened
    for number, (frame, results) in enumerate(session):  # from the beginning
        again = replace(frame, id=12 + frame.id, asked=number == 0)
        for lane in (0, 1):
            made.add(lane, replace(results[lane], frame=again))
        if number == 1:
            made.add(1, session[5][1][1])  # of the slower lane, late
    assert made.stop().frames == 12


def test_another_model_in_a_lane_begins_again_and_the_report_says_so(tmp_path):
    session, made = taken_at(random_session(frames=40)), reporter(tmp_path)
    for frame, results in session:
        for lane, result in enumerate(results):
            changed = lane == 1 and frame.id >= 25
            made.add(lane, replace(result, model="other") if changed else result)
    assert made.stop().frames == pytest.approx(15, abs=1)
    values = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [lane["name"] for lane in values["lanes"]] == ["model-0", "other", "model-2"]
    assert "other took the place of model-1" in values["remark"]


def test_another_smoothing_or_pace_begins_again_with_the_next_result_and_the_report_says_so(tmp_path):
    session, made = taken_at(random_session(lanes=1, frames=40)), reporter(tmp_path, lanes=1)
    for frame, (result,) in session:
        if frame.id == 25:
            made.setting = replace(SETTING, smoothing=0.8, pace=LOCKED)
        made.add(0, result)
    made.setting = SETTING  # no result comes of it
    assert made.stop().frames == 15
    values = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (values["smoothing"], values["pace"]) == (0.8, "locked")
    assert values["remark"] == "Measuring began again when smoothing was set to 0.8 and pace was set to locked."


def test_averaging_with_the_mirror_image_begins_again_and_stands_in_the_name(tmp_path):
    session, made = taken_at(random_session(lanes=1, frames=40)), reporter(tmp_path, lanes=1)
    for frame, (result,) in session:
        made.add(0, replace(result, model=result.model + MIRROR_MARK) if frame.id >= 25 else result)
    assert made.stop().frames == 15
    assert [lane["name"] for lane in lanes_of(tmp_path)] == ["model-0 + mirror image"]


def test_a_lane_that_joins_later_is_measured_from_then_on(tmp_path):
    session, made = taken_at(random_session(lanes=2, frames=40)), reporter(tmp_path, lanes=1)
    for frame, results in session:
        made.add(0, results[0])
        if frame.id >= 30:
            made.add(1, results[1])
    assert made.stop().frames == 40
    assert [lane["frames"] for lane in lanes_of(tmp_path)] == [40, pytest.approx(10, abs=1)]


def test_worst_frames_from_before_a_lane_joined_have_no_picture_of_it(tmp_path):
    session, made = taken_at(random_session(lanes=3, frames=80)), reporter(tmp_path, lanes=2)
    for frame, results in session:
        made.add(0, without_faces(results[0]) if frame.id == 0 else results[0])  # the worst of all
        made.add(1, results[1])
        if frame.id >= 50:
            made.add(2, results[2])
    made.stop()
    values = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert values["most_wrong"][0]["lanes"] == ["missed", ANY, "joined later"]
    assert "joined later" in (tmp_path / "report.html").read_text("utf-8")


def test_one_lane_alone_has_a_report_without_distances(tmp_path):
    made = reporter(tmp_path, lanes=1)
    for _, (result,) in taken_at(random_session(lanes=1)):
        made.add(0, result)
    made.stop()
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "1 model" in page
    assert "apart" not in page.lower()


def test_nothing_measured_and_a_folder_that_cannot_be_written_get_a_sentence(tmp_path):
    with pytest.raises(RecordingError, match="No frame was measured"):
        reporter(tmp_path / "empty").stop()
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    reported = []
    made = reporter(tmp_path / "file", on_error=lambda _, error: reported.append(error))
    wait_until(lambda: reported)
    assert "cannot be written" in str(reported[0])
    assert made.stop().frames == 0


def test_a_frame_that_only_the_slower_lane_took_counts_where_it_belongs(tmp_path):
    session, made = taken_at(random_session(lanes=2, frames=30)), reporter(tmp_path, lanes=2)
    for frame, results in session:
        if frame.id % 3:
            made.add(0, results[0])
        if frame.id >= 4 and (frame.id - 4) % 3 == 0:  # four frames late, with one that the first lane left out
            made.add(1, session[frame.id - 4][1][1])
    assert made.stop().frames == 29
    assert [lane["frames"] for lane in lanes_of(tmp_path)] == [20, 9]
    moments = [row.split(",")[2] for row in (tmp_path / "frames.csv").read_text("utf-8").splitlines()[1:]]
    assert [float(moment) for moment in moments] == sorted(float(moment) for moment in moments)
