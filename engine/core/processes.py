"""Starting other processes: modules of ours, in a checkout and in the bundle, and programs of the user's."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

# The bundle's loader saves what the user has set under these names with this ending.
SAVED = "_ORIG"
LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")
FFMPEG = "ffmpeg"  # the user's own program
# The bundle's loader and Python set these for themselves.
OWN = ("PYTHONHOME", "_PYI_APPLICATION_HOME_DIR", "_PYI_ARCHIVE_FILE", "_PYI_PARENT_PROCESS_LEVEL")


def is_bundled() -> bool:
    """Whether the program runs from the bundle, which has no Python to call."""
    return bool(getattr(sys, "frozen", False))


def own_module(name: str) -> list[str]:
    """Return the command that runs a module of ours, such as `app`, as a program of its own.

    Outside of the bundle, it has to run in the folder that holds our packages. The bundle's program does for this
    option what Python does, see `packaging/entry.py`.
    """
    return [sys.executable, "-m", name]


def foreign_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment for a program that is not ours, without the libraries of the bundle."""
    changed = {name: value for name, value in environment.items() if name not in OWN}
    if is_bundled():
        for name in LIBRARY_PATHS:
            changed.pop(name, None)
            saved = changed.pop(name + SAVED, None)
            if saved is not None:
                changed[name] = saved
    return changed
