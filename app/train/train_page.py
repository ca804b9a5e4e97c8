"""The page on which models are trained: a recipe at the left, the runs below it, one run at the right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget

from app.settings.schema import TrainChoices
from app.shell.banner import Banner
from app.theme.theme import GAP, MARGIN
from app.train.controller import TrainingController, TrainingKit, usual_kit
from app.train.form import TrainingForm
from app.train.log_reader import RecipeFacts, RunState, run_label
from app.train.run_view import Doing, TrainingRunView
from app.widgets.controls import make_button
from app.widgets.file_dialogs import ask_for_folder
from app.widgets.page_parts import fill_page, make_heading, make_title, make_words, stack
from app.widgets.two_lines import KIND, TwoLineList
from engine.core.errors import UnderstudyError

LEFT_WIDTH = 300  # logical pixels
LOOK_MS = 5000  # between two looks at what other programs train, while the page is seen


class TrainPage(QWidget):
    """Starts, shows, stops and resumes trainings, and makes models of them.

    Args:
        choices: what was chosen last.
        kit: what trainings need of the machine; None for what this installation has.
        parent: as of every widget.
    """

    load_wanted = Signal(str)  # path of a model that was just exported
    choices_changed = Signal(object)  # TrainChoices, to be remembered

    def __init__(
        self, choices: TrainChoices | None = None, kit: TrainingKit | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        kit, choices = kit or usual_kit(), choices or TrainChoices()
        self._chosen_runs = choices.runs
        self._runs: dict[Path, RunState] = {}
        self.controller = TrainingController(kit, choices.runs or kit.runs, self)
        self.banner, self.form, self.run_view = Banner(), TrainingForm(choices), TrainingRunView()
        self._make_parts()
        self._connect()
        self._show_chosen()

    @property
    def busy(self) -> bool:
        """Whether a training is at work."""
        return self.controller.training is not None

    @property
    def choices(self) -> TrainChoices:
        """What is to be remembered."""
        form = self.form
        return TrainChoices(form.recipe_name, form.data_folder, self._chosen_runs, form.pictures_folder)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.controller.list_recipes()
        self.controller.refresh()
        self._watch.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._watch.stop()
        super().hideEvent(event)

    # What it is made of

    def _make_parts(self) -> None:
        self.runs = TwoLineList(self.tr("Runs"), self.tr("Running, finished and stopped trainings"))
        self.no_runs = make_words(self.tr("Looking for runs …"), quiet=True)
        self.choose_runs = make_button(self.tr("Folder of the runs …"), "")
        self._name_runs_folder()
        self._invitation = self.tr("Choose a recipe at the left and what it learns from, then start a training.")
        self.nothing = make_words(self._invitation)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        left, self._right = QWidget(), QStackedWidget()
        left.setFixedWidth(LEFT_WIDTH)
        fill_page(self, left, self._right, self.banner)
        self._right.addWidget(self.nothing)
        self._right.addWidget(self.run_view)
        self.runs.hide()
        self._rest = QWidget()  # takes the room of the list while that is empty
        self._rest.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        form = (make_title(self.tr("Train")), GAP, self.form, MARGIN - GAP)
        runs = (make_heading(self.tr("Runs")), self.no_runs, self.runs, self._rest, self.choose_runs)
        stack(*form, *runs, expanding=self.runs, whole=left)

    def _connect(self) -> None:
        controller, view = self.controller, self.run_view
        self._watch = QTimer(self, interval=LOOK_MS)
        self._watch.timeout.connect(controller.look_again)
        controller.recipes_listed.connect(self._on_recipes)
        controller.unavailable.connect(self._on_unavailable)
        controller.checked.connect(self._on_checked)
        controller.installing.connect(self.form.show_installing)
        controller.runs_found.connect(self._on_runs)
        controller.run_read.connect(self._on_run)
        controller.changed.connect(lambda: self._fill(self._folder))
        controller.failed.connect(self.banner.show_error)
        controller.exported.connect(self.load_wanted)
        self.form.changed.connect(lambda: self.choices_changed.emit(self.choices))
        self.form.changes_typed.connect(self._check_changes)
        self.form.install.clicked.connect(controller.install)
        self.form.start.clicked.connect(self._start)
        self.runs.currentRowChanged.connect(lambda _: self._show_chosen())
        self.choose_runs.clicked.connect(self.ask_for_runs)
        view.stop.clicked.connect(controller.stop)
        view.kill.clicked.connect(controller.kill)
        view.resume.clicked.connect(self._resume)
        view.export.clicked.connect(self._export)

    # What users do

    def ask_for_runs(self) -> None:
        """Let the user choose the folder of the runs."""
        ask_for_folder(self, self.tr("Choose the folder of the runs"), self.use_runs_folder, str(self.controller.runs))

    def use_runs_folder(self, folder: str) -> None:
        """Keep runs in another folder, and show those that are there."""
        self._chosen_runs = self.controller.runs = Path(folder)
        self._name_runs_folder()
        self.choices_changed.emit(self.choices)
        self.controller.refresh()

    def _start(self) -> None:
        recipe = self.form.recipe
        if recipe is not None:
            self.banner.hide()
            form = self.form
            data = form.pictures_folder if recipe.made_of == "pictures" else form.data_folder
            folder = self.controller.start(recipe, data, form.change_lines, form.teachers.isChecked())
            if folder is not None:
                self._fill(folder)

    def _check_changes(self) -> None:
        if self.form.recipe is not None:
            self.controller.check(self.form.recipe, self.form.change_lines)

    def _resume(self) -> None:
        self.banner.hide()
        self.controller.resume(self._chosen_run(), self.form.data_folder, self.form.teachers.isChecked())

    def _export(self) -> None:
        self.banner.hide()
        self.controller.export(self._chosen_run(), str(self.run_view.role.currentData()))

    def _chosen_run(self) -> RunState:
        """Return the run whose buttons are pressed: they are shown for runs of which something is known."""
        folder = self._folder
        assert folder is not None
        return self._runs[folder]

    # What is reported

    def _on_checked(self, found: RecipeFacts | UnderstudyError) -> None:
        if isinstance(found, UnderstudyError):
            self.form.show_wrong_changes(found)
        else:
            self.form.show_changed(found)

    def _on_recipes(self, recipes: list[RecipeFacts]) -> None:
        self.form.set_recipes(recipes)
        self.nothing.setText(self._invitation)
        self._show_chosen()

    def _on_unavailable(self, error: UnderstudyError) -> None:
        self.form.show_unavailable(error)
        if self.controller.can_install:
            self.form.offer_installation(*self.controller.install_size)
        self.nothing.setText(self.tr("No training can be started here."))
        self._show_chosen()

    def _on_runs(self, runs: list[RunState]) -> None:
        self._runs = {run.folder: self._seen(run) for run in runs}
        self.form.show_trained(run_label(run.folder, self.controller.runs) for run in runs if run.finished)
        self.no_runs.setText(self.tr("No run in this folder yet."))
        self._fill(self._folder)

    def _on_run(self, run: RunState) -> None:
        self._runs[run.folder] = self._seen(run)
        for item in map(self.runs.item, range(self.runs.count())):
            if item.toolTip() == str(run.folder):
                item.setData(KIND, self._kind(run.folder))
        if run.folder == self._folder:
            self._show_chosen()

    def _seen(self, run: RunState) -> RunState:
        """Return a run as it is shown: `trained` by another program, and not by this window."""
        return replace(run, trained=run.trained and run.folder != self.controller.training)

    # The list of runs

    def _fill(self, chosen: Path | None) -> None:
        """List the runs, that at work first, and choose one by its folder."""
        folders = list(self._runs)
        if self.controller.training is not None and self.controller.training not in self._runs:
            folders.insert(0, self.controller.training)
        rows = [(run_label(folder, self.controller.runs), self._kind(folder), str(folder)) for folder in folders]
        self.runs.fill(rows, folders.index(chosen) if chosen in folders else 0)
        self.no_runs.setVisible(not folders)
        self.runs.setVisible(bool(folders))
        self._rest.setVisible(not folders)
        self._show_chosen()

    @property
    def _folder(self) -> Path | None:
        """The folder of the chosen run, which its row has as a tool tip."""
        item = self.runs.currentItem()
        return None if item is None else Path(item.toolTip())

    def _kind(self, folder: Path) -> str:
        run = self._runs.get(folder)
        if run is None:
            return self.tr("starting")
        steps = self.tr("{0} of {1} steps").format(run.step, run.steps)
        if folder == self.controller.training:
            return self.tr("training · {0}").format(steps)
        if run.trained:
            return self.tr("training elsewhere · {0}").format(steps)
        if run.finished:
            best = "" if run.best_error is None else f" · NME {run.best_error:.2f} %"
            return self.tr("finished") + best
        return self.tr("stopped · {0}").format(steps)

    def _show_chosen(self) -> None:
        folder, controller = self._folder, self.controller
        free = self.form.recipe is not None and not controller.busy
        self.form.start.setEnabled(free)
        self.form.show_busy(controller.busy)
        self._right.setCurrentIndex(0 if folder is None else 1)
        if folder is None:
            return
        run = self._runs.get(folder)
        left = None if run is None or folder != controller.training else controller.seconds_left(run.steps)
        name = run_label(folder, controller.runs)
        self.run_view.show_run(name, run, self._doing(folder), left, free)

    def _doing(self, folder: Path) -> Doing:
        if folder == self.controller.training:
            return Doing.ENDING if self.controller.ending else Doing.TRAINING
        if folder == self.controller.exporting:
            return Doing.EXPORTING
        return Doing.NOTHING

    def _name_runs_folder(self) -> None:
        self.choose_runs.setToolTip(self.tr("Runs are kept in {0}").format(self.controller.runs))
