"""Two models on one video in the real window: layouts, the split line, keys, recordings, and quitting in the middle."""

from __future__ import annotations

import json
import socket
import tomllib

import cv2
import numpy as np
import pytest
import tomli_w
from PIL import Image

from engine.sources.sample import SampleClip
from engine.sources.video import VideoSource
from tests.e2e.desktop import assert_clean, until

pytestmark = pytest.mark.alone

FRAMES, RATE, SIZE = 600, 10.0, (320, 240)  # a minute: longer than a test takes
MODELS = "student-68", "teacher-tolerant-68"
LIGHT_PANEL = (0xF2, 0xF4, 0xF6)
SPLIT_AT, HEIGHT = 504, 400  # where the split line stands at first on the screen, and a place within the picture
PICTURE_LEFT = 200  # where on the screen `Desktop.picture` begins
REACH = 16  # pixels about the line that are part of it
SETTINGS = "understudy/settings.toml"
OVERLAY_KEYS = "1", "2", "3", "4", "6", "7"  # nothing is known that 5 could show


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Return a video of a face that turns to and fro."""
    path = tmp_path_factory.mktemp("clip") / "face.mp4"
    sample = SampleClip()
    pictures = [cv2.resize(sample.frame(number)[0], SIZE)[..., ::-1] for number in range(300, 330)]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, SIZE)
    for number in range(FRAMES):
        place = number % (2 * len(pictures))
        writer.write(pictures[min(place, 2 * len(pictures) - 1 - place)])
    writer.release()
    return path


def write_settings(desktop, **lanes):
    path = desktop.home / SETTINGS
    path.parent.mkdir()
    path.write_text(tomli_w.dumps({"lanes": {"models": list(MODELS), **lanes}}), encoding="utf-8")


@pytest.fixture
def comparing(desktop, clip):
    """Return the screen with the video on it, paused, seen by two models side by side."""
    write_settings(desktop)
    desktop.start(str(clip))
    until(lambda: desktop.picture().std() > 20)
    desktop.press("space")
    press_and_see(desktop, "c", desktop.until_still())
    return desktop


def remembered(desktop):
    return tomllib.loads((desktop.home / SETTINGS).read_text(encoding="utf-8"))


def recordings(desktop):
    """Return the finished recordings; one that is still being written has a hidden name."""
    return sorted(desktop.home.rglob("Understudy/[!.]*.mp4"))


def let_it_record(desktop):
    """Wait until a recording has begun and some frames have gone by."""
    until(lambda: list(desktop.home.rglob("Understudy/.*.recording.mp4")) != [])
    for _ in range(5):
        desktop.until_changed(desktop.picture())


def assert_plays(path):
    """Fail unless a recording holds at least a few pictures, the last of which shows something."""
    source = VideoSource(path)
    last, count = None, 0
    while (frame := source.read()) is not None:
        last, count = frame, count + 1
    source.close()
    assert count >= 3
    assert last is not None
    assert last.image.std() > 20


def drag_split(desktop, before):
    """Drag the split line to the left; between its two places, and only there, the other model's points come."""
    target = SPLIT_AT - 120
    desktop.drag((SPLIT_AT, HEIGHT), (target, HEIGHT))
    desktop.until_changed(before)
    after = desktop.until_still()
    difference = np.abs(after.astype(np.int16) - before)  # scaling rounds otherwise at another clipping: a grey level
    changed = np.flatnonzero((difference > 8).any((0, 2))) + PICTURE_LEFT
    assert target - REACH <= changed.min() <= target + 2
    assert SPLIT_AT - 2 <= changed.max() <= SPLIT_AT + REACH
    assert ((changed > target + REACH) & (changed < SPLIT_AT - REACH)).any()
    return after


def press_and_see(desktop, key, before):
    """Press a key that changes the held picture; return what it has become."""
    desktop.press(key)
    desktop.until_changed(before)
    return desktop.until_still()


def test_layouts_split_line_swap_and_overlays_change_the_picture(comparing):
    desktop = comparing
    shown = [desktop.picture()]
    split = press_and_see(desktop, "c", shown[-1])
    dragged = drag_split(desktop, split)
    swapped = press_and_see(desktop, "x", dragged)
    shown.append(press_and_see(desktop, "x", swapped))
    for _ in ("overlaid", "difference"):
        shown.append(press_and_see(desktop, "c", shown[-1]))
    for number, picture in enumerate(shown):
        assert all((picture != other).any() for other in shown[:number])

    for key in OVERLAY_KEYS:
        before = desktop.grab()
        desktop.press(key)
        until(lambda before=before: bool((desktop.grab() != before).any()))
    desktop.press("l", "ctrl+q")
    code, errors = desktop.wait_for_exit()
    assert code == 0
    assert_clean(errors)
    lanes = remembered(desktop)["lanes"]
    assert (lanes["models"][1], lanes["layout"], lanes["pace"]) == (MODELS[1], "difference", "locked")


def test_everything_runs_and_the_window_closes_within_three_seconds(desktop, clip):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        write_settings(desktop, layout="side_by_side")
        desktop.start(str(clip), "--stream", f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        until(lambda: desktop.picture().std() > 20)
        desktop.until_changed(desktop.picture(), 0.1)

        desktop.press("r")
        message = json.loads(receiver.recv(65536))
        assert message["source"] == clip.name
        assert len(message["faces"]) == 1
        let_it_record(desktop)
        desktop.press("r")
        until(lambda: len(recordings(desktop)) == 1)
        assert_plays(recordings(desktop)[0])

        desktop.press("s")
        until(lambda: list(desktop.home.rglob("Understudy/[!.]*.png")) != [])
        saved = Image.open(next(desktop.home.rglob("Understudy/[!.]*.png")))
        assert saved.height == SIZE[1]
        assert saved.width >= 2 * SIZE[0]  # both panes

        desktop.press("t")
        until(lambda: desktop.share(LIGHT_PANEL) > 0.1)
        look_at_sheet_and_presenter(desktop)

        desktop.press("r")
        let_it_record(desktop)
        desktop.press("ctrl+q")
        code, errors = desktop.wait_for_exit()
    assert code == 0
    assert_clean(errors)
    assert len(recordings(desktop)) == 2
    assert_plays(recordings(desktop)[1])
    assert remembered(desktop)["theme"] == "light"


def look_at_sheet_and_presenter(desktop):
    """Show the sheet of keys, then the presenter's numbers, and leave both."""
    bright = desktop.share(LIGHT_PANEL)
    desktop.press("question")
    until(lambda: desktop.share(LIGHT_PANEL) != bright)
    desktop.press("Escape")
    until(lambda: abs(desktop.share(LIGHT_PANEL) - bright) < 0.01)
    desktop.press("p")
    until(lambda: desktop.share(LIGHT_PANEL) < 0.02)
    desktop.press("p")
    until(lambda: desktop.share(LIGHT_PANEL) > 0.1)
