"""What a training begins with: recipe, data, and changes of the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.settings.schema import TrainChoices
from app.theme.theme import GAP, MARGIN
from app.train.log_reader import RecipeFacts
from app.widgets.controls import CheckBox, Picker, make_button, named
from app.widgets.file_dialogs import ask_for_folder
from app.widgets.page_parts import make_heading, make_text, make_words, side_by_side, stack
from engine.core.errors import UnderstudyError

CHANGES_LINES = 3
CHANGES_EXAMPLE = "batch=32\nseed=1"  # in which the stages of no recipe differ


class TrainingForm(QWidget):
    """Asks for a recipe, the folder of the packs and changes.

    Args:
        choices: what was chosen last.
    """

    changed = Signal()  # recipe or data

    def __init__(self, choices: TrainChoices) -> None:
        super().__init__()
        self._wanted = choices.recipe
        self._recipes: list[RecipeFacts] = []
        self._make_controls(choices)
        self._lay_out()
        self.recipes.activated.connect(self._on_chosen)
        self.data.textChanged.connect(self._show_facts)
        self.data.editingFinished.connect(self.changed)
        self.choose_data.clicked.connect(self.ask_for_data)
        self._show_facts()

    @property
    def recipe(self) -> RecipeFacts | None:
        """The chosen recipe."""
        row = self.recipes.currentIndex()
        return self._recipes[row] if 0 <= row < len(self._recipes) else None

    @property
    def recipe_name(self) -> str | None:
        """The name of the chosen recipe, also while the list is on its way."""
        return self._wanted if self.recipe is None else self.recipe.name

    @property
    def data_folder(self) -> Path | None:
        """The folder of the packs."""
        text = self.data.text().strip()
        return Path(text).expanduser() if text else None

    @property
    def change_lines(self) -> list[str]:
        """The changes, each `key=value`."""
        lines = (line.strip() for line in self.changes.toPlainText().splitlines())
        return [line.removeprefix("--set ").strip() for line in lines if line]

    def set_recipes(self, recipes: Sequence[RecipeFacts]) -> None:
        """List these recipes."""
        self._recipes = list(recipes)
        self.recipes.clear()
        for facts in self._recipes:
            self.recipes.add(facts.name, None, facts.description)
        self._allow_input(True)
        former = [row for row, facts in enumerate(recipes) if self._wanted in facts.former_names]
        self.recipes.setCurrentIndex(max(0 if recipes else -1, self.recipes.findText(self._wanted or ""), *former))
        self._show_facts()

    def ask_for_data(self) -> None:
        """Let the user choose the folder of the packs."""
        ask_for_folder(self, self.tr("Choose the folder of the packs"), self._on_data, self.data.text())

    def show_unavailable(self, error: UnderstudyError) -> None:
        """Say why nothing can be trained here."""
        self._allow_input(False)
        self.about.setText(str(error))

    def _allow_input(self, allowed: bool) -> None:
        for part in (self.recipes, self.data, self.choose_data, self.changes, self.teachers):
            part.setEnabled(allowed)

    def _make_controls(self, choices: TrainChoices) -> None:
        self.recipes = Picker(self.tr("Recipe"), self.tr("What is trained, and how"))
        self.about = make_words(self.tr("Asking the trainer for its recipes …"))
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)  # advice may be a command
        self.sizes = make_words(quiet=True)
        packs = self.tr("A folder that holds the data sets, each in a folder of its own")
        self.data = named(QLineEdit(str(choices.data or "")), self.tr("Folder of the packs"), packs)
        self.data.setPlaceholderText(self.tr("none chosen"))
        self.choose_data = make_button(self.tr("Choose …"), self.tr("Choose the folder of the packs"))
        self.data_words = make_words(quiet=True)
        how = self.tr("One change a line, such as batch=32, or base.steps=500 for one stage")
        self.changes = named(make_text(CHANGES_LINES), self.tr("Changes of the recipe"), how)
        self.changes.setPlaceholderText(CHANGES_EXAMPLE)
        needed = self.tr("First train the teachers and initial weights that are missing, and label packs by them")
        self.teachers = CheckBox(self.tr("Train missing teachers first"), needed)
        self.start = make_button(self.tr("Start training"), self.tr("Train in a process of its own"))

    def _lay_out(self) -> None:
        folder = side_by_side(self.data, self.choose_data)
        folder.setStretch(0, 1)
        recipe = (make_heading(self.tr("Recipe")), self.recipes, self.about, self.sizes, MARGIN - GAP)
        data = (make_heading(self.tr("Data")), folder, self.data_words, MARGIN - GAP)
        changes = (make_heading(self.tr("Changes")), self.changes, self.teachers, MARGIN - GAP)
        stack(*recipe, *data, *changes, self.start, whole=self)

    def _on_chosen(self) -> None:
        self._wanted = self.recipe_name
        self._show_facts()
        self.changed.emit()

    def _on_data(self, folder: str) -> None:
        self.data.setText(folder)
        self.changed.emit()

    def _show_facts(self) -> None:
        recipe = self.recipe
        if recipe is not None:
            self.about.setText(recipe.description)
            sizes = self.tr("{0} points · {1} pixels · {2} steps of {3} faces · begins with {4}")
            steps = " + ".join(f"{steps:,}" for steps in recipe.steps)
            known = {"random": self.tr("random weights"), "imagenet": self.tr("ImageNet weights")}
            init = known.get(recipe.init, recipe.init)
            self.sizes.setText(sizes.format(recipe.points, recipe.input_size, steps, recipe.batch, init))
        self.sizes.setVisible(recipe is not None)
        self.data_words.setText(self._data_words(recipe))

    def _data_words(self, recipe: RecipeFacts | None) -> str:
        folder = self.data_folder
        if folder is None:
            return self.tr("Choose the folder that holds the packs.")
        if not folder.is_dir():
            return self.tr("There is no such folder.")
        if recipe is None:
            return ""
        missing = [name for name in recipe.packs if not (folder / name).is_dir()]
        if not missing:
            return self.tr("All packs of the recipe are there ({0}).").format(len(recipe.packs))
        return self.tr("Missing there: {0}").format(", ".join(missing))
