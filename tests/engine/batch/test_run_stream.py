"""A run without a window sends what it finds."""

from __future__ import annotations

import json
import socket

from engine.batch.run import HeadlessSettings, run_headless
from engine.inference.detector import make_detector
from engine.inference.library import ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.output.streaming.streamer import Streamer
from engine.sources.sample import SampleSource
from tests.fakes.live_fakes import wait_until


class Paced(SampleSource):
    """The sample, each frame once the last one was sent: a receiver is to get them all."""

    def __init__(self, stream: Streamer) -> None:
        super().__init__()
        self._stream = stream

    def read(self):
        wait_until(lambda: self._stream.sent == self._next_id)
        return super().read()


def test_every_frame_of_a_headless_run_is_streamed_with_its_signals(no_thread_left):
    pipeline = Pipeline(make_detector("blazeface"), ModelLibrary().load("student-68"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        stream = Streamer(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        stream.ready()
        summary = run_headless(Paced(stream), pipeline, HeadlessSettings(frames=12, stream=stream))
        messages = [json.loads(receiver.recv(65535)) for _ in range(12)]
        assert stream.stop()
    assert [message["frame"] for message in messages] == list(range(12))
    assert {message["model"] for message in messages} == {summary.model}
    (face,) = messages[-1]["faces"]
    assert {"yaw", "mouth", "blinks"} <= set(face["signals"])
    assert len(face["points"]) == 68
    assert all(0 < x < 1 and 0 < y < 1 for x, y in face["normalised"])
