"""Curves, worst frames, marks and the clip of a logged session."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.core.errors import RecordingError, SourceError, UsageError
from engine.core.pairing import face_distance
from engine.evaluation.review.clip import AHEAD, ClipReader, find_clip, open_clip
from engine.evaluation.review.curves import MISSED, curves_of
from engine.evaluation.review.marks import KIND, Mark, Marks
from engine.formats.session_log import LoggedFrame, read_session_log
from tests.fakes.clips import write_clip
from tests.fakes.live_fakes import wait_until
from tests.fakes.session_logs import WORST, logged_clip


def test_curves_show_the_distance_or_where_it_is_known_the_error(tmp_path):
    log = read_session_log(logged_clip(tmp_path))
    curves = curves_of(log)
    one, other = (lane.frames[7].faces[0] for lane in log.lanes)
    assert curves.deviation.name == "distance"
    assert curves.deviation.lanes[0][7] == curves.deviation.lanes[1][7] == pytest.approx(face_distance(one, other))
    assert curves.latency.lanes[1] == pytest.approx(np.full(50, 4.0))
    assert curves.worst[0].place == WORST
    times = log.times[[worst.place for worst in curves.worst]]
    assert (np.abs(np.subtract.outer(times, times))[~np.eye(len(times), dtype=bool)] >= 1.0).all()
    with_errors = curves_of(read_session_log(logged_clip(tmp_path, errors=True)))
    assert with_errors.deviation.name == "NME"
    assert with_errors.worst[0].value == pytest.approx(1.0 + 1.6, abs=1e-3)


def test_a_face_that_one_lane_missed_is_the_worst_and_one_lane_alone_is_ranked_by_confidence(tmp_path):
    log = read_session_log(logged_clip(tmp_path))
    frames = {**log.lanes[1].frames, 5: LoggedFrame(())}
    missing = replace(log, lanes=(log.lanes[0], replace(log.lanes[1], frames=frames)))
    assert (curves_of(missing).worst[0].place, curves_of(missing).worst[0].value) == (5, MISSED)
    alone = curves_of(replace(log, lanes=log.lanes[1:]))
    assert alone.worst[0].value == pytest.approx(0.2, abs=1e-3)
    assert np.isnan(alone.deviation.lanes).all()


def test_marks_are_kept_beside_the_log_and_damaged_ones_stay(tmp_path):
    log = tmp_path / "a b.jsonl"
    marks = Marks(log)
    assert marks.toggle(30)
    assert marks.toggle(12)
    marks.describe(30, "blinks öß")
    marks.remember_clip(tmp_path / "clip.avi")
    assert not marks.toggle(12)
    again = Marks(log)
    assert (again.all, again.clip) == ((Mark(30, "blinks öß"),), tmp_path / "clip.avi")
    assert again.path == tmp_path / "a b.marks.json"
    again.path.write_text("{", encoding="utf-8")
    damaged = Marks(log)
    assert "cannot be read" in damaged.remark
    damaged.toggle(1)
    assert (tmp_path / "a b.marks.json").read_text("utf-8") == "{"
    assert json.loads((tmp_path / "a b_2.marks.json").read_text("utf-8"))["marks"] == [{"frame": 1, "words": ""}]
    with pytest.raises(RecordingError, match="cannot be saved"):
        Marks(tmp_path / "a b.marks.json" / "a.jsonl").toggle(1)


@pytest.mark.parametrize("frame", ["1e999", "null", "[]", '"x"', "{}"])
def test_marks_at_frames_that_make_no_sense_are_said_and_kept(tmp_path, frame):
    there = tmp_path / "a.marks.json"
    there.write_text(f'{{"kind": "{KIND}", "marks": [{{"frame": {frame}, "words": ""}}]}}', encoding="utf-8")
    marks = Marks(tmp_path / "a.jsonl")
    assert "cannot be read" in marks.remark
    assert marks.path == tmp_path / "a_2.marks.json"


def test_the_clip_is_found_beside_the_log_above_it_or_where_it_was(tmp_path):
    log = read_session_log(logged_clip(tmp_path))
    assert find_clip(log) == tmp_path / "clip.avi"
    (tmp_path / "logs").mkdir()
    moved = replace(log, path=tmp_path / "logs" / "a.jsonl")
    assert find_clip(moved).resolve() == tmp_path / "clip.avi"
    far = tmp_path / "far" / "clip.avi"
    far.parent.mkdir()
    (tmp_path / "clip.avi").rename(far)
    assert find_clip(moved) is None
    assert find_clip(moved, [tmp_path / "other.avi", far]) == far


def test_any_frame_of_the_clip_is_read_in_any_order(tmp_path):
    log = read_session_log(logged_clip(tmp_path))
    clip = open_clip(log, tmp_path / "clip.avi")
    assert clip.remark == ""
    reader = ClipReader(clip, log, lambda *_: None)
    numbers = [1, 2, 3, 40, 39, 38, 0, 49, 12]
    frames = [reader.read(number) for number in numbers]
    assert [frame.number for frame in frames] == numbers
    levels = [float(frame.image[40, 60].mean()) for frame in frames]
    assert sorted(levels) == [levels[numbers.index(number)] for number in sorted(numbers)], "each is lighter"
    assert reader.read(50) is None
    reader.close()
    assert reader.join(2)


def test_a_picture_that_was_damaged_after_it_was_logged_moves_no_other_into_its_place(tmp_path):
    names = tuple(f"{number}.png" for number in range(5))
    for level, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), np.full((48, 64, 3), 40 * level, np.uint8))
    log = replace(read_session_log(logged_clip(tmp_path)), pictures=names)
    reader = ClipReader(open_clip(log, tmp_path), log, lambda *_: None)
    (tmp_path / "1.png").write_bytes(b"")
    frames = [reader.read(number) for number in (1, 2, 3, 4, 0, 1)]
    assert [frame and frame.name for frame in frames] == [None, "2.png", "3.png", "4.png", "0.png", None]
    reader.close()
    assert reader.join(2)


def test_a_frame_that_was_kept_comes_while_another_one_is_decoded(tmp_path, monkeypatch, no_thread_left):
    log = read_session_log(logged_clip(tmp_path))
    clip, came = open_clip(log, tmp_path / "clip.avi"), []
    read, decodes, may_go_on = clip.source.read, threading.Event(), threading.Event()
    reader = ClipReader(clip, log, lambda number, frame: came.append((number, frame.number)))
    assert reader.read(5).number == 5

    def slow_read():
        decodes.set()
        assert may_go_on.wait(5)
        return read()

    monkeypatch.setattr(clip.source, "read", slow_read)
    reader.ask(40)
    assert decodes.wait(5)
    reader.ask(5)
    assert came == [(5, 5)]
    may_go_on.set()
    wait_until(lambda: len(came) == 2)
    assert came[1] == (40, 40)
    reader.close()
    assert reader.join(2)


def test_few_frames_are_kept(tmp_path):
    log = read_session_log(logged_clip(tmp_path))
    reader = ClipReader(open_clip(log, tmp_path / "clip.avi"), log, lambda *_: None)
    for number in range(50):
        reader.read(number)
    assert list(reader._kept) == list(range(50 - 2 * AHEAD, 50))
    reader.close()
    assert reader.join(2)


def test_of_many_frames_asked_for_the_last_one_comes(tmp_path, no_thread_left):
    log = read_session_log(logged_clip(tmp_path))
    came, last = [], threading.Event()

    def on_frame(number, frame):
        came.append((number, frame.number))
        if number == 33:
            last.set()

    reader = ClipReader(open_clip(log, tmp_path / "clip.avi"), log, on_frame)
    for number in [*range(50), *range(50), 33]:
        reader.ask(number)
    assert last.wait(5)
    assert len(came) < 60
    assert all(asked == got for asked, got in came)
    reader.close()
    assert reader.join(2)


def test_fault_91_the_clip_of_another_log_is_named_as_such(tmp_path):
    log = read_session_log(logged_clip(tmp_path))
    (tmp_path / "other").mkdir()
    shorter = write_clip(tmp_path / "other" / "clip.avi", frames=20)
    remark = open_clip(log, shorter).remark
    assert "reaches to frame 49, but clip.avi has 20 frames" in remark
    assert "checksum differs" in remark
    slower = write_clip(tmp_path / "other" / "slow.avi", frames=50, rate=10.0)
    assert "frame 49 is at 1.96 s" in open_clip(log, slower).remark
    with pytest.raises(UsageError, match="another clip than the one that was logged"):
        open_clip(replace(log, size=(128, 96)), tmp_path / "clip.avi")
    with pytest.raises(SourceError):
        open_clip(log, tmp_path / "nothing.avi")
    assert math.isclose(log.times[-1], 1.96)
