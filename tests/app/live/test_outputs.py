"""Each recording or log gets files of its own, even when they follow each other quickly."""

from __future__ import annotations

import re
import time
from datetime import datetime

import numpy as np
import pytest

from app.live import outputs, screenshot
from app.live.outputs import FINISH_SECONDS, Outputs, Recording
from app.live.panel.output import FORMATS
from engine.live.session_reporter import LaneFacts
from engine.output.worker import OutputWorker
from engine.sources.video import VideoSource
from tests.fakes.turned_face import result_of, turned_face
from tests.fakes.views import one, plain, result

NOON = datetime(2026, 11, 21, 12, 0, 8)


def outputs_in(folder, is_fed=True):
    """Return outputs that measure nothing."""
    return Outputs(folder, lambda: is_fed, lambda: None, lambda _: LaneFacts(""))


class StoppedClock(datetime):
    """Time does not pass."""

    @classmethod
    def now(cls, tz=None):
        return NOON


def test_recordings_of_one_second_do_not_replace_each_other(qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr(screenshot, "datetime", StoppedClock)
    made = outputs_in(tmp_path)
    reported = []
    made.reported.connect(reported.append)
    made.failed.connect(reported.append)
    for count in (3, 5):
        made.record(Recording.VIEW)
        for number in range(count):
            pixels = np.full((48, 64, 4), 40 * number, np.uint8)
            made.show(one(pixels), lambda pixels=pixels: pixels)
            qtbot.wait(50)
        made.stop_recording()
    qtbot.waitUntil(lambda: len(reported) == 2)
    paths = sorted(tmp_path.iterdir(), key=lambda path: len(path.name))
    assert [path.name for path in paths] == ["2026-11-21 12.00.08.mp4", "2026-11-21 12.00.08 (2).mp4"]
    for path in paths:
        source = VideoSource(path)
        assert source.read() is not None
        source.close()
    made.close()


def test_the_first_picture_of_each_source_is_recorded_clean(qtbot, monkeypatch, tmp_path):
    recorded = []

    class Recorder(OutputWorker):
        def __init__(self, path, on_error):
            super().__init__("The recorder", None, None)
            self._thread.start()

        def add(self, pixels, captured):
            recorded.append(int(pixels[0, 0, 0]))

        def _write(self):
            for _ in self._items():
                pass

    monkeypatch.setattr(outputs, "LiveRecorder", Recorder)
    made = outputs_in(tmp_path)
    made.record(Recording.FRAMES)
    for level in (10, 20):  # of two sources, each of which counts from 0
        pixels = plain((level, level, level, 255))
        its = result(number=0)
        its.frame.image[:] = level
        for _ in range(2):  # drawn twice, as when a setting is changed in a pause
            made.show(one(pixels, its), lambda pixels=pixels: pixels)
    assert recorded == [10, 20]
    made.close()


@pytest.mark.parametrize("ending", FORMATS)
def test_landmarks_are_logged_in_each_format_that_can_be_chosen(qtbot, tmp_path, ending):
    made = outputs_in(tmp_path)
    failed = []
    made.failed.connect(failed.append)
    made.start_log(ending)
    assert failed == []
    made.on_result(0, result_of(turned_face()), (None,))
    with qtbot.waitSignal(made.log_written) as written:
        made.stop_log()
    assert re.fullmatch(rf"[-\d]+ [.\d]+ landmarks{ending}", written.args[0].name)
    made.close()


def refused(outputs):
    """Ask for a recording and a log, see that neither begins, and return why."""
    failed, states = [], []
    outputs.failed.connect(failed.append)
    for changed in (outputs.recording_changed, outputs.log_changed):
        changed.connect(states.append)
    outputs.record(Recording.BOTH)
    outputs.start_log(".csv")
    assert states == [False, False]
    return failed


def test_where_no_picture_comes_neither_a_recording_nor_a_log_begins(qtbot, tmp_path):
    made = outputs_in(tmp_path / "folder", is_fed=False)
    failed = refused(made)
    assert ["There is nothing to record" in str(error) for error in failed] == [True, True]
    assert not (tmp_path / "folder").exists()
    made.close()


def test_fault_55_a_folder_that_cannot_be_made_is_named_and_nothing_begins(qtbot, tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "folder"
    made = outputs_in(folder)
    failed = refused(made)
    assert [f"Nothing can be written into {folder}" in str(error) for error in failed] == [True, True]
    assert not made.active
    made.close()


class SlowToFinish(OutputWorker[int]):
    """It needs most of the time that there is."""

    def __init__(self) -> None:
        super().__init__("The slow one", None, None)
        self.finished = False
        self._thread.start()

    def _write(self) -> None:
        for _ in self._items():
            pass
        time.sleep(0.6 * FINISH_SECONDS)
        self.finished = True


def test_what_ends_at_once_leaves_its_time_to_the_others(qtbot, tmp_path):
    made, slow = outputs_in(tmp_path), SlowToFinish()
    made.start_stream("udp://127.0.0.1:5005")
    made._log = slow
    with qtbot.waitSignal(made.closed, timeout=5000):
        made.close()
    assert slow.finished


def test_what_was_ended_before_is_waited_for_too(qtbot, tmp_path):
    made, slow = outputs_in(tmp_path), SlowToFinish()
    made._log = slow
    made.stop_log()
    with qtbot.waitSignal(made.closed, timeout=5000):
        made.close()
    assert slow.finished
