"""Pseudo-labels of any pictures: the detector finds the faces, and two views of each say how sure the model is.

The second view is the mirror image. The label is the mean of both, which lies where the points are: labels of data sets
may lie to one side of them, and a model that learned such labels does so in both views, on opposite sides. How far the
views differ, the *spread*, says how much a label can be relied on.

The work is divided into parts, each of them a pack, which appear whole or not at all. A second start makes what is
missing. Together they read as one pack (see `engine.formats.packs`).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError, RecordingError, SourceError
from engine.core.files import left_behind, partial_path, replaced
from engine.core.geometry import Crop, landmark_box
from engine.core.texts import read_json, read_text, reason
from engine.formats.images import PICTURE_SUFFIXES, read_picture
from engine.formats.packs import PARTS, read_arrays
from engine.inference.card import Card, read_card
from engine.inference.detector import FaceDetector, make_detector
from engine.inference.landmarker import Landmarker, load_landmarker, not_finite_error, read_model
from engine.inference.tracking import FaceTracker, TrackingSettings
from trainer.data.new_pack import boxes_of, write_annotations

FORMAT = "understudy-labels-1"
SETTINGS, PICTURES, UNREADABLE = "labelling.json", "pictures.json", "unreadable.csv"
LONGEST_LIST = 2_000_000_000  # bytes of a list of pictures


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
    stays, and its pictures are not labelled again.

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
    there = {folder: known for folder in sorted(out.glob("part-*")) if (known := _kept_part(folder, identity))}
    labelled = {name for known in there.values() for name in known["pictures"]}
    missing = [(name, path) for name, path in pictures if name not in labelled]
    parts = [
        Part(out / _part_name(some, identity), some, model, settings, identity)
        for some in (tuple(missing[start : start + size]) for start in range(0, len(missing), size))
    ]
    quiet = not progress or None  # None: quiet unless a person is watching
    total = len(labelled) + len(missing)
    with tqdm(total=total, initial=len(labelled), desc="labelling", unit="picture", disable=quiet) as bar:
        for count in runner(label_part, parts) if parts else ():
            bar.update(count)
    there |= {part.folder: _read_part(part.folder) for part in parts}
    return _finish(out, card, whole, there, len(parts))


def find_pictures(source: Path, out: Path) -> list[tuple[str, Path]]:
    """Return pictures with the paths that they get in a pack, in the order of these; none that lies in `out`.

    Raises:
        SourceError: there is none, or the list cannot be read.
    """
    root = source if source.is_dir() else source.parent
    if source.is_dir():
        found, why = _pictures_below(source, out), "no file in it has the ending of a picture, such as .jpg"
    elif not source.exists():
        raise SourceError(
            f"There is no file or folder {source}", "it was moved, or the path is mistyped", "correct the path"
        )
    elif source.suffix.lower() in PICTURE_SUFFIXES:
        found, why = [source], ""
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
            name for name in folders if not name.startswith(".") and Path(place, name).resolve() != out.resolve()
        ]
        found += [
            Path(place, name)
            for name in files
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES  # noqa: PTH122  fast
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
    for temporary in left_behind(out, "part"):
        shutil.rmtree(temporary, ignore_errors=True)
    _refuse_others(out, _plain(out / SETTINGS), whole)


def _refuse_others(folder: Path, before: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    changed = [
        f"{name} {before.get(name)}, now {value}" for name, value in identity.items() if before.get(name) != value
    ]
    if changed:
        raise PackError(
            f"The labels in {folder} were made otherwise: {', '.join(changed)}",
            "it was begun with another model, other settings or other pictures, and labels are not mixed",
            "give the former ones to go on, or choose another --out",
        )


def _plain(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one if there is none."""
    try:
        values = read_json(file)
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _part_name(pictures: Sequence[tuple[str, Path]], identity: Mapping[str, Any]) -> str:
    text = json.dumps([identity, [name for name, _ in pictures]])
    return f"part-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _read_part(folder: Path) -> dict[str, Any]:
    """Return what a part says of its pictures; empty unless all of it is there."""
    known = _plain(folder / PICTURES)
    try:
        faces = len(read_arrays(folder)["image"])
        whole = all((folder / name).stat().st_size == bytes_ for name, bytes_ in known["copied"].items())
        return known if whole and faces == known["kept"] else {}
    except (PackError, OSError, LookupError, AttributeError):
        return {}


def _kept_part(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a part of an earlier start says of its pictures; a damaged one is removed, to be made again."""
    known = _read_part(folder)
    if known:
        _refuse_others(folder, known["by"], identity)
    else:
        shutil.rmtree(folder)
    return known


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
        if not _read_part(part.folder):  # a machine that was taken for dead may have made it meanwhile
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
    labels: list[tuple[str, Label]] = []
    unreadable: dict[str, str] = {}
    copied: dict[str, int] = {}
    found = 0
    without = 0
    for name, path in part.pictures:
        try:
            picture = read_picture(path)
        except SourceError as error:
            unreadable[name] = error.what
            continue
        faces = find_labels(picture, tracker)
        kept = [(name, face) for face in faces if face.spread <= part.settings.largest_spread]
        found, without, labels = found + len(faces), without + (not faces), labels + kept
        if kept:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
            copied[name] = (folder / name).stat().st_size
    meta = {**_meta(landmarker.card, part.identity), "name": part.folder.name, "count": len(labels)}
    write_annotations(folder, _arrays(labels, landmarker.card.scheme), meta)
    about = {"by": part.identity, "pictures": [name for name, _ in part.pictures], "copied": copied}
    counts = {"found": found, "kept": len(labels), "without": without, "unreadable": unreadable}
    (folder / PICTURES).write_text(json.dumps({**about, **counts}), encoding="utf-8")


@dataclass(frozen=True)
class Label:
    """A face's landmarks `[K, 2]`, their confidence `[K]`, and the spread of its views in percent, see above."""

    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    spread: float


def find_labels(picture: NDArray[np.uint8], tracker: FaceTracker) -> list[Label]:
    """Return the faces of a picture, largest first.

    Raises:
        ModelError: the model gave numbers that are not finite.
    """
    tracker.reset()
    found = tracker.track(picture)
    if found.not_finite:
        raise not_finite_error(tracker.landmarker.card.name)
    if not found.tracks:
        return []
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    crops = [tracker.landmarker.crop_of_face(track.landmarks) for track in found.tracks]
    return [label_of(tracker.landmarker, picture, mirrored, crop) for crop in crops]


def label_of(landmarker: Landmarker, picture: NDArray[np.uint8], mirrored: NDArray[np.uint8], crop: Crop) -> Label:
    """Return the mean of what a model sees in a crop of a picture and in that of its mirror image.

    Raises:
        ModelError: the model gave numbers that are not finite.
    """
    last = picture.shape[1] - 1
    order = list(landmarker.card.markup.mirror)
    plain = landmarker.predict(picture, crop)
    other = landmarker.predict(mirrored, Crop(last - crop.centre_x, crop.centre_y, crop.side, -crop.roll))
    if not (plain.finite and other.finite):
        raise not_finite_error(landmarker.card.name)
    back = (other.points * (-1, 1) + (last, 0))[order]
    points = ((plain.points + back) / 2).astype(np.float32)
    box = landmark_box(points)
    distance = float(np.linalg.norm(plain.points - back, axis=1).mean())
    spread = 100 * distance / max((box.width * box.height) ** 0.5, 1e-6)
    confidence = ((plain.confidence + other.confidence[order]) / 2).astype(np.float32)
    return Label(points, confidence, spread)


def _arrays(labels: Sequence[tuple[str, Label]], points: int) -> dict[str, NDArray]:
    return {
        "image": np.array([name for name, _ in labels], str),
        "landmarks": np.array([face.points for _, face in labels], np.float32).reshape(-1, points, 2),
        "confidence": np.array([face.confidence for _, face in labels], np.float32).reshape(-1, points),
        "spread": np.array([face.spread for _, face in labels], np.float32),
        "bbox": boxes_of(face.points for _, face in labels).reshape(-1, 4),
        "split": np.full(len(labels), "train"),
        "use": np.full(len(labels), "pseudo-labels"),
    }


def _meta(card: Card, identity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "markup": f"the {card.scheme} points of the model {card.name}",
        "labels": f"machine-made by the model {card.name}, means of the view and its mirror image (label_shift 0)",
        "model": {"name": card.name, "sha256": card.sha256, "revision": card.revision, "licence": card.licence},
        "spread": "mean distance of the points of the two views in percent of the root of the landmark box's area",
        "made_by": dict(identity),
        "coords": "0-based pixel centres",
    }


def _finish(
    out: Path, card: Card, whole: Mapping[str, Any], there: Mapping[Path, Mapping[str, Any]], made: int
) -> PictureLabelling:
    """Let the parts be one pack, and return what it came to."""
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
    meta = {**_meta(card, whole), "name": out.name, "count": kept}
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
