"""The page Train, on a stand-in for the trainer that runs in a process as the real one does."""

from __future__ import annotations

import json
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.settings.schema import TrainChoices
from app.theme.theme import DARK, LIGHT, apply_theme
from app.train import controller
from app.train.controller import TrainingKit
from app.train.log_reader import CHECKPOINT as LAST
from app.train.log_reader import read_run
from app.widgets.two_lines import KIND
from engine.core.platforms import lock_alone
from tests.app import walking
from tests.app.conftest import LONGEST_GAP
from tests.app.train.conftest import PATIENCE, REAL_PATIENCE, TINY, choose, train


def state(page):
    return read_run(page.controller.runs / page.runs.currentItem().text())


def wait_for_steps(page, qtbot, steps=2):
    qtbot.waitUntil(lambda: (found := state(page)) is not None and found.step >= steps, timeout=PATIENCE)


def test_a_training_is_shown_to_its_end(open_page, qtbot, heartbeat):
    page = open_page()
    train(page, qtbot)
    qtbot.waitUntil(lambda: page.run_view.chip.text() == "Finished", timeout=PATIENCE)
    assert "Step 5 of 5" in page.run_view.words.text()
    assert "4.000 %" in page.run_view.words.text()
    assert "NME 4.000 %" in page.run_view.output.toPlainText()
    assert page.run_view.loss.words() == "Latest 0.4, lowest 0.4 at step 5"
    assert not page.banner.isVisible()
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


@pytest.mark.parametrize("wanted", [False, True])
def test_what_is_missing_is_trained_first_on_request(open_page, qtbot, wanted):
    page = open_page()
    page.form.teachers.setChecked(wanted)
    train(page, qtbot)
    qtbot.waitUntil(lambda: page.run_view.chip.text() == "Finished", timeout=PATIENCE)
    assert ("The teachers are there." in page.run_view.output.toPlainText()) is wanted


def test_time_left_and_curves_grow_while_it_trains(open_page, qtbot):
    page = open_page("slow")
    page.form.start.click()
    qtbot.waitUntil(
        lambda: "left" in page.run_view.words.text() and "about" in page.run_view.words.text(), timeout=PATIENCE
    )
    assert page.run_view.chip.text() == "Training"
    assert page.run_view.loss.words() != "No values yet."
    assert not page.form.start.isEnabled()
    assert page.run_view.stop.isVisible()
    assert not page.run_view.export.isVisible()


def test_stopping_saves_and_resuming_goes_on_with_the_same_changes(open_page, qtbot):
    page = open_page("slow")
    page.form.changes.setPlainText("steps=30\n--set seed=7")
    page.form.start.click()
    wait_for_steps(page, qtbot)
    page.run_view.stop.click()
    assert page.run_view.chip.text() == "Saving …"
    qtbot.waitUntil(lambda: not page.busy, timeout=PATIENCE)
    stopped = state(page)
    assert 2 <= stopped.saved_step < 30
    qtbot.waitUntil(page.run_view.resume.isVisible)
    page.form.changes.clear()
    page.run_view.resume.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=PATIENCE)
    done = state(page)
    assert done.folder == stopped.folder
    assert done.finished
    assert (done.steps, done.stages[0]["seed"]) == (30, 7)
    assert [step for step, _ in done.losses] == list(range(1, 31))
    assert not page.banner.isVisible()


def test_a_run_of_an_earlier_session_is_found_and_resumed(open_page, qtbot):
    page = open_page("slow")
    page.form.changes.setPlainText("steps=30")
    page.form.start.click()
    wait_for_steps(page, qtbot)
    page.controller.stop()
    qtbot.waitUntil(lambda: not page.busy, timeout=PATIENCE)
    later = open_page("quick")
    qtbot.waitUntil(lambda: later.runs.count() == 1)
    assert "stopped" in later.run_view.chip.text().lower()
    later.run_view.resume.click()
    qtbot.waitUntil(lambda: later.run_view.chip.text() == "Finished", timeout=PATIENCE)


def test_a_run_that_another_program_trains_is_followed_and_not_called_stopped(open_page, qtbot, monkeypatch):
    monkeypatch.setattr("app.train.train_page.LOOK_MS", 50)
    trains = open_page("slow")
    trains.form.changes.setPlainText("steps=2000")
    trains.form.start.click()
    wait_for_steps(trains, qtbot)
    other = open_page("quick")
    qtbot.waitUntil(lambda: other.run_view.chip.text() == "Stopped")
    folder = state(trains).folder
    with (folder / ".lock").open("ab") as held:  # as the real trainer does
        lock_alone(held)
        qtbot.waitUntil(lambda: other.run_view.chip.text() == "Training elsewhere")
        assert "another window or terminal trains it" in other.run_view.words.text()
        assert "training elsewhere" in other.runs.item(0).data(KIND)
        assert other.run_view.output.placeholderText() == "Its output appears where it was started."
        assert not other.run_view.resume.isVisible()
        seen = state(other).step
        qtbot.waitUntil(lambda: state(other).step > seen, timeout=PATIENCE)
        assert trains.run_view.chip.text() == "Training"
        trains.run_view.stop.click()
        qtbot.waitUntil(lambda: not trains.busy, timeout=PATIENCE)
    qtbot.waitUntil(lambda: other.run_view.chip.text() == "Stopped", timeout=PATIENCE)


def test_all_stages_of_a_recipe_are_one_run_that_is_resumed_without_its_data_being_named(open_page, qtbot, kit):
    page = open_page("staged")
    assert "5 + 5 steps of 4 faces" in page.form.sizes.text()
    page.form.changes.setPlainText("steps=40")
    page.form.start.click()
    qtbot.waitUntil(lambda: "Stage 1 of 2, base" in page.run_view.words.text(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: "Stage 2 of 2, gentle" in page.run_view.words.text(), timeout=PATIENCE)
    page.run_view.stop.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=PATIENCE)
    stopped = state(page)
    assert 40 < stopped.saved_step < 80
    qtbot.waitUntil(page.run_view.resume.isVisible)
    page.form.data.clear()
    page.run_view.resume.click()
    qtbot.waitUntil(lambda: page.run_view.chip.text() == "Finished", timeout=PATIENCE)
    assert "Step 80 of 80" in page.run_view.words.text()
    assert [step for step, _ in state(page).losses] == list(range(1, 81)), "one curve over both stages"
    with qtbot.waitSignal(page.load_wanted, timeout=PATIENCE) as loaded:
        page.run_view.export.click()
    assert loaded.args == [str(kit.models[1] / "staged.tflite")]
    assert Path(loaded.args[0]).read_bytes() == (page.controller.runs / "staged" / "2-gentle" / LAST).read_bytes()


def test_the_training_saves_and_ends_when_the_window_is_closed(open_page, qtbot):
    page = open_page("slow")
    page.form.start.click()
    wait_for_steps(page, qtbot)
    page.controller.close_down()
    folder = page.controller.training
    qtbot.waitUntil(lambda: read_run(folder).saved_step is not None, timeout=PATIENCE)


def test_one_that_does_not_end_can_be_ended_at_once(open_page, qtbot):
    page = open_page("deaf")
    page.form.start.click()
    wait_for_steps(page, qtbot)
    page.run_view.stop.click()
    assert page.run_view.kill.isVisible()
    page.run_view.kill.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=PATIENCE)
    assert not page.banner.isVisible()
    qtbot.waitUntil(lambda: "nothing was saved" in page.run_view.words.text())


def test_a_crash_is_reported_and_the_run_can_go_on(open_page, qtbot):
    page = open_page("crash")
    train(page, qtbot)
    assert "The training broke off (exit code 1: MemoryError: no room for the batch)" in page.banner.text
    qtbot.waitUntil(page.run_view.resume.isVisible)
    page.run_view.resume.click()
    assert not page.banner.isVisible()
    qtbot.waitUntil(lambda: page.run_view.chip.text() == "Finished", timeout=PATIENCE)


def test_the_trainers_own_sentence_is_reported_and_leaves_no_folder(open_page, qtbot):
    page = open_page()
    page.form.changes.setPlainText("stepps=3")
    train(page, qtbot)
    assert page.banner.text.startswith("“stepps=3” names no field. The fields here are: steps, seed.")
    assert list(page.controller.runs.iterdir()) == []
    qtbot.waitUntil(lambda: page.runs.count() == 0)
    assert page.nothing.isVisible()


def test_missing_data_is_reported_before_and_after_the_start(open_page, qtbot, tmp_path):
    page = open_page(data=None)
    page.form.start.click()
    assert page.banner.text.startswith("No folder of packs is chosen.")
    assert not page.busy
    page.form.data.setText(str(tmp_path))
    assert page.form.wrong_data.text().startswith("Missing there: faces.")
    train(page, qtbot)
    assert page.banner.text.startswith("The pack faces is not there.")
    page.form.data.setText(str(tmp_path / "nowhere"))
    assert page.form.wrong_data.text().startswith("There is no such folder.")
    page.form.data.setText(str(tmp_path / "data"))
    assert not page.form.wrong_data.isVisible()
    assert page.form.data_words.text() == "All packs of the recipe are there (1)."


def test_without_the_trainer_a_sentence_says_so(open_page, kit, tmp_path):
    page = open_page(kit=TrainingKit(None, kit.runs, kit.models))
    assert "comes without the trainer" in page.form.about.text()
    assert not page.form.start.isEnabled()


def test_missing_packages_are_reported_in_the_trainers_words(open_page, kit, tmp_path):
    script = tmp_path / "no_torch.py"
    script.write_text(
        "import sys\n"
        "sys.exit('The trainer needs packages (torch).\\n  Likely cause: x.\\n  What to do: Run “pip install”.')\n",
        encoding="utf-8",
    )
    page = open_page(kit=TrainingKit((sys.executable, str(script)), kit.runs, kit.models))
    assert page.form.about.text() == "The trainer needs packages (torch). X. Run “pip install”."
    assert not page.form.start.isEnabled()


def test_a_program_that_is_gone_is_reported(open_page, qtbot, kit, tmp_path):
    page = open_page()
    page.controller._trainer._program = (str(tmp_path / "no python"),)
    page.form.start.click()
    assert page.banner.text.startswith("The trainer cannot be started (No such file or directory")
    assert not page.busy


def test_changes_that_cannot_be_checked_say_so_and_the_next_ones_are_checked(open_page, qtbot, tmp_path):
    page = open_page()
    answers = []
    page.controller.checked.connect(answers.append)
    checker = page.controller._checker
    program, checker._program = checker._program, (str(tmp_path / "no python"),)
    page.controller.check(page.form.recipe, ["steps=3"])
    (refusal,) = answers
    assert "The trainer cannot be started" in str(refusal)
    assert page.form.wrong_changes.text().startswith("The trainer cannot be started")
    checker._program = program
    page.controller.check(page.form.recipe, ["steps=4"])
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=PATIENCE)
    assert answers[1].steps == (4,)


def test_runs_of_a_former_folder_that_are_found_late_are_not_shown(open_page, qtbot, tmp_path, monkeypatch):
    page = open_page()
    train(page, qtbot)
    qtbot.waitUntil(lambda: page.runs.count() == 1)
    go_on, find, former = threading.Event(), controller.find_runs, page.controller.runs

    def find_late(folder, known):
        if folder == former:
            go_on.wait(20)
        return find(folder, known)

    monkeypatch.setattr(controller, "find_runs", find_late)
    listed = []
    page.controller.runs_found.connect(listed.append)
    page.controller.refresh()
    page.use_runs_folder(str(tmp_path / "elsewhere"))
    qtbot.waitUntil(lambda: page.runs.count() == 0)
    go_on.set()
    qtbot.wait(200)
    assert listed == [[]]


def test_a_finished_run_becomes_a_model_and_a_lane(open_page, qtbot, kit):
    kit.models[0].mkdir()
    (kit.models[0] / "quick.json").touch()  # the name of a shipped model
    kit.models[1].mkdir()
    (kit.models[1] / "quick-2.onnx").touch()  # and of one whose card was lost
    page = open_page()
    train(page, qtbot)
    qtbot.waitUntil(page.run_view.export.isVisible)
    page.run_view.role.setCurrentIndex(1)
    with qtbot.waitSignal(page.load_wanted, timeout=PATIENCE) as loaded:
        page.run_view.export.click()
        assert page.run_view.chip.text() == "Exporting …"
    assert loaded.args == [str(kit.models[1] / "quick-3.tflite")]
    assert Path(loaded.args[0]).is_file()
    assert json.loads(Path(loaded.args[0]).with_suffix(".json").read_text())["role"] == "teacher"


def test_a_second_run_of_a_recipe_gets_a_folder_of_its_own(open_page, qtbot):
    page = open_page()
    train(page, qtbot)
    train(page, qtbot)
    assert sorted(path.name for path in page.controller.runs.iterdir()) == ["quick", "quick-2"]
    assert page.runs.currentItem().text() == "quick-2"


def test_a_recipe_that_was_chosen_by_its_former_name_is_chosen(open_page):
    assert open_page("slow-second").form.recipe.name == "slow"


def test_choices_are_reported_so_that_they_can_be_remembered(open_page, qtbot, tmp_path):
    page = open_page()
    reported = []
    page.choices_changed.connect(reported.append)
    page.use_runs_folder(str(tmp_path / "elsewhere"))
    choose(page, "own")
    page.form.data.setText(str(tmp_path / "mine"))
    choose(page, "slow")
    assert reported[-1] == TrainChoices("slow", tmp_path / "data", tmp_path / "elsewhere", tmp_path / "mine")
    assert page.choices == reported[-1]


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_fault_83_the_page_can_be_used_without_mouse_and_eyes(open_page, qtbot, palette):
    apply_theme(QApplication.instance(), palette)
    page = open_page()
    train(page, qtbot)
    qtbot.waitUntil(page.run_view.export.isVisible)
    page.activateWindow()
    page.form.recipes.setFocus()
    assert len(walking.controls(page)) > 8
    for fault in (walking.nameless, walking.unexplained, walking.unreachable, walking.skipped):
        assert fault(page) == []


@pytest.mark.skipif(find_spec("torch") is None, reason="the trainer's packages are not installed")
@pytest.mark.timeout(600)
def test_a_real_training_is_stopped_and_resumed(open_page, qtbot, kit, tmp_path, monkeypatch):
    from tests.fakes.tiny_training import write_sample_pack

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # more would wait for each other on a busy machine
    write_sample_pack(tmp_path / "data" / "faces", 9)
    page = open_page("tiny", TrainingKit((sys.executable, str(TINY)), kit.runs, kit.models))
    qtbot.waitUntil(lambda: page.form.recipe is not None, timeout=REAL_PATIENCE)
    assert page.form.recipe.name == "tiny"
    assert page.form.data_words.text() == "All packs of the recipe are there (1)."
    page.form.changes.setPlainText("steps=60\nbatch=2")
    page.form.start.click()
    qtbot.waitUntil(lambda: page.run_view.loss.words() != "No values yet.", timeout=REAL_PATIENCE)
    page.run_view.stop.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=REAL_PATIENCE)
    stopped = state(page)
    assert page.banner.text == ""
    assert stopped.saved_step >= 20
    if not stopped.finished:  # it may have been faster than the mouse
        qtbot.waitUntil(page.run_view.resume.isVisible)
        page.form.changes.clear()
        page.run_view.resume.click()
    qtbot.waitUntil(lambda: page.run_view.chip.text() == "Finished", timeout=REAL_PATIENCE)
    assert page.banner.text == ""
    done = state(page)
    assert [step for step, _ in done.losses] == [20, 40, 60]
    assert done.errors[-1][0] == 60
    assert "NME" in done.output


@pytest.mark.skipif(find_spec("torch") is None, reason="the trainer's packages are not installed")
@pytest.mark.timeout(600)
def test_a_real_toy_is_trained_with_nothing_but_a_press_of_the_button(open_page, qtbot, kit, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    page = open_page("toy-68", TrainingKit((sys.executable, str(TINY)), kit.runs, kit.models), data=None)
    assert page.form.recipe.name == "toy-68"
    page.form.changes.setPlainText("steps=2\nbatch=4")
    qtbot.waitUntil(lambda: "2 steps of 4 faces" in page.form.sizes.text(), timeout=REAL_PATIENCE)
    page.form.start.click()
    qtbot.waitUntil(lambda: page.run_view.chip.text() == "Finished", timeout=REAL_PATIENCE)
    assert page.banner.text == ""
    assert "90 frames of one face are rendered." in page.run_view.output.toPlainText()
    assert state(page).errors[-1][0] == 2
    assert page.run_view.export.isVisible()
