"""`understudy reproduce`: the trainings of a paper, from the official sets to a table beside its figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli.options import above_zero, add_json, add_machine, positive, require_packages
from app.cli.terminal import number, report, say, table
from app.trainer_setup import TRAINER_PACKAGES
from engine.core.errors import UsageError

PAPERS = ("fard-mahoor", "hong-lin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("paper", choices=PAPERS, metavar="PAPER", help=f"one of: {', '.join(PAPERS)}")
    parser.add_argument(
        "--data",
        required=True,
        metavar="DIR",
        help="folder of the official sets (300-W, WFLW, COFW), unpacked or as packs; rows of missing ones are left out",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder of packs, runs, evaluations and report.md (default: reproduce/PAPER, or PAPER-short with --short)",
    )
    parser.add_argument(
        "--seeds", type=positive, default=1, metavar="N", help="train each student N times (default: 1)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a field of every training, or of one network: NETWORK.KEY=VALUE, as teacher.init=FILE; repeatable",
    )
    parser.add_argument("--ours", action="store_true", help="train our improved forms too, for a table of their own")
    parser.add_argument("--short", action="store_true", help="a few steps of small networks: to see the chain work")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the trainings with their steps and expected hours instead"
    )
    parser.add_argument(
        "--rate",
        type=above_zero,
        metavar="N",
        help="with --dry-run: images a second (default: measured in a few steps of each network)",
    )
    add_machine(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Carry the trainings of a paper out, or print what they would be.

    Raises:
        UsageError: the trainer's requirements are not installed, no set is there, or a change is wrong.
    """
    require_packages((*TRAINER_PACKAGES, "h5py", "scipy"))
    data = Path(options.data)
    if not data.is_dir():
        raise UsageError(f"There is no folder {data}", "it was moved, or the path is mistyped", "check --data")
    if options.rate and not options.dry_run:
        raise UsageError(
            "--rate is for --dry-run alone",
            "a training takes as long as it takes",
            "add --dry-run or leave out --rate",
        )
    from trainer.reproduce.chain import Order

    ending = "-short" if options.short else ""
    out = Path(options.out) if options.out else Path("reproduce") / f"{options.paper}{ending}"
    changes = tuple(options.set)
    order = Order(options.paper, data, out, changes, options.seeds, options.short, options.ours)
    return _dry_run(options, order) if options.dry_run else _carry_out(options, order)


def _carry_out(options: argparse.Namespace, order: Any) -> int:
    from trainer.devices import is_first_process, launch
    from trainer.reproduce.chain import reproduce
    from trainer.run import Place
    from trainer.state import TrainingInterrupted

    fabric = launch(options.device, options.devices, options.precision or "auto")
    try:
        written = reproduce(order, Place(order.data, fabric, options.precision or "auto", order.out / "runs"))
    except TrainingInterrupted as stop:
        say(f"\n{stop}", error=True)
        return stop.exit_code
    if is_first_process():
        text = written.read_text(encoding="utf-8")
        report({"report": str(written)}, f"{text}\nWritten to {written}", options.json)
    return 0


def _dry_run(options: argparse.Namespace, order: Any) -> int:
    from trainer.devices import launch
    from trainer.reproduce.chain import left_out, planned
    from trainer.reproduce.plan import hours, images_a_second

    runs, missing = planned(order)
    device = launch(options.device, None, "32-true").device
    rates: dict[Any, float] = {}
    for run in runs:
        key = (run.training.network, run.training.teachers)
        rates[key] = rates.get(key) or options.rate or images_a_second(run, runs, device)
    values: list[dict[str, Any]] = []
    for run in runs:
        rate = rates[run.training.network, run.training.teachers]
        facts = {"training": run.folder, "set": run.dataset.title, "faces": run.faces, "steps": run.steps}
        values.append({**facts, "batch": run.training.batch, "images_per_second": rate, "hours": hours(run, rate)})
    total: float = sum(entry["hours"] for entry in values)
    heading = ("training", "set", "faces", "steps", "batch", "images/s", "hours")
    rows = [
        (*list(entry.values())[:5], *(number(entry[key], 1) for key in ("images_per_second", "hours")))
        for entry in values
    ]
    lines = [table([heading, *rows]), f"All of it: about {number(total, 1)} hours on {device}."]
    lines += left_out(order, missing)
    report({"trainings": values, "hours": total, "missing": missing}, "\n".join(lines), options.json)
    return 0
