"""Landmark logs: complete, and never slowing a frame."""

from __future__ import annotations

import csv
import json
import math
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import RecordingError, UsageError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Face, Result
from engine.core.files import quick_checksum
from engine.core.geometry import landmark_box
from engine.core.metrics import nme
from engine.core.schemes import IBUG_68
from engine.formats.landmark_readers import read_predictions
from engine.live.session import Session
from engine.live.settings import LiveSettings
from engine.output.landmark_log import MOST_WAITING, LandmarkLog
from engine.sources.video import VideoSource
from tests.fakes.clips import write_clip
from tests.fakes.live_fakes import FAST, FakePainter, FakePipeline, wait_until
from tests.fakes.results import result

SIGNALS = (FaceSignals(1, None, 0.5, math.nan, 3, 0.25),)


@pytest.fixture
def folder(tmp_path, no_thread_left):
    return tmp_path / "Öß 日本"


def test_json_lines_have_a_line_for_each_frame_with_time_and_signals(folder):
    log = LandmarkLog(folder / "a.jsonl")
    for number in range(30):
        log.add(result(number, faces=number % 3), SIGNALS)
        assert not (folder / "a.jsonl").exists(), "nothing half done stands under its name"
    logged = log.stop()
    assert (logged.paths, logged.frames, logged.dropped) == ((folder / "a.jsonl",), 30, 0)
    lines = [json.loads(line) for line in (folder / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["frame"] for line in lines] == list(range(30))
    assert (lines[10]["time"], lines[10]["source"], lines[10]["model"]) == (0.4, "clip.mp4", "student-68")
    assert (lines[10]["faces"][0]["signals"]["eye_right"], lines[10]["faces"][0]["signals"]["eye_left"]) == (0.5, None)
    assert lines[11]["faces"][1]["signals"] is None
    assert [file.name for file in folder.iterdir()] == ["a.jsonl"]


def test_csv_has_columns_for_time_and_signals(folder):
    log = LandmarkLog(folder / "a.csv")
    log.add(result(0, faces=0))
    log.add(result(5), SIGNALS)
    log.add(result(6))
    log.stop()
    with (folder / "a.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["frame"], row["time"], row["blinks"], row["eye_left"]) for row in rows] == [
        ("5", "0.2", "3", ""),
        ("6", "0.24", "", ""),
    ]
    assert {None} & set(rows[1]) == set(), "every row has as many cells as the heading"


def test_pts_files_are_there_at_once_whatever_the_camera_is_called(folder):
    log = LandmarkLog(folder / "points")
    camera = result(12, faces=2, source="IR/RGB: Camera v1")
    log.add(replace(camera, frame=replace(camera.frame, time=None)))
    wait_until(lambda: len(list(folder.rglob("*.pts"))) == 2)
    log.stop()
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.pts"))
    assert names == ["points/IR_RGB_ Camera v1_000012.pts", "points/IR_RGB_ Camera v1_000012_2.pts"]


def test_pictures_keep_their_names(folder):
    log = LandmarkLog(folder / "points")
    log.add(result(0, name="anna.png"))
    log.stop()
    assert [file.name for file in (folder / "points").iterdir()] == ["anna.pts"]


def test_pictures_are_counted_as_frames_are_also_where_one_is_shown_again(folder):
    log = LandmarkLog(folder / "a.jsonl")
    for count in (4, 6):
        log.add(result(count, name="anna.png"))
    log.stop()
    lines = [json.loads(line) for line in (folder / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["image"], line["count"], "time" in line) for line in lines] == [
        ("anna.png", 4, False),
        ("anna.png", 6, False),
    ]


def test_a_csv_has_a_file_for_each_markup(folder):
    log = LandmarkLog(folder / "a.csv")
    for number, points in enumerate((68, 68, 98, 98, 98, 68)):
        log.add(result(number, points=points))
    logged = log.stop()
    assert [path.name for path in logged.paths] == ["a.csv", "a_2.csv"]
    for path, count in zip(logged.paths, (3, 3), strict=True):
        with path.open(encoding="utf-8", newline="") as stream:
            heading, *rows = csv.reader(stream)
        assert len(rows) == count
        assert {len(row) for row in rows} == {len(heading)}


def test_fault_16_a_full_disk_ends_the_log_is_reported_and_keeps_what_there_is(folder):
    space = iter([10**9] * 2 + [5_000_000] * 9)
    reported = []
    log = LandmarkLog(folder / "a.jsonl", lambda _, error: reported.append(error), lambda _: next(space))
    for number in range(200):
        log.add(result(number))
    wait_until(lambda: reported)
    assert not log.add(result())
    logged = log.stop()
    assert "5 MB are left" in str(reported[0])
    assert str(folder / "a.jsonl") in str(reported[0])
    assert logged.frames == len((folder / "a.jsonl").read_text(encoding="utf-8").splitlines()) == 100


def test_fault_55_a_place_that_cannot_be_written_is_reported_and_the_former_file_stays(folder):
    folder.mkdir()
    (folder / "file").write_text("no folder", encoding="utf-8")
    reported = []
    log = LandmarkLog(folder / "file" / "a.jsonl", lambda _, error: reported.append(error))
    log.add(result())
    wait_until(lambda: reported)
    assert "cannot be written" in str(reported[0])
    assert log.stop().frames == 0


def test_a_slow_disk_never_holds_a_frame_up(folder):
    go = threading.Event()
    log = LandmarkLog(folder / "a.jsonl", None, lambda _: go.wait(20) * 10**9)
    some = result()
    begin = time.perf_counter()
    kept = sum(log.add(some) for _ in range(2 * MOST_WAITING))
    assert time.perf_counter() - begin < 1
    assert kept <= MOST_WAITING + 1
    with pytest.raises(RecordingError, match="not finished yet"):
        log.stop(0.1)
    go.set()
    assert log.stop(15).dropped == 2 * MOST_WAITING - kept


def test_nothing_logged_says_so_and_unknown_formats_are_refused(folder):
    with pytest.raises(RecordingError, match="Nothing was logged"):
        LandmarkLog(folder / "a.jsonl").stop()
    with pytest.raises(UsageError, match=r"written as \.xml"):
        LandmarkLog(folder / "a.xml")


class FacePipeline(FakePipeline):
    """Finds one face, whose place follows from the time of the frame in its file."""

    def process(self, frame, capture_ms=0.0):
        result = super().process(frame, capture_ms)
        points = (np.linspace((8, 4), (40, 36), 68) + round(frame.time * 25)).astype(np.float32)
        face = Face(1, landmark_box(points), 1.0, IBUG_68, points, np.ones(68, np.float32), 0.0)
        return Result(result.frame, (face,), result.model, result.stages, detected=True)


@pytest.mark.parametrize("ending", [".csv", ""])
def test_a_log_of_a_clip_that_was_sought_in_and_repeated_is_its_ground_truth(folder, ending):
    folder.mkdir()
    clip = write_clip(folder / "clip.avi", frames=20)
    log = LandmarkLog(folder / f"clip{ending}")
    pipeline, logged = FacePipeline(), []

    def note(lane, result, signals):
        log.add(result, signals, lane)
        logged.append(result.frame)

    session = Session(
        lambda: VideoSource(clip),
        lambda: pipeline,
        LiveSettings(),
        lambda: None,
        make_painter=FakePainter,
        timing=FAST,
    )
    session.on_result = note
    session.loop = True
    session.start()
    wait_until(lambda: len(logged) > 8)
    session.seek(0.0)
    wait_until(lambda: len(logged) > 50)
    session.stop()
    assert log.stop().frames == len(logged)
    assert [frame.id for frame in logged] == sorted({frame.id for frame in logged}), "the count never goes back"
    if ending:
        with (folder / "clip.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [round(float(row["time"]) * 25) for row in rows] == [int(row["frame"]) for row in rows]
        assert [int(row["count"]) for row in rows] == [frame.id for frame in logged]
        assert max(int(row["frame"]) for row in rows) == 19
    source, seen = VideoSource(clip), 0
    while (frame := source.read()) is not None:
        assert frame.truth is not None
        points = pipeline.process(frame).faces[0].landmarks
        assert nme(IBUG_68, points, frame.truth.points) == pytest.approx(0, abs=0.01)
        seen += 1
    assert (seen, source.remark) == (20, "")
    source.close()


def test_pictures_and_then_a_video_go_into_two_tables(folder):
    log = LandmarkLog(folder / "a.csv")
    log.add(result(0, name="anna.png"))
    log.add(result(1))
    logged = log.stop()
    headings = [path.read_text("utf-8").split(",version,")[0] for path in logged.paths]
    assert headings == ["image,frame,count", "image,frame,time,count"]


def two_lanes(log, frames=6):
    """Log two lanes, of which the second takes every other frame and has another markup."""
    for number in range(frames):
        log.add(replace(result(number), nme=2.5, stages={"capture": 9.0, "detect": 1.0, "landmark": 3.0}))
        if number % 2 == 0:
            log.add(replace(result(number, points=98), model="teacher-98"), lane=1)
    return log.stop()


def test_json_lines_name_the_lane_its_model_its_clip_and_what_was_measured(folder):
    folder.mkdir()
    clip = write_clip(folder / "clip.avi", frames=3)
    log, some = LandmarkLog(folder / "a.jsonl"), result()
    log.add(replace(some, frame=replace(some.frame, file=clip)))
    log.stop()
    line = json.loads((folder / "a.jsonl").read_text("utf-8"))
    assert (line["version"], line["lane"], line["clip"]) == (3, 0, quick_checksum(clip))
    assert two_lanes(LandmarkLog(folder / "b.jsonl")).frames == 6, "a frame counts once, whatever the number of lanes"
    lines = [json.loads(line) for line in (folder / "b.jsonl").read_text("utf-8").splitlines()]
    assert [(line["lane"], line["model"], line["frame"]) for line in lines[:4]] == [
        (0, "student-68", 0), (1, "teacher-98", 0), (0, "student-68", 1), (0, "student-68", 2)
    ]  # fmt: skip
    assert (lines[0]["latency_ms"], lines[0]["nme"], lines[0]["clip"]) == (4.0, 2.5, None)
    assert lines[1]["nme"] is None


def test_a_slow_lane_s_frame_of_before_the_log_is_left_out_so_that_no_time_is_negative(folder):
    def camera(number, captured):
        some = result(number, source="camera 0")
        return replace(some, frame=replace(some.frame, time=None, captured=captured))

    log = LandmarkLog(folder / "a.jsonl")
    assert log.add(camera(8, 100.0))
    assert not log.add(camera(7, 99.5), lane=1)
    assert log.add(camera(8, 100.0), lane=1)
    assert log.add(camera(9, 100.5))
    assert log.stop().dropped == 0
    lines = [json.loads(line) for line in (folder / "a.jsonl").read_text("utf-8").splitlines()]
    assert [(line["lane"], line["frame"], line["time"]) for line in lines] == [(0, 8, 0), (1, 8, 0), (0, 9, 0.5)]


def test_a_clip_that_was_replaced_since_the_last_log_is_known_by_what_it_is_now(folder):
    folder.mkdir()
    for frames in (3, 5):
        clip = write_clip(folder / "clip.avi", frames)
        log, some = LandmarkLog(folder / "a.jsonl"), result()
        log.add(replace(some, frame=replace(some.frame, file=clip)))
        log.stop()
        assert json.loads((folder / "a.jsonl").read_text("utf-8"))["clip"] == quick_checksum(clip)


def test_tables_and_points_of_several_lanes_are_still_the_first_ones_truth(folder):
    logged = two_lanes(LandmarkLog(folder / "a.csv"))
    assert [path.name for path in logged.paths] == ["a.csv", "a_2.csv"]
    with (folder / "a_2.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["lane"], row["model"], row["frame"], row["width"]) for row in rows] == [
        ("1", "teacher-98", str(number), "64") for number in (0, 2, 4)
    ]
    two_lanes(LandmarkLog(folder / "points"))
    names = sorted(file.relative_to(folder / "points").as_posix() for file in (folder / "points").rglob("*.pts"))
    assert names == sorted(
        [f"clip_{number:06d}.pts" for number in range(6)]
        + [f"lane 1 teacher-98/clip_{number:06d}.pts" for number in (0, 2, 4)]
    )


def test_readers_of_one_model_take_the_first_lane_of_a_log(folder):
    for ending in ("jsonl", "csv"):
        log = LandmarkLog(folder / f"a.{ending}")
        for lane in (0, 1):
            log.add(result(0, name="anna.png"), lane=lane)
        log.stop()
        assert read_predictions(folder / f"a.{ending}").images == ("anna.png",)
