"""Controls trainings: lists recipes, starts, watches, stops and resumes a run, and makes a model of it."""

from __future__ import annotations

import os
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.bundled import no_trainer
from app.shell.background import Background
from app.train.log_reader import (
    LOCK,
    OUTPUT,
    RECIPE_FILE,
    RecipeFacts,
    RunState,
    find_runs,
    free_name,
    read_changed,
    read_recipes,
    read_run,
    read_tail,
    run_label,
)
from app.train.process import OwnProcess, ProcessError, own_program, reported_error
from app.trainer_setup import TRAINER_PACKAGES, missing_packages, trainer_setup
from engine.core.errors import UnderstudyError, UsageError
from engine.core.platforms import is_locked
from engine.inference.library import ModelLibrary

WATCH_MS = 1000  # between readings of the folder of the run at work
INTERRUPTED = (129, 130, 143)  # exit codes of a training that a signal asked to end: SIGHUP, SIGINT, SIGTERM
WITH_TEACHERS = ("--with-teachers",)
PACKS = "packs"  # folder beside the runs, of the packs that trainings make by themselves
Source = tuple[tuple[str, float], str]  # of a model: path and time of its checkpoint, and its role
REMEMBERED = 12  # changes of the step, from which the pace is known


@dataclass(frozen=True)
class TrainingKit:
    """What trainings need of the machine.

    Attributes:
        program: how the program is called, without the verb; None where it comes without the trainer.
        runs: folder for runs where the user chose none.
        models: where models are looked for; exported ones go to the last.
    """

    program: tuple[str, ...] | None
    runs: Path
    models: tuple[Path, ...]


def usual_kit() -> TrainingKit:
    """Return what trainings need, as this installation has it; runs lie in `runs` below the current folder."""
    return TrainingKit(own_program(), Path("runs").absolute(), ModelLibrary().folders)


class TrainingController(QObject):
    """Runs at most one training or export at a time, each in a process of its own.

    Args:
        kit: what trainings need of the machine.
        runs: folder that holds a folder for each run.
    """

    recipes_listed = Signal(object)  # list[RecipeFacts]
    unavailable = Signal(object)  # UnderstudyError: nothing can be trained here
    checked = Signal(object)  # RecipeFacts with the changes, or the UnderstudyError that refuses them
    installing = Signal(str)  # what pip says
    runs_found = Signal(object)  # list[RunState]
    run_read = Signal(object)  # RunState of the run at work
    changed = Signal()  # something began or ended
    failed = Signal(object)  # UnderstudyError
    exported = Signal(str)  # path of a new model

    def __init__(self, kit: TrainingKit, runs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kit, self.runs = kit, runs
        self.training: Path | None = None  # folder of the run at work
        self.exporting: Path | None = None  # folder of the run that becomes a model
        self.ending = False  # whether the training was asked to end
        self._listed = self._looking = self._reading = False
        self._known: list[RunState] = []  # the runs as they were found last
        self._output_start = 0  # of the output of the training at work
        self._first_step = 0  # where it began
        self._source: Source = (("", 0.0), "")  # of the export
        self._target = Path()
        self._time_left = TimeLeft()
        self._checks: list[tuple[RecipeFacts, tuple[str, ...]]] = []  # the one at work, and the one that waits
        self._models: dict[Source, str] = {}  # that were made
        self._background = Background(self)
        self._scratch = tempfile.TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True)
        files = ("recipes.json", "list.txt", "export.txt", "changes.json", "changes.txt", "install.txt")
        paths = (Path(self._scratch.name, name) for name in files)
        self._recipes_file, self._list_log, self._export_log = next(paths), next(paths), next(paths)
        self._check_file, self._check_log, self._install_log = paths
        program = kit.program or ()
        self._lister, self._trainer, self._exporter = (OwnProcess(program, self) for _ in range(3))
        self._checker, self._installer = (OwnProcess(program, self) for _ in range(2))
        self._lister.ended.connect(self._on_listed)
        self._checker.ended.connect(self._on_checked)
        self._installer.ended.connect(self._on_installed)
        self._trainer.ended.connect(self._on_trained)
        self._exporter.ended.connect(self._on_exported)
        self._watch = QTimer(self, interval=WATCH_MS)
        self._watch.timeout.connect(self._read_training)
        self._install_watch = QTimer(self, interval=WATCH_MS)
        self._install_watch.timeout.connect(self._read_installation)

    @property
    def can_install(self) -> bool:
        """Whether packages of the trainer are missing and can be installed: not into the bundle."""
        return self._kit.program is not None and bool(missing_packages(TRAINER_PACKAGES))

    @property
    def install_size(self) -> tuple[float, float]:
        """GB that the installation downloads, and that it takes on the disk."""
        setup = trainer_setup()
        return setup.download, setup.disk

    @property
    def busy(self) -> bool:
        """Whether a training or an export is at work."""
        return self.training is not None or self.exporting is not None

    # What is asked of it

    def list_recipes(self) -> None:
        """Ask the trainer for its recipes, once: that takes seconds, for it loads torch."""
        if self._listed or self._lister.busy:
            return
        if self._kit.program is None:
            self._listed = True
            self.unavailable.emit(no_trainer())
            return
        runs = ["--runs", str(self.runs.absolute())]
        self._begin(self._lister, ["train", "--list", *runs, "--json", str(self._recipes_file)], self._list_log)

    def check(self, recipe: RecipeFacts, changes: Sequence[str]) -> None:
        """Ask the trainer what changes make of a recipe; `checked` has the answer to the latest question."""
        self._checks = [*self._checks[:1], (recipe, tuple(changes))]
        if not self._checker.busy:
            self._begin_check()

    def install(self) -> None:
        """Install the trainer, and list its recipes then."""
        if not self._installer.busy and self._begin(self._installer, ["train", "--install"], self._install_log):
            self._install_watch.start()
            self.installing.emit("")

    def refresh(self) -> None:
        """Look for the runs in the folder."""
        runs, known = self.runs, self._known
        self._background.run(lambda: find_runs(runs, known), partial(self._on_runs, runs))

    def look_again(self) -> None:
        """Look for runs that another program began, trained or removed since, unless the last look is at work still."""
        if not self._looking:
            self._looking = True
            self.refresh()

    def start(
        self, recipe: RecipeFacts, folder: Path | None, changes: Sequence[str], teachers: bool = False
    ) -> Path | None:
        """Begin a run of all stages of a recipe; return its folder, or None if it could not begin.

        The `folder` is that of the packs, or of the pictures that become one. With `teachers`, what the recipe needs
        and is missing is trained first.
        """
        if self.busy:
            self.failed.emit(_at_work())
            return None
        if folder is None and recipe.made_of != "sample":
            self.failed.emit(_no_data() if recipe.made_of == "packs" else _no_pictures())
            return None
        run = self.runs / free_name(recipe.name, lambda name: (self.runs / name).exists())
        arguments = [recipe.name, "--out", str(run), *self._data_of(recipe, folder), *WITH_TEACHERS[:teachers]]
        return self._train(run, [*arguments, *(f"--set={change}" for change in changes)], 0)

    def _data_of(self, recipe: RecipeFacts, folder: Path | None) -> list[str]:
        """Return the options that say where a recipe's packs are, or of what they are made and where they go."""
        if folder is None or recipe.made_of == "sample":
            return ["--data", str((self.runs / PACKS).absolute())]
        if recipe.made_of == "packs":
            return ["--data", str(folder.absolute())]
        # Folders of the same name get packs of their own.
        own = f"{folder.resolve().name}-{zlib.crc32(os.fsencode(folder.resolve())):08x}"
        return ["--pictures", str(folder.absolute()), "--data", str((self.runs / PACKS / own).absolute())]

    def resume(self, run: RunState, data: Path | None, teachers: bool = False) -> None:
        """Go on with a run, with the packs in `data` if it does not say where its own are, or these are gone."""
        if self.busy:
            self.failed.emit(_at_work())
            return
        arguments = ["--resume", str(run.folder), *WITH_TEACHERS[:teachers]]
        if run.data is None or not run.data.is_dir():
            if data is None:
                self.failed.emit(_no_data())
                return
            arguments += ["--data", str(data.absolute())]
        self._train(run.folder, arguments, run.saved_step or 0)

    def stop(self) -> None:
        """Ask the training to save and end."""
        if self.training is not None:
            self.ending = True
            self._trainer.ask_to_end()
            self.changed.emit()

    def kill(self) -> None:
        """End the training at once."""
        self.ending = True
        self._trainer.kill()

    def export(self, run: RunState, role: str) -> None:
        """Make a model of a run's last checkpoint, unless that was done; `exported` names its path."""
        source = _version_of(run.checkpoint), role
        made = self._models.get(source)
        if made is not None and Path(made).is_file():
            self.exported.emit(made)
            return
        if self.busy:
            self.failed.emit(_at_work())
            return
        folders = self._kit.models
        label = run_label(run.folder, self.runs).replace("/", "-")
        name = ModelLibrary(folders).free_name(label)
        self._target = folders[-1] / f"{name}.tflite"
        arguments = ["export", str(run.checkpoint), "--out", str(self._target), "--role", role]
        self._source = source
        if self._begin(self._exporter, arguments, self._export_log):
            self.exporting = run.folder
            self.changed.emit()

    def seconds_left(self, steps: int) -> float | None:
        """Return how long the training at work will take until step `steps`; None if that is not known yet."""
        return None if self.training is None else self._time_left.seconds(steps)

    def close_down(self) -> None:
        """Ask the training to save and end, also after the window is gone; end the rest but an installation."""
        self._background.close()
        self._watch.stop()
        self._trainer.ask_to_end()
        self._install_watch.stop()
        for process in (self._lister, self._exporter, self._checker):  # an installation is not left half
            process.kill()
        self._scratch.cleanup()

    # What it does

    def _train(self, folder: Path, options: Sequence[str], first_step: int) -> Path | None:
        arguments = ["train", *options, "--runs", str(self.runs.absolute()), "--stop-with-stdin"]
        output = folder / OUTPUT
        self._output_start = output.stat().st_size if output.is_file() else 0
        if not self._begin(self._trainer, arguments, output):
            return None
        self.training, self.ending, self._first_step = folder, False, first_step
        self._time_left = TimeLeft()
        self._watch.start()
        self.changed.emit()
        return folder

    def _begin(self, process: OwnProcess, arguments: Sequence[str], output: Path) -> bool:
        try:
            process.start(arguments, output, self.runs.parent)
        except UnderstudyError as error:
            self.failed.emit(error)
            return False
        return True

    def _read_training(self) -> None:
        folder = self.training
        if folder is None or self._reading:
            return
        self._reading = True

        def read() -> RunState | None:
            try:
                return read_run(folder)
            finally:
                self._reading = False

        self._background.run(read, self._on_read)

    def _on_runs(self, folder: Path, runs: list[RunState]) -> None:
        asked, self._looking = not self._looking, False
        if folder != self.runs:  # another was chosen meanwhile
            return
        if asked or runs != self._known:
            self._known = runs
            self.runs_found.emit(runs)

    def _on_read(self, run: RunState | None) -> None:
        if run is None or run.folder != self.training:
            return
        if run.step > self._first_step:  # what lies before it was done in another session
            self._time_left.note(run.step)
        self.run_read.emit(run)

    def _on_listed(self, code: int) -> None:
        try:
            if code != 0:
                raise _failure("The list of recipes", code, read_tail(self._list_log))
            self._listed = True
            self.recipes_listed.emit(read_recipes(self._recipes_file))
        except UnderstudyError as error:
            self.unavailable.emit(error)

    def _begin_check(self) -> None:
        recipe, changes = self._checks[0]
        with suppress(OSError):
            self._check_log.unlink(missing_ok=True)
        arguments = ["train", recipe.name, "--show", "--json", str(self._check_file)]
        arguments += [f"--set={change}" for change in changes]
        try:
            self._checker.start(arguments, self._check_log, self.runs.parent)
        except UnderstudyError as error:
            self._checks.clear()
            self.checked.emit(error)

    def _on_checked(self, code: int) -> None:
        recipe, _ = self._checks.pop(0)
        if self._checks:  # something else was typed meanwhile
            self._begin_check()
            return
        try:
            if code != 0:
                raise _failure("The check of the changes", code, read_tail(self._check_log))
            self.checked.emit(read_changed(self._check_file, recipe))
        except UnderstudyError as error:
            self.checked.emit(error)

    def _read_installation(self) -> None:
        self.installing.emit(read_tail(self._install_log).rpartition("\n")[2])

    def _on_installed(self, code: int) -> None:
        self._install_watch.stop()
        if code == 0:
            self.list_recipes()
        else:
            self.unavailable.emit(_failure("The installation", code, read_tail(self._install_log)))

    def _on_trained(self, code: int) -> None:
        folder, asked = self.training, self.ending
        self.training, self.ending = None, False
        self._watch.stop()
        assert folder is not None
        output = read_tail(folder / OUTPUT, self._output_start)
        if not (folder / RECIPE_FILE).exists():  # it never began
            with suppress(OSError):
                (folder / OUTPUT).unlink(missing_ok=True)
                if not is_locked(folder / LOCK):  # by another program that begins this moment
                    (folder / LOCK).unlink(missing_ok=True)
                folder.rmdir()
        if code not in (0, *INTERRUPTED) and not asked:
            self.failed.emit(_failure("The training", code, output))
        self.changed.emit()
        self.refresh()

    def _on_exported(self, code: int) -> None:
        self.exporting = None
        self.changed.emit()
        if code == 0:
            self._models[self._source] = str(self._target)
            self.exported.emit(str(self._target))
        else:
            self.failed.emit(_failure("The export", code, read_tail(self._export_log)))


class TimeLeft:
    """How long a run will take, from how fast it went so far; `clock` gives seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque(maxlen=REMEMBERED)

    def note(self, step: int) -> None:
        """Say at which step the run is."""
        if not self._seen or step != self._seen[-1][1]:
            self._seen.append((self._clock(), step))

    def seconds(self, steps: int) -> float | None:
        """Return how long it will take until step `steps`; None before the speed is known."""
        if len(self._seen) < 2:
            return None
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        if last <= first or now <= began:
            return None
        pace = (now - began) / (last - first)
        return max(0.0, (steps - last) * pace - (self._clock() - now))


def _version_of(checkpoint: Path | None) -> tuple[str, float]:
    """Return the path of a checkpoint and when it was written; 0 where it is gone, which the export reports."""
    with suppress(OSError):
        return str(checkpoint), 0.0 if checkpoint is None else checkpoint.stat().st_mtime
    return str(checkpoint), 0.0


def _failure(what: str, code: int, output: str) -> ProcessError:
    """Return the error that a verb reported before it failed, or that it broke off."""
    reported = reported_error(output)
    if reported is not None:
        return reported
    if code > 0 and not output:
        why = "what it says could not be written either, as on a full disk"
        fix = "make room on the disk or choose another folder for the runs, and try again"
        return ProcessError(f"{what} ended without a word (exit code {code})", why, fix)
    if code < 0:
        how, why = f"ended by signal {-code}", "it was ended from outside, often because the memory was full"
    else:
        last = output.rpartition("\n")[2].strip()
        how, why = f"exit code {code}" + (f": {last}" if last else ""), "a fault of the program"
    fix = "look at the last lines of its output, and try again; a training goes on from its last checkpoint"
    return ProcessError(f"{what} broke off ({how})", why, fix)


def _no_data() -> UsageError:
    return UsageError(
        "No folder of packs is chosen",
        "a training needs pictures of faces with their landmarks",
        "choose the folder at the left; “understudy data” makes packs of the official data sets",
    )


def _no_pictures() -> UsageError:
    return UsageError(
        "No folder of pictures is chosen",
        "this recipe learns from the faces in your own pictures",
        "choose the folder at the left; a hundred pictures of the people whom the model shall know are a beginning",
    )


def _at_work() -> UsageError:
    return UsageError(
        "A training or an export is already running",
        "it was started a moment ago, and one at a time uses the whole machine",
        "wait until it has ended, or stop it",
    )
