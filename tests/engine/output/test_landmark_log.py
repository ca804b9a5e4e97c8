"""Landmark logs: complete, and never slowing a frame."""

from __future__ import annotations

import csv
import json
import math
import threading
import time
from dataclasses import replace

import pytest

from engine.core.errors import RecordingError, UsageError
from engine.inference.signals import FaceSignals
from engine.output.landmark_log import MOST_WAITING, LandmarkLog
from tests.fakes.live_fakes import wait_until
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


def test_a_csv_goes_on_in_another_file_when_the_model_has_another_markup(folder):
    log = LandmarkLog(folder / "a.csv")
    for number, points in enumerate((68, 68, 98, 98, 98, 68)):
        log.add(result(number, points=points))
    logged = log.stop()
    assert [path.name for path in logged.paths] == ["a.csv", "a_2.csv", "a_3.csv"]
    for path, count in zip(logged.paths, (2, 3, 1), strict=True):
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
