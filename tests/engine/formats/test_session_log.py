"""Logs are read whatever their form and version, and as far as they are whole."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.core.files import quick_checksum
from engine.formats.session_log import read_session_log
from engine.output.landmark_log import LandmarkLog
from tests.fakes.models import face_points
from tests.fakes.results import result
from tests.fakes.session_logs import WORST, logged_clip


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_all_lanes_come_back_with_what_was_measured(tmp_path, ending):
    log = read_session_log(logged_clip(tmp_path, lanes=3, ending=ending, errors=True))
    assert (log.source, log.size, log.remark) == ("clip.avi", (64, 48), "")
    assert log.clip == quick_checksum(tmp_path / "clip.avi")
    assert [lane.model for lane in log.lanes] == ["student-68", "teacher-68", "lite-68"]
    assert log.numbers.tolist() == list(range(50))
    assert log.times == pytest.approx(np.arange(50) / 25, abs=1e-3)
    frame = log.lanes[2].frames[WORST]
    assert (frame.latency, frame.nme, frame.confidence) == pytest.approx((5.0, 1.0 + 3.2, 0.7), abs=1e-4)
    assert frame.faces[0].landmarks == pytest.approx(face_points(30, 24, 12) + 3.2, abs=1e-3)


def test_lanes_of_another_markup_are_in_a_table_beside_it(tmp_path):
    log = LandmarkLog(tmp_path / "a.csv")
    for number in range(4):
        log.add(result(number))
        log.add(result(number, points=98, faces=2), lane=1)
    log.stop()
    read = read_session_log(tmp_path / "a.csv")
    assert [len(lane.frames) for lane in read.lanes] == [4, 4]
    assert [face.scheme.points for face in read.lanes[1].frames[2].faces] == [98, 98]


def test_a_frame_that_was_repeated_counts_as_it_was_last_and_one_source_of_several(tmp_path):
    log = LandmarkLog(tmp_path / "a.jsonl")
    for count, (number, faces) in enumerate([(0, 1), (1, 1), (0, 2), (1, 0)]):
        some = result(count, faces=faces)
        log.add(
            type(some)(
                type(some.frame)(count, 0.0, some.frame.image, "a.mp4", time=0.0, place=number),
                some.faces,
                "m",
                {},
                True,
            )
        )
    log.add(result(7, source="b.mp4"))
    log.stop()
    read = read_session_log(tmp_path / "a.jsonl")
    assert [len(read.lanes[0].frames[number].faces) for number in (0, 1)] == [2, 0]
    assert "2 sources" in read.remark


def test_pictures_are_known_by_their_names(tmp_path):
    log = LandmarkLog(tmp_path / "a.jsonl")
    for number, name in enumerate(("b.png", "a.png")):
        log.add(result(number, name=name))
    log.stop()
    read = read_session_log(tmp_path / "a.jsonl")
    assert read.pictures == ("b.png", "a.png")
    assert read.numbers.tolist() == [0, 1]


@pytest.mark.parametrize("has_count", [True, False])
def test_pictures_that_are_shown_again_have_the_faces_of_the_last_time(tmp_path, has_count):
    log = LandmarkLog(tmp_path / "a.csv")
    for count, (name, faces) in enumerate([("a.png", 2), ("b.png", 1), ("a.png", 2), ("b.png", 1)]):
        for lane in range(2):
            log.add(result(count, faces=faces, name=name), lane=lane)
    log.stop()
    if not has_count:  # as logs of pictures were at first
        with log.path.open(encoding="utf-8", newline="") as stream:
            rows = [{name: cell for name, cell in row.items() if name != "count"} for row in csv.DictReader(stream)]
        with log.path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    read = read_session_log(log.path)
    assert read.pictures == ("a.png", "b.png")
    assert [[len(lane.frames[number].faces) for number in (0, 1)] for lane in read.lanes] == [[2, 1], [2, 1]]


def test_fault_91_a_log_cut_in_the_middle_is_read_up_to_there(tmp_path):
    for ending in (".jsonl", ".csv"):
        path = logged_clip(tmp_path, ending=ending)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        read = read_session_log(path)
        assert 15 < len(read.numbers) < 30
        assert "cut off" in read.remark
        path.write_bytes(data[:200])
        with pytest.raises(UsageError, match="holds no frame"):
            read_session_log(path)


def test_fault_91_logs_of_other_versions_are_shown_as_far_as_they_are_known(tmp_path):
    path = logged_clip(tmp_path, lanes=1)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    newer = tmp_path / "newer.jsonl"
    newer.write_text("\n".join(json.dumps({**line, "version": 9, "mood": "good"}) for line in lines), encoding="utf-8")
    assert "newer version" in read_session_log(newer).remark
    former = tmp_path / "former.jsonl"
    for line in lines:
        for name in ("version", "lane", "clip", "latency_ms", "nme"):
            del line[name]
    former.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    read = read_session_log(former)
    assert "one model, without latency" in read.remark
    assert math.isnan(read.lanes[0].frames[3].latency)
    oldest = tmp_path / "oldest.csv"
    oldest.write_text("image,frame,face,score,x0,y0,x1,y1,x0,y0,c0\nclip.avi,0,1,.9,0,0,9,9,1,2,1\n", encoding="utf-8")
    assert "counted as the session" in read_session_log(oldest).remark


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", "x", "end in .jsonl or .csv"),
        ("a.jsonl", "", "It is empty"),
        ("a.csv", "", "of a log. It has no columns"),
        ("a.jsonl", "[1, 2]\n", "of a log. Line 1 is none of a log"),
        ("a.csv", "name,age\nanna,3\n", "another kind of table"),
        (
            "a.jsonl",
            '{"faces": [{"landmarks": [[1, 1e99]], "confidence": [1]}], "model": "m", "frame": 0}',
            "not finite",
        ),
        ("a.jsonl", '{"faces": [], "model": "m", "frame": -1}', "whole number"),
        ("a.jsonl", '{"faces": [], "model": "m", "frame": 1' + "0" * 400 + "}", "is no number"),
        ("a.jsonl", '{"faces": [null], "model": "m", "frame": 0}', "Line 1 is none of a log"),
        ("a.jsonl", '{"faces": [[]], "model": "m", "frame": 0}', "Line 1 is none of a log"),
        (
            "a.jsonl",
            '{"faces": [{"landmarks": [[1, 1]], "confidence": [1e99]}], "model": "m", "frame": 0}',
            "not from 0 to 1",
        ),
        (
            "a.jsonl",
            '{"faces": [{"landmarks": [[1, 1]], "confidence": [null]}], "model": "m", "frame": 0}',
            "not from 0 to 1",
        ),
        ("a.csv", "image,frame,face,score,x0,y0,c0\nclip.avi,0,1,.9,1,2,\n", "not from 0 to 1"),
        (
            "a.jsonl",
            '{"faces": [{"id": 1e999, "landmarks": [[1, 1]], "confidence": [1]}], "model": "m", "frame": 0}',
            "infinity",
        ),
        ("a.jsonl", '{"faces": [], "model": "m", "frame": 0, "lane": 1e9}', "lane"),
    ],
)
def test_fault_91_what_is_no_log_gets_a_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=words):
        read_session_log(tmp_path / name)


def test_a_log_that_is_not_there_gets_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="There is no log"):
        read_session_log(tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(UsageError, match="cannot be read .*It is a folder, its permissions forbid reading"):
        read_session_log(tmp_path / "a.jsonl")
