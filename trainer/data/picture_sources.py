"""The pictures to label: a folder with those inside it, one picture, or a list of some."""

from __future__ import annotations

import os
from pathlib import Path

from engine.core.errors import SourceError
from engine.core.texts import read_text, reason
from engine.formats.images import PICTURE_SUFFIXES
from engine.formats.signatures import FOREIGN_SUFFIXES, FileKind, kind_of

SETTINGS = "labelling.json"  # in a pack of labelled pictures, which has copies of them
# Those that no decoder is included for are listed as unreadable, not passed over.
ENDINGS = PICTURE_SUFFIXES | FOREIGN_SUFFIXES
LONGEST_LIST = 2_000_000_000  # bytes of a list of pictures


def find_pictures(source: Path, out: Path) -> list[tuple[str, Path]]:
    """Return pictures with the paths that they get in a pack, in the order of these.

    Those in `out` and in other packs of labelled pictures below a folder are left out: they are copies.

    Raises:
        SourceError: there is none, the list cannot be read, or a video was given.
    """
    root = source if source.is_dir() else source.parent
    if source.is_dir():
        found, why = _pictures_below(source, out), "no file in it has the ending of a picture, such as .jpg"
    elif not source.exists():
        raise SourceError(
            f"There is no file or folder {source}", "it was moved, or the path is mistyped", "correct the path"
        )
    elif source.suffix.lower() in ENDINGS:
        found, why = [source], ""
    elif source.is_file() and kind_of(source) is FileKind.VIDEO:
        raise SourceError(
            f"{source} is a video",
            "only pictures are labelled",
            "take some out of it, such as two a second by “ffmpeg -i VIDEO -vf fps=2 FOLDER/%05d.jpg”, and give FOLDER",
        )
    else:
        found, why = [root / line for line in _lines(source)], "a list has the path of a picture in each line"
    if not found:
        raise SourceError(f"There is no picture in {source}", why, "give a folder with pictures, or a list of some")
    return sorted({_name_in_pack(path, root): path for path in found}.items())


def _lines(file: Path) -> list[str]:
    try:
        lines = [line.strip() for line in read_text(file, LONGEST_LIST).splitlines()]
    except (OSError, ValueError) as error:
        raise SourceError(
            f"The list {file} cannot be read ({reason(error)})",
            "a file that is no picture has to be a text with the path of a picture in each line",
            "give a folder of pictures, a picture, or such a list",
        ) from error
    return [line for line in lines if line and not line.startswith("#")]


def _pictures_below(folder: Path, out: Path) -> list[Path]:
    found = []
    for place, folders, files in os.walk(folder, onerror=_refuse_folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and Path(place, name).resolve() != out.resolve()
            and not Path(place, name, SETTINGS).is_file()
        ]
        found += [
            Path(place, name)
            for name in files
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in ENDINGS  # noqa: PTH122  fast
        ]
    return found


def _refuse_folder(error: OSError) -> None:
    raise SourceError(
        f"The folder {error.filename} cannot be read ({error.strerror})",
        "its permissions forbid it",
        "change them, or take it out of the folder of pictures",
    )


def _name_in_pack(path: Path, root: Path) -> str:
    """Return a path below `images`; of a picture elsewhere than below `root`, that from the root of the system."""
    place, base = (Path(os.path.abspath(each)) for each in (path, root))  # noqa: PTH100  links stay as they are
    inside = place.relative_to(base) if place.is_relative_to(base) else Path("elsewhere", *place.parts[1:])
    return f"images/{inside.as_posix()}"
