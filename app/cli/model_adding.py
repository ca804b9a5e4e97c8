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
from engine.evaluation.proposal import (
    LONGEST_SEARCH,
    KnownFace,
    Proposal,
    blank_card,
    measured,
    pack_faces,
    proposed,
    sample_faces,
)
from engine.evaluation.proposal_picture import write_proposal_picture
from engine.formats.packs import read_pack
from engine.inference.card import read_foreign_card
from engine.inference.landmarker import read_content
from engine.inference.library import ModelLibrary, write_model
from engine.inference.runtimes import ModelRuntime, is_model_file, load_runtime
from engine.inference.trial import ensure_harmless


def add_model_file(options: argparse.Namespace) -> int:
    """Find the card of a model, show how well it does, and save both; return the exit code.

    Raises:
        UsageError: the file is named as no model is, or something would be overwritten.
        ModelError: the file is no model, or finds no landmarks; or no model can have the name.
        PackError, SourceError: the pack cannot be used.
    """
    path = Path(options.file)
    if not is_model_file(path):
        raise UsageError(f"{path} is no model", "models end in .tflite or .onnx", "name such a file")
    name = options.name or path.stem
    library = ModelLibrary()
    target = library.place_for(name, path.suffix.lower())
    picture = target.with_suffix(".png")
    for file in (target, target.with_suffix(".json")):
        options.guard.check(file)
    content, label = read_content(path), f"The model {path.name}"
    checksum = hashlib.sha256(content).hexdigest()
    ensure_harmless(content, checksum, label)
    runtime = load_runtime(content, label)
    faces = _faces(options)
    say(f"Trying {path.name} on {len(faces)} faces for up to {LONGEST_SEARCH:.0f} s of processor time …", error=True)
    found = _proposal(options, runtime, name, (checksum, len(content)), faces)
    for file in (target, target.with_suffix(".json")):
        options.guard.check(file)  # another process may have added one meanwhile
    target.parent.mkdir(parents=True, exist_ok=True)
    write_proposal_picture(picture, runtime, found.card, faces)
    say(_text(found, picture), error=True)
    saved = options.yes or _agreed(f"Save it as {target}? [y/N] ")
    if saved:
        write_model(target, content, found.card)
    else:
        picture.unlink(missing_ok=True)
    values = {**asdict(found), "file": target, "picture": picture if saved else None, "saved": saved}
    report(values, f"Saved as {target}: choose it by the name {name}." if saved else "Nothing was saved.", options.json)
    return 0


def _faces(options: argparse.Namespace) -> list[KnownFace]:
    if options.data is None:
        return sample_faces()
    pack = read_pack(Path(options.data), options.split)
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
    return proposed(runtime, blank_card(name, checksum, size), faces)


def _text(found: Proposal, picture: Path) -> str:
    card, given, output = found.card, found.card.foreign_input, found.card.foreign_output
    crop = "level" if card.crop.level else "stretched" if given.stretched else "upright"
    error = "not known, as its points have no table to the 68" if found.error is None else f"NME {found.error:.2f} %"
    low, high = given.range
    normal = f", less {_each(given.mean)}, divided by {_each(given.deviation)}" if any(given.mean) else ""
    points = f"{card.scheme} of {output.markup}" if output.markup else str(card.scheme)
    lines = [
        f"Points:  {points}, decoder {output.decoder}, unit {output.unit}, grid {output.grid}",
        f"Input:   {card.input_size} pixels, {given.layout}, {given.colour}, values {low:g} to {high:g}{normal}",
        f"Crop:    {crop}, {card.crop.scale:g} times the landmark box, {card.crop.dy:+g} lower",
        f"Error:   {error} on {found.faces} faces, after {found.ways} tries in {found.seconds:.0f} s",
        *(f"Uncertain: {each}" for each in found.uncertain),
        f"Look at the points: {picture}",
    ]
    return "\n".join(lines)


def _each(channels: Sequence[float]) -> str:
    return " / ".join(f"{value:g}" for value in channels)


def _agreed(question: str) -> bool:
    """Return whether the user says yes; without a terminal nobody does."""
    if sys.stdin is None or not sys.stdin.isatty():
        say("Add --yes to save it.", error=True)
        return False
    say(question, error=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
