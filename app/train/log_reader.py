"""Reading what the trainer writes, without it: its list of recipes, and the folder of a run, also of one at work."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, chain, count
from pathlib import Path
from typing import Any

from engine.core.errors import UsageError
from engine.core.files import open_regular
from engine.core.platforms import is_locked
from engine.core.texts import decoded, parse_json, parse_number, read_json, reason

RECIPE_FILE, CHECKPOINT, OUTPUT, LOCK = "recipe.json", "last.safetensors", "output.txt", ".lock"
LARGEST_DEPTH = 3  # of the folders of runs below that of all runs
MOST_STEPS = 10**8  # of a stage: more are a mistake, and Qt's bars end at 2**31
LARGEST_CHECKPOINT = 20_000_000_000  # bytes
LARGEST_LOG = 100_000_000
LARGEST_HEADER = 50_000_000  # bytes; that of a checkpoint has some hundred thousand
TAIL_BYTES = 16_000
TAIL_LINES = 200

Points = tuple[tuple[int, float], ...]  # (step, value), by step


@dataclass(frozen=True)
class RunState:
    """Where a run stands.

    Attributes:
        folder: of the run.
        stages: what it was begun with, stage by stage, as plain values.
        saved_step: how many steps are saved, of all stages together; None if nothing is.
        checkpoint: the one written last; None without one.
        losses: the whole loss of training, at some steps, counted from the first stage on.
        errors: validation NME in percent, at some steps.
        output: the last lines of the trainer's output.
        changed: when its logs were last written, in seconds since the epoch.
        data: folder of the packs; None in runs of former versions.
        trained: whether a process trains it now, of this window or of another program.
    """

    folder: Path
    stages: tuple[Mapping[str, Any], ...]
    saved_step: int | None
    checkpoint: Path | None
    losses: Points
    errors: Points
    output: str
    changed: float
    data: Path | None = None
    trained: bool = False

    @property
    def steps(self) -> int:
        """How many steps it shall have."""
        return sum(map(_steps, self.stages))

    @property
    def step(self) -> int:
        """The last step that anything is known of."""
        return max(self.saved_step or 0, *(points[-1][0] if points else 0 for points in (self.losses, self.errors)))

    @property
    def stage(self) -> int:
        """The number of the stage that it has come to, from 0."""
        ends = list(accumulate(map(_steps, self.stages)))
        return min(sum(end <= self.step for end in ends), len(ends) - 1)

    @property
    def stage_name(self) -> str:
        """The name of that stage."""
        return _stage_name(self.stages[self.stage])

    @property
    def finished(self) -> bool:
        """Whether the last checkpoints hold every step."""
        return self.saved_step is not None and self.saved_step >= self.steps

    @property
    def best_error(self) -> float | None:
        """Lowest validation NME in percent."""
        return min((value for _, value in self.errors), default=None)


def read_run(folder: Path) -> RunState | None:
    """Read where a run stands; None where there is no run. What is being written just now is left out."""
    try:
        values = read_json(folder / RECIPE_FILE)
        stages = values["stages"] if "stages" in values else [values["recipe"]]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if not (isinstance(stages, list) and stages and all(map(_is_stage, stages))):
        return None
    folders = _stage_folders(folder, stages)
    # Before all else: what changes while it is read is seen as a change the next time.
    trained, changed = _is_trained(folder, folders), _changed(folder, folders)
    saved = {path / CHECKPOINT: saved_step(path / CHECKPOINT) for path in folders}
    written = {checkpoint: step for checkpoint, step in saved.items() if step is not None}
    data = values.get("data_folder")
    return RunState(
        folder,
        tuple(stages),
        sum(written.values()) if written else None,
        list(written)[-1] if written else None,
        _read_column(folders, stages, "train.csv", "total"),
        _read_column(folders, stages, "validation.csv", "nme"),
        read_tail(folder / OUTPUT),
        changed,
        Path(data) if isinstance(data, str) else None,
        trained,
    )


def find_runs(folder: Path, known: Iterable[RunState] = ()) -> list[RunState]:
    """Return the runs in the folders below `folder`, the latest first; of those `known` read only what has changed."""
    before = {run.folder: run for run in known}
    # Those of recipes such as `hong-lin/teacher` lie deeper; folders within that of a run are its stages.
    recipes = [file for depth in range(1, LARGEST_DEPTH + 1) for file in folder.glob("*/" * depth + RECIPE_FILE)]
    folders = {file.parent for file in recipes}
    states = (before[path] if path in before and _is_current(before[path]) else read_run(path) for path in folders)
    runs = [run for run in states if run is not None and folders.isdisjoint(run.folder.parents)]
    return sorted(runs, key=lambda run: run.changed, reverse=True)


def _is_current(run: RunState) -> bool:
    folders = _stage_folders(run.folder, run.stages)
    state = _is_trained(run.folder, folders), _changed(run.folder, folders)
    return state == (run.trained, run.changed)


def run_label(folder: Path, runs: Path) -> str:
    """Return what to call a run: its folder, as seen from that of all runs."""
    return folder.relative_to(runs).as_posix() if folder.is_relative_to(runs) else folder.name


def _stage_folders(folder: Path, stages: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Return where the stages of a run lie: one alone in the run's own folder."""
    if len(stages) == 1:
        return [folder]
    return [folder / f"{number}-{_stage_name(stage)}" for number, stage in enumerate(stages, 1)]


def _is_stage(stage: Any) -> bool:
    """Return whether a value is what a stage was begun with, with a name that its folder can have."""
    return isinstance(stage, dict) and str(stage.get("name", "")).isprintable()


def _stage_name(stage: Mapping[str, Any]) -> str:
    return str(stage.get("name", "")).rpartition(":")[2]


def _steps(stage: Mapping[str, Any]) -> int:
    steps = stage.get("steps")
    return steps if isinstance(steps, int) and 0 <= steps <= MOST_STEPS else 0


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """Return `name`, or where that is taken the first of `name-2`, `name-3`, ... that is not."""
    numbered = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(free for free in numbered if not is_taken(free))


def saved_step(checkpoint: Path) -> int | None:
    """Return the number of steps in a checkpoint's header; None where it cannot be read.

    The header of a safetensors file: its length in 8 bytes, little-endian, then JSON
    (https://github.com/huggingface/safetensors#format).
    """
    try:
        with open_regular(checkpoint, LARGEST_CHECKPOINT) as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > LARGEST_HEADER:
                return None
            step = int(parse_json(decoded(stream.read(length)))["__metadata__"]["step"])
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError):
        return None
    return step if 0 <= step <= MOST_STEPS else None


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


def _read_column(folders: Sequence[Path], stages: Sequence[Mapping[str, Any]], file: str, column: str) -> Points:
    """Return a column of the logs of all stages, the steps of each counted after those of the stages before."""
    points = []
    begin = 0
    for folder, stage in zip(folders, stages, strict=True):
        for row in _read_rows(folder / file):
            with suppress(LookupError, ValueError, TypeError):  # half of a row that is being written
                step, value = begin + int(row["step"]), parse_number(row[column] or "")
                if math.isfinite(value) and 0 <= step <= begin + MOST_STEPS:
                    points.append((step, value))
        begin += _steps(stage)
    return tuple(points)


def _read_rows(file: Path) -> list[dict[str, str]]:
    try:
        with open_regular(file, LARGEST_LOG) as stream:
            return list(csv.DictReader(io.TextIOWrapper(stream, "utf-8", "replace", newline="")))
    except (OSError, csv.Error):
        return []


def _is_trained(folder: Path, stages: Iterable[Path]) -> bool:
    return any(is_locked(path / LOCK) for path in {folder, *stages})


def _changed(folder: Path, stages: Iterable[Path]) -> float:
    return max(map(_last_change, (folder, *stages)))


def _last_change(folder: Path) -> float:
    newest = 0.0
    for name in (RECIPE_FILE, CHECKPOINT, "train.csv", "validation.csv"):
        with suppress(OSError):
            newest = max(newest, (folder / name).stat().st_mtime)
    return newest


@dataclass(frozen=True)
class RecipeFacts:
    """What is known of a recipe.

    Attributes:
        name: as `understudy train` takes it.
        description: a sentence or more.
        former_names: what it, or a stage of it, was called in former versions.
        points: landmarks that its network finds.
        input_size: side of the network's input, in pixels.
        steps: of each stage.
        batch: faces in a step of the last stage.
        init: what the first stage starts from.
        packs: names of the packs that it trains on.
        group: of recipes, such as `students`.
        made_of: what its pack is made of by the training itself, `pictures` or `sample`; `packs` if it needs packs.
        missing: the runs and models that it begins with or learns from and that are not there.
    """

    name: str
    description: str
    former_names: tuple[str, ...]
    points: int
    input_size: int
    steps: tuple[int, ...]
    batch: int
    init: str
    packs: tuple[str, ...]
    group: str = ""
    made_of: str = "packs"
    missing: tuple[str, ...] = ()


def recipe_facts(entry: Mapping[str, Any]) -> RecipeFacts:
    """Return what the page shows of a recipe in the trainer's list.

    Raises:
        LookupError, TypeError: it is of another form.
    """
    stages = entry["stages"]
    network = stages[-1]["network"]
    return RecipeFacts(
        entry["name"],
        entry["description"],
        tuple(entry.get("former_names", ())),
        network["points"],
        network["input_size"],
        tuple(stage["steps"] for stage in stages),
        stages[-1]["batch"],
        stages[0]["init"],
        tuple(dict.fromkeys(str(pack["name"]) for stage in stages for pack in stage["packs"])),
        str(entry.get("group", "")),
        str(entry.get("made_of", "packs")),
        tuple(entry.get("missing", ())),
    )


def read_changed(file: Path, recipe: RecipeFacts) -> RecipeFacts:
    """Return a recipe with the changes that `understudy train --show --json FILE` was given.

    Raises:
        UsageError: the file is not what that verb writes.
    """
    try:
        return recipe_facts({**vars(recipe), "stages": read_json(file)["stages"]})
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _other_version("description of the recipe", error) from error


def read_recipes(file: Path) -> list[RecipeFacts]:
    """Read what `understudy train --list --json FILE` wrote.

    Raises:
        UsageError: it is not such a list.
    """
    try:
        return [recipe_facts(entry) for entry in read_json(file)["recipes"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _other_version("list of recipes", error) from error


def _other_version(what: str, error: Exception) -> UsageError:
    return UsageError(
        f"The trainer's {what} cannot be read ({reason(error)})",
        "the trainer is of another version than the application",
        "install both again, from one version",
    )
