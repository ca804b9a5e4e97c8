"""The chain of `understudy reproduce`: import, train, measure, report; what is done is not done again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from engine.core.errors import UnderstudyError
from engine.evaluation.files import DOCUMENT, read_evaluation, write_texts
from trainer.devices import first_alone
from trainer.reproduce.measure import measure
from trainer.reproduce.official_sets import OfficialSet, find_sets
from trainer.reproduce.plan import KINDS, PlannedRun, check_changes, plan_runs, planned_folder
from trainer.reproduce.report import report
from trainer.run import Place
from trainer.stages import train_stages
from trainer.state import TrainingInterrupted

REPORT = "report.md"


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        paper: `fard-mahoor` or `hong-lin`.
        data: folder with the official sets, each as it was unpacked or as a pack.
        out: folder of packs, runs, evaluations and the report.
        changes, seeds, short, ours: see `trainer.reproduce.plan.plan_runs`.
    """

    paper: str
    data: Path
    out: Path
    changes: tuple[str, ...] = ()
    seeds: int = 1
    short: bool = False
    ours: bool = False


def planned(order: Order) -> tuple[list[PlannedRun], list[str]]:
    """Return the trainings of an order, and the kinds of sets that are not there.

    Raises:
        UsageError: no set is there, or a change is wrong.
        PackError: a set is damaged.
    """
    check_changes(order.changes)
    sets, missing = find_sets(order.data, order.out / "packs", KINDS[order.paper])
    return plan_runs(order.paper, sets, order.changes, order.seeds, order.short, order.ours), missing


def reproduce(order: Order, place: Place) -> Path:
    """Carry an order out and return the report; started again, it goes on where it was.

    Args:
        order: what is asked for.
        place: what to train on; its folders are those of the order.

    Raises: as `planned`, `train_stages` and `trainer.reproduce.measure.measure`.
    """
    runs, missing = planned(order)
    for dataset in dict.fromkeys(run.dataset for run in runs):
        first_alone(place.fabric, partial(_import, dataset, place))
    folders = {run: order.out / "evaluations" / run.folder for run in runs}
    for number, run in enumerate(runs, 1):
        place.fabric.print(f"{number} of {len(runs)}: {run.folder}", file=sys.stderr)
        own = replace(place, data=run.dataset.data, runs=order.out / "runs")
        try:
            last = train_stages((run.training,), planned_folder(order.out, run), own)
        except TrainingInterrupted as stop:
            again = f"go on with the same “understudy reproduce {order.paper}” command"
            raise TrainingInterrupted(stop.what, stop.why, again, stop.exit_code) from stop
        if not _is_measured(folders[run], last):
            work = partial(measure, last, run.dataset, run.folder, folders[run], place.fabric.device)
            first_alone(place.fabric, work)
    first_alone(place.fabric, partial(_write_report, order, runs, folders, missing))
    return order.out / REPORT


def _import(dataset: OfficialSet, place: Place) -> None:
    place.fabric.print(f"{dataset.title}: {dataset.source or dataset.data}", file=sys.stderr)
    dataset.make_pack()


def _is_measured(folder: Path, checkpoint: Path) -> bool:
    """Tell whether a folder holds an evaluation that is no older than the checkpoint."""
    try:
        read_evaluation(folder)
        return (folder / DOCUMENT).stat().st_mtime_ns >= checkpoint.stat().st_mtime_ns
    except (UnderstudyError, OSError):
        return False


def _write_report(
    order: Order, runs: Sequence[PlannedRun], folders: dict[PlannedRun, Path], missing: list[str]
) -> None:
    write_texts(order.out, {REPORT: report(order.paper, runs, folders, missing)})
