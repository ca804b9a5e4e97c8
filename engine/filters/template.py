"""A new filter: a small one that works, with a comment for every key, to be changed into something else."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.core.errors import UsageError
from engine.filters.library import SHIPPED
from engine.filters.reading import SPEC_NAME

TEMPLATE = SHIPPED / "_template"  # the library leaves out names with this beginning
TITLE_LINE = 'name = "My filter"'
FORBIDDEN = frozenset('<>:"/\\|?*') | {chr(code) for code in range(32)}  # in names of folders, on one system or other


def create_filter(name: str, parent: Path) -> Path:
    """Make the folder of a new filter and return it.

    Args:
        name: of the folder, and of the filter.
        parent: where the folder is made; it need not be there yet.

    Raises:
        UsageError: the name cannot be that of a folder, or is taken.
        OSError: the folder cannot be written.
    """
    if not name.strip(" .") or name[0] in "._ " or name[-1] in ". " or FORBIDDEN & set(name):
        raise UsageError(
            f"A filter cannot be called “{name}”",
            "the name becomes that of a folder",
            "use letters, digits, spaces and hyphens",
        )
    folder = parent / name
    if folder.exists():
        raise UsageError(
            f"{folder} is there already", "a filter of this name was made before", "choose another name or folder"
        )
    parent.mkdir(parents=True, exist_ok=True)
    unfinished = parent / f".{name}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir()
        for file in TEMPLATE.iterdir():
            shutil.copyfile(file, unfinished / file.name)
        spec = unfinished / SPEC_NAME
        text = spec.read_text(encoding="utf-8").replace(TITLE_LINE, f'name = "{name}"')
        spec.write_text(text, encoding="utf-8")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder
