"""Parts of the labels of many pictures: each is a pack of its own, which appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError, RecordingError, SourceError
from engine.core.files import partial_path, replaced
from engine.core.texts import read_json, reason
from engine.formats.images import read_picture
from engine.formats.packs import read_arrays
from engine.inference.card import Card
from engine.inference.detector import FaceDetector, make_detector
from engine.inference.landmarker import Landmarker, load_landmarker
from engine.inference.tracking import FaceTracker, TrackingSettings
from trainer.data.new_pack import boxes_of, write_annotations
from trainer.data.pseudo_labels import PseudoLabel, find_labels

PICTURES = "pictures.json"  # what a part says of its pictures
# Percent of the root of the landmark box's area, see `LabelSettings`. On 500 faces of faces5, student-68 has a spread
# of 1.5 in the median, most of which is the shift of the labels that it learned; 99 % are below 2.7. The distance from
# the five manual points grows with it: 1.5 in the median below a spread of 1.5, 2.1 above 2.5.
LARGEST_SPREAD = 3.0


@dataclass(frozen=True)
class LabelSettings:
    """What decides the labels, beside the model.

    Attributes:
        largest_spread: faces whose views differ by more are left out; mean distance of the points, in percent of the
            root of the area of the landmark box, which turned heads do not shrink as they do the distance of the eyes.
        max_faces: faces of a picture that are looked for; None for any number.
    """

    largest_spread: float
    max_faces: int | None = None


@dataclass(frozen=True)
class Part:
    """Some of the pictures, and the folder of the pack that is made of them.

    Attributes:
        folder: of the pack.
        pictures: their paths in it, below `images`, and where they are.
        model: path of the model.
        settings: the others.
        identity: what is noted of all of these in the part.
    """

    folder: Path
    pictures: tuple[tuple[str, Path], ...]
    model: Path
    settings: LabelSettings
    identity: Mapping[str, Any]


def part_name(pictures: Sequence[tuple[str, Path]], identity: Mapping[str, Any]) -> str:
    """Return the name of the folder of a part, which differs where its pictures or its labels do."""
    text = json.dumps([identity, [name for name, _ in pictures]])
    return f"part-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def read_part(folder: Path) -> dict[str, Any]:
    """Return what a part says of its pictures; empty unless all of it is there."""
    known = plain_object(folder / PICTURES)
    try:
        faces = len(read_arrays(folder)["image"])
        whole = all((folder / name).stat().st_size == bytes_ for name, bytes_ in known["copied"].items())
        return known if whole and faces == known["kept"] else {}
    except (PackError, OSError, LookupError, AttributeError):
        return {}


def kept_part(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a part of an earlier start says of its pictures; a damaged one is removed, to be made again."""
    known = read_part(folder)
    if known:
        refuse_others(folder, known["by"], identity)
    else:
        shutil.rmtree(folder)
    return known


def without_repaired(folder: Path, known: Mapping[str, Any], places: Mapping[str, Path]) -> dict[str, Any]:
    """Return what a part says, once pictures were taken out of it that could not be read and can be now.

    So they are labelled like new ones. A part of which no picture is left is removed, and says nothing.

    Args:
        folder: of the part.
        known: what it says.
        places: where the pictures are, by their paths in the pack.
    """
    repaired = {name for name in known["unreadable"] if name in places and _is_readable(places[name])}
    if not repaired:
        return dict(known)
    pictures = [name for name in known["pictures"] if name not in repaired]
    if not pictures:
        shutil.rmtree(folder)
        return {}
    unreadable = {name: why for name, why in known["unreadable"].items() if name not in repaired}
    left = {**known, "pictures": pictures, "unreadable": unreadable}
    with replaced(folder / PICTURES) as temporary:
        temporary.write_text(json.dumps(left), encoding="utf-8")
    return left


def _is_readable(path: Path) -> bool:
    try:
        read_picture(path)
    except SourceError:
        return False
    return True


def refuse_others(folder: Path, before: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Raise `PackError` if the labels in a folder were made by something else than `identity` says."""
    changed = [
        f"{name} {before.get(name)}, now {value}" for name, value in identity.items() if before.get(name) != value
    ]
    if changed:
        raise PackError(
            f"The labels in {folder} were made otherwise: {', '.join(changed)}",
            "it was begun with another model, other settings or other pictures, and labels are not mixed",
            "give the former ones to go on, or write to another place: another --out, or --data of “train --pictures”",
        )


def plain_object(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one if there is none."""
    try:
        values = read_json(file)
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def label_part(part: Part) -> int:
    """Write the pack of a part, whole or not at all; return the number of its pictures.

    Raises:
        ModelError: the model gave numbers that are not finite.
        RecordingError: the pack cannot be written.
    """
    landmarker, detector = _models(part.model)
    temporary = partial_path(part.folder)
    try:
        temporary.mkdir(parents=True)
        _write_part(part, temporary, landmarker, detector)
        if not read_part(part.folder):  # a machine that was taken for dead may have made it meanwhile
            temporary.replace(part.folder)
    except OSError as error:
        raise RecordingError(
            f"The labels of {len(part.pictures)} pictures cannot be written to {part.folder.parent} ({reason(error)})",
            "the disk is full, or the folder forbids writing",
            "make room, and start the same command again: what is finished stays",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return len(part.pictures)


@cache
def _models(model: Path) -> tuple[Landmarker, FaceDetector]:
    return load_landmarker(model), make_detector()


def _write_part(part: Part, folder: Path, landmarker: Landmarker, detector: FaceDetector) -> None:
    tracker = FaceTracker(detector, landmarker, TrackingSettings(part.settings.max_faces, thorough=True))
    labels: list[tuple[str, PseudoLabel]] = []
    unreadable: dict[str, str] = {}
    copied: dict[str, int] = {}
    found = 0
    without = 0
    for name, path in part.pictures:
        try:
            picture = read_picture(path)
        except SourceError as error:
            unreadable[name] = f"{error.what} ({error.why})"
            continue
        faces = find_labels(picture, tracker)
        kept = [(name, face) for face in faces if face.spread <= part.settings.largest_spread]
        found, without, labels = found + len(faces), without + (not faces), labels + kept
        if kept:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
            copied[name] = (folder / name).stat().st_size
    meta = {**meta_of(landmarker.card, part.identity), "name": part.folder.name, "count": len(labels)}
    write_annotations(folder, _arrays(labels, landmarker.card.scheme), meta)
    about = {"by": part.identity, "pictures": [name for name, _ in part.pictures], "copied": copied}
    counts = {"found": found, "kept": len(labels), "without": without, "unreadable": unreadable}
    (folder / PICTURES).write_text(json.dumps({**about, **counts}), encoding="utf-8")


def _arrays(labels: Sequence[tuple[str, PseudoLabel]], points: int) -> dict[str, NDArray]:
    return {
        "image": np.array([name for name, _ in labels], str),
        "landmarks": np.array([face.points for _, face in labels], np.float32).reshape(-1, points, 2),
        "confidence": np.array([face.confidence for _, face in labels], np.float32).reshape(-1, points),
        "spread": np.array([face.spread for _, face in labels], np.float32),
        "bbox": boxes_of(face.points for _, face in labels).reshape(-1, 4),
        "split": np.full(len(labels), "train"),
        "use": np.full(len(labels), "pseudo-labels"),
    }


def meta_of(card: Card, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `meta.json` says of labels by a model."""
    return {
        "markup": f"the {card.scheme} points of the model {card.name}",
        "labels": f"machine-made by the model {card.name}, means of the view and its mirror image (label_shift 0)",
        "model": {"name": card.name, "sha256": card.sha256, "revision": card.revision, "licence": card.licence},
        "spread": "mean distance of the points of the two views in percent of the root of the landmark box's area",
        "made_by": dict(identity),
        "coords": "0-based pixel centres",
    }
