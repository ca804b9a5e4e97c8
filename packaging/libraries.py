"""What the libraries of a bundle need, by their own headers: other libraries, a version of glibc; what is GPL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lief

lief.logging.disable()
MAGIC = (
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)
GLIBC = re.compile(r"(lib(c|m|dl|rt|pthread|util|resolv|mvec|anl|nsl)|ld-linux[-\w]*)\.so")
# Libraries under the GPL or the AGPL, or that may not be passed on at all, by the names of their files. Those of Qt are
# what the Qt Company offers under the GPL alone, see “Licenses used in Qt” in Qt's documentation.
QT_GPL = (
    "Charts|Coap|DataVisualization|Graphs|Grpc|HttpServer|InsightTracker|Knx|Lottie|Mqtt|NetworkAuth|OpcUa|Protobuf"
    "|QmlCompiler|Quick3D|QuickTimeline|ShaderTools|StateMachine|VirtualKeyboard|WaylandCompositor"
)
GPL_NAMES = re.compile(
    r"^(lib)?(x264|x265|xvidcore|postproc|rubberband|vidstab|frei0r|davs2|xavs2?|fdk-aac|faac|faad|mad|a52|dca|dvdread"
    r"|dvdcss|readline|history|gdbm(_compat)?|db-?\d|gsl(cblas)?|fftw3\w*|cdio|smbclient|zvbi|mpeg2)([-._]?\d.*)?\.(so|dll|dylib|pyd)"
    rf"|^(lib)?Qt6?(?:{QT_GPL})\w*(\.abi3)?\.(so|dll|dylib|pyd)|^Qt(?:{QT_GPL})\w*$"
    r"|virtualkeyboard|^_?(readline|gdbm|dbm)\.(cpython|abi3|pyd|so)|pyvirtualcam|^PyQt\d",
    re.IGNORECASE,
)
# Bytes that only code of such a library contains, as it may be linked statically under another name.
GPL_MARKS = {
    b"x264 [%s]": "x264",  # not “x264 - core”, by which FFmpeg's decoder knows its streams
    b"x265 [info]": "x265",
    b"--enable-gpl": "FFmpeg with its parts under the GPL",
    b"--enable-nonfree": "FFmpeg with parts that may not be passed on",
    b"rl_completion_matches": "GNU readline",
    b"gdbm_version": "GNU dbm",
}


def is_library(file: Path) -> bool:
    """Whether a file is a program or library of Linux, Windows or macOS, by its first bytes."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(4).startswith(MAGIC)


def needed(file: Path) -> set[str]:
    """Return the names of the libraries that a library is linked with.

    Raises:
        ValueError: its headers cannot be read.
    """
    binary: Any = lief.parse(str(file))  # the formats have no type in common that has libraries
    if binary is None:
        raise ValueError(f"{file} is damaged: its headers cannot be read")
    names = (entry if isinstance(entry, str) else entry.name for entry in binary.libraries)
    return {name.rpartition("/")[2] for name in names}


def closure(roots: Iterable[Path], others: dict[str, Path]) -> set[str]:
    """Return those of `others`, by name, that `roots` need, directly or through one another."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        fresh = (needed(waiting.pop()) & others.keys()) - found
        found |= fresh
        waiting += [others[name] for name in fresh]
    return found


def left_to_system(folder: Path) -> dict[str, list[str]]:
    """Return the libraries that those of a folder need and the system is to have, each with the names of who needs it.

    Those of the C library are left out.
    """
    files = [file for file in sorted(folder.rglob("*")) if is_library(file)]
    inside = {file.name for file in folder.rglob("*")}
    users: dict[str, list[str]] = {}
    for file in files:
        for name in sorted(needed(file)):
            if name not in inside and not GLIBC.match(name):
                users.setdefault(name, []).append(file.name)
    return users


def glibc(files: Iterable[Path]) -> tuple[int, int]:
    """Return the newest version of glibc, such as (2, 35), that any of these libraries of Linux asks for."""
    newest = (2, 0)
    for file in files:
        binary = lief.ELF.parse(str(file))
        if binary is None:
            continue
        names = (
            str(symbol.name)
            for version in binary.symbols_version_requirement
            for symbol in version.get_auxiliary_symbols()
        )
        versions = (re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", name) for name in names)
        newest = max([newest, *((int(match[1]), int(match[2])) for match in versions if match)])
    return newest


def gpl_parts(folder: Path) -> list[str]:
    """Return a sentence for each library or module in a folder that is, or is linked with, one under the GPL."""
    found = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if GPL_NAMES.search(file.name):
            found.append(f"{name} is a library under the GPL, by its name.")
        if not is_library(file):
            continue
        found += [
            f"{name} is linked with {other}, which is under the GPL."
            for other in sorted(needed(file))
            if GPL_NAMES.search(other)
        ]
        content = file.read_bytes()
        found += [f"{name} contains {what}." for mark, what in GPL_MARKS.items() if mark in content]
    return found
