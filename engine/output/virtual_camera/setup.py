"""What a virtual camera needs on this machine, a Python with a package and a driver, and errors if one is missing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping

from engine.core.errors import OutputError
from engine.core.paths import asset_path

# What provides the device, by `platform.system()`. Sources: the documentation of pyvirtualcam and v4l2loopback.
DRIVERS = {
    "Linux": "install v4l2loopback with your package manager, then run: sudo modprobe v4l2loopback devices=1 "
    "exclusive_caps=1 card_label=Understudy",
    "Windows": "install OBS Studio (26 or newer) from obsproject.com, which brings the OBS Virtual Camera",
    "Darwin": "install OBS Studio (30 or newer) from obsproject.com, start its virtual camera once and close OBS",
}


def child_command(frozen: bool | None = None, which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """Return the command that shows frames in a virtual camera, without its arguments.

    The bundled, `frozen` application has no Python: that on the path is used. None detects which it is.

    Raises:
        OutputError: the application is bundled and there is no Python on the path.
    """
    python: str | None = sys.executable
    if getattr(sys, "frozen", False) if frozen is None else frozen:
        python = which("python3") or which("python")
    if not python:
        raise OutputError(
            "The virtual camera needs Python, and none was found",
            "the application does not bring the package pyvirtualcam, because of its licence",
            "install Python 3 from python.org, then run: python3 -m pip install pyvirtualcam numpy",
        )
    return [python, os.fspath(asset_path("virtual_camera", "send_frames.py"))]


def child_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for another Python, without the libraries of a bundled application."""
    changed = {name: value for name, value in environment.items() if name != "PYTHONHOME"}
    if getattr(sys, "frozen", False):
        # The bundle's loader saves the user's value under this name.
        original = changed.pop("LD_LIBRARY_PATH_ORIG", None)
        changed.pop("LD_LIBRARY_PATH", None)
        if original is not None:
            changed["LD_LIBRARY_PATH"] = original
    return changed


def problem_error(problem: str, detail: str, python: str, system: str | None = None) -> OutputError:
    """Return the error for a problem that the program names, “package”, “device” or “lost”, see `send_frames.py`.

    Its detail is what the library said, `python` ran it, and `system` is `platform.system()`, None for this one.
    """
    if problem == "package":
        return OutputError(
            f"The virtual camera needs a package that is not installed ({detail})",
            "pyvirtualcam is not shipped, because of its licence (GPL-2.0)",
            f"run: {python} -m pip install pyvirtualcam numpy",
        )
    driver = DRIVERS.get(system or platform.system(), "see the documentation of pyvirtualcam for your system")
    if problem == "device":
        return OutputError(
            f"No virtual camera can be opened ({detail.strip()})",
            "its driver is not installed, or another program feeds it",
            driver,
        )
    return OutputError(
        f"The virtual camera stopped ({detail.strip()})",
        "its driver was removed, or its process was ended",
        "switch it on again",
    )
