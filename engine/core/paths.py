"""Where the files are that ship with the program."""

from __future__ import annotations

from pathlib import Path

# The same layout in a checkout, an installed package and a frozen application: assets next to engine.
ASSETS = Path(__file__).resolve().parents[2] / "assets"


def asset_path(*parts: str) -> Path:
    """Return the path of a shipped file or folder, e.g. `asset_path("models", "student-68.tflite")`."""
    return ASSETS.joinpath(*parts)
