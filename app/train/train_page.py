"""The page on which models are trained: a recipe at the left, the runs below it, one run at the right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QListWidget, QStackedWidget, QVBoxLayout, QWidget

from app.settings.schema import TrainChoices
from app.shell.banner import Banner
from app.theme.theme import GAP, MARGIN
from app.train.controller import TrainingController, TrainingKit, usual_kit
from app.train.form import TrainingForm
from app.train.log_reader import RunState, run_label
from app.train.recipes import RecipeFacts
from app.train.run_view import Doing, TrainingRunView
from app.widgets.controls import make_button
from app.widgets.file_dialogs import ask_for_folder
from app.widgets.page_parts import fill_page, make_heading, make_title, make_words
from app.widgets.two_lines import KIND, add_row, prepare_list
from engine.core.errors import UnderstudyError

translate = QCoreApplication.translate  # under the name that lupdate looks for
LEFT_WIDTH = 300  # logical pixels
FOLDER = Qt.ItemDataRole.UserRole + 1


class TrainPage(QWidget):
    """Starts, shows, stops and resumes trainings, and makes models of them.

    Args:
        choices: what was chosen last.
        kit: what trainings need of the machine; None for what this installation has.
    """

    load_wanted = Signal(str)  # path of a model that was just exported
    choices_changed = Signal(object)  # TrainChoices, to be remembered
    busy_changed = Signal(bool)

    def __init__(
        self, choices: TrainChoices | None = None, kit: TrainingKit | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        kit, choices = kit or usual_kit(), choices or TrainChoices()
        self._chosen_runs = choices.runs
        self._runs: dict[Path, RunState] = {}
        self._was_busy = False
        self.controller = TrainingController(kit, choices.runs or kit.runs, self)
        self.banner, self.form, self.run_view = Banner(), TrainingForm(choices), TrainingRunView()
        self._make_parts()
        self._lay_out()
        self._connect()
        self._show_chosen()

    @property
    def busy(self) -> bool:
        """Whether a training is at work."""
        return self.controller.training is not None

    @property
    def choices(self) -> TrainChoices:
        """What is to be remembered."""
        return TrainChoices(self.form.recipe_name, self.form.data_folder, self._chosen_runs)

    def close_down(self) -> None:
        """End what goes on in the background; a training saves and ends on its own, also after the window is gone."""
        self.controller.close_down()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.controller.list_recipes()
        self.controller.refresh()

    # What it is made of

    def _make_parts(self) -> None:
        self.runs = QListWidget()
        prepare_list(self.runs, self.tr("Runs"), self.tr("Trainings at work, finished and stopped"))
        self.no_runs = make_words(self.tr("Looking for runs …"), quiet=True)
        self.choose_runs = make_button(self.tr("Folder of the runs …"), "")
        self.nothing = make_words(_invitation())
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._rest = QWidget()  # takes the room of the list while that is empty
        self.runs.hide()
        self._right = QStackedWidget()
        self._right.addWidget(self.nothing)
        self._right.addWidget(self.run_view)
        self._name_runs_folder()

    def _lay_out(self) -> None:
        column = QWidget()
        column.setFixedWidth(LEFT_WIDTH)
        left = QVBoxLayout(column)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(GAP)
        left.addWidget(make_title(self.tr("Train")))
        left.addSpacing(GAP)
        left.addWidget(self.form)
        left.addSpacing(MARGIN - GAP)
        left.addWidget(make_heading(self.tr("Runs")))
        left.addWidget(self.no_runs)
        left.addWidget(self.runs, 1)
        left.addWidget(self._rest, 1)
        left.addWidget(self.choose_runs)
        fill_page(self, column, self._right, self.banner)

    def _connect(self) -> None:
        controller, view = self.controller, self.run_view
        controller.recipes_listed.connect(self._on_recipes)
        controller.unavailable.connect(self._on_unavailable)
        controller.runs_found.connect(self._on_runs)
        controller.run_read.connect(self._on_run)
        controller.changed.connect(self._on_changed)
        controller.failed.connect(self.banner.show_error)
        controller.exported.connect(self.load_wanted)
        self.form.changed.connect(lambda: self.choices_changed.emit(self.choices))
        self.form.start_wanted.connect(self._start)
        self.runs.currentRowChanged.connect(lambda _: self._show_chosen())
        self.choose_runs.clicked.connect(self.ask_for_runs)
        view.stop_wanted.connect(controller.stop)
        view.kill_wanted.connect(controller.kill)
        view.resume_wanted.connect(self._resume)
        view.export_wanted.connect(self._export)

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
            self._choose(self.controller.start(recipe.name, self.form.data_folder, self.form.change_lines))

    def _resume(self) -> None:
        run = self._runs.get(self._folder() or Path())
        if run is not None:
            self.banner.hide()
            self.controller.resume(run, self.form.data_folder)

    def _export(self, role: str) -> None:
        run = self._runs.get(self._folder() or Path())
        if run is not None:
            self.banner.hide()
            self.controller.export(run, role)

    # What is reported

    def _on_recipes(self, recipes: list[RecipeFacts]) -> None:
        self.form.set_recipes(recipes)
        self.nothing.setText(_invitation())
        self._show_chosen()

    def _on_unavailable(self, error: UnderstudyError) -> None:
        self.form.show_unavailable(error)
        self.nothing.setText(self.tr("No training can be started here."))
        self._show_chosen()

    def _on_runs(self, runs: list[RunState]) -> None:
        self._runs = {run.folder: run for run in runs}
        self.no_runs.setText(self.tr("No run in this folder yet."))
        self._fill(self._folder())

    def _on_run(self, run: RunState) -> None:
        self._runs[run.folder] = run
        item = self.runs.item(self._folders().index(run.folder)) if run.folder in self._folders() else None
        if item is not None:
            item.setData(KIND, self._kind(run.folder))
        if run.folder == self._folder():
            self._show_chosen()

    def _on_changed(self) -> None:
        self._fill(self._folder())
        if self.busy != self._was_busy:
            self._was_busy = self.busy
            self.busy_changed.emit(self.busy)

    # The list of runs

    def _fill(self, chosen: Path | None) -> None:
        """List the runs, that at work first, and choose one by its folder."""
        folders = list(self._runs)
        if self.controller.training is not None and self.controller.training not in self._runs:
            folders.insert(0, self.controller.training)
        self.runs.blockSignals(True)
        self.runs.clear()
        for row, folder in enumerate(folders):
            add_row(self.runs, run_label(folder, self.controller.runs), self._kind(folder), str(folder))
            self.runs.item(row).setData(FOLDER, str(folder))
        if folders:
            self.runs.setCurrentRow(folders.index(chosen) if chosen in folders else 0)
        self.runs.blockSignals(False)
        self.no_runs.setVisible(not folders)
        self.runs.setVisible(bool(folders))
        self._rest.setVisible(not folders)
        self._show_chosen()

    def _choose(self, folder: Path | None) -> None:
        if folder is not None:
            self._fill(folder)

    def _folders(self) -> list[Path]:
        return [Path(self.runs.item(row).data(FOLDER)) for row in range(self.runs.count())]

    def _folder(self) -> Path | None:
        """Return the folder of the chosen run."""
        item = self.runs.currentItem()
        return None if item is None else Path(item.data(FOLDER))

    def _kind(self, folder: Path) -> str:
        run = self._runs.get(folder)
        if run is None:
            return self.tr("starting")
        steps = self.tr("{0} of {1} steps").format(run.step, run.steps)
        if folder == self.controller.training:
            return self.tr("training · {0}").format(steps)
        if run.finished:
            best = "" if run.best_error is None else f" · NME {run.best_error:.2f} %"
            return self.tr("finished") + best
        return self.tr("stopped · {0}").format(steps)

    def _show_chosen(self) -> None:
        folder, controller = self._folder(), self.controller
        can_train = self.form.recipe is not None
        self.form.allow(can_train and not controller.busy)
        self._right.setCurrentIndex(0 if folder is None else 1)
        if folder is None:
            return
        run = self._runs.get(folder)
        left = None if run is None or folder != controller.training else controller.seconds_left(run.steps)
        name = run_label(folder, controller.runs)
        self.run_view.show_run(name, run, self._doing(folder), left, can_train and not controller.busy)

    def _doing(self, folder: Path) -> Doing:
        if folder == self.controller.training:
            return Doing.ENDING if self.controller.ending else Doing.TRAINING
        return Doing.EXPORTING if folder == self.controller.exporting else Doing.NOTHING

    def _name_runs_folder(self) -> None:
        self.choose_runs.setToolTip(self.tr("Runs are kept in {0}").format(self.controller.runs))


def _invitation() -> str:
    return translate("train_page", "Choose a recipe and a folder of packs at the left, then start a training.")
