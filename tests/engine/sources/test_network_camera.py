"""Cameras in the network: a stream as a source, and every way in which there is none."""

from __future__ import annotations

import re
import socket
import time
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

from engine.core.errors import SourceError
from engine.live.camera_reader import open_guarded
from engine.sources.base import CameraFormat, SourceKind
from engine.sources.network_camera import NetworkCamera
from engine.sources.opening import open_source
from tests.fakes.clips import write_clip
from tests.fakes.mjpeg_server import MjpegServer

SECRET = "pa55word"
USER = f"anna:{SECRET}"


@pytest.fixture
def server():
    made = MjpegServer()
    yield made
    made.cut()


@pytest.fixture(params=["basic", "digest", "basic by TLS"])
def guarded_server(request):
    made = MjpegServer(USER, digest=request.param == "digest", tls="TLS" in request.param)
    yield made
    made.cut()


@contextmanager
def rtsp_server(status):
    """A server that answers every request of RTSP with the same status."""

    class Handler(StreamRequestHandler):
        def handle(self):
            number = "1"
            while line := self.rfile.readline().decode():
                if line.startswith("CSeq:"):
                    number = line.split()[1]
                elif not line.strip():
                    login = 'WWW-Authenticate: Basic realm="camera"\r\n' if status.startswith("401") else ""
                    self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{login}\r\n".encode())

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as made:
        made.daemon_threads = True
        thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made.server_address[1]
        made.shutdown()
        thread.join()


def read_all(source) -> None:
    """Read what is still on its way."""
    for _ in range(20):
        source.read()


def test_an_address_is_a_camera_of_rgb_frames(server):
    source = open_source(server.address())
    assert (source.kind, source.name, source.rate) == (SourceKind.CAMERA, server.address(), None)
    frames = [source.read() for _ in range(3)]
    source.close()
    assert [frame.id for frame in frames] == [0, 1, 2]
    assert frames[0].image.shape == (48, 64, 3)
    assert frames[0].image[24, 3, 0] > 150 > frames[0].image[24, 3, 2]
    assert source.read() is None


@pytest.mark.parametrize(("turn", "side"), [(0, "left"), (90, "top"), (180, "right"), (270, "bottom")])
def test_its_pictures_are_turned_clockwise(server, turn, side):
    source = NetworkCamera(server.address())
    source.ask(CameraFormat(640, 480, 30, turn=turn))
    image = source.read().image
    source.close()
    assert image.shape == ((48, 64, 3) if turn % 180 == 0 else (64, 48, 3))
    middle = {"left": (24, 3), "right": (24, -4), "top": (3, 24), "bottom": (-4, 24)}
    red = {name for name, place in middle.items() if image[place][0] > 150}
    opposite = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
    assert side in red
    assert opposite[side] not in red


def test_a_password_opens_the_stream_and_is_in_no_name(guarded_server):
    source = NetworkCamera(guarded_server.address(user=USER))
    frame = source.read()
    source.close()
    assert source.name == frame.source == guarded_server.address(user="…")


def test_a_password_with_odd_letters_is_written_with_percent_signs():
    server = MjpegServer("anna:p@ss:w/rd", digest=True)
    source = NetworkCamera(server.address(user="anna:p%40ss%3Aw%2Frd"))
    assert source.read().image.shape == (48, 64, 3)
    source.close()
    server.cut()


@pytest.mark.parametrize(
    ("path", "why"), [("none", "It has no stream at this path"), ("page", "It answers, but sends no stream")]
)
def test_fault_88_what_is_no_stream_is_a_sentence(server, path, why):
    with pytest.raises(SourceError, match=f"cannot be opened. {why}"):
        open_source(server.address(path))


def test_fault_88_a_wrong_password_is_a_sentence_without_it(guarded_server):
    with pytest.raises(SourceError, match="It did not accept the user name and the password") as refused:
        open_source(guarded_server.address(user=f"anna:x{SECRET}"))
    assert SECRET not in str(refused.value)


def test_fault_88_a_camera_that_wants_a_password_says_so(guarded_server):
    with pytest.raises(SourceError, match="It asks for a user name and a password. Give them in the address: http"):
        open_source(guarded_server.address())


def test_fault_88_a_camera_that_speaks_no_tls_says_so(server):
    with pytest.raises(SourceError, match="It answers, but not as https needs it. Try http://"):
        open_source(server.address().replace("http", "https"))


@pytest.mark.parametrize(
    ("status", "login", "why"),
    [
        ("401 Unauthorized", "", "It asks for a user name and a password. Give them in the address: rtsp://USER"),
        ("401 Unauthorized", f"{USER}@", "It did not accept the user name and the password"),
        ("404 Not Found", "", "It has no stream at this path"),
        ("503 Service Unavailable", "", "It answers that it cannot send now (503)"),
        ("200 OK", "", "It answers, but sends no stream that can be read"),
    ],
)
def test_fault_88_what_an_rtsp_camera_answers_becomes_a_sentence(status, login, why):
    with rtsp_server(status) as port, pytest.raises(SourceError, match=re.escape(why)) as refused:
        NetworkCamera(f"rtsp://{login}127.0.0.1:{port}/live", open_limit=5)
    assert SECRET not in str(refused.value)


def test_fault_88_a_stream_that_never_answers_is_a_sentence_after_some_seconds(server):
    begun = time.monotonic()
    with pytest.raises(SourceError, match="It answers, but sent no picture in time"):
        NetworkCamera(server.address("silent"), open_limit=0.5)
    assert 0.4 < time.monotonic() - begun < 5


def test_where_nobody_listens_the_sentence_names_the_port(server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match=f"Nothing answers at port {port} of “127.0.0.1”"):
        open_source(f"rtsp://{USER}@127.0.0.1:{port}/live")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"http://{USER}@127.0.0.1:99999999/x", "an impossible port"),
        (f"http://{USER}@127.0.0.1:port/x", "an impossible port"),
        (f"http://{USER}@[::1/x", "an impossible port"),
        (f"http://{USER}@/x", "cannot be opened"),
        (f"http://{USER}@no such machine.invalid/x", "cannot be opened"),
        (f"rtsp://{USER}@", "cannot be opened"),
    ],
)
def test_addresses_that_mean_nothing_are_sentences_without_the_password(address, why):
    with pytest.raises(SourceError, match=why) as refused:
        open_source(address)
    assert SECRET not in str(refused.value)


def test_fault_88_a_stream_that_changes_its_size_goes_on(server):
    source = NetworkCamera(server.address())
    source.read()
    server.size = (96, 96)
    shapes = {source.read().image.shape for _ in range(100)}
    source.close()
    assert shapes == {(48, 64, 3)}, "in the first size"


def test_fault_88_a_stream_that_stops_is_lost_in_time(server):
    source = NetworkCamera(server.address(), read_limit=0.4)
    source.read()
    server.frozen.set()
    with pytest.raises(SourceError, match="stopped sending pictures"):
        read_all(source)
    source.close()


def test_a_stream_that_ends_is_lost_at_once(server):
    source = NetworkCamera(server.address())
    server.cut()
    with pytest.raises(SourceError, match="stopped sending pictures"):
        read_all(source)
    source.close()
    server.start()


def test_a_snapshot_is_no_stream(server):
    with pytest.raises(SourceError, match="gave one picture only"):
        open_source(server.address("snapshot"))


def test_a_video_on_a_web_server_is_no_camera(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=20)
    # FFmpeg reads the address of a file in the same way, and tests have no server that can seek.
    with pytest.raises(SourceError, match="is a video, not a camera. It has 20 pictures.*Download it"):
        NetworkCamera(str(clip))


def test_without_a_window_it_is_read_like_any_camera(server):
    source = open_guarded(lambda: open_source(server.address()))
    assert source.kind is SourceKind.CAMERA
    assert source.read().image.shape == (48, 64, 3)
    source.close()
