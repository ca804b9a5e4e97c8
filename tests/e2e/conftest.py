"""A virtual screen for the real program; without the tools for one, or without a model, these tests are skipped."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from engine.core.paths import asset_path
from engine.inference.library import DEFAULT_MODEL
from tests.e2e.desktop import SCREEN, TOOLS, Desktop, TwoScreens, virtual_display


@pytest.fixture(scope="session")
def needed():
    """Skip where the tools or the model are missing."""
    if any(shutil.which(tool) is None for tool in TOOLS):
        pytest.skip("needs a virtual screen: apt-get install xvfb xdotool")
    if not asset_path("models", f"{DEFAULT_MODEL}.tflite").is_file():
        pytest.skip("the model was not trained yet")


@pytest.fixture(scope="session")
def display(needed):
    """Return the name of a screen of our own."""
    with virtual_display(SCREEN) as name:
        yield name


def ended(shown, folder):
    """End what still runs, which is so only where a test failed."""
    if shown.process is not None and shown.process.poll() is None:
        Image.fromarray(shown.grab()).save(folder / "last-seen.png")
        shown.process.kill()
        shown.process.wait(10)


@pytest.fixture
def desktop(display, tmp_path):
    """Return a screen on which nothing runs yet; what runs at the end is ended."""
    shown = Desktop(display, tmp_path)
    yield shown
    ended(shown, tmp_path)


@pytest.fixture
def two_screens(needed, tmp_path):
    """Return a desktop of two screens on which nothing runs yet; what runs at the end is ended."""
    if shutil.which("xrandr") is None:
        pytest.skip("needs screens that can be unplugged: apt-get install x11-xserver-utils")
    with virtual_display((2 * SCREEN[0], SCREEN[1])) as name:
        shown = TwoScreens(name, tmp_path)
        yield shown
        ended(shown, tmp_path)
