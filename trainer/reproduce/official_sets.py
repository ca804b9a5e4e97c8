"""The official sets below a folder: as they were unpacked, as packs, or in part as the packs of our own recipes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import UsageError
from engine.formats.packs import is_pack, read_pack
from trainer.data.importing.importer import READERS, import_dataset
from trainer.recipes.packs import AFW, HELEN, LFPW, OFFICIAL
from trainer.recipes.schema import PackChoice

POINTS = {"300w": 68, "wflw": 98, "cofw": 29}
DEPTH = 2  # folders below the given one in which an unpacked set is looked for
PARTS = (LFPW, HELEN, AFW)  # of 300-W


@dataclass(frozen=True)
class OfficialSet:
    """A set to train and to measure on.

    Attributes:
        kind: as `understudy data import` calls it.
        title: what the report calls it.
        source: its folder as it was unpacked; None for packs.
        data: folder of its packs.
        packs: what to train on.
        test: name of the pack whose split `test` is measured.
        whole: whether it is the official set, whose published figures are comparable.
    """

    kind: str
    title: str
    source: Path | None
    data: Path
    packs: tuple[PackChoice, ...]
    test: str
    whole: bool = True

    @property
    def points(self) -> int:
        """Number of points of its markup."""
        return POINTS[self.kind]

    def make_pack(self) -> None:
        """Import the set, unless it is a pack.

        Raises: as `trainer.data.importing.importer.import_dataset`.
        """
        if self.source is not None and not is_pack(self.data / self.test):
            import_dataset(self.kind, self.source, self.data / self.test, progress=True)

    def training_faces(self) -> int:
        """Return the number of faces for training.

        Raises: as `read_pack` and as the readers of data sets.
        """
        if self.source is not None and not is_pack(self.data / self.test):
            return sum(face.split == "train" for face in READERS[self.kind].read(self.source))
        packs = (read_pack(self.data / pack.name, pack.split, pack.labels, True, False) for pack in self.packs)
        return sum(not face.same_picture_as_test for pack in packs for face in pack.faces)


def find_sets(data: Path, packs: Path, kinds: tuple[str, ...]) -> tuple[list[OfficialSet], list[str]]:
    """Return the sets of these kinds that lie below `data`, and the kinds that do not.

    Args:
        data: folder to look in.
        packs: where sets that were unpacked become packs.
        kinds: of `trainer.data.importing.importer.READERS`.

    Raises:
        UsageError: none of the sets lies below it.
    """
    found = {kind: _find(kind, data, packs) for kind in kinds}
    sets = [each for each in found.values() if each is not None]
    if not sets:
        looked = "; ".join(f"{READERS[kind].title}: {', '.join(READERS[kind].missing(data))}" for kind in kinds)
        raise UsageError(
            f"None of the sets of the paper lies below {data}",
            f"looked for and not found: packs called {', '.join(kinds)}, or {looked}",
            "give the folder in which the sets were unpacked, each in a folder of its own",
        )
    return sets, [kind for kind, each in found.items() if each is None]


def _find(kind: str, data: Path, packs: Path) -> OfficialSet | None:
    title, choice = READERS[kind].title, OFFICIAL[POINTS[kind]]
    if is_pack(data / kind):
        return OfficialSet(kind, title, None, data, (choice,), kind)
    folders = [data]
    for _ in range(DEPTH + 1):
        for folder in folders:
            if not READERS[kind].missing(folder):
                return OfficialSet(kind, title, folder, packs, (choice,), kind)
        folders = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_dir()]
    if kind == "300w" and all(is_pack(data / pack.name) for pack in PARTS):
        title = "300-W in part (LFPW, Helen, AFW; test: LFPW alone)"
        return OfficialSet(kind, title, None, data, PARTS, PARTS[0].name, whole=False)
    return None
