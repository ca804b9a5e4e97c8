"""A virtual screen for the real program; without the tools for one, or without a model, these tests are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from PIL import Image

from engine.core.paths import asset_path
from engine.inference.library import DEFAULT_MODEL
from tests.e2e.desktop import SCREEN, TOOLS, Desktop


@pytest.fixture(scope="session")
def display():
    """Return the name of a screen of our own."""
    if any(shutil.which(tool) is None for tool in TOOLS):
        pytest.skip("needs a virtual screen: apt-get install xvfb xdotool")
    if not asset_path("models", f"{DEFAULT_MODEL}.tflite").is_file():
        pytest.skip("the model was not trained yet")
    read, write = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture
def desktop(display, tmp_path):
    """Return a screen on which nothing runs yet; what runs at the end is ended."""
    shown = Desktop(display, tmp_path)
    yield shown
    if shown.process is not None and shown.process.poll() is None:  # only where a test failed
        Image.fromarray(shown.grab()).save(tmp_path / "last-seen.png")
        shown.process.kill()
        shown.process.wait(10)
