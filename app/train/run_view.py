"""One training run: where it stands, its curves, what the trainer says, and what can be done with it."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QProgressBar, QWidget

from app.theme.theme import GAP, MARGIN
from app.train.curves import CurveChart
from app.train.log_reader import RunState
from app.widgets.controls import Picker, make_button, named
from app.widgets.page_parts import Chip, make_heading, make_text, make_title, make_words, side_by_side, stack
from engine.inference.card import ROLES

translate = QCoreApplication.translate  # under the name that lupdate looks for
OUTPUT_LINES = 5
MINUTE, HOUR = 60, 3600  # seconds


class Doing(Enum):
    """What is being done with a run now."""

    NOTHING = "nothing"
    TRAINING = "training"
    ENDING = "ending"  # it was asked to save and end
    EXPORTING = "exporting"


class TrainingRunView(QWidget):
    """Shows a run; the page connects its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.chip, self.words = make_title(), Chip(), make_words()
        self.bar = QProgressBar(textVisible=False)
        self.bar.setAccessibleName(self.tr("Progress of the training"))
        self.loss = CurveChart(self.tr("Loss of training"))
        self.error = CurveChart(self.tr("NME of validation"), " %")
        last_lines = self.tr("The last lines of the trainer's output")
        self.output = named(make_text(OUTPUT_LINES, fixed=True), self.tr("What the trainer says"), last_lines)
        self.output.setReadOnly(True)
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
        step, steps = (0, 0) if run is None else (run.step, max(1, run.steps))
        waiting = doing is Doing.EXPORTING or (doing is Doing.TRAINING and step == 0)
        self.bar.setMaximum(0 if waiting else steps)  # 0 makes the bar swing
        self.bar.setValue(step)
        self.loss.show_points(() if run is None else run.losses, steps)
        self.error.show_points(() if run is None else run.errors, steps)
        training, saved = doing in (Doing.TRAINING, Doing.ENDING), run is not None and run.saved_step is not None
        elsewhere = not training and run is not None and run.trained
        nothing = self.tr("Its output appears where it was started.") if elsewhere else self.tr("Nothing so far.")
        if nothing != self.output.placeholderText():
            self.output.setPlaceholderText(nothing)
            self.output.viewport().update()  # Qt does not by itself
        output = "" if run is None or elsewhere else run.output  # what an earlier session said is out of date
        if output != self.output.toPlainText():
            self.output.setPlainText(output)
            self.output.verticalScrollBar().setValue(self.output.verticalScrollBar().maximum())
        self.stop.setVisible(doing is Doing.TRAINING)
        self.kill.setVisible(doing is Doing.ENDING)
        self.resume.setVisible(not (training or elsewhere) and run is not None and saved and not run.finished)
        self.resume.setEnabled(free)
        for part in (self.role, self.export):
            part.setVisible(not training and saved)
            part.setEnabled(free)

    def _chip_words(self, run: RunState | None, doing: Doing) -> str:
        finished = run is not None and run.finished
        words = {
            Doing.TRAINING: self.tr("Training"),
            Doing.ENDING: self.tr("Saving …"),
            Doing.EXPORTING: self.tr("Exporting …"),
            Doing.NOTHING: self.tr("Finished") if finished else self.tr("Stopped"),
        }
        if doing is Doing.NOTHING and run is not None and run.trained:
            return self.tr("Training elsewhere")
        return words[doing]

    def _words(self, run: RunState | None, doing: Doing, seconds_left: float | None) -> str:
        if doing is Doing.EXPORTING:
            return self.tr("The checkpoint becomes a model and is compared with it. This takes about a minute.")
        if doing is Doing.ENDING:
            return self.tr("The training stops once the current step is saved.")
        if run is None or (doing is Doing.TRAINING and run.step == 0):
            return self.tr("The trainer starts, makes what it needs and reads the faces …")
        parts = [self.tr("Step {0} of {1}").format(run.step, run.steps)]
        if len(run.stages) > 1 and not run.finished:
            stage = self.tr("Stage {0} of {1}, {2}").format(run.stage + 1, len(run.stages), run.stage_name)
            parts.insert(0, stage)
        if doing is Doing.TRAINING:
            left = None if seconds_left is None else self.tr("{0} left").format(duration_words(seconds_left))
            parts.append(left or self.tr("time left not known yet"))
        elif run.trained:
            parts.append(self.tr("another window or terminal trains it"))
        elif run.saved_step is None:
            parts.append(self.tr("nothing was saved"))
        elif not run.finished:
            parts.append(self.tr("step {0} is saved").format(run.saved_step))
        if run.best_error is not None:
            parts.append(self.tr("best validation NME {0} %").format(f"{run.best_error:.3f}"))
        return " · ".join(parts)

    def _make_buttons(self) -> None:
        self.stop = make_button(self.tr("Stop"), self.tr("Save and end; the training can be resumed"))
        at_once = self.tr("End without saving; the checkpoint written last remains")
        self.kill = make_button(self.tr("End at once"), at_once)
        self.resume = make_button(self.tr("Resume"), self.tr("Go on from the last checkpoint"))
        self.role = Picker(self.tr("Role of the model"), self.tr("What the model's card calls it"))
        for role, words in zip(ROLES, (self.tr("as student"), self.tr("as teacher")), strict=True):
            self.role.addItem(words, role)
        self.role.setMinimumContentsLength(9)
        self.role.setMaximumWidth(150)
        into_lane = self.tr("Make a model of the last checkpoint and show it as the second lane")
        self.export = make_button(self.tr("Use in the live view"), into_lane)

    def _lay_out(self) -> None:
        head = side_by_side(self.name, self.chip, spacing=MARGIN)
        curves = side_by_side(self.loss, self.error, spacing=MARGIN)
        buttons = side_by_side(self.stop, self.kill, self.resume, self.export, self.role)
        for row in (head, buttons):
            row.addStretch(1)
        trainer = make_heading(self.tr("Trainer"))
        parts = (head, self.words, self.bar, GAP, curves, GAP, trainer, self.output, GAP, buttons)
        stack(*parts, expanding=curves, whole=self)


def duration_words(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < MINUTE:
        return translate("run_view", "less than a minute")
    if seconds < HOUR:
        return translate("run_view", "about {0} min").format(round(seconds / MINUTE))
    hours, rest = divmod(seconds, HOUR)
    return translate("run_view", "about {0} h {1} min").format(int(hours), int(rest / MINUTE))
