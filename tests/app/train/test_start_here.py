"""The page Train for somebody without data sets, packages or experience, on the stand-in for the trainer."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import Qt

from app.settings.schema import TrainChoices
from app.train.controller import TrainingKit
from app.train.log_reader import read_run
from tests.app.train.conftest import FAKE, PATIENCE, choose, train


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "holiday"
    (folder / "beach").mkdir(parents=True)
    (folder / "beach" / "us.JPG").touch()
    return folder


def output(page):
    return (page.controller.runs / page.runs.currentItem().text() / "output.txt").read_text()


def test_recipes_stand_in_groups_and_a_new_user_starts_with_ones_own_pictures(open_page):
    page = open_page(recipe=None)
    picker = page.form.recipes
    rows = [(picker.itemText(row), picker.itemData(row) is None) for row in range(picker.count())]
    assert rows == [
        ("Start here: no data set is needed", True),
        ("own", False),
        ("toy", False),
        ("Students", True),
        ("quick", False),
        ("slow", False),
        ("crash", False),
        ("refused", False),
        ("Teachers", True),
        ("staged", False),
        ("The systems of the papers", True),
        ("deaf", False),
    ]
    enabled = [bool(picker.model().item(row).flags() & Qt.ItemFlag.ItemIsEnabled) for row in range(picker.count())]
    assert enabled == [not heading for _, heading in rows], "a heading cannot be chosen"
    assert page.form.recipe.name == "own"


def test_ones_own_pictures_are_chosen_checked_and_given_to_the_trainer(open_page, qtbot, pictures, tmp_path):
    page = open_page("own", data=None)
    form = page.form
    assert form.data_heading.text() == "Your pictures"
    assert form.choose_data.toolTip() == "Choose the folder of your pictures"
    form.start.click()
    assert page.banner.text.startswith("No folder of pictures is chosen.")
    form.data.setText(str(tmp_path / "nowhere"))
    assert form.wrong_data.text().startswith("There is no such folder.")
    form.data.setText(str(tmp_path / "data"))
    assert form.wrong_data.text().startswith("There is no picture in this folder.")
    form.data.setText(str(pictures))
    assert not form.wrong_data.isVisible()
    train(page, qtbot)
    assert f"made of {pictures}" in output(page)
    data = read_run(page.controller.runs / "own").data
    assert data.parent == page.controller.runs / "packs"
    assert data.name.startswith("holiday-")
    other = tmp_path / "other" / "holiday"
    other.mkdir(parents=True)
    (other / "we.png").touch()
    form.data.setText(str(other))
    train(page, qtbot)
    assert read_run(page.controller.runs / "own-2").data != data, "folders of one name are not mixed"


def test_the_toy_asks_for_nothing(open_page, qtbot):
    page = open_page("toy", data=None)
    assert not page.form.data.isVisible()
    assert page.form.data_words.text().startswith("Nothing is needed: 360 frames of the sample")
    train(page, qtbot)
    assert "made of the sample" in output(page)
    assert read_run(page.controller.runs / "toy").data == page.controller.runs / "packs"
    assert page.banner.text == ""


def test_each_kind_of_data_is_remembered_for_itself(open_page, pictures, tmp_path):
    page = open_page("own")
    page.form.data.setText(str(pictures))
    choose(page, "quick")
    assert page.form.data.text() == str(tmp_path / "data")
    choose(page, "own")
    assert page.form.data.text() == str(pictures)
    assert page.choices == TrainChoices("own", tmp_path / "data", None, pictures)


def test_what_is_wrong_with_changes_stands_below_them_before_the_start(open_page, qtbot):
    page = open_page("quick")
    form = page.form
    form.changes.setPlainText("stepps")
    assert form.wrong_changes.text().startswith("“stepps” is no change. The form is key=value.")
    form.changes.setPlainText("stepps=3")
    assert not form.wrong_changes.isVisible()
    qtbot.waitUntil(form.wrong_changes.isVisible, timeout=PATIENCE)
    assert form.wrong_changes.text().startswith("“stepps=3” names no field. The fields here are: steps, seed.")
    form.changes.setPlainText('steps=7\npacks=[{"name": "mine"}]')
    qtbot.waitUntil(lambda: "7 steps of 4 faces" in form.sizes.text(), timeout=PATIENCE)
    assert form.wrong_data.text().startswith("Missing there: mine."), "the packs are those of the changes"
    form.changes.clear()
    assert "5 steps of 4 faces" in form.sizes.text()
    assert not form.wrong_data.isVisible()
    assert page.runs.count() == 0, "nothing was started for that"


def test_only_the_latest_of_several_changes_is_answered(open_page, qtbot):
    page = open_page("quick")
    answers = []
    page.controller.checked.connect(answers.append)
    recipe = page.form.recipe
    for changes in (["stepps=1"], ["stepps=2"], ["steps=9"]):
        page.controller.check(recipe, changes)
    qtbot.waitUntil(lambda: bool(answers), timeout=PATIENCE)
    assert [answer.steps for answer in answers] == [(9,)]


def test_weights_that_are_missing_are_named_below_the_recipe(open_page, qtbot):
    page = open_page("staged")
    assert page.form.wrong_recipe.text().startswith("quick is not there.")
    page.form.teachers.setChecked(True)
    assert not page.form.wrong_recipe.isVisible()
    page.form.teachers.setChecked(False)
    choose(page, "quick")
    assert not page.form.wrong_recipe.isVisible()
    train(page, qtbot)
    choose(page, "staged")
    qtbot.waitUntil(lambda: not page.form.wrong_recipe.isVisible(), timeout=PATIENCE)


def test_a_training_that_is_started_twice_gets_a_sentence(open_page, qtbot):
    page = open_page("slow")
    assert not page.form.start_words.isVisible()
    page.form.start.click()
    assert not page.form.start.isEnabled()
    assert page.form.start_words.text().startswith("A training or an export is running.")
    folder = page.controller.training
    page._start()  # as by a second click before the button was drawn
    assert page.banner.text.startswith("A training or an export is already running.")
    assert page.controller.training == folder
    assert [path.name for path in page.controller.runs.iterdir()] == ["slow"]


def test_a_model_that_was_made_is_shown_again_and_not_made_again(open_page, qtbot, kit):
    page = open_page("quick")
    train(page, qtbot)
    qtbot.waitUntil(page.run_view.export.isVisible)
    assert page.run_view.export.text() == "Use in the live view"
    for _ in range(2):
        with qtbot.waitSignal(page.load_wanted, timeout=PATIENCE) as loaded:
            page.run_view.export.click()
        assert loaded.args == [str(kit.models[1] / "quick.tflite")]
    page.run_view.role.setCurrentIndex(1)
    with qtbot.waitSignal(page.load_wanted, timeout=PATIENCE) as loaded:
        page.run_view.export.click()
    assert loaded.args == [str(kit.models[1] / "quick-2.tflite")], "as a teacher it is another model"


@pytest.fixture
def bare(tmp_path, kit, monkeypatch):
    """A program whose trainer is not installed until it is asked to install it."""
    mark = tmp_path / "installed"
    script = tmp_path / "bare.py"
    script.write_text(
        "import pathlib, runpy, sys, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "if '--install' in sys.argv:\n"
        "    print('Collecting torch', flush=True); time.sleep(0.5)\n"
        f"    if pathlib.Path({str(tmp_path / 'full')!r}).exists():\n"
        "        sys.exit('The trainer does not fit.\\n  Likely cause: x.\\n  What to do: Make room.\\n')\n"
        "    mark.touch(); sys.exit()\n"
        "if not mark.exists():\n"
        "    sys.exit('The trainer needs packages (torch).\\n  Likely cause: x.\\n  What to do: Run “it”.\\n')\n"
        f"sys.path.insert(0, {str(FAKE.parents[2])!r})\n"
        f"runpy.run_path({str(FAKE)!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr("app.train.controller.missing_packages", lambda names: [] if mark.exists() else ["torch"])
    return TrainingKit((sys.executable, str(script)), kit.runs, kit.models)


def test_what_is_missing_is_installed_by_a_button_that_says_its_size(open_page, qtbot, bare, tmp_path):
    page = open_page("quick", bare)
    form = page.form
    qtbot.waitUntil(form.install.isVisible, timeout=PATIENCE)
    assert form.install.text().startswith("Install the trainer (")
    assert "GB are downloaded; on the disk it takes" in form.install_words.text()
    assert "Run “it”." in form.about.text(), "the line to paste stays"
    (tmp_path / "full").touch()
    form.install.click()
    assert not form.install.isEnabled()
    assert form.about.text().startswith("The trainer is being installed")
    qtbot.waitUntil(lambda: "Collecting torch" in form.about.text(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: form.about.text().startswith("The trainer does not fit."), timeout=PATIENCE)
    (tmp_path / "full").unlink()
    form.install.click()
    qtbot.waitUntil(lambda: form.recipe is not None, timeout=PATIENCE)
    assert not form.install.isVisible()
    assert form.recipe.name == "quick"
    assert form.start.isEnabled()


def test_the_bundle_offers_no_installation(open_page, kit):
    page = open_page(kit=TrainingKit(None, kit.runs, kit.models))
    assert not page.form.install.isVisible()
    assert "python3 start.py setup" in page.form.about.text()
