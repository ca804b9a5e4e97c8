"""Whether a window can be shown, found out before Qt ends the process because it cannot.

Only Linux is looked at: elsewhere there is always a display, and Qt brings its own libraries.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from engine.core.errors import UsageError
from engine.core.platforms import may_lack_display

LDD_TIMEOUT = 10.0  # seconds
# A bare X server that resets answers nobody for a moment.
X_ATTEMPTS, X_PAUSE = 4, 0.1  # seconds longer before each further attempt


def display_problem(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return why no window can be shown, as the beginning of a sentence; None if a display answers."""
    if not may_lack_display():
        return None
    platforms = _platforms(environment)
    if not platforms or (platforms == ["xcb"] and not environment.get("DISPLAY")):
        return "No display was found"
    if any(_answers(platform, environment) for platform in platforms):
        return None
    return f"The display {environment.get('DISPLAY') or environment.get('WAYLAND_DISPLAY')} cannot be reached"


def require_libraries(environment: Mapping[str, str] = os.environ) -> None:
    """Check that what Qt loads for a window can be loaded.

    Raises:
        UsageError: a library of the system is missing, or QT_QPA_PLATFORM asks for what Qt does not have.
    """
    folder = _plugins()
    if not may_lack_display() or folder is None:
        return
    refusals = [_refusal(folder, platform) for platform in _platforms(environment)]
    if refusals and all(refusals) and refusals[0] is not None:
        raise refusals[0]


def _platforms(environment: Mapping[str, str]) -> list[str]:
    """Return the names of Qt's platforms that it may take, in the order of its choice."""
    asked = environment.get("QT_QPA_PLATFORM")
    if asked:
        return [part.partition(":")[0] for part in asked.split(";")]
    offers = {"wayland": "WAYLAND_DISPLAY", "xcb": "DISPLAY"}
    return [platform for platform, name in offers.items() if environment.get(name)]


def _answers(platform: str, environment: Mapping[str, str]) -> bool:
    """Return whether somebody answers where a platform shows its windows; True where that is not known."""
    if platform == "xcb":
        return _x_server_answers()
    if platform.startswith("wayland"):
        path = Path(environment.get("XDG_RUNTIME_DIR", "/"), environment.get("WAYLAND_DISPLAY", "wayland-0"))
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(path)) == 0
    return True


def _x_server_answers() -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # `require_libraries` says that it is missing
    xcb.xcb_connect.restype = ctypes.c_void_p
    for attempt in range(X_ATTEMPTS):
        time.sleep(attempt * X_PAUSE)
        connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
        if xcb.xcb_connection_has_error(connection) == 0:
            return True  # and stay connected: a server resets when its last client leaves
        xcb.xcb_disconnect(connection)
    return False


def _plugins() -> Path | None:
    """Return the folder of Qt's platforms; None where the system's own Qt is used."""
    spec = importlib.util.find_spec("PySide6")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place, "Qt", "plugins", "platforms")
        if folder.is_dir():
            return folder
    return None


def _refusal(folder: Path, platform: str) -> UsageError | None:
    """Return why a platform cannot be loaded; None if it can."""
    plugin = folder / f"libq{platform.partition('-')[0]}.so"
    if not plugin.is_file():
        names = ", ".join(sorted(file.stem.removeprefix("libq") for file in folder.glob("libq*.so")))
        return UsageError(
            f"Qt cannot show windows on “{platform}”",
            f"QT_QPA_PLATFORM asks for it, and there are: {names}",
            "unset QT_QPA_PLATFORM, or add --headless",
        )
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        missing = _missing(plugin) or [
            str(error.__cause__ or error).partition(":")[0]
        ]  # the bundle has words before it
        packages = " ".join(dict.fromkeys(debian_package(library) for library in missing))
        return UsageError(
            f"The window needs libraries that are missing here: {', '.join(missing)}",
            "Qt shows windows with the help of the system's libraries",
            f"run “sudo apt-get install {packages}” on Debian and Ubuntu, or add --headless",
        )
    return None


def _missing(plugin: Path) -> list[str]:
    """Return all libraries that a plug-in lacks, as the loader itself names only the first."""
    try:
        listed = subprocess.run(["ldd", plugin], capture_output=True, text=True, check=False, timeout=LDD_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted(set(re.findall(r"(\S+) => not found", listed.stdout)))


def debian_package(library: str) -> str:
    """Return the Debian package of a library: its name in small letters and the version of its interface."""
    if re.match(r"lib(glib|gthread|gobject|gmodule|gio)-2\.0\.", library):
        return "libglib2.0-0"
    name, _, interface = library.lower().partition(".so.")
    return f"{name}-{interface}" if name[-1:].isdigit() else name + interface
