"""What differs between Linux, macOS and Windows: the one room for it. Systems have the names of `platform.system()`.

Nothing else in the packages asks which system this is. Tests stand on another one by replacing `platform.system`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LINUX, MACOS, WINDOWS = "Linux", "Darwin", "Windows"

# How processes are started: on Windows those without a window would open a terminal.
NO_TERMINAL: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)

NO_HOME = "/nonexistent"  # what Debian calls the folder of users who are to have none

# OpenCV's names of backends in the order they are tried. On Windows, DirectShow opens most cameras in a fraction of the
# time of MSMF.
CAMERA_BACKENDS = {WINDOWS: ("CAP_DSHOW", "CAP_MSMF"), MACOS: ("CAP_AVFOUNDATION",), LINUX: ("CAP_V4L2",)}
# Where a system has its camera permissions, as words and as an address. Microsoft Learn, “Launch Windows Settings”; on
# macOS the scheme that its own dialogues open. Linux has no such place.
CAMERA_PLACES = {
    MACOS: "System Settings > Privacy & Security > Camera",
    WINDOWS: "Settings > Privacy & security > Camera",
}
CAMERA_SETTINGS = {
    MACOS: "x-apple.systempreferences:com.apple.preference.security?Privacy_Camera",
    WINDOWS: "ms-settings:privacy-webcam",
}
# What provides a virtual camera. Sources: the documentation of pyvirtualcam and v4l2loopback.
VIRTUAL_CAMERA_DRIVERS = {
    LINUX: "install v4l2loopback with your package manager, then run: sudo modprobe v4l2loopback devices=1 "
    "exclusive_caps=1 card_label=Understudy",
    WINDOWS: "install OBS Studio (26 or newer) from obsproject.com, which brings the OBS Virtual Camera",
    MACOS: "install OBS Studio (30 or newer) from obsproject.com, start its virtual camera once and close OBS",
}

# Characters that names of files cannot have on Windows, and names that are devices there, whatever their ending.
# Microsoft Learn, “Naming Files, Paths, and Namespaces”.
LONGEST_NAME = 255  # bytes, on Windows units of UTF-16: most systems allow no more
FORBIDDEN = frozenset('\\/:*?"<>|') | {chr(code) for code in range(32)}
DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9¹²³])", re.IGNORECASE)
ALREADY_LOCKED = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # what `lock_alone` fails with where another has the lock
NVIDIA_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl")


def system_name() -> str:
    """Return the name of this system."""
    return platform.system()


def camera_backends() -> tuple[int, ...]:
    """Return OpenCV's camera backends of this system, `cv2.CAP_...`, best first."""
    import cv2  # here, as the self-test needs this room where OpenCV is what does not load

    return tuple(getattr(cv2, name) for name in CAMERA_BACKENDS.get(system_name(), ("CAP_ANY",)))


def camera_place() -> str | None:
    """Return where the user allows the use of cameras, in words; None where no program is kept from them."""
    return CAMERA_PLACES.get(system_name())


def camera_settings() -> str | None:
    """Return the address that opens the camera permissions; None where there are none."""
    return CAMERA_SETTINGS.get(system_name())


def virtual_camera_driver() -> str:
    """Return how to get what provides a virtual camera, as a sentence without capital and full stop."""
    return VIRTUAL_CAMERA_DRIVERS.get(system_name(), "see the documentation of pyvirtualcam for your system")


def may_lack_display() -> bool:
    """Return whether there may be no display, or no libraries for windows; elsewhere both are part of the system."""
    return system_name() == LINUX


def shell_line(words: Sequence[str]) -> str:
    """Return a command as a line that can be pasted into a terminal."""
    return subprocess.list2cmdline(words) if system_name() == WINDOWS else shlex.join(words)


# Names of files


def name_problem(name: str) -> str | None:
    """Return why a file or folder cannot have a name on this system, as a clause; None if it can.

    Windows would not always refuse such a name: with a colon it writes a hidden stream, to a device it writes nothing.
    """
    length = len(name.encode("utf-16-le", "surrogatepass")) // 2 if system_name() == WINDOWS else len(os.fsencode(name))
    if length > LONGEST_NAME:
        return f"it is too long: {length} bytes where {LONGEST_NAME} are allowed; letters with accents take two or more"
    if system_name() != WINDOWS or name in (".", ".."):
        return None
    if unfit := sorted(FORBIDDEN & set(name)):
        return f"Windows allows no {unfit[0]!a} in names"
    if name[-1:] in (".", " "):
        return "Windows drops dots and spaces at the end of names"
    if DEVICE.fullmatch(_stem(name)):
        return f"{_stem(name)} is a device of Windows"
    return None


def unfit_part(path: Path) -> tuple[str, str] | None:
    """Return the first part of a path that cannot be a name on this system, and why; None if all can."""
    problems = ((part, name_problem(part)) for part in path.parts if part != path.anchor)
    return next(((part, problem) for part, problem in problems if problem is not None), None)


def safe_name(text: str) -> str:
    """Return a text such as the name of a camera as a name that a file can have on every system."""
    name = "".join("_" if letter in FORBIDDEN else letter for letter in text).rstrip(". ") or "_"
    return f"_{name}" if DEVICE.fullmatch(_stem(name)) else name


def _stem(name: str) -> str:
    """Return what Windows compares with its devices: the name up to the first dot, without spaces."""
    return name.partition(".")[0].strip()


# Files and processes


def complete_home() -> None:
    """Put the user's folder into HOME where a service or a bare shell left it out; the password database knows it.

    Without, Qt takes the root of the disk for it. A user whom the database does not know, as in containers, gets a
    folder that is not there: nothing is remembered, and what wants to be saved there says that it cannot.
    """
    if system_name() != WINDOWS and not os.environ.get("HOME"):
        os.environ.pop("HOME", None)  # an empty one keeps Python from asking the database
        try:
            os.environ["HOME"] = str(Path.home())
        except RuntimeError:
            os.environ["HOME"] = NO_HOME


def forbids_moves_onto_open_files() -> bool:
    """Return whether a file cannot be moved onto one that somebody has open at that moment."""
    return system_name() == WINDOWS


def is_running(process: int) -> bool:
    """Return whether a process of this machine runs, or whether that is unknown."""
    if system_name() == WINDOWS:  # where asking by `os.kill` would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def birth(process: int) -> str:
    """Return 8 hexadecimal digits that tell a process from all others that ever had its number; "" if unknown.

    Those of a process that has ended are unknown. They come from the start of the system and the ticks since then, so
    a clock that is set changes nothing.
    """
    if system_name() != LINUX:
        return ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        status = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return ""
    fields = status.rpartition(b")")[2].split()  # from the 3rd on, see proc(5); the name in brackets is the 2nd
    state, started = fields[0], fields[19]
    return "" if state == b"Z" else f"{zlib.crc32(boot + started):08x}"


def lock(file: IO[str]) -> None:
    """Lock a file until it is closed. Windows needs no lock: it refuses to move a file that somebody has open.

    Raises:
        OSError: another process has locked it.
    """
    if sys.platform != "win32" and system_name() != WINDOWS:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_alone(file: IO[bytes]) -> None:
    """Lock an open file until it is closed or this process ends, on every system.

    Raises:
        OSError: another process has locked it, or the disk knows no locks.
    """
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(path: Path) -> bool:
    """Return whether a process has locked a file by `lock_alone`; False of what cannot be read or locked."""
    try:
        file = path.open("rb")
    except OSError:
        return False
    with file:
        try:
            lock_alone(file)
        except OSError as error:
            return error.errno in ALREADY_LOCKED
    return False


def usual_torch_has_cuda() -> bool:
    """Return whether the wheel of PyTorch that pip takes by itself brings CUDA, some GB of it: on Linux it does."""
    return system_name() == LINUX


def has_nvidia_gpu() -> bool:
    """Return whether there is a driver for NVIDIA's GPUs, without which CUDA is of no use."""
    return shutil.which("nvidia-smi") is not None or any(map(os.path.exists, NVIDIA_FILES))


def c_library() -> ctypes.CDLL | None:
    """Return the C library where it is glibc, whose memory can be tuned; None elsewhere."""
    library = ctypes.CDLL(None) if system_name() == LINUX else None
    return library if hasattr(library, "malloc_trim") else None
