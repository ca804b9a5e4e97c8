"""`understudy doctor`: is the installation sound?"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

from app.cli.display import display_problem, require_libraries
from app.cli.options import add_json
from app.cli.terminal import report, table
from engine.core.errors import ModelError, UnderstudyError
from engine.inference.detector import make_detector, mediapipe_tells
from engine.inference.library import ModelLibrary
from engine.inference.runtime import runtime_name
from engine.sources.discovery import list_cameras
from engine.sources.sample import SampleClip

REQUIRED = ("numpy", "opencv-python-headless", "PySide6-Essentials", "cv2-enumerate-cameras", "platformdirs", "pillow")
OPTIONAL = ("torch", "litert-torch", "lightning-fabric")

add_arguments = add_json  # its only argument


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        what: its name.
        state: `ok`, `note` (works without) or `wrong`.
        detail: version, or what to do.
    """

    what: str
    state: str
    detail: str


def main(options: argparse.Namespace) -> int:
    """Check everything; the exit code is 1 if something is wrong."""
    checks = [
        Check("Python", "ok", f"{platform.python_version()} on {platform.platform()}"),
        *(_package(name, required=True) for name in REQUIRED),
        *(_package(name, required=False) for name in OPTIONAL),
        _mediapipe(),
        _attempt("TFLite runtime", runtime_name),
        _attempt("face detector", lambda: f"{type(make_detector()).__name__} loads"),
        *_models(),
        _attempt("sample", lambda: f"{SampleClip().frame(0)[0].shape[1]} pixels wide"),
        _cameras(),
        _display(),
    ]
    wrong = [check for check in checks if check.state == "wrong"]
    verdict = "Everything that is needed is there." if not wrong else f"{len(wrong)} thing(s) to mend, see “wrong”."
    text = table([("state", "what", "detail"), *((check.state, check.what, check.detail) for check in checks)])
    report({"sound": not wrong, "checks": [asdict(check) for check in checks]}, f"{text}\n{verdict}", options.json)
    return 1 if wrong else 0


def _package(name: str, required: bool) -> Check:
    try:
        return Check(name, "ok", version(name))
    except PackageNotFoundError:
        if required:
            return Check(name, "wrong", f"not installed; run “pip install {name}”")
        return Check(name, "note", "not installed; only the trainer needs it")


def _mediapipe() -> Check:
    tells = mediapipe_tells()
    if tells is None:
        return Check("mediapipe", "note", "not installed; only “--detector mediapipe” needs it")
    if tells:
        return Check(
            "mediapipe",
            "wrong",
            f"version {version('mediapipe')} sends usage figures to its maker, by its notice of June 2026, so it is "
            "refused; run “pip install -e .[mediapipe] -c packaging/constraints.txt” for one that does not",
        )
    return Check("mediapipe", "ok", f"{version('mediapipe')}, in which no code was found that sends usage figures")


def _attempt(what: str, attempt: Callable[[], str]) -> Check:
    try:
        return Check(what, "ok", attempt())
    except (UnderstudyError, OSError) as error:
        return Check(what, "wrong", str(error))


def _models() -> list[Check]:
    library = ModelLibrary()
    checks = []
    for entry in library.entries():
        error = entry.error
        try:
            if error is None:
                library.load(str(entry.path))
        except ModelError as failure:
            error = failure
        checks.append(Check(f"model {entry.name}", "wrong" if error else "ok", str(error or entry.path.name)))
    if not checks:
        checks.append(Check("models", "wrong", "no model was found; install the program again"))
    return checks


def _cameras() -> Check:
    names = ", ".join(camera.name for camera in list_cameras())
    return Check("cameras", "ok", names) if names else Check("cameras", "note", "none found; the sample plays instead")


def _display() -> Check:
    if importlib.util.find_spec("PySide6") is None:
        return Check("window", "wrong", "PySide6 is not installed")
    try:
        require_libraries()
    except UnderstudyError as error:
        return Check("window", "wrong", str(error))
    problem = display_problem()
    return Check("window", "note", f"{problem}; use --headless") if problem else Check("window", "ok", sys.platform)
