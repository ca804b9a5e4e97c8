"""The real window on a virtual screen: started by its command, driven by keys, looked at by its pixels."""

from __future__ import annotations

import signal
import time

import numpy as np
import pytest
from PIL import Image

from tests.e2e.desktop import WAIT, assert_clean, until

pytestmark = pytest.mark.alone

ALERT = (0x5A, 0x1F, 0x24)  # the banner's colour
PANEL = (0x1A, 0x1D, 0x22)  # the side panel's


def test_sample_plays_keys_work_and_ctrl_q_quits(desktop):
    desktop.start("sample")
    until(lambda: desktop.picture().std() > 20)
    desktop.until_changed(desktop.picture(), 0.2)
    assert desktop.share(ALERT) == 0

    desktop.press("space")
    time.sleep(0.5)
    held = desktop.picture()
    time.sleep(0.5)
    assert (desktop.picture() == held).all(), "paused, but the picture moves"
    desktop.press("space")
    desktop.until_changed(held, 0.2)

    desktop.press("s")
    finished = "Understudy/[!.]*.png"  # a picture that is still being written has a hidden name
    until(lambda: list(desktop.home.rglob(finished)) != [])
    saved = Image.open(next(desktop.home.rglob(finished)))
    assert saved.size == (640, 480)

    assert desktop.share(PANEL) > 0.1
    desktop.press("f")
    until(lambda: desktop.share(PANEL) < 0.02)
    desktop.press("Escape")
    until(lambda: desktop.share(PANEL) > 0.1)

    desktop.press("ctrl+q")
    code, errors = desktop.wait_for_exit()
    assert code == 0
    assert_clean(errors)


def test_missing_file_shows_the_banner_over_the_sample(desktop):
    desktop.start("/no/such/Öß 日本.mp4")
    until(lambda: desktop.share(ALERT) > 0.02)
    desktop.until_changed(desktop.picture(), 0.2)
    desktop.press("Escape")
    until(lambda: desktop.share(ALERT) == 0)
    assert desktop.process is not None
    desktop.process.send_signal(signal.SIGTERM)
    code, errors = desktop.wait_for_exit()
    assert code == 128 + signal.SIGTERM
    assert_clean(errors)


def test_picture_of_the_window_is_made_by_a_command(desktop):
    path = desktop.home / "docs" / "window.png"
    desktop.start("sample", "--screenshot", str(path))
    code, errors = desktop.wait_for_exit(WAIT)
    assert code == 0
    assert_clean(errors)
    picture = Image.open(path).convert("RGB")
    assert picture.size == (1280, 800)
    assert np.asarray(picture)[200:600, 200:800].std() > 20
