"""The stream as a receiver gets it; it never slows the frames."""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from engine.core.errors import OutputError, UsageError
from engine.core.face_signals import FaceSignals
from engine.output.streaming import websocket
from engine.output.streaming.address import parse_address
from engine.output.streaming.message import osc_message
from engine.output.streaming.streamer import Streamer, open_link
from tests.fakes.live_fakes import wait_until
from tests.fakes.results import result

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "streaming.md"


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def receiver():
    """Return a UDP socket that listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        yield listening


@pytest.fixture
def streamer(no_thread_left):
    """Return a function that opens a stream; it is stopped at the end."""
    opened = []

    def make(address, *arguments, **keywords):
        opened.append(Streamer(address, *arguments, **keywords))
        return opened[-1]

    yield make
    for one in opened:
        assert one.stop()


def udp(receiver) -> str:
    return f"udp://127.0.0.1:{receiver.getsockname()[1]}"


def test_a_message_says_what_is_documented(receiver, streamer):
    before = time.time()
    streamer(udp(receiver)).send(result(7, faces=2), (None, FaceSignals(2, None, math.nan, 0.75, 4, 0.1)))
    message = json.loads(receiver.recv(65535))
    documented = set(re.findall(r"`(\w+)`", DOCUMENT.read_text(encoding="utf-8").split("## UDP")[0]))
    first, second = message["faces"]
    assert set(message) <= documented
    assert set(first) <= documented
    assert (message["version"], message["frame"], message["model"]) == (2, 7, "student-68")
    assert message["count"] == 7
    assert (message["width"], message["height"], message["position"]) == (64, 48, 0.28)
    assert before - 1 < message["captured"] < time.time()
    assert 0 <= message["latency_ms"] < 5000
    assert [first["id"], second["id"], first["scheme"]] == [1, 2, 68]
    assert len(first["points"]) == len(first["confidence"]) == 68
    assert first["points"][0] == [8.25, 4.25]
    assert first["normalised"][0] == pytest.approx([8.75 / 64, 4.75 / 48], abs=1e-5)
    assert first["signals"] == {}
    assert (second["signals"]["eye_left"], second["signals"]["blinks"]) == (0.75, 4)
    assert second["signals"]["yaw"] is second["signals"]["eye_right"] is None, "NaN is no JSON"


def test_a_frame_without_a_face_is_sent_too(receiver, streamer):
    streamer(udp(receiver)).send(result(faces=0))
    assert json.loads(receiver.recv(65535))["faces"] == []


@pytest.mark.parametrize("kind", ["udp", "osc"])
def test_many_faces_are_split_into_datagrams_that_every_system_sends(receiver, streamer, kind):
    streamer(f"{kind}://127.0.0.1:{receiver.getsockname()[1]}").send(result(faces=11, points=98))
    ids, parts, received = [], 1, 0
    while received < parts:
        data = receiver.recv(65535)
        received += 1
        assert len(data) <= 8192
        if kind == "udp":
            message = json.loads(data)
            parts = message["parts"]
            assert message["part"] == received
            ids += [face["id"] for face in message["faces"]]
        else:
            parts = struct.unpack_from(">i", data, data.index(b"student-68") + 24)[0] if received == 1 else parts
            ids += [int(number) for number in re.findall(rb"/understudy/face/(\d+)/points", data)]
    assert received > 1
    assert ids == list(range(1, 12))


def test_a_face_too_large_for_a_datagram_is_refused_once_and_the_next_is_sent(receiver, streamer):
    reported = []
    stream = streamer(udp(receiver), lambda _, error: reported.append(error))
    heavy = (SimpleNamespace(as_record=lambda: {f"signal {number}": 0.5 for number in range(600)}),)
    for number in range(3):
        stream.send(result(number), heavy)
        wait_until(lambda: stream.error is not None)
    stream.send(result(9))
    assert json.loads(receiver.recv(65535))["frame"] == 9
    wait_until(lambda: stream.error is None)
    assert len(reported) == 1
    assert "A face is larger than a datagram" in str(reported[0])


def test_without_a_receiver_nothing_happens(streamer):
    reported = []
    stream = streamer(f"udp://127.0.0.1:{free_port()}", lambda _, error: reported.append(error))
    for number in range(20):
        stream.send(result(number))
        time.sleep(0.005)
    wait_until(lambda: stream.sent + stream.dropped == 20)
    assert reported == []


class StuckLink:
    """A way that blocks until it is let go."""

    missed = 0

    def __init__(self) -> None:
        self.let_go, self.frames, self.closed = threading.Event(), [], False

    def send(self, message) -> None:
        self.frames.append(message["frame"])
        self.let_go.wait(20)

    def close(self) -> None:
        self.closed = True


@pytest.mark.alone
def test_a_way_that_blocks_never_holds_a_frame_up_and_the_newest_is_what_goes_next(streamer):
    link = StuckLink()
    stream = streamer("udp://127.0.0.1:5005", open_link=lambda _: link)
    stream.send(result(0))
    wait_until(lambda: link.frames)
    begin = time.perf_counter()
    for number in range(1, 1001):
        stream.send(RESULTS[number % 10])
    assert time.perf_counter() - begin < 0.5, "half a millisecond a frame at the very most"
    stream.send(result(5000))
    link.let_go.set()
    wait_until(lambda: stream.sent == 2)
    assert link.frames == [0, 5000]
    assert stream.dropped == 1000


RESULTS = [result(number) for number in range(10)]


def test_stopping_does_not_wait_for_a_way_that_blocks():
    link = StuckLink()
    stream = Streamer("udp://127.0.0.1:5005", open_link=lambda _: link)
    stream.send(result())
    wait_until(lambda: link.frames)
    begin = time.monotonic()
    assert not stream.stop(0.2)
    assert time.monotonic() - begin < 1
    link.let_go.set()
    wait_until(lambda: link.closed)


@pytest.mark.parametrize(
    "text", ["", "udp://", "udp://host", "http://a:80", "udp://a:0", "ws://a:70000", "osc://a:b", "ws://a:1/x", "5005"]
)
def test_what_is_no_address_is_refused_with_examples(text):
    with pytest.raises(UsageError, match=r"is no address of a stream.*udp://127\.0\.0\.1:5005"):
        Streamer(text)


def test_an_unknown_host_is_reported(streamer, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    reported = []
    stream = streamer("udp://no.such.host.invalid:5005", lambda _, error: reported.append(error))
    with pytest.raises(OutputError, match=r"host “no\.such\.host\.invalid” of the stream is not known"):
        stream.ready()
    assert stream.has_ended
    stream.send(result())
    assert len(reported) == 1


def test_a_listener_that_fails_does_not_end_the_stream(receiver, streamer):
    heavy = (SimpleNamespace(as_record=lambda: {f"signal {number}": 0.5 for number in range(600)}),)

    def broken(worker, error) -> None:
        raise RuntimeError("the window is gone")

    stream = streamer(udp(receiver), broken)
    stream.send(result(1), heavy)
    wait_until(lambda: stream.error is not None)
    stream.send(result(2))
    assert json.loads(receiver.recv(65535))["frame"] == 2


def test_websocket_clients_get_every_frame_and_a_goodbye(streamer):
    port = free_port(socket.SOCK_STREAM)
    stream = streamer(f"ws://127.0.0.1:{port}")
    stream.ready()
    assert not stream.has_ended
    stream.send(result(1))
    wait_until(lambda: stream.sent == 1)
    with connect(f"ws://127.0.0.1:{port}") as one, connect(f"ws://127.0.0.1:{port}") as two:
        for number in range(2, 5):
            stream.send(result(number, faces=9, points=98))
            for client in (one, two):
                message = json.loads(client.recv(5))
                assert (message["frame"], len(message["faces"]), message["parts"]) == (number, 9, 1)
        one.close()
        stream.send(result(6))
        assert json.loads(two.recv(5))["frame"] == 6
        begin = time.monotonic()
        assert stream.stop()
        assert time.monotonic() - begin < 1
        with pytest.raises(ConnectionClosed):
            two.recv(5)


def test_a_server_that_cannot_start_in_time_is_reported_and_leaves_no_thread(streamer, monkeypatch):
    async def never(*_, **__):
        await asyncio.sleep(60)

    monkeypatch.setattr(websocket, "serve", never)
    monkeypatch.setattr(websocket, "START_LIMIT", 0.05)
    stream = streamer("ws://127.0.0.1:8765")
    with pytest.raises(OutputError, match=r"Nothing can be offered at ws://127\.0\.0\.1:8765 \(no answer\)"):
        stream.ready()
    wait_until(lambda: all(thread.name != "websocket" for thread in threading.enumerate()))


def test_without_a_client_no_message_is_even_written(monkeypatch):
    written = []
    monkeypatch.setattr(websocket, "as_line", lambda message: written.append(message) or b"{}")
    address = f"ws://127.0.0.1:{free_port(socket.SOCK_STREAM)}"
    link = websocket.WebSocketLink(parse_address(address))
    try:
        link.send({})
        assert written == []
        with connect(address) as client:
            link.send({})
            assert client.recv(5) == "{}"

        def is_silent() -> bool:
            before = len(written)
            link.send({})
            return len(written) == before

        wait_until(is_silent)
    finally:
        link.close()


def test_clients_that_vanish_or_talk_nonsense_leave_no_word_in_the_log(streamer, caplog):
    port = free_port(socket.SOCK_STREAM)
    stream = streamer(f"ws://127.0.0.1:{port}")
    stream.ready()
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(b"hello?\r\n\r\n")
        stranger.recv(1000)
    with connect(f"ws://127.0.0.1:{port}") as client:
        client.socket.shutdown(socket.SHUT_RDWR)
    with connect(f"ws://127.0.0.1:{port}") as proper:
        stream.send(result(3))
        assert json.loads(proper.recv(5))["frame"] == 3
    assert stream.stop()
    assert caplog.text == ""


def test_a_client_that_does_not_read_is_left_behind_and_stopping_stays_quick(streamer):
    port = free_port(socket.SOCK_STREAM)
    stream = streamer(f"ws://127.0.0.1:{port}")
    stream.ready()
    with socket.create_connection(("127.0.0.1", port)) as lazy, connect(f"ws://127.0.0.1:{port}") as keen:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in lazy.recv(100)
        for number in range(2000):
            stream.send(result(number, faces=9, points=98))
            assert json.loads(keen.recv(5))["frame"] == number, "one slow client costs another nothing"
            if stream.dropped:
                break
        assert stream.dropped
        begin = time.monotonic()
        assert stream.stop()
        assert time.monotonic() - begin < 1


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://localhost.example.org"])
def test_web_pages_from_elsewhere_are_refused(streamer, origin):
    port = free_port(socket.SOCK_STREAM)
    streamer(f"ws://127.0.0.1:{port}").ready()
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{port}", origin=origin)
    with connect(f"ws://127.0.0.1:{port}", origin="http://localhost:8000"):
        pass


def test_a_port_in_use_is_reported_once(streamer):
    with socket.create_server(("127.0.0.1", 0)) as other:
        reported = []
        stream = streamer(f"ws://127.0.0.1:{other.getsockname()[1]}", lambda _, error: reported.append(error))
        with pytest.raises(OutputError, match="Another program uses this port"):
            stream.ready()
        stream.send(result())
    assert len(reported) == 1


def test_osc_is_laid_out_as_its_specification_says():
    # The examples of the OSC 1.0 specification.
    assert osc_message("/oscillator/4/frequency", "f", 440.0) == bytes.fromhex(
        "2f6f7363696c6c61746f722f342f6672657175656e6379002c66000043dc0000"
    )
    assert osc_message("/foo", "iisff", 1000, -1, "hello", 1.234, 5.678) == bytes.fromhex(
        "2f666f6f000000002c69697366660000000003e8ffffffff68656c6c6f0000003f9df3b640b5b22d"
    )


EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("kind", "code"), list(zip(("udp", "ws", "osc"), EXAMPLES, strict=True)))
def test_the_receivers_in_the_documentation_receive(tmp_path, streamer, kind, code):
    assert len(code.splitlines()) <= 24
    script = tmp_path / "receive.py"
    script.write_text(code, encoding="utf-8")
    port = free_port(socket.SOCK_STREAM if kind == "ws" else socket.SOCK_DGRAM)
    stream = streamer(f"{kind}://127.0.0.1:{port}")
    stream.ready()
    ending = threading.Event()

    def send() -> None:
        while not ending.wait(0.03):
            stream.send(result(5))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        with subprocess.Popen([sys.executable, script, str(port)], stdout=subprocess.PIPE) as receiving:
            line = receiving.stdout.readline().decode()
            receiving.kill()
    finally:
        ending.set()
        sender.join()
    x, y = result(5).faces[0].landmarks[30]
    assert f"nose at {x:.1f}, {y:.1f}" in line


def test_datagrams_may_go_to_a_whole_network(monkeypatch):
    """Without the permission, the system refuses to send to a broadcast address."""
    link = open_link(parse_address("udp://255.255.255.255:5005"))
    try:
        assert link._socket.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)
    finally:
        link.close()


def test_an_expected_error_is_one_sentence_in_the_log_without_a_traceback(streamer, caplog):
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OutputError):
        streamer(f"ws://127.0.0.1:{other.getsockname()[1]}").ready()
    assert [record.exc_info for record in caplog.records] == [None]
    assert "Traceback" not in caplog.text
