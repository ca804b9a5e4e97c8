"""The tables of `understudy reproduce`: what was measured beside what was published, and what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.metrics import accuracy
from engine.evaluation.compare import bootstrap_interval, compare
from engine.evaluation.files import SavedEvaluation, read_evaluation
from engine.evaluation.tables import markdown_table
from engine.formats.packs import Pack
from trainer.data.importing.importer import READERS
from trainer.reproduce.differences import differences_markdown
from trainer.reproduce.measure import faces_to_measure
from trainer.reproduce.official_sets import OfficialSet
from trainer.reproduce.plan import PlannedRun
from trainer.reproduce.published import PUBLISHED

TITLES = {"fard-mahoor": "Fard & Mahoor, KD-Loss (CVIU 2022)", "hong-lin": "Hong & Lin (arXiv 2404.06029, ICME 2024)"}
FULL = "full"
UNKNOWN = "-"
HEADING = ("set", "network", "part", "runs", "faces", "NME", "95 % interval", "published")
GAIN_HEADING = ("set", "with against without", "runs", "faces", "NME difference", "95 % interval", "published")


@dataclass(frozen=True)
class Measured:
    """A network on the test faces of a set.

    Attributes:
        dataset: the set.
        network: its name in the paper's tables.
        evaluations: one for each seed.
        comparable: whether published figures may stand beside its own.
    """

    dataset: OfficialSet
    network: str
    evaluations: tuple[SavedEvaluation, ...]
    comparable: bool

    @property
    def errors(self) -> NDArray[np.float64]:
        """NME of each face in percent, mean over the seeds; `[N]`."""
        return np.stack([evaluation.errors for evaluation in self.evaluations]).mean(0)


def report(
    paper: str,
    runs: Sequence[PlannedRun],
    folders: Mapping[PlannedRun, Path],
    missing: Sequence[str],
    changes: Sequence[str] = (),
    short: bool = False,
) -> str:
    """Return the report as Markdown.

    Published figures stand beside those of official sets, unless the run was a short one.

    Args:
        paper: `fard-mahoor` or `hong-lin`.
        runs: the trainings, all of them done.
        folders: of their evaluations.
        missing: kinds of sets that were not there, whose rows are left out.
        changes: of the recipes, as `trainer.reproduce.plan.plan_runs` had them.
        short: whether the trainings were a few steps of small networks.

    Raises:
        UsageError: an evaluation cannot be read.
        PackError: a pack is damaged.
    """
    measured = _measured(runs, folders, short)
    published, ours = ([each for each in measured if each.network.startswith("ours/") == own] for own in (False, True))
    packs = {each.dataset.kind: faces_to_measure(each.dataset) for each in measured}
    texts = [
        f"# {TITLES[paper]}, reproduced",
        "NME in percent of the distance of the outer eye corners, of upright crops of the true boxes. The interval is "
        "that of a bootstrap over the faces; it does not hold what another seed would change.",
    ]
    if short:
        texts.append(
            "**A short run**: a few steps of small networks on small pictures. It shows that the chain works; its "
            "figures mean nothing, so no published ones stand beside them."
        )
    texts += [f"{READERS[kind].title} was not there; its rows are left out." for kind in missing]
    reasons = dict.fromkeys(one.dataset.why_not_comparable() for one in measured)
    texts += [f"{why}, so no published figure stands beside it." for why in reasons if why and not short]
    texts += ["## As published", _table(paper, published, packs), _gains(paper, published)]
    if not PUBLISHED[paper]:
        texts.append("The paper gives no NME on these sets.")
    if ours:
        texts += ["## Our improved forms", "On the same faces, by the same teachers.", _table(paper, ours, packs)]
        texts.append(_gains(paper, ours))
    changed = "".join(f"- Changed by `--set {change}`.\n" for change in changes)
    texts += ["## What differs", changed + differences_markdown(paper)]
    return "\n\n".join(text for text in texts if text) + "\n"


def _measured(runs: Sequence[PlannedRun], folders: Mapping[PlannedRun, Path], short: bool) -> list[Measured]:
    groups: dict[tuple[OfficialSet, str], list[SavedEvaluation]] = {}
    for run in runs:
        groups.setdefault((run.dataset, run.network), []).append(read_evaluation(folders[run]))
    comparable = {dataset: not short and not dataset.why_not_comparable() for dataset, _ in groups}
    return [
        Measured(dataset, network, tuple(found), comparable[dataset]) for (dataset, network), found in groups.items()
    ]


def _table(paper: str, measured: Sequence[Measured], packs: Mapping[str, Pack]) -> str:
    rows = []
    for each in measured:
        for part, faces in _parts(packs[each.dataset.kind]).items():
            errors = each.errors[faces]
            figure = accuracy(errors).nme
            known = errors[np.isfinite(errors)]
            interval = "{:.2f} to {:.2f}".format(*bootstrap_interval(known)) if len(known) > 1 else UNKNOWN
            rows.append(
                (
                    READERS[each.dataset.kind].title,
                    each.network.removeprefix("ours/"),
                    part,
                    str(len(each.evaluations)),
                    str(len(errors)),
                    UNKNOWN if figure is None else f"{figure:.2f}",
                    interval,
                    _published(paper, each, part),
                )
            )
    return markdown_table(HEADING, rows)


def _gains(paper: str, measured: Sequence[Measured]) -> str:
    """Return what distillation changes: each student with teachers against the one without, pair by pair of faces."""
    by_name = {(each.dataset.kind, each.network): each for each in measured}
    rows = []
    for (kind, network), taught in by_name.items():
        alone = by_name.get((kind, network.removesuffix("-kd")))
        if alone is None or alone is taught:
            continue
        groups = [
            [replace(evaluation, model=name) for evaluation in each.evaluations]
            for name, each in (("without", alone), ("with", taught))
        ]
        row = compare(groups)[1]
        if row.difference is None:
            continue
        known = [PUBLISHED[paper].get((kind, each.network, FULL)) for each in (taught, alone)]
        of_paper = known[0] - known[1] if known[0] and known[1] and taught.comparable else None
        rows.append(
            (
                READERS[kind].title,
                f"{network.removeprefix('ours/')} against {alone.network.removeprefix('ours/')}",
                str(len(taught.evaluations)),
                str(row.difference.faces),
                f"{row.difference.nme:+.3f}",
                f"{row.difference.low:+.3f} to {row.difference.high:+.3f}",
                UNKNOWN if of_paper is None else f"{of_paper:+.2f}",
            )
        )
    return markdown_table(GAIN_HEADING, rows) if rows else ""


def _parts(pack: Pack) -> dict[str, NDArray[np.bool_]]:
    """Return which faces `[N]` belong to each part of a test set: all, its subsets, and those with an attribute."""
    faces = pack.faces
    subsets = np.array([face.subset for face in faces])
    parts = {FULL: np.ones(len(faces), bool)}
    parts |= {name: subsets == name for name in ("common", "challenging") if (subsets == name).any()}
    names = sorted({name for face in faces for name in face.attributes or ()})
    parts |= {name: np.array([name in (face.attributes or ()) for face in faces]) for name in names}
    return parts


def _published(paper: str, each: Measured, part: str) -> str:
    figure = PUBLISHED[paper].get((each.dataset.kind, each.network, part)) if each.comparable else None
    return UNKNOWN if figure is None else f"{figure:.2f}"
