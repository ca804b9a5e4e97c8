"""The version of the program; pyproject.toml is the one place where it is written."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """Return the version that is installed; “(not installed)” where the program runs without having been."""
    try:
        return version("understudy")
    except PackageNotFoundError:
        return "(not installed)"
