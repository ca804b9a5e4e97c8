"""The chain of `understudy reproduce`: import, train, measure, report; what is done is not done again."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from engine.core.errors import RecordingError, UnderstudyError, UsageError
from engine.evaluation.files import DOCUMENT, read_evaluation, write_texts
from trainer.data.importing.importer import READERS
from trainer.data.label_parts import plain_object
from trainer.devices import first_alone
from trainer.recipes.schema import is_file
from trainer.reproduce.measure import measure
from trainer.reproduce.official_sets import OfficialSet, find_sets
from trainer.reproduce.plan import KINDS, PlannedRun, plan_runs, planned_folder, refuse_what_the_chain_sets
from trainer.reproduce.report import report
from trainer.run import Place
from trainer.run_folder import find_weights
from trainer.stages import refuse_impossible, train_stages
from trainer.state import TrainingInterrupted

REPORT, SETS = "report.md", "sets.json"


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
        UsageError: no set is there, a change is wrong, or weights that one names are missing.
        PackError: a set is damaged, or has no faces to measure on.
    """
    refuse_what_the_chain_sets(order.changes)
    sets, missing = find_sets(order.data, order.out / "packs", KINDS[order.paper])
    for dataset in sets:
        dataset.refuse_without_test()
    runs = plan_runs(order.paper, sets, order.changes, order.seeds, order.short, order.ours)
    for need in dict.fromkeys(need for run in runs for need in run.training.needs if is_file(need)):
        find_weights(need, order.out / "runs")
    return runs, missing


def left_out(order: Order, missing: Sequence[str]) -> list[str]:
    """Return a sentence for each kind of set that is not there."""
    return [f"{READERS[kind].title} is not below {order.data}: its rows are left out." for kind in missing]


def reproduce(order: Order, place: Place) -> Path:
    """Carry an order out and return the report; started again, it goes on where it was.

    What a training would fail of days later is said before the first one.

    Args:
        order: what is asked for.
        place: what to train on; its folders are those of the order.

    Raises: as `planned`, `refuse_impossible`, `train_stages` and `trainer.reproduce.measure.measure`.
    """
    runs, missing = planned(order)
    for dataset in dict.fromkeys(run.dataset for run in runs):
        first_alone(place.fabric, partial(_import, dataset, place))
    for sentence in left_out(order, missing):
        place.fabric.print(sentence, file=sys.stderr)
    first_alone(place.fabric, partial(_refuse_changed_sets, order.out, [run.dataset for run in runs]))
    places = {run: replace(place, data=run.dataset.data, runs=order.out / "runs") for run in runs}
    for run in runs:
        refuse_impossible((run.training,), planned_folder(order.out, run), places[run])
    folders = {run: order.out / "evaluations" / run.folder for run in runs}
    again = f"the same “understudy reproduce {order.paper}” command"
    for number, run in enumerate(runs, 1):
        place.fabric.print(f"{number} of {len(runs)}: {run.folder}", file=sys.stderr)
        try:
            last = train_stages((run.training,), planned_folder(order.out, run), places[run])
        except TrainingInterrupted as stop:
            raise TrainingInterrupted(stop.what, stop.why, f"go on with {again}", stop.exit_code) from stop
        except RecordingError as error:
            raise RecordingError(error.what, error.why, f"make room, then go on with {again}") from error
        if not _is_measured(folders[run], last):
            work = partial(measure, last, run.dataset, run.folder, folders[run], place.fabric.device)
            first_alone(place.fabric, work)
    first_alone(place.fabric, partial(_write_report, order, runs, folders, missing))
    return order.out / REPORT


def _import(dataset: OfficialSet, place: Place) -> None:
    place.fabric.print(f"{dataset.title}: {dataset.source or dataset.data}", file=sys.stderr)
    dataset.make_pack()


def _refuse_changed_sets(out: Path, sets: Sequence[OfficialSet]) -> None:
    """Note what the sets are at the first start; raise `UsageError` where one of them is another one now."""
    file = out / SETS
    before = plain_object(file)
    digests = {dataset.kind: dataset.digest() for dataset in sets}
    titles = {dataset.kind: dataset.title for dataset in sets}
    changed = [titles[kind] for kind, digest in digests.items() if before.get(kind, digest) != digest]
    if changed:
        raise UsageError(
            f"Since the first trainings in {out}, faces or labels have changed: {', '.join(changed)}",
            "networks may have learned from faces that they would be measured on now",
            "give the former data, or begin again in another --out",
        )
    write_texts(out, {SETS: json.dumps({**before, **digests})})


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
    text = report(order.paper, runs, folders, missing, order.changes, order.short)
    write_texts(order.out, {REPORT: text})
