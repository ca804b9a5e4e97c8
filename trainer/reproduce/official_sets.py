"""The official sets below a folder: as they were unpacked, as packs, or in part as the packs of our own recipes."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import PackError, UsageError
from engine.formats.packs import ANNOTATIONS, is_pack, part_folders, read_pack
from trainer.data.importing.importer import READERS, import_dataset
from trainer.recipes.packs import AFW, HELEN, LFPW, OFFICIAL
from trainer.recipes.schema import PackChoice

POINTS = {"300w": 68, "wflw": 98, "cofw": 29}
TEST = "test"  # the split that is measured
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
        whole: whether it is the official set and not parts of it.
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

    def counts(self) -> dict[str, int]:
        """Return the number of faces of each subset, or of each split where there are none, of the pack.

        Raises: as `read_pack`.
        """
        faces = read_pack(self.data / self.test, need_pictures=False).faces
        return dict(Counter(face.subset or face.split for face in faces))

    def why_not_comparable(self) -> str:
        """Return why no published figure may stand beside figures of the pack; "" where one may.

        Raises: as `read_pack`.
        """
        if not self.whole:
            return f"{self.title} is not the official set"
        counts, official = self.counts(), dict(READERS[self.kind].official)
        if counts == official:
            return ""
        return f"{self.title} has {_counted(counts)} here, the official set has {_counted(official)}"

    def refuse_without_test(self) -> None:
        """Raise `PackError` if it is a pack, and one without faces to measure on or without their pictures."""
        if not is_pack(self.data / self.test):
            return
        if any(name.startswith(TEST) for name in self._splits()):
            read_pack(self.data / self.test, TEST)
            return
        raise PackError(
            f"The pack {self.data / self.test} has no split “{TEST}”",
            "its networks are measured on these faces",
            f"call the split of its test faces “{TEST}”, or take the pack out of {self.data}",
        )

    def digest(self) -> str:
        """Return a digest of its labels, and of which of them are test faces.

        Raises:
            OSError: a pack cannot be read.
        """
        packs = dict.fromkeys((*(pack.name for pack in self.packs), self.test))
        files = (part / ANNOTATIONS for name in packs for part in part_folders(self.data / name))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

    def _splits(self) -> set[str]:
        return {face.split for face in read_pack(self.data / self.test, need_pictures=False).faces}

    def training_faces(self) -> int:
        """Return the number of faces for training, whose pictures are there.

        Raises: as `read_pack` and as the readers of data sets.
        """
        if self.source is not None and not is_pack(self.data / self.test):
            return sum(face.split == "train" for face in READERS[self.kind].read(self.source))
        packs = (read_pack(self.data / pack.name, pack.split, pack.labels, skip_unlabelled=True) for pack in self.packs)
        return sum(not face.same_picture_as_test for pack in packs for face in pack.faces)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name or 'without a split'}" for name, count in counts.items())


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


def _folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder that may be read; a drive has some that only its system may, as `lost+found`."""
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and os.access(path, os.R_OK | os.X_OK)]


def _find(kind: str, data: Path, packs: Path) -> OfficialSet | None:
    title, choice = READERS[kind].title, OFFICIAL[POINTS[kind]]
    if is_pack(data / kind):
        return OfficialSet(kind, title, None, data, (choice,), kind)
    folders = [data]
    for _ in range(DEPTH + 1):
        for folder in folders:
            if not READERS[kind].missing(folder):
                return OfficialSet(kind, title, folder, packs, (choice,), kind)
        folders = [inside for folder in folders for inside in _folders_in(folder)]
    if kind == "300w" and all(is_pack(data / pack.name) for pack in PARTS):
        title = "300-W in part (LFPW, Helen, AFW; test: LFPW alone)"
        return OfficialSet(kind, title, None, data, PARTS, PARTS[0].name, whole=False)
    return None
