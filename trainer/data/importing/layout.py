"""Whether a folder holds a data set in its official layout, and which one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import PackError


@dataclass(frozen=True)
class Layout:
    """What a data set's folder must hold.

    Attributes:
        kind: what the user types.
        title: the data set's own name.
        needed: each entry lists paths below the folder of which one must be there.
    """

    kind: str
    title: str
    needed: tuple[tuple[str, ...], ...]

    def missing(self, root: Path) -> list[str]:
        """Return what was looked for below `root` and is not there."""
        return [" or ".join(paths) for paths in self.needed if first_existing(root, paths) is None]


def first_existing(root: Path, paths: Iterable[str]) -> Path | None:
    """Return the first of `paths` that is there below `root`, None if there is none."""
    return next((root / path for path in paths if (root / path).exists()), None)


def require_layout(root: Path, wanted: Layout, known: Iterable[Layout]) -> None:
    """Check that `root` holds the wanted data set.

    Raises:
        PackError: it does not; another data set or a folder inside that would do is named.
    """
    if not root.is_dir():
        raise PackError(f"There is no folder {root}", "it was moved, or the path is mistyped", "check the path")
    missing = wanted.missing(root)
    if not missing:
        return
    what = f"{root} does not hold {wanted.title} in its official layout"
    for other in known:
        if other is not wanted and not other.missing(root):
            raise PackError(what, f"it looks like {other.title}", f"use the kind {other.kind}")
    for inside in sorted(path for path in root.iterdir() if path.is_dir()):
        if not wanted.missing(inside):
            raise PackError(what, f"its folder {inside.name} does", f"give {inside}")
    raise PackError(
        what,
        f"looked for and not found: {'; '.join(missing)}",
        "give the folder of the data set as it was unpacked",
    )
