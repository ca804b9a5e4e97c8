"""`understudy models add`: a model from elsewhere gets a card and a place among the user's models."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from app.cli.terminal import report, say
from engine.core.errors import UsageError
from engine.core.files import replaced
from engine.evaluation.proposal import (
    LONGEST_SEARCH,
    KnownFace,
    Proposal,
    measured,
    pack_faces,
    proposed,
    sample_faces,
)
from engine.evaluation.proposal_picture import write_proposal_picture
from engine.formats.packs import read_pack
from engine.inference.card import Card, CropRule, read_foreign_card, write_card
from engine.inference.landmarker import read_content
from engine.inference.library import ModelLibrary
from engine.inference.runtimes import ModelRuntime, is_model_file, load_runtime
from engine.inference.trial import ensure_harmless


def add_model_file(options: argparse.Namespace) -> int:
    """Find the card of a model, show how well it does, and save both; return the exit code.

    Raises:
        UsageError: the file is named as no model is, or the name is taken.
        ModelError: the file is no model, or finds no landmarks.
        PackError, SourceError: the pack cannot be used.
    """
    path = Path(options.file)
    if not is_model_file(path):
        raise UsageError(f"{path} is no model", "models end in .tflite or .onnx", "name such a file")
    name = options.name or path.stem
    library = ModelLibrary()
    target = library.folders[-1] / f"{name}{path.suffix.lower()}"
    card_path, picture = target.with_suffix(".json"), target.with_suffix(".png")
    _check_name(options, library, name, (target, card_path))
    content, label = read_content(path), f"The model {path.name}"
    checksum = hashlib.sha256(content).hexdigest()
    ensure_harmless(content, checksum, label)
    runtime = load_runtime(content, label)
    faces = _faces(options)
    say(f"Trying {path.name} on {len(faces)} faces for up to {LONGEST_SEARCH:.0f} s of processor time …", error=True)
    found = _proposal(options, runtime, name, (checksum, len(content)), faces)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_proposal_picture(picture, runtime, found.card, faces)
    say(_text(found, picture), error=True)
    saved = options.yes or _agreed(f"Save it as {target}? [y/N] ")
    if saved:
        with replaced(target) as temporary:
            temporary.write_bytes(content)
        write_card(card_path, found.card)
    else:
        picture.unlink(missing_ok=True)
    values = {**asdict(found), "file": target, "picture": picture if saved else None, "saved": saved}
    report(values, f"Saved as {target}: choose it by the name {name}." if saved else "Nothing was saved.", options.json)
    return 0


def _check_name(options: argparse.Namespace, library: ModelLibrary, name: str, files: Sequence[Path]) -> None:
    if name != Path(name).name:
        raise UsageError(f"“{name}” is no name of a model", "it names a folder too", "give a name without slashes")
    if any((folder / f"{name}.json").exists() for folder in library.folders[:-1]):
        raise UsageError(f"There is a model “{name}” already", "it is part of the program", "give another --name")
    for file in files:
        options.guard.check(file)


def _faces(options: argparse.Namespace) -> list[KnownFace]:
    if options.data is None:
        return sample_faces()
    pack = read_pack(Path(options.data), None if options.split == "all" else options.split)
    faces = pack_faces(pack)
    if not faces:
        raise UsageError(
            f"The pack {options.data} has no face with 68 known points",
            "its markup lacks them, or each face has points without a label",
            "choose another pack or --split, or leave --data out to try the model on the sample",
        )
    return faces


def _proposal(
    options: argparse.Namespace,
    runtime: ModelRuntime,
    name: str,
    identity: tuple[str, int],
    faces: Sequence[KnownFace],
) -> Proposal:
    checksum, size = identity
    if options.card is not None:
        return measured(runtime, read_foreign_card(Path(options.card), name, checksum, size), faces)
    blank = Card(name=name, scheme=68, input_size=1, crop=CropRule(1.2), sha256=checksum, bytes=size)
    return proposed(runtime, blank, faces)


def _text(found: Proposal, picture: Path) -> str:
    card, given, output = found.card, found.card.foreign_input, found.card.foreign_output
    crop = "level" if card.crop.level else "stretched" if given.stretched else "upright"
    error = "not known, as its points have no table to the 68" if found.error is None else f"NME {found.error:.2f} %"
    normal = f", less {given.mean}, divided by {given.deviation}" if any(given.mean) else ""
    points = f"{card.scheme} of {output.markup}" if output.markup else str(card.scheme)
    lines = [
        f"Points:  {points}, decoder {output.decoder}, unit {output.unit}, grid {output.grid}",
        f"Input:   {card.input_size} pixels, {given.layout}, {given.colour}, values {list(given.range)}{normal}",
        f"Crop:    {crop}, {card.crop.scale:g} times the landmark box, {card.crop.dy:+g} lower",
        f"Error:   {error} on {found.faces} faces, after {found.ways} tries in {found.seconds:.0f} s",
        *(f"Uncertain: {each}" for each in found.uncertain),
        f"Look at the points: {picture}",
    ]
    return "\n".join(lines)


def _agreed(question: str) -> bool:
    """Return whether the user says yes; without a terminal nobody does."""
    if sys.stdin is None or not sys.stdin.isatty():
        say("Add --yes to save it.", error=True)
        return False
    say(question, error=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
