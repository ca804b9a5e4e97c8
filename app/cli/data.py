"""`understudy data`: data sets become packs. Beside training, the only door from the application to the trainer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from app.cli.data_reports import check_text, derivation_text
from app.cli.requirements import require_packages
from app.cli.terminal import number, report, table
from engine.formats.images import write_picture
from engine.formats.landmark_readers import read_predictions
from engine.inference.library import ModelLibrary


def main(options: argparse.Namespace) -> int:
    """Carry out the subcommand."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "import": _import,
        "check": _check,
        "label": _label,
        "derive98": _derive98,
        "pack": _pack,
    }
    return actions[options.action](options)


def _import(options: argparse.Namespace) -> int:
    require_packages(("h5py", "scipy", "tqdm"))
    from trainer.data.importing.importer import import_dataset

    done = import_dataset(options.kind, Path(options.root), Path(options.out), progress=True)
    text = f"{done.pack} holds {done.faces} faces of {done.title} in {done.pictures} pictures: {_counts(done.parts)}."
    if done.parts != done.official:
        text += f"\nThe complete data set has {_counts(done.official)}: this is another edition, or a part of it."
    report({**asdict(done), "pack": str(done.pack)}, text, options.json)
    return 0


def _counts(parts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {part}" for part, count in parts.items())


def _check(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.checking import check_pack, report_values, suspicious_first
    from trainer.data.contact_sheet import contact_sheet

    check = check_pack(Path(options.pack), progress=True)
    values = report_values(check)
    if options.sheet:
        write_picture(Path(options.sheet), contact_sheet(suspicious_first(check)))
    report(values, check_text(values), options.json)
    return 0 if check.sound else 1


def _label(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.labelling import label_pack

    landmarker = ModelLibrary().load(options.model)
    limit = options.largest_disagreement
    done = label_pack(Path(options.pack), landmarker, Path(options.out), limit, progress=True)
    text = (
        f"{done.pack} holds {done.kept} of {done.faces} faces, landmarks by {done.model}.\n"
        f"Distance from the five points: median {number(done.median, 2, ' %')}, "
        f"9 of 10 faces below {number(done.p90, 2, ' %')} of the eye distance.\n"
        f"Left out: {done.disagreeing} above {limit:g} %, {done.incomplete} without all five points."
    )
    report({**asdict(done), "pack": str(done.pack)}, text, options.json)
    return 0


def _derive98(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.derived98 import derive_pack

    # What has no ending is the name of a model.
    of_model = Path(options.proposal).suffix.lower() in ("", ".tflite")
    proposal = ModelLibrary().load(options.proposal) if of_model else read_predictions(Path(options.proposal))
    done = derive_pack(
        Path(options.pack),
        proposal,
        Path(options.shapes),
        Path(options.out),
        options.split,
        options.labels,
        progress=True,
    )
    values = {**asdict(done), "pack": str(done.pack)}
    report(values, derivation_text(values), options.json)
    return 0


def _pack(options: argparse.Namespace) -> int:
    require_packages(("safetensors", "torch", "tqdm"))
    from trainer.data.packing import pack_crops

    written = pack_crops(Path(options.data), Path(options.out), options.packs, True, options.crop_size)
    rows = [(done.file.name, done.faces, number(done.bytes / 1e6, 0)) for done in written]
    text = (
        f"{table([('file', 'faces', 'MB'), *rows])}\nTrain on them with “understudy train RECIPE --data {options.out}”."
    )
    files = [{**asdict(done), "file": str(done.file)} for done in written]
    report({"files": files}, text, options.json)
    return 0
