"""Two models on one video in the real window: layouts, the split line, keys, recordings, and an end amid it all."""

from __future__ import annotations

import json
import socket
import tomllib

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.sources.sample import SampleClip
from engine.sources.video import VideoSource
from tests.e2e.desktop import WINDOW, assert_clean, until

FRAMES, RATE, SIZE = 300, 10.0, (480, 360)  # longer than a test takes
MODELS = "student-68", "teacher-tolerant-68"
DARK_PANEL, LIGHT_PANEL = (0x1A, 0x1D, 0x22), (0xF2, 0xF4, 0xF6)
SPLIT_AT, HEIGHT = 504, 400  # where the split line stands at first on the screen, and a place within the picture
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


@pytest.fixture
def comparing(desktop, clip):
    """Return the screen with the video on it, paused, seen by two models side by side."""
    path = desktop.home / SETTINGS
    path.parent.mkdir()
    path.write_text(f'[lanes]\nfirst = "{MODELS[0]}"\nsecond = "{MODELS[1]}"\n', encoding="utf-8")
    desktop.start(str(clip))
    until(lambda: desktop.picture().std() > 20)
    desktop.press("space")
    before = desktop.until_still()
    desktop.press("c")
    desktop.until_changed(before, 0.2)
    desktop.until_still()
    return desktop


def remembered(desktop):
    return tomllib.loads((desktop.home / SETTINGS).read_text(encoding="utf-8"))


def recordings(desktop):
    """Return the finished recordings; one that is still being written has a hidden name."""
    return sorted(desktop.home.rglob("Understudy/[!.]*.mp4"))


def assert_plays(path):
    """Fail unless a recording holds at least a few pictures, the last of which shows something."""
    source = VideoSource(path)
    last, count = None, 0
    while (frame := source.read()) is not None:
        last, count = frame, count + 1
    source.close()
    assert count >= 3
    assert last is not None and last.image.std() > 20


def test_layouts_split_line_swap_and_overlays_change_the_picture(comparing):
    desktop = comparing
    shown = [desktop.picture()]
    desktop.press("c")  # split by a line
    desktop.until_changed(shown[-1])
    before = desktop.until_still()

    target = SPLIT_AT - 120
    desktop.drag((SPLIT_AT, HEIGHT), (target, HEIGHT))
    region = np.s_[: WINDOW[1] - 150, : WINDOW[0] - 280]  # the stage
    until(lambda: bool((desktop.picture() != before).any()))
    after = desktop.until_still()
    changed = np.flatnonzero((after != before).any((0, 2))) + 200  # columns of the screen
    assert changed.size
    assert target - REACH <= changed.min() <= target + 2
    assert SPLIT_AT - 2 <= changed.max() <= SPLIT_AT + REACH
    between = (changed > target + REACH) & (changed < SPLIT_AT - REACH)
    assert between.any(), "the other model's points did not come with the line"

    desktop.press("x")
    desktop.until_changed(after)
    swapped = desktop.until_still()
    desktop.press("x")
    desktop.until_changed(swapped)
    shown.append(desktop.until_still())

    for _ in range(2):  # overlaid, difference
        desktop.press("c")
        desktop.until_changed(shown[-1])
        shown.append(desktop.until_still())
    for one in range(len(shown)):
        for other in range(one):
            assert (shown[one] != shown[other]).any()

    for key in OVERLAY_KEYS:
        whole = desktop.grab()
        desktop.press(key)
        until(lambda before=whole: bool((desktop.grab() != before).any()))
        del region
        region = np.s_[:]
    desktop.press("ctrl+q")
    code, errors = desktop.wait_for_exit()
    assert code == 0
    assert_clean(errors)
    assert remembered(desktop)["lanes"]["layout"] == "difference"


def test_everything_runs_and_the_window_closes_within_three_seconds(comparing, clip):
    desktop = comparing
    assert_plays(clip)
