"""The virtual camera: fed in another process, explained where it cannot be opened, and never slowing a frame."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import OutputError, SourceError
from engine.output.virtual_camera import (
    VirtualCamera,
    child_command,
    feedback_error,
    is_same,
)
from engine.sources.discovery import Camera
from tests.fakes.live_fakes import wait_until

REPOSITORY = Path(__file__).resolve().parents[3]

# Stands in for the package, whose driver no test machine has: what is sent is written into a file.
FAKE_PACKAGE = """
import enum, os, pathlib
class PixelFormat(enum.Enum):
    BGR = "24BG"
class Camera:
    def __init__(self, width, height, fps, *, fmt):
        if os.environ.get("FAKE_DRIVER") == "absent":
            raise RuntimeError("'v4l2loopback' backend: no device found")
        assert fmt is PixelFormat.BGR
        self.device, self.shape, self.sent = "/dev/video7", (height, width, 3), 0
        self.file = pathlib.Path(os.environ["FAKE_FRAMES"]).open("wb")
    def __enter__(self): return self
    def __exit__(self, *_): self.file.write(b"closed"); self.file.close()
    def send(self, frame):
        assert frame.shape == self.shape
        self.sent += 1
        if self.sent > int(os.environ.get("FAKE_LIFE", "1000")):
            raise RuntimeError("device removed")
        self.file.write(frame.tobytes())
        self.file.flush()
"""


def view(blue: int, width: int = 64, height: int = 48) -> np.ndarray:
    made = np.full((height, width, 4), 255, np.uint8)
    made[..., :3] = (blue, 0, 0)
    return made


@pytest.fixture
def package(tmp_path, monkeypatch, no_thread_left):
    """Put the fake package in front of any real one; return the file of what was sent."""
    (tmp_path / "pyvirtualcam.py").write_text(FAKE_PACKAGE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FAKE_FRAMES", str(tmp_path / "frames.bin"))
    return tmp_path / "frames.bin"


def frames_of(file: Path, width: int = 64, height: int = 48) -> np.ndarray:
    data = file.read_bytes().removesuffix(b"closed")
    return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3)


def send_one(camera: VirtualCamera, picture: np.ndarray) -> None:
    sent = camera.sent
    camera.send(picture)
    wait_until(lambda: camera.sent > sent)


def test_pictures_arrive_with_their_colours_and_the_device_is_closed(package):
    camera = VirtualCamera((64, 48))
    camera.ready(16)
    assert camera.device == "/dev/video7"
    for blue in (10, 120, 250):
        send_one(camera, view(blue))
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[..., 0] = 200
    send_one(camera, rgb)
    assert camera.stop()
    found = frames_of(package)
    assert [frame[0, 0].tolist() for frame in found[:3]] == [[10, 0, 0], [120, 0, 0], [250, 0, 0]]
    assert found[-1][0, 0].tolist() == [0, 0, 200], "red in RGB is red in BGR"
    assert package.read_bytes().endswith(b"closed")
    assert (camera.error, camera.dropped) == (None, 0)


def test_fault_87_another_size_is_fitted_in_with_black_bars(package):
    camera = VirtualCamera((65, 49))
    assert camera.size == (64, 48)
    for picture in (view(250), view(250, 32, 96), np.full((20, 640, 3), 250, np.uint8)):
        send_one(camera, picture)
    camera.stop()
    whole, tall, wide = frames_of(package)[:3]
    assert whole[24, 2, 0] == tall[24, 32, 0] == wide[24, 32, 0] == 250
    assert tall[24, 2].max() == wide[2, 32].max() == 0


def test_a_still_picture_is_sent_again_so_that_the_camera_does_not_seem_dead(package):
    camera = VirtualCamera((64, 48))
    send_one(camera, view(77))
    wait_until(lambda: package.stat().st_size >= 3 * 64 * 48 * 3)
    camera.stop()
    assert camera.sent == 1
    assert {int(frame[0, 0, 0]) for frame in frames_of(package)} == {77}


def test_fault_87_without_the_package_it_says_how_to_get_it(package, tmp_path):
    (tmp_path / "pyvirtualcam.py").write_text("raise ImportError('No module named pyvirtualcam')", encoding="utf-8")
    reported = []
    camera = VirtualCamera((64, 48), on_error=lambda _, error: reported.append(error))
    with pytest.raises(OutputError, match=rf"Run: {re.escape(sys.executable)} -m pip install pyvirtualcam numpy"):
        camera.ready(16)
    camera.send(view(0))
    assert camera.stop()
    assert len(reported) == 1


def test_fault_87_without_a_driver_it_says_what_to_install_here(package, monkeypatch):
    monkeypatch.setenv("FAKE_DRIVER", "absent")
    camera = VirtualCamera((64, 48))
    with pytest.raises(OutputError, match="No virtual camera can be opened.*no device found"):
        camera.ready(16)
    assert camera.stop()


def test_fault_87_a_device_that_is_removed_is_reported_once_and_frames_go_on(package, monkeypatch):
    monkeypatch.setenv("FAKE_LIFE", "2")
    reported = []
    camera = VirtualCamera((64, 48), on_error=lambda _, error: reported.append(error))
    camera.ready(16)
    deadline = time.monotonic() + 8
    while not reported and time.monotonic() < deadline:
        camera.send(view(0))
        time.sleep(0.005)
    camera.send(view(0))
    assert [str(error) for error in reported] == [str(camera.error)]
    assert "device removed" in str(reported[0])
    assert camera.stop()


def test_fault_87_our_own_virtual_camera_is_refused_as_its_source(package):
    own = Camera(7, 200, "Understudy", "/dev/video7")
    camera = VirtualCamera((64, 48), source=own)
    with pytest.raises(SourceError, match="“Understudy” is the virtual camera that this program feeds"):
        camera.ready(16)
    assert camera.stop()
    assert "over and over" in str(feedback_error(own))


@pytest.mark.parametrize(
    ("camera", "device", "same"),
    [
        (Camera(7, 200, "Understudy", "/dev/video7"), "/dev/video7", True),
        (Camera(0, 200, "Webcam", "/dev/video0"), "/dev/video7", False),
        (Camera(1, 700, "OBS Virtual Camera", r"\\?\root#image"), "OBS Virtual Camera", True),
        (Camera(1, 700, "OBS Virtual Camera (2)", ""), "OBS Virtual Camera", True),
        (Camera(1, 700, "Webcam", ""), "", False),
    ],
)
def test_fault_87_a_camera_is_known_by_its_path_or_its_name(camera, device, same):
    assert is_same(camera, device) is same


CHILDREN = {
    "ends at once": "import sys; sys.exit(3)",
    "talks nonsense": "print('hello'); print('[1, 2]'); print('7')",
    "crashes": "import os; os.abort()",
}


@pytest.mark.parametrize("kind", CHILDREN)
def test_fault_87_a_process_that_ends_is_reported(kind, no_thread_left):
    camera = VirtualCamera((64, 48), command=[sys.executable, "-c", CHILDREN[kind]])
    with pytest.raises(OutputError, match="The virtual camera stopped"):
        camera.ready(16)
    assert camera.stop()


def test_a_python_that_is_not_there_is_reported(no_thread_left):
    camera = VirtualCamera((64, 48), command=["no-such-python"])
    with pytest.raises(OutputError, match="needs a package"):
        camera.ready(16)
    assert camera.stop()


DEAF = 'import time; print(\'{"device": "x"}\', flush=True); time.sleep(60)'
SILENT = "import time; time.sleep(60)"


@pytest.mark.parametrize("child", [DEAF, SILENT])
def test_fault_87_a_process_that_hangs_holds_no_frame_up_and_stopping_is_quick(child, no_thread_left):
    camera = VirtualCamera((640, 480), command=[sys.executable, "-c", child])
    if child is DEAF:
        camera.ready(16)
    picture = view(0, 640, 480)
    begin = time.perf_counter()
    for _ in range(200):
        camera.send(picture)
    assert time.perf_counter() - begin < 2
    begin = time.monotonic()
    assert camera.stop()
    assert time.monotonic() - begin < 1.5


def test_the_bundled_application_borrows_a_python():
    assert child_command(frozen=True, which={"python": "somewhere/python"}.get)[0] == "somewhere/python"
    with pytest.raises(OutputError, match="needs Python, and none was found"):
        child_command(frozen=True, which=lambda _: None)


def test_the_package_is_never_imported_by_our_own_code():
    rooms = [file for room in ("app", "engine", "trainer") for file in (REPOSITORY / room).rglob("*.py")]
    assert len(rooms) > 50
    importing = re.compile(r"^\s*(import|from)\s+pyvirtualcam|import_module\(.pyvirtualcam", re.MULTILINE)
    assert [file for file in rooms if importing.search(file.read_text(encoding="utf-8"))] == []
