"""Checking a pack before it is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError
from engine.core.schemes import SCHEMES
from engine.formats.packs import FARTHEST_PIXEL, VISIBLE, read_arrays, read_pack, same_picture_as_test
from trainer.data.contact_sheet import COLUMNS, ROWS, Tile
from trainer.data.cutting import NO_FACE
from trainer.data.leaks import PictureFacts, facts_of, groups_of, on_both_sides, similar_pictures

# Larger side of the landmark box in pixels. Smaller faces teach a network of 128 pixels mostly blur.
SMALL_FACE = 40.0
# A face with more than this share of its points beyond the picture's edges has labels of another picture or scale.
MOSTLY_OUTSIDE = 0.5
# So many points of a face in one place are no labels. In our packs the lids and corners of a shut eye are up to five.
TOGETHER = 6
GROUPINGS = ("identity", "video", "group")


@dataclass(frozen=True)
class Finding:
    """Something to be said about a pack.

    Attributes:
        label: in a few words, as a caption.
        text: a sentence.
        error: whether a training would suffer from it.
        faces: indices of the faces it is about, neighbours belong together.
        labels: array of the labels it is about.
    """

    label: str
    text: str
    error: bool
    faces: tuple[int, ...] = ()
    labels: str = "landmarks"


@dataclass(frozen=True)
class LoosePack:
    """A pack as it lies there, with whatever is wrong with it.

    Attributes:
        folder: where it lies.
        images: `[N]` str, paths below it.
        labels: for each array of landmarks its `[N, K, 2]` float32, pixels of the pictures, NaN without a label.
        splits, uses: `[N]` str, "" where the pack does not say.
        arrays: every array by its name.
    """

    folder: Path
    images: NDArray[np.str_]
    labels: Mapping[str, NDArray[np.float32]]
    splits: NDArray[np.str_]
    uses: NDArray[np.str_]
    arrays: Mapping[str, NDArray]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class PackCheck:
    """What was found.

    Attributes:
        pack: the pack.
        pictures: number of different picture files.
        findings: errors first.
    """

    pack: LoosePack
    pictures: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong that training would suffer from."""
        return not any(finding.error for finding in self.findings)


def check_pack(folder: Path, progress: bool = False) -> PackCheck:
    """Check a pack and its pictures.

    Raises:
        PackError: it is none, its annotations cannot be read, or it holds no face.
    """
    pack = read_loose(folder)
    names = sorted(set(pack.images.tolist()))
    quiet = not progress or None  # None: quiet unless a person is watching
    bar = tqdm(names, desc=f"checking {folder.resolve().name}", unit="picture", disable=quiet)
    by_name = {name: facts_of(folder / name) for name in bar}
    facts = [by_name[name] for name in pack.images.tolist()]
    findings = [*_about_pictures(pack, facts), *_about_all_labels(pack, facts), *_about_leaks(pack, facts)]
    if not any(finding.error for finding in findings):
        findings += _about_refusals(pack)
    findings += _about_flags(pack)
    return PackCheck(pack, len(names), tuple(sorted(findings, key=lambda finding: not finding.error)))


def read_loose(folder: Path) -> LoosePack:
    """Read a pack of any markup without asking whether its values make sense.

    Raises:
        PackError: it is none, its annotations cannot be read, or it holds no face.
    """
    arrays = read_arrays(folder)
    count = len(arrays["image"])
    if not count:
        raise PackError(f"The pack {folder} holds no face", "its arrays have the length 0", "choose another pack")
    labels = {
        name: array.astype(np.float32)
        for name, array in sorted(arrays.items())
        if name.startswith("landmarks") and array.ndim == 3 and array.shape[2] == 2 and array.dtype.kind in "fiu"
    }
    if "landmarks" not in labels or not all(array.size for array in labels.values()):
        raise PackError(
            f"The pack {folder} has no points of its faces",
            "an array “landmarks” of the shape (faces, points, 2) with numbers is needed",
            "write the pack again",
        )
    empty = np.full(count, "")
    splits, uses = (arrays.get(name, empty).astype(str) for name in ("split", "use"))
    return LoosePack(folder, arrays["image"].astype(str), labels, splits, uses, arrays)


def report_values(check: PackCheck) -> dict[str, Any]:
    """Return a check as plain values: counts, and of each finding its sentence and the pictures it is about."""
    pack = check.pack
    parts = Counter(zip(pack.splits.tolist(), pack.uses.tolist(), strict=True))
    return {
        "pack": str(pack.folder),
        "faces": len(pack),
        "pictures": check.pictures,
        "parts": [{"split": split, "use": use, "faces": count} for (split, use), count in sorted(parts.items())],
        "labels": [
            {"array": name, "points": points.shape[1], "unlabelled": int(np.isnan(points).any(-1).sum())}
            for name, points in pack.labels.items()
        ],
        "sound": check.sound,
        "findings": [
            {
                "label": finding.label,
                "text": finding.text,
                "error": finding.error,
                "labels": finding.labels,
                "images": pack.images[list(finding.faces)].tolist(),
            }
            for finding in check.findings
        ],
    }


def suspicious_first(check: PackCheck, count: int = COLUMNS * ROWS) -> list[Tile]:
    """Return faces to look at: up to a row of each finding, then more of what is wrong, then faces from all over."""
    pack = check.pack
    tiles: dict[int, Tile] = {}
    beginnings = [(finding, finding.faces[:COLUMNS]) for finding in check.findings]
    rest = [(finding, finding.faces[COLUMNS:]) for finding in check.findings if finding.error]
    for finding, faces in (*beginnings, *rest):
        for face in faces:
            place, points = pack.folder / pack.images[face], pack.labels[finding.labels][face]
            tiles.setdefault(face, Tile(place, points, finding.label, suspicious=True))
    for face in np.linspace(0, len(pack) - 1, count).astype(int).tolist():
        note = str(pack.splits[face]) or "no split"
        tiles.setdefault(face, Tile(pack.folder / pack.images[face], pack.labels["landmarks"][face], note))
    return list(tiles.values())[:count]


def _about_pictures(pack: LoosePack, facts: list[PictureFacts]) -> Iterator[Finding]:
    missing = np.array([not fact.there for fact in facts])
    unreadable = np.array([fact.there and fact.size is None for fact in facts])
    yield from _findings(pack, "picture missing", "Faces whose picture is missing", True, missing)
    yield from _findings(pack, "picture unreadable", "Faces whose picture is damaged or none", True, unreadable)


def _about_all_labels(pack: LoosePack, facts: list[PictureFacts]) -> Iterator[Finding]:
    sizes = np.array([fact.size or (np.nan, np.nan) for fact in facts], np.float32)
    for labels, points in pack.labels.items():
        count = points.shape[1]
        if count not in SCHEMES:
            known = ", ".join(map(str, SCHEMES))
            text = f"{count} points a face are no markup to train on (known: {known}): sizes were not checked."
            yield Finding("unknown markup", text, False, labels=labels)
        yield from _about_labels(pack, labels, points, sizes)


def _about_labels(
    pack: LoosePack, labels: str, points: NDArray[np.float32], sizes: NDArray[np.float32]
) -> Iterator[Finding]:
    """Find impossible and doubtful points `[N, K, 2]` of pictures of `sizes` `[N, 2]`, NaN where unknown."""
    absurd = (np.abs(np.nan_to_num(points, posinf=np.inf, neginf=np.inf)) > FARTHEST_PIXEL).any((1, 2))
    labelled = np.asarray(np.isfinite(points).all(-1))
    none = ~labelled.any(1) & ~absurd
    # Comparisons with NaN are false: points without a label and pictures without a size are not outside.
    beyond = ((points < -0.5) | (points > sizes[:, None] - 0.5)).any(-1) & labelled
    share = beyond.sum(1) / np.maximum(labelled.sum(1), 1)
    outside = ~absurd & (share > MOSTLY_OUTSIDE)
    partly = ~absurd & (share > 0) & ~outside
    high, low = (np.where(labelled[..., None], points, fill) for fill in (-np.inf, np.inf))
    side = np.where(labelled.any(1) & ~absurd, (high.max(1) - low.min(1)).max(1), np.nan)
    collapsed = side < NO_FACE
    at_origin = (points == 0).all(-1).any(1) & ~collapsed
    # Ordered, those in one place stand in a row; NaN equals nothing.
    x, y = np.where(labelled[..., None], points, np.nan).transpose(2, 0, 1)
    ordered = np.sort(x + 1j * y, 1)
    together = (ordered[:, TOGETHER - 1 :] == ordered[:, : 1 - TOGETHER]).any(1) & ~collapsed & ~at_origin & ~absurd
    small = (side < SMALL_FACE) & ~collapsed & (points.shape[1] in SCHEMES)
    for found, label, what, error in (
        (absurd, "coordinate absurd", "Faces with an infinite or absurdly large coordinate", True),
        (outside, "labels off the picture", "Faces with more than half of their points outside the picture", True),
        (collapsed, "labels fall together", f"Faces whose points all lie within {NO_FACE:g} pixels", True),
        (at_origin, "point at the origin", "Faces with a point at exactly (0, 0); without a label it is NaN", True),
        (together, "points in one place", f"Faces with {TOGETHER} points or more in exactly one place", True),
        (none, "no label", "Faces without any label, which training leaves out", False),
        (partly, "points outside", "Faces with points outside the picture", False),
        (small, "small face", f"Faces smaller than {SMALL_FACE:g} pixels", False),
    ):
        yield from _findings(pack, label, what, error, np.asarray(found), labels)


def _about_leaks(pack: LoosePack, facts: list[PictureFacts]) -> Iterator[Finding]:
    flagged = same_picture_as_test(pack.arrays, pack.splits)  # training leaves these faces out
    splits = np.where(flagged, "", np.char.partition(pack.splits, "_")[:, 0])
    same, twice, alike = [], [], similar_pictures(facts, splits)
    for faces in groups_of(np.array([fact.content for fact in facts])):
        if on_both_sides(splits[faces]):
            same += faces
        elif len(set(pack.images[faces].tolist())) > 1:
            twice += faces
    for faces, label, what, error in (
        (same, "same picture in train and test", "in the same picture in train and in a held-out split", True),
        (twice, "same picture twice", "whose picture is there under two names", False),
        (alike, "alike in train and test", "of train and of a held-out split whose pictures look alike", False),
    ):
        yield from _shared(pack, label, f"Faces {what}: {len(set(faces))}", error, faces)
    for name in GROUPINGS:
        if name in pack.arrays:
            groups = [faces for faces in groups_of(pack.arrays[name].astype(str)) if on_both_sides(splits[faces])]
            what = f"Values of “{name}” that stand both in train and in a held-out split: {len(groups)}"
            yield from _shared(pack, f"{name} in train and test", what, True, list(chain(*groups)))


def _shared(pack: LoosePack, label: str, what: str, error: bool, faces: list[int]) -> Iterator[Finding]:
    if faces:
        text = f"{what}, such as {pack.images[faces[0]]} and {pack.images[faces[1]]}."
        yield Finding(label, text, error, tuple(faces))


def _about_flags(pack: LoosePack) -> Iterator[Finding]:
    flags = pack.arrays.get("visibility")
    if flags is not None and flags.shape == pack.labels["landmarks"].shape[:2] and not np.any(flags == VISIBLE):
        text = f"No flag of “visibility” is {VISIBLE}, visible: a training learns that every point is hidden."
        yield Finding("no point visible", text, False)


def _about_refusals(pack: LoosePack) -> Iterator[Finding]:
    """Find what the reader of training refuses beyond all that was looked for."""
    for labels, points in pack.labels.items():
        if points.shape[1] in SCHEMES:
            try:
                read_pack(pack.folder, labels=labels, skip_unlabelled=True)
            except PackError as error:
                yield Finding("refused", str(error), True, labels=labels)


def _findings(
    pack: LoosePack, label: str, what: str, error: bool, found: NDArray[np.bool_], labels: str = "landmarks"
) -> Iterator[Finding]:
    faces = np.flatnonzero(found)
    if len(faces):
        where = f" ({labels})" if len(pack.labels) > 1 else ""
        text = f"{what}{where}: {len(faces)}, the first is {pack.images[faces[0]]}."
        yield Finding(label, text, error, tuple(faces.tolist()), labels)
