"""What the folder of a training run tells while the trainer writes into it, and afterwards; without the trainer."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECIPE_FILE, CHECKPOINT, OUTPUT = "recipe.json", "last.safetensors", "output.txt"
LARGEST_HEADER = 50_000_000  # bytes; that of a checkpoint has some hundred thousand
TAIL_BYTES = 16_000
TAIL_LINES = 200

Points = tuple[tuple[int, float], ...]  # (step, value), by step


@dataclass(frozen=True)
class RunState:
    """Where a run stands.

    Attributes:
        folder: of the run.
        recipe: what it was begun with, as plain values.
        saved_step: steps that the last checkpoint holds; None without one.
        losses: the whole loss of training, at some steps.
        errors: validation NME in percent, at some steps.
        output: what the trainer said last.
        changed: when its logs were last written, in seconds since the epoch.
    """

    folder: Path
    recipe: Mapping[str, Any]
    saved_step: int | None
    losses: Points
    errors: Points
    output: str
    changed: float

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.name

    @property
    def recipe_name(self) -> str:
        """Name of its recipe."""
        return str(self.recipe.get("name", ""))

    @property
    def steps(self) -> int:
        """How many steps it shall have."""
        steps = self.recipe.get("steps")
        return steps if isinstance(steps, int) else 0

    @property
    def step(self) -> int:
        """The last step that anything is known of."""
        return max(self.saved_step or 0, *(points[-1][0] if points else 0 for points in (self.losses, self.errors)))

    @property
    def finished(self) -> bool:
        """Whether the last checkpoint holds every step."""
        return self.saved_step is not None and self.saved_step >= self.steps

    @property
    def best_error(self) -> float | None:
        """Lowest validation NME in percent."""
        return min((value for _, value in self.errors), default=None)

    @property
    def checkpoint(self) -> Path:
        """Where its last checkpoint lies, or will lie."""
        return self.folder / CHECKPOINT


def read_run(folder: Path) -> RunState | None:
    """Read where a run stands; None where there is no run. What is being written just now is left out."""
    try:
        values = json.loads((folder / RECIPE_FILE).read_text(encoding="utf-8"))
        recipe = values["recipe"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if not isinstance(recipe, dict):
        return None
    return RunState(
        folder,
        recipe,
        saved_step(folder / CHECKPOINT),
        _read_column(folder / "train.csv", "total"),
        _read_column(folder / "validation.csv", "nme"),
        read_tail(folder / OUTPUT),
        _last_change(folder),
    )


def find_runs(folder: Path) -> list[RunState]:
    """Return the runs in the folders below `folder`, the latest first."""
    try:
        below = [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []
    runs = [run for run in map(read_run, below) if run is not None]
    return sorted(runs, key=lambda run: run.changed, reverse=True)


def free_folder(runs: Path, name: str) -> Path:
    """Return a folder for a new run: `name`, or with a number where that is taken."""
    folder, count = runs / name, 1
    while folder.exists():
        count += 1
        folder = runs / f"{name}-{count}"
    return folder


def saved_step(checkpoint: Path) -> int | None:
    """Return the number of steps in a checkpoint's header; None where it cannot be read.

    The header of a safetensors file: its length in 8 bytes, little-endian, then JSON
    (https://github.com/huggingface/safetensors#format).
    """
    try:
        with checkpoint.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > LARGEST_HEADER:
                return None
            return int(json.loads(stream.read(length))["__metadata__"]["step"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def read_tail(file: Path, start: int = 0) -> str:
    """Return the last lines of a text file, none before byte `start`; of a line drawn again and again, the last."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(start, size - TAIL_BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines[-TAIL_LINES:]).strip("\n")


def _read_column(file: Path, column: str) -> Points:
    try:
        with file.open(newline="", encoding="utf-8", errors="replace") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, csv.Error):
        return ()
    points = []
    for row in rows:
        try:
            step, value = int(row["step"]), float(row[column])
        except (LookupError, ValueError, TypeError):
            continue  # half of a row that is being written
        if math.isfinite(value):
            points.append((step, value))
    return tuple(points)


def _last_change(folder: Path) -> float:
    """Return when the newest of a run's own files was written."""
    newest = 0.0
    for name in (RECIPE_FILE, CHECKPOINT, "train.csv"):
        try:
            newest = max(newest, (folder / name).stat().st_mtime)
        except OSError:
            continue
    return newest
