"""What a person can do about a part that is missing, damaged or old, in the bundle and elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

from engine.core.paths import ASSETS
from engine.core.processes import is_bundled

ROOT = ASSETS.parent

SOURCE = (
    "get the source of Understudy where the bundle came from, install Python 3.11, 3.12 or 3.13, and run "
    "“python3 start.py setup” in the folder of the source"
)


def renew() -> str:
    """Return how to get the program whole, or in its newest version, as a clause that begins with a verb."""
    return "download the bundle again" if is_bundled() else "install the program again"


def newer_runtime() -> str:
    """Return how to get a newer runtime for models, as a clause that begins with a verb."""
    return "download the bundle again" if is_bundled() else "update ai-edge-litert"


def add(package: str) -> str:
    """Return how to get a package that is required, as a clause that begins with a verb."""
    return renew() if is_bundled() else f"run “{_python()} -m pip install {package}”"


def add_extra(extra: str) -> str:
    """Return how to get the packages of an extra, as a clause that begins with a verb; none can join the bundle.

    The line in it can be pasted into a terminal in any folder.
    """
    if is_bundled():
        return f"{SOURCE}, then “.venv/bin/pip install -e .[{extra}] -c packaging/constraints.txt”"
    pins = constraints()
    pinned = "" if pins is None else f' -c "{pins}"'
    *options, requirement = extra_requirement(extra)
    return f'run “{" ".join((_python(), "-m pip install", *options))} "{requirement}"{pinned}”'


def extra_requirement(extra: str) -> tuple[str, ...]:
    """Return the arguments of `pip install` for the packages of an extra; see `constraints`."""
    if constraints() is None:
        return (f"understudy[{extra}]",)
    return ("-e", f"{ROOT}[{extra}]")


def constraints() -> Path | None:
    """Return the file of the versions that were tested; None where the program was installed from a wheel."""
    pins = ROOT / "packaging" / "constraints.txt"
    return pins if pins.is_file() else None


def _python() -> str:
    return f'"{sys.executable}"'
