"""What a training begins with: recipe, data, and changes of the recipe. What is wrong with a field stands below it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.settings.schema import TrainChoices
from app.theme.theme import GAP, MARGIN
from app.train.log_reader import RecipeFacts
from app.widgets.controls import CheckBox, Picker, make_button, named
from app.widgets.file_dialogs import ask_for_folder
from app.widgets.page_parts import (
    make_heading,
    make_text,
    make_words,
    make_wrong_words,
    show_wrong,
    side_by_side,
    stack,
)
from engine.core.errors import UnderstudyError, UsageError
from engine.formats.images import PICTURE_SUFFIXES

CHANGES_LINES = 3
CHANGES_EXAMPLE = "batch=32\nseed=1"  # in which the stages of no recipe differ
TYPING_MS = 700  # without a key, after which the trainer is asked about the changes
MOST_FILES = 2000  # of a folder, that are looked at for a picture
PACKS, PICTURES, SAMPLE = "packs", "pictures", "sample"


class TrainingForm(QWidget):
    """Asks for a recipe, the folder of the packs or of one's own pictures, and changes.

    Args:
        choices: what was chosen last.
    """

    changed = Signal()  # recipe or data
    changes_typed = Signal()  # the trainer is to be asked about recipe and changes

    def __init__(self, choices: TrainChoices) -> None:
        super().__init__()
        self._wanted = choices.recipe
        self._recipes: list[RecipeFacts] = []
        self._changed_recipe: RecipeFacts | None = None  # as the changes make it
        self._trained: frozenset[str] = frozenset()  # recipes of which there is a finished run
        self._folders = {PACKS: str(choices.data or ""), PICTURES: str(choices.pictures or "")}
        self._made_of = PACKS
        self._typing = QTimer(self, interval=TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self.changes_typed)
        self._make_controls()
        self._lay_out()
        self.recipes.activated.connect(self._on_chosen)
        self.recipes.currentIndexChanged.connect(lambda _: self._show_facts())
        self.data.textChanged.connect(self._on_folder)
        self.data.editingFinished.connect(self.changed)
        self.choose_data.clicked.connect(self.ask_for_data)
        self.changes.textChanged.connect(self._on_changes)
        self.teachers.toggled.connect(lambda _: self._show_facts())
        self._show_facts()

    @property
    def recipe(self) -> RecipeFacts | None:
        """The chosen recipe, without changes."""
        row = self.recipes.currentData()
        return None if row is None else self._recipes[row]

    @property
    def recipe_name(self) -> str | None:
        """The name of the chosen recipe, also while the list is on its way."""
        return self._wanted if self.recipe is None else self.recipe.name

    @property
    def data_folder(self) -> Path | None:
        """The folder of the packs."""
        return _path(self._folders[PACKS])

    @property
    def pictures_folder(self) -> Path | None:
        """The folder of one's own pictures."""
        return _path(self._folders[PICTURES])

    @property
    def change_lines(self) -> list[str]:
        """The changes, each `key=value`."""
        lines = (line.strip() for line in self.changes.toPlainText().splitlines())
        return [line.removeprefix("--set ").strip() for line in lines if line]

    def set_recipes(self, recipes: Sequence[RecipeFacts]) -> None:
        """List these recipes in their groups."""
        self._recipes = list(recipes)
        self.recipes.blockSignals(True)
        self.recipes.clear()
        group = ""
        for row in sorted(range(len(recipes)), key=lambda row: self._place_of(recipes[row].group)):
            facts = recipes[row]
            if facts.group != group:
                group = facts.group
                self.recipes.add(self._group_words().get(group, group), None, "", usable=False)
            self.recipes.add(facts.name, row, facts.description)
        known = [row for row, facts in enumerate(recipes) if self._wanted in (facts.name, *facts.former_names)]
        rows = [self.recipes.itemData(place) for place in range(self.recipes.count())]
        first = next((row for row in rows if row is not None), None)
        self.recipes.setCurrentIndex(-1 if first is None else rows.index(known[-1] if known else first))
        self.recipes.blockSignals(False)
        self._hide_installation()
        self._allow_input(True)
        self._show_facts()

    def ask_for_data(self) -> None:
        """Let the user choose the folder of the packs, or of the pictures."""
        ask_for_folder(self, self.choose_data.toolTip(), self._on_data, self.data.text())

    def show_unavailable(self, error: UnderstudyError) -> None:
        """Say why nothing can be trained here."""
        self._allow_input(False)
        self.about.setText(str(error))
        self._hide_installation()
        self._keep_heights()

    def offer_installation(self, download: float, disk: float) -> None:
        """Offer to install the trainer, which takes so many GB."""
        self.install.setText(self.tr("Install the trainer ({0} GB)").format(f"{download:g}"))
        self.install.setEnabled(True)
        self.install.show()
        words = self.tr("{0} GB are downloaded; on the disk it takes {1} GB.")
        self.install_words.setText(words.format(f"{download:g}", f"{disk:g}"))
        self.install_words.show()
        self._keep_heights()

    def show_installing(self, line: str) -> None:
        """Show the last line of what pip says."""
        self.install.setEnabled(False)
        self.about.setText(self.tr("The trainer is being installed; this takes minutes.") + f"\n{line}")
        self._keep_heights()

    def show_changed(self, recipe: RecipeFacts) -> None:
        """Show the recipe as the changes make it."""
        self._changed_recipe = recipe
        self._show_facts()

    def show_trained(self, recipes: Iterable[str]) -> None:
        """Count the weights of these recipes as there."""
        self._trained = frozenset(recipes)
        self._show_facts()

    def show_wrong_changes(self, error: UnderstudyError | None) -> None:
        """Say below the changes what is wrong with them."""
        show_wrong(self.wrong_changes, error)
        self._keep_heights()

    def show_busy(self, busy: bool) -> None:
        """Say below the button that another training waits until the one at work has ended."""
        words = self.tr("A training or an export is running. Another one can begin when it has ended or was stopped.")
        self.start_words.setText(words)
        self.start_words.setVisible(busy)
        self._keep_heights()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_heights()

    def _keep_heights(self) -> None:
        """Let no words be cut where the page is low: it scrolls then. Qt asks wrapped words for too little."""
        for label in self.findChildren(QLabel):
            if label.wordWrap():
                label.setMinimumHeight(max(0, label.heightForWidth(self.width())))

    def _hide_installation(self) -> None:
        for part in (self.install, self.install_words):
            part.hide()

    def _allow_input(self, allowed: bool) -> None:
        for part in (self.recipes, self.data, self.choose_data, self.changes, self.teachers):
            part.setEnabled(allowed)

    def _make_controls(self) -> None:
        self.recipes = Picker(self.tr("Recipe"), self.tr("What is trained, and how"))
        self.recipes.setMaxVisibleItems(24)
        self.about = make_words(self.tr("Asking the trainer for its recipes …"))
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)  # advice may be a command
        self.install = make_button("", self.tr("Download and install what trainings need"))
        self.install_words = make_words(quiet=True)
        self.sizes = make_words(quiet=True)
        self.wrong_recipe, self.wrong_data, self.wrong_changes = (make_wrong_words() for _ in range(3))
        self.data = named(QLineEdit(), "", "")
        self.data.setPlaceholderText(self.tr("none chosen"))
        self.choose_data = make_button(self.tr("Choose …"), "")
        self.data_words = make_words(quiet=True)
        how = self.tr("One change a line, such as batch=32, or base.steps=500 for one stage")
        self.changes = named(make_text(CHANGES_LINES), self.tr("Changes of the recipe"), how)
        self.changes.setPlaceholderText(CHANGES_EXAMPLE)
        needed = self.tr("First train the teachers and initial weights that are missing, and label packs by them")
        self.teachers = CheckBox(self.tr("Train missing teachers first"), needed)
        self.start = make_button(self.tr("Start training"), self.tr("Train in a process of its own"))
        self.start_words = make_words(quiet=True)
        self._hide_installation()

    def _lay_out(self) -> None:
        self.data_heading = make_heading()
        folder = side_by_side(self.data, self.choose_data)
        folder.setStretch(0, 1)
        about = (self.about, self.install, self.install_words, self.sizes, self.wrong_recipe)
        recipe = (make_heading(self.tr("Recipe")), self.recipes, *about, MARGIN - GAP)
        data = (self.data_heading, folder, self.data_words, self.wrong_data, MARGIN - GAP)
        changes = (make_heading(self.tr("Changes")), self.changes, self.wrong_changes, self.teachers, MARGIN - GAP)
        stack(*recipe, *data, *changes, self.start, self.start_words, whole=self)

    def _place_of(self, group: str) -> int:
        groups = list(self._group_words())
        return groups.index(group) if group in groups else len(groups)

    def _group_words(self) -> dict[str, str]:
        return {
            "start": self.tr("Start here: no data set is needed"),
            "students": self.tr("Students"),
            "teachers": self.tr("Teachers"),
            "papers": self.tr("The systems of the papers"),
        }

    def _on_chosen(self) -> None:
        self._wanted = self.recipe_name
        self._on_changes()
        self.changed.emit()

    def _on_data(self, folder: str) -> None:
        self.data.setText(folder)
        self.changed.emit()

    def _on_folder(self, text: str) -> None:
        self._folders[self._made_of] = text
        self._show_data()

    def _on_changes(self) -> None:
        """Look at the changes: at once whether they have the form of some, and after a while by the trainer."""
        self._changed_recipe = None
        wrong = [line for line in self.change_lines if "=" not in line]
        self.show_wrong_changes(_no_change(wrong[0]) if wrong else None)
        self._typing.stop()
        if self.change_lines and not wrong:
            self._typing.start()
        self._show_facts()

    def _show_facts(self) -> None:
        recipe = self._changed_recipe or self.recipe
        if recipe is not None:
            self.about.setText(recipe.description)
            sizes = self.tr("{0} points · {1} pixels · {2} steps of {3} faces · begins with {4}")
            steps = " + ".join(f"{steps:,}" for steps in recipe.steps)
            known = {"random": self.tr("random weights"), "imagenet": self.tr("ImageNet weights")}
            init = known.get(recipe.init, recipe.init)
            self.sizes.setText(sizes.format(recipe.points, recipe.input_size, steps, recipe.batch, init))
        self.sizes.setVisible(recipe is not None)
        needed = () if recipe is None or self.teachers.isChecked() else recipe.missing
        missing = [name for name in needed if name.partition(":")[0] not in self._trained]
        show_wrong(self.wrong_recipe, _missing_weights(missing) if missing else None)
        self._show_kind(PACKS if recipe is None else recipe.made_of)
        self._show_data()

    def _show_kind(self, made_of: str) -> None:
        """Let the field of the data ask for what the recipe is made of."""
        self._made_of = made_of
        own = made_of == PICTURES
        self.data_heading.setText(self.tr("Your pictures") if own else self.tr("Data"))
        name = self.tr("Folder of your pictures") if own else self.tr("Folder of the packs")
        packs = self.tr("A folder that holds the data sets, each in a folder of its own")
        pictures = self.tr("Pictures with faces, in this folder and those in it; they stay as they are")
        named(self.data, name, pictures if own else packs)
        choose = self.tr("Choose the folder of your pictures") if own else self.tr("Choose the folder of the packs")
        self.choose_data.setToolTip(choose)
        for part in (self.data, self.choose_data):
            part.setVisible(made_of != SAMPLE)
        self.teachers.setVisible(made_of == PACKS)
        text = self._folders.get(made_of, "")
        if text != self.data.text():
            self.data.blockSignals(True)
            self.data.setText(text)
            self.data.blockSignals(False)

    def _show_data(self) -> None:
        recipe = self._changed_recipe or self.recipe
        words, error = "", None
        if self._made_of == SAMPLE:
            words = self.tr("Nothing is needed: 360 frames of the sample are rendered first, 29 MB.")
        elif self._made_of == PICTURES:
            words = self.tr(
                "The teacher labels the faces in them first, a few pictures a second. A hundred are a beginning."
            )
            error = _wrong_pictures(self.pictures_folder)
        elif recipe is not None and self.data_folder is not None:
            error = _wrong_packs(self.data_folder, recipe.packs)
            words = self.tr("All packs of the recipe are there ({0}).").format(len(recipe.packs))
        if not self.data.text().strip() and self._made_of != SAMPLE:
            choose = self.tr("Choose the folder that holds the packs.")
            words, error = words if self._made_of == PICTURES else choose, None
        self.data_words.setText(words if error is None else "")
        self.data_words.setVisible(error is None)
        show_wrong(self.wrong_data, error)
        self._keep_heights()


def _path(text: str) -> Path | None:
    return Path(text.strip()).expanduser() if text.strip() else None


def _no_change(line: str) -> UsageError:
    return UsageError(f"“{line}” is no change", "the form is key=value", "write for instance steps=500")


def _missing_weights(names: Sequence[str]) -> UsageError:
    return UsageError(
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not there",
        "this recipe begins with such weights or learns from them, and no run or model is called so",
        "tick “Train missing teachers first”, or begin with another recipe",
    )


def _wrong_packs(folder: Path, packs: Sequence[str]) -> UsageError | None:
    """Return what is wrong with the folder of the packs, if anything."""
    if not folder.is_dir():
        return UsageError("There is no such folder", "it was moved, or its name is mistyped", "choose another one")
    missing = [name for name in packs if not (folder / name).is_dir()]
    if not missing:
        return None
    return UsageError(
        f"Missing there: {', '.join(missing)}",
        "the recipe learns from these packs",
        "choose another folder, name your packs with packs=[…] below, or take a recipe that needs none",
    )


def _wrong_pictures(folder: Path | None) -> UsageError | None:
    """Return what is wrong with the folder of one's own pictures, if anything."""
    if folder is None:
        return None
    if not folder.is_dir():
        return UsageError("There is no such folder", "it was moved, or its name is mistyped", "choose another one")
    files = (name for _, _, names in os.walk(folder) for name in names)
    if any(Path(name).suffix.lower() in PICTURE_SUFFIXES for name in islice(files, MOST_FILES)):
        return None
    return UsageError(
        "There is no picture in this folder",
        "none of its files has the ending of one, such as .jpg",
        "choose a folder with pictures of faces",
    )
