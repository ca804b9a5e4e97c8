"""`understudy doctor`: is the installation sound?"""

from __future__ import annotations

import argparse
import importlib.util
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version

from app.cli.display import display_problem, require_libraries
from app.cli.options import add_json
from app.cli.terminal import report, table
from app.shell.report import about, end_of_log, last_crash, log_path, without_names
from engine.core.errors import ModelError, UnderstudyError
from engine.core.installation import add, add_extra, renew
from engine.core.paths import ASSETS
from engine.core.platforms import system_name
from engine.inference.detector import make_detector, mediapipe_tells
from engine.inference.library import ModelLibrary
from engine.inference.runtime import runtime_name
from engine.sources.discovery import list_cameras
from engine.sources.sample import SampleClip

REQUIRED = ("numpy", "opencv-python-headless", "PySide6-Essentials", "cv2-enumerate-cameras", "platformdirs", "pillow")
OPTIONAL = ("torch", "litert-torch", "lightning-fabric")
MODEL = "model "  # before the name of each
SHIPPED = {card.stem for card in ASSETS.glob("models/*.json")}
READ_FIRST = "Nothing was sent. Read this before you pass it on."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `doctor`."""
    parser.add_argument(
        "--report",
        action="store_true",
        help="write what a report of a fault needs, with the last crash and the log, without names of files or folders",
    )
    add_json(parser)


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
    if options.report:
        checks = [_without_names(check) for check in checks]
    text = table([("state", "what", "detail"), *((check.state, check.what, check.detail) for check in checks)])
    text = f"{text}\n{verdict}"
    values = {"sound": not wrong, "checks": [asdict(check) for check in checks]}
    if options.report:
        values |= {"about": about(), "crash": last_crash(log_path().parent), "log": end_of_log(log_path().parent)}
        crash, log = values["crash"] or "none", values["log"] or "empty"
        text = f"{about()}\n\n{text}\n\nThe last crash\n{crash}\n\nThe end of the log\n{log}\n\n{READ_FIRST}"
    report(values, text, options.json)
    return 1 if wrong else 0


def _without_names(check: Check) -> Check:
    """Return a check for a report: models of the user's own lose their names, and details what is private."""
    what = check.what
    if what.startswith(MODEL) and what.removeprefix(MODEL) not in SHIPPED:
        what = f"{MODEL}<name>"
    return replace(check, what=what, detail=without_names(check.detail) if check.state == "wrong" else check.detail)


def _package(name: str, required: bool) -> Check:
    try:
        return Check(name, "ok", version(name))
    except PackageNotFoundError:
        if required:
            return Check(name, "wrong", f"not installed; {add(name)}")
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
            f"refused; {add_extra('mediapipe')} for one that does not",
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
        checks.append(Check(f"{MODEL}{entry.name}", "wrong" if error else "ok", str(error or "loads")))
    if not checks:
        checks.append(Check("models", "wrong", f"no model was found; {renew()}"))
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
    return Check("window", "note", f"{problem}; use --headless") if problem else Check("window", "ok", system_name())
