"""The list of the files of a bundle with their checksums, made when it was built; needs only Python itself."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

MANIFEST = "manifest.json"  # lies at the top of the folder that it lists
LINK = "-> "  # begins the entry of a symbolic link; what it points to follows
LIBRARIES = (".so", ".dll", ".pyd", ".dylib")
PACKAGE = "understudy"
OURS = ("app", "assets", "engine", "trainer", "understudy.py")  # the packages of that name, and its module


def write_manifest(folder: Path) -> Path:
    """List all files of a folder, the new list itself excepted; return the list's path."""
    names = (file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*")) if _is_listed(file))
    entries = {name: _state(folder / name) for name in names if name != MANIFEST}
    (folder / MANIFEST).write_text(json.dumps(entries, indent=0), encoding="utf-8")
    return folder / MANIFEST


def read_manifest(folder: Path) -> dict[str, str]:
    """Return the state of each file as it was listed, by its name in the folder; empty where there is no list.

    A package that pip has installed is listed in its own way; a checkout is not.

    Raises:
        OSError, ValueError: the list cannot be read, or is none.
    """
    if (folder / MANIFEST).is_file():
        entries = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if not isinstance(entries, dict):
            raise ValueError("it is no list of files")
        return entries
    try:
        installed = files(PACKAGE) or []
    except PackageNotFoundError:
        return {}
    listed = {}
    for file in installed:
        if file.hash is not None and file.hash.mode == "sha256" and file.parts[0] in OURS:
            listed[file.as_posix()] = f"{file.size} {base64.urlsafe_b64decode(file.hash.value + '==').hex()}"
    return listed


def problems(folder: Path, entries: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with files, by their names: “is missing” or “is damaged”; the others are not mentioned."""
    found = {}
    for name, state in entries.items():
        try:
            if _state(folder / name) != state:
                found[name] = "is damaged"
        except FileNotFoundError:
            found[name] = "is missing"
        except OSError as error:
            found[name] = f"cannot be read ({error.strerror})"
    return found


def cut_off(folder: Path, entries: dict[str, str]) -> list[str]:
    """Return the names of libraries that are missing or have another size, without reading them.

    A program that loads a library that was cut off is ended by the system, without a word.
    """
    wrong = []
    for name, state in entries.items():
        if is_library(name) and not state.startswith(LINK):
            try:
                size = (folder / name).stat().st_size
            except OSError:
                size = -1
            if size != int(state.partition(" ")[0]):
                wrong.append(name)
    return wrong


def is_library(name: str) -> bool:
    """Whether a file is a library by its name."""
    return name.endswith(LIBRARIES) or ".so." in Path(name).name


def _is_listed(file: Path) -> bool:
    return file.is_symlink() or file.is_file()


def _state(file: Path) -> str:
    """Return the size and the SHA-256 of a file; of a symbolic link, where it points to."""
    if file.is_symlink():
        return LINK + os.readlink(file)  # noqa: PTH115  as it is written
    with file.open("rb") as stream:
        return f"{os.fstat(stream.fileno()).st_size} {hashlib.file_digest(stream, 'sha256').hexdigest()}"
