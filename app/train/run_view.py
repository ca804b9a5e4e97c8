"""One training run: where it stands, its curves, what the trainer says, and what can be done with it."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

from app.theme.theme import GAP, MARGIN
from app.train.curves import CurveChart
from app.train.log_reader import RunState
from app.train.time_left import duration_words
from app.widgets.controls import Picker, make_button
from app.widgets.page_parts import Chip, make_heading, make_title, make_words
from engine.inference.card import ROLES

OUTPUT_LINES = 5


class Doing(Enum):
    """What is being done with a run now."""

    NOTHING = "nothing"
    TRAINING = "training"
    ENDING = "ending"  # it was asked to save and end
    EXPORTING = "exporting"


class TrainingRunView(QWidget):
    """Shows a run."""

    stop_wanted = Signal()
    kill_wanted = Signal()
    resume_wanted = Signal()
    export_wanted = Signal(str)  # role: student or teacher

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.chip, self.words = make_title(), Chip(), make_words()
        self.bar = QProgressBar()
        self.bar.setAccessibleName(self.tr("Progress of the training"))
        self.bar.setTextVisible(False)
        self.loss = CurveChart(self.tr("Loss of training"))
        self.error = CurveChart(self.tr("NME of validation"), " %")
        self.output = self._make_output()
        self._make_buttons()
        self._lay_out()

    def show_run(self, name: str, run: RunState | None, doing: Doing, seconds_left: float | None, free: bool) -> None:
        """Show a run.

        Args:
            name: of its folder.
            run: where it stands; None while its folder is empty.
            doing: what is done with it.
            seconds_left: how long it will take; None if that is not known.
            free: whether another process may be started.
        """
        self.name.setText(name)
        self.chip.setText(self._chip_words(run, doing))
        self.chip.updateGeometry()
        self.words.setText(self._words(run, doing, seconds_left))
        self._show_progress(run, doing)
        steps = run.steps if run is not None else 0
        self.loss.show_points(run.losses if run is not None else (), steps)
        self.error.show_points(run.errors if run is not None else (), steps)
        self._show_output(run.output if run is not None else "")
        training, saved = doing in (Doing.TRAINING, Doing.ENDING), run is not None and run.saved_step is not None
        self.stop.setVisible(doing is Doing.TRAINING)
        self.kill.setVisible(doing is Doing.ENDING)
        self.resume.setVisible(not training and run is not None and saved and not run.finished)
        self.resume.setEnabled(free)
        for part in (self.role, self.export):
            part.setVisible(not training and saved)
            part.setEnabled(free)

    def _show_progress(self, run: RunState | None, doing: Doing) -> None:
        waiting = doing is Doing.EXPORTING or (doing is Doing.TRAINING and (run is None or run.step == 0))
        # A maximum of 0 makes the bar swing.
        self.bar.setMaximum(0 if waiting or run is None else max(1, run.steps))
        self.bar.setValue(0 if run is None else run.step)

    def _show_output(self, text: str) -> None:
        if text == self.output.toPlainText():
            return
        self.output.setPlainText(text)
        self.output.verticalScrollBar().setValue(self.output.verticalScrollBar().maximum())

    def _chip_words(self, run: RunState | None, doing: Doing) -> str:
        if doing is Doing.TRAINING:
            return self.tr("Training")
        if doing is Doing.ENDING:
            return self.tr("Saving …")
        if doing is Doing.EXPORTING:
            return self.tr("Exporting …")
        if run is not None and run.finished:
            return self.tr("Finished")
        return self.tr("Stopped")

    def _words(self, run: RunState | None, doing: Doing, seconds_left: float | None) -> str:
        if doing is Doing.EXPORTING:
            return self.tr("The checkpoint becomes a model and is compared with it. This takes about a minute.")
        if doing is Doing.ENDING:
            return self.tr("The step at work is finished and saved; then the training ends.")
        if run is None or (doing is Doing.TRAINING and run.step == 0):
            return self.tr("The trainer starts and reads the faces …")
        parts = [self.tr("Step {0} of {1}").format(run.step, run.steps)]
        if len(run.stages) > 1 and not run.finished:
            stage = self.tr("Stage {0} of {1}, {2}").format(run.stage + 1, len(run.stages), run.stage_name)
            parts.insert(0, stage)
        if doing is Doing.TRAINING:
            left = self.tr("time left not known yet") if seconds_left is None else duration_words(seconds_left)
            parts.append(left if seconds_left is None else self.tr("{0} left").format(left))
        elif not run.finished:
            saved = self.tr("nothing was saved") if run.saved_step is None else None
            parts.append(saved or self.tr("step {0} is saved").format(run.saved_step))
        if run.best_error is not None:
            parts.append(self.tr("best NME of validation {0} %").format(f"{run.best_error:.3f}"))
        return " · ".join(parts)

    def _make_output(self) -> QPlainTextEdit:
        output = QPlainTextEdit()
        output.setReadOnly(True)
        output.setAccessibleName(self.tr("What the trainer says"))
        output.setToolTip(self.tr("The last lines of the trainer's output"))
        output.setPlaceholderText(self.tr("Nothing so far."))
        output.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        output.setTabChangesFocus(True)
        output.setFixedHeight(OUTPUT_LINES * output.fontMetrics().lineSpacing() + 3 * GAP)
        return output

    def _make_buttons(self) -> None:
        self.stop = make_button(self.tr("Stop"), self.tr("Save and end; the training can be resumed"))
        self.kill = make_button(
            self.tr("End at once"), self.tr("End without saving; the checkpoint written last remains")
        )
        self.resume = make_button(self.tr("Resume"), self.tr("Go on from the last checkpoint"))
        self.role = Picker()
        self.role.setAccessibleName(self.tr("Role of the model"))
        self.role.setToolTip(self.tr("What the model's card calls it"))
        for role, words in zip(ROLES, (self.tr("as student"), self.tr("as teacher")), strict=True):
            self.role.addItem(words, role)
        self.role.setMinimumContentsLength(9)
        self.role.setMaximumWidth(150)
        self.export = make_button(
            self.tr("Export and load as a lane"), self.tr("Make a model of the last checkpoint and show it live")
        )
        self.stop.clicked.connect(self.stop_wanted)
        self.kill.clicked.connect(self.kill_wanted)
        self.resume.clicked.connect(self.resume_wanted)
        self.export.clicked.connect(lambda: self.export_wanted.emit(str(self.role.currentData())))

    def _lay_out(self) -> None:
        head, curves, buttons = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.setSpacing(MARGIN)
        head.addWidget(self.name)
        head.addWidget(self.chip)
        head.addStretch(1)
        curves.setSpacing(MARGIN)
        curves.addWidget(self.loss)
        curves.addWidget(self.error)
        buttons.setSpacing(GAP)
        for button in (self.stop, self.kill, self.resume, self.export, self.role):
            buttons.addWidget(button)
        buttons.addStretch(1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(GAP)
        rows.addLayout(head)
        rows.addWidget(self.words)
        rows.addWidget(self.bar)
        rows.addSpacing(GAP)
        rows.addLayout(curves, 1)
        rows.addSpacing(GAP)
        rows.addWidget(make_heading(self.tr("Trainer")))
        rows.addWidget(self.output)
        rows.addSpacing(GAP)
        rows.addLayout(buttons)
