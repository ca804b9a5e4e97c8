"""What `understudy reproduce` carries out: the trainings of a paper on each of its sets, in their order."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch.nn import functional

from engine.core.errors import UsageError
from trainer.networks import NetworkShape, network_of
from trainer.networks.regression import RegressionShape
from trainer.networks.star import StarShape
from trainer.recipes.overrides import changed, trainings_by_name
from trainer.recipes.schema import FRESH_WEIGHTS, Training, steps_of
from trainer.reproduce.official_sets import OfficialSet

# The sets of each paper, and its networks: teachers first, then the students without and with them.
KINDS = {"fard-mahoor": ("300w", "wflw", "cofw"), "hong-lin": ("300w", "wflw")}
NETWORKS = {
    "fard-mahoor": ("tough", "tolerant", "student", "student-kd"),
    "hong-lin": ("teacher", "student", "student-kd"),
}
# Our improved forms on the official sets, 68 points alone, and what takes their teachers' place.
OURS = {
    "fard-mahoor": {"ours/student": (), "ours/student-kd": ("fard-mahoor/tough", "fard-mahoor/tolerant")},
    "hong-lin": {"ours/student": (), "ours/student-kd": ("hong-lin/teacher",)},
}
SHORT_STEPS, SHORT_BATCH, SHORT_HOLD_OUT = 2, 2, 3
HELD_OUT = 70  # faces, as in the published recipes
MEASURED_IMAGES, MEASURED_STEPS = 4, 2
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class PlannedRun:
    """A training of the chain.

    Attributes:
        dataset: what it learns and is measured on.
        network: its name in the paper's tables, such as `student-kd`.
        seed: of a student that is trained several times.
        training: what to do; its name is that of the recipe.
        faces: for training, before any is held out.
    """

    dataset: OfficialSet
    network: str
    seed: int
    training: Training
    faces: int

    @property
    def ours(self) -> bool:
        """Whether it is an improved form."""
        return self.network.startswith("ours/")

    @property
    def folder(self) -> str:
        """Name of its folder among the runs; that of the first seed is what others find its weights by."""
        return self.training.name + (f"-seed{self.seed}" if self.seed else "")

    @property
    def steps(self) -> int:
        """Steps that it will have."""
        training = self.training
        if training.epochs is None:
            return training.steps
        held_out = self.faces // training.hold_out if training.hold_out else 0
        return steps_of(training.epochs, self.faces - held_out, training.batch)


def plan_runs(
    paper: str, sets: Sequence[OfficialSet], changes: Sequence[str], seeds: int, short: bool, ours: bool
) -> list[PlannedRun]:
    """Return the trainings of a paper, teachers before their students.

    Args:
        paper: `fard-mahoor` or `hong-lin`.
        sets: what to train on.
        changes: `key=value` for every training, `NETWORK.key=value` for those of one network.
        seeds: how often each student is trained.
        short: whether a few steps of small networks are enough.
        ours: whether our improved forms are trained too.

    Raises:
        UsageError: a change names no field or has a wrong value.
    """
    runs = []
    for dataset in sets:
        faces = dataset.training_faces()
        ending = "" if dataset.points == 68 else f"-{dataset.points}"
        networks: dict[str, tuple[str, ...] | None] = dict.fromkeys(NETWORKS[paper])
        networks |= OURS[paper] if ours and not ending else {}
        for network, teachers in networks.items():
            own = _changes_of(network, changes, networks)
            (training,) = trainings_by_name(f"{paper}/{network}{ending}")
            training = replace(_shortened(training) if short else training, packs=dataset.packs)
            if teachers is not None:
                held_out = training.hold_out if short else max(2, faces // HELD_OUT)  # of all, none would be left
                training = replace(training, teachers=teachers, live=bool(teachers), hold_out=held_out)
            (training,) = changed({"published": training}, own, networks)
            for seed in range(seeds if "student" in network else 1):
                seeded = replace(training, seed=training.seed + seed)
                runs.append(PlannedRun(dataset, network, seed, seeded, faces))
    return runs


def images_a_second(run: PlannedRun, runs: Sequence[PlannedRun], device: torch.device) -> float:
    """Return how many images a second a training learns from on a device, by a few steps.

    Teachers that look at each batch are counted; the loss is a plain one, and what draws the pictures is left out.

    Args:
        run: the training.
        runs: all of the chain, its teachers among them.
        device: where it is carried out.
    """
    network = network_of(run.training.network).to(device)
    side, points = run.training.network.input_size, run.training.network.points
    images = torch.rand(MEASURED_IMAGES, 3, side, side, device=device) * 255
    places = torch.rand(MEASURED_IMAGES, points, 2, device=device)
    shapes = _teacher_shapes(run.training, runs)
    teachers = [network_of(shape).to(device).eval() for shape in shapes]
    seen = [functional.interpolate(images, (shape.input_size, shape.input_size)) for shape in shapes]
    seconds = 0.0
    for step in range(1 + MEASURED_STEPS):  # the first one warms up
        started = time.perf_counter()
        (network(images).points - places).square().mean().backward()
        with torch.no_grad():
            for teacher, pictures in zip(teachers, seen, strict=True):
                teacher(pictures)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds += (time.perf_counter() - started) * (step > 0)
    return MEASURED_IMAGES * MEASURED_STEPS / seconds


def hours(run: PlannedRun, rate: float) -> float:
    """Return the hours that a training takes at a rate of images a second."""
    return run.steps * run.training.batch / rate / SECONDS_AN_HOUR


def _teacher_shapes(training: Training, runs: Sequence[PlannedRun]) -> list[NetworkShape]:
    if not training.live:
        return []
    shapes = {run.folder: run.training.network for run in runs}
    return [shapes[name] for name in training.teachers]


def _changes_of(network: str, changes: Sequence[str], networks: Iterable[str]) -> list[str]:
    """Return the changes that count for a network, without its name before them."""
    own = []
    for change in changes:
        first, _, rest = change.partition(".")
        if first in networks and "=" not in first:
            own += [rest] * (first == network)
        else:
            own.append(change)
    return own


def _shortened(training: Training) -> Training:
    """Return a training of a few steps of a small network of the same kind."""
    network: NetworkShape = training.network
    if isinstance(network, RegressionShape):
        network = replace(network, encoder="mobilenetv2_050", input_size=64)
    elif isinstance(network, StarShape):
        small = "mobilenetv2" if network.neck == "transposed" else network.encoder
        network = replace(
            network, encoder=small, encoder_width=0.25, channels=16, input_size=64, pretrained_windows=(0, 0, 0, 0)
        )
    else:
        network = replace(network, encoder_width=0.25, decoder_width=16, input_size=64)
    return replace(
        training,
        network=network,
        epochs=None,
        steps=SHORT_STEPS,
        batch=SHORT_BATCH,
        hold_out=SHORT_HOLD_OUT,
        init=training.init if training.init not in FRESH_WEIGHTS else "random",
    )


def planned_folder(out: Path, run: PlannedRun) -> Path:
    """Return the folder of a training."""
    return out / "runs" / run.folder


def refuse_what_the_chain_sets(changes: Sequence[str]) -> None:
    """Raise `UsageError` for what the chain sets itself."""
    for change in changes:
        key = change.partition("=")[0].rpartition(".")[2]
        if key in ("seed", "teachers"):
            raise UsageError(
                f"“{change}” cannot be set here",
                "the chain gives each training its own",
                "give more --seeds, or carry out single trainings with “understudy train”",
            )
