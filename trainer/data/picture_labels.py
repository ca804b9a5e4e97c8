"""A pack of pseudo-labels for any pictures: the detector finds the faces, a model labels them from two views.

The work is divided into parts, each of them a pack, which appear whole or not at all. A second start makes what is
missing. Together they read as one pack (see `engine.formats.packs`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from engine.core.errors import PackError
from engine.core.files import remove_left_behind, replaced
from engine.formats.packs import PARTS, read_arrays
from engine.inference.card import Card, read_card
from engine.inference.landmarker import read_model
from trainer.data.label_parts import (
    LabelSettings,
    Part,
    kept_part,
    label_part,
    meta_of,
    part_name,
    plain_object,
    read_part,
    refuse_others,
    without_repaired,
)
from trainer.data.picture_sources import SETTINGS, find_pictures

FORMAT = "understudy-labels-1"
UNREADABLE = "unreadable.csv"


@dataclass(frozen=True)
class PictureLabelling:
    """What labelling pictures came to.

    Attributes:
        pack: folder of the pack.
        model: name of the model that made the labels.
        pictures: how many there are, those that cannot be read among them.
        faces: how many were found.
        kept: faces of the pack.
        uncertain: faces left out because their views differ by more than the largest spread.
        without_face: pictures in which none was found.
        unreadable: pictures that cannot be read; `UNREADABLE` in the pack names them, with the reason.
        parts, parts_made: of the pack, and how many of them this start made.
        median_spread: of the faces of the pack.
    """

    pack: Path
    model: str
    pictures: int
    faces: int
    kept: int
    uncertain: int
    without_face: int
    unreadable: int
    parts: int
    parts_made: int
    median_spread: float


Runner = Callable[[Callable[[Part], int], Sequence[Part]], Iterable[int]]


def label_pictures(
    source: Path, model: Path, out: Path, settings: LabelSettings, size: int, runner: Runner, progress: bool = False
) -> PictureLabelling:
    """Write a pack of a model's landmarks for the faces that a detector finds in pictures.

    Each face gets `landmarks` (N, K, 2) and `confidence` (N, K), means of both views, `spread` (N,), see
    `LabelSettings`, `bbox` (N, 4), `split` and `use`; the pictures are copied. What lies in `out` from an earlier start
    stays, and its pictures are not labelled again, but for those that could not be read and can be now.

    Args:
        source: a folder of pictures, with those inside it; a picture; or a text file that names one a line.
        model: path of the model, its card beside it.
        out: folder of the pack.
        settings: which faces to look for and to keep.
        size: pictures of a part.
        runner: calls a function for each part, in this process or in others, and yields its results.
        progress: whether to show it where a person is watching.

    Raises:
        SourceError: there is no picture.
        PackError: `out` holds something else, labels by another model, with other settings or of other pictures; or no
            face is left.
        ModelError: the model is damaged, or gave numbers that are not finite.
        UsageError: a process was killed.
        RecordingError: a part cannot be written. Parts that were written stay.
    """
    pictures = find_pictures(source, out)
    card = read_card(model.with_suffix(".json"))
    read_model(model, card)
    identity = {"format": FORMAT, "model": card.name, "sha256": card.sha256, **asdict(settings)}
    whole = {**identity, "source": str(source.resolve())}
    _begin(out, whole)
    kept = {folder: known for folder in sorted(out.glob("part-*")) if (known := kept_part(folder, identity))}
    places = dict(pictures)
    there = {folder: left for folder, known in kept.items() if (left := without_repaired(folder, known, places))}
    labelled = {name for known in there.values() for name in known["pictures"]}
    missing = [(name, path) for name, path in pictures if name not in labelled]
    parts = [
        Part(out / part_name(some, identity), some, model, settings, identity)
        for some in (tuple(missing[start : start + size]) for start in range(0, len(missing), size))
    ]
    quiet = not progress or None  # None: quiet unless a person is watching
    total = len(labelled) + len(missing)
    try:
        with tqdm(total=total, initial=len(labelled), desc="labelling", unit="picture", disable=quiet) as bar:
            for count in runner(label_part, parts) if parts else ():
                bar.update(count)
    finally:
        remove_left_behind(out)  # by a process that was killed
    there |= {part.folder: read_part(part.folder) for part in parts}
    return _finish(out, card, whole, there, len(parts))


def _begin(out: Path, whole: Mapping[str, Any]) -> None:
    """Note in the folder what its labels are made by; refuse one that holds others, or something else."""
    if not (out / SETTINGS).is_file() and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PackError(
            f"{out} already exists",
            "it holds a pack or other files, among which labels would be lost",
            "choose another --out, or an empty folder",
        )
    if not any(out.glob("part-*")):  # a start that made nothing decides nothing
        with replaced(out / SETTINGS) as temporary:
            temporary.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    remove_left_behind(out)
    refuse_others(out, plain_object(out / SETTINGS), whole)


def _finish(
    out: Path, card: Card, whole: Mapping[str, Any], there: Mapping[Path, Mapping[str, Any]], made: int
) -> PictureLabelling:
    """Let the parts be one pack, and return what it came to; refuse where another process began others meanwhile."""
    refuse_others(out, plain_object(out / SETTINGS), whole)
    folders = sorted(there, key=lambda folder: there[folder]["pictures"])
    unreadable = {name: why for folder in folders for name, why in there[folder]["unreadable"].items()}
    with replaced(out / UNREADABLE) as file, file.open("w", newline="", encoding="utf-8", errors="replace") as stream:
        csv.writer(stream).writerows([("picture", "reason"), *unreadable.items()])
    pictures, faces, kept, without = (
        sum(counts) for counts in zip(*(_counts(there[folder]) for folder in folders), strict=True)
    )
    if not kept:
        raise PackError(
            f"No face of {pictures} pictures is left",
            f"{len(unreadable)} cannot be read, in {without} there is no face, and of {faces} faces {card.name} is not "
            f"sure: its views differ by more than {whole['largest_spread']:g} %",
            f"look at the pictures and at {out / UNREADABLE}, or choose another --out and a higher --largest-spread",
        )
    meta = {**meta_of(card, whole), "name": out.name, "count": kept}
    for name, values in (("meta.json", meta), (PARTS, [folder.name for folder in folders])):
        with replaced(out / name) as temporary:
            temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    spreads = np.concatenate([read_arrays(folder, ("spread",))["spread"] for folder in folders])
    return PictureLabelling(
        pack=out,
        model=card.name,
        pictures=pictures,
        faces=faces,
        kept=kept,
        uncertain=faces - kept,
        without_face=without,
        unreadable=len(unreadable),
        parts=len(folders),
        parts_made=made,
        median_spread=float(np.median(spreads)),
    )


def _counts(known: Mapping[str, Any]) -> tuple[int, int, int, int]:
    return len(known["pictures"]), known["found"], known["kept"], known["without"]
