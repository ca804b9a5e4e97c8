"""Adding a model from elsewhere in the window: its card is found, seen, corrected, saved, or the file is refused."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.live.active_source import FIRST, SECOND
from app.models import card_search
from app.models.adding_page import AddingPage
from app.models.models_page import ModelsPage
from app.theme.theme import DARK, LIGHT, apply_theme
from engine.core.paths import asset_path
from engine.evaluation import proposal
from engine.evaluation.proposal import WORST, sample_faces
from engine.inference.card import read_card, write_card
from engine.inference.conventions import ForeignInput
from engine.inference.library import ModelLibrary
from tests.app import walking
from tests.app.conftest import LONGEST_GAP
from tests.fakes.foreign_models import REAL, constant_network, means_network, real_model
from tests.fakes.mutations import edited_model, with_operator, without_scales
from tests.fakes.threads import no_thread_left

FACES = sample_faces(2)
SEARCH_MS = 60_000  # a busy machine takes its time
NOTHING = constant_network(np.zeros((68, 2)), 32)  # it has the shape of a landmark model, and finds nothing


@pytest.fixture(autouse=True)
def _short_search(monkeypatch):
    """Let a search try few crops on few faces; that it finds the right ones is tested elsewhere."""
    monkeypatch.setattr(card_search, "sample_faces", lambda: list(FACES))
    monkeypatch.setattr(proposal, "SCALES", (1.2, 1.4))
    monkeypatch.setattr(proposal, "DOWNS", (-0.1, 0.0))


@pytest.fixture
def long_search(monkeypatch):
    """Let a search try so many crops that it does not end by itself, however slowly the window reports."""
    monkeypatch.setattr(proposal, "SCALES", tuple(1 + index / 100 for index in range(200)))


@pytest.fixture
def library(tmp_path):
    return ModelLibrary((REAL.parent, tmp_path / "own"))


@pytest.fixture
def file(tmp_path):
    """A landmark model without a card."""
    return shutil.copy(REAL, tmp_path / "pretty.tflite")


@pytest.fixture
def page(qtbot, themed, library):
    shown = AddingPage(library)
    qtbot.addWidget(shown)
    shown.resize(1240, 620)
    shown.show()
    qtbot.waitExposed(shown)
    with no_thread_left():
        yield shown
        shown.close_down()


@pytest.fixture
def added(page, file, qtbot):
    """The page after the card of `file` was found."""
    page.add(file)
    qtbot.waitUntil(lambda: page.use.isEnabled() and page.search_button.text() != "Stop trying", timeout=SEARCH_MS)
    qtbot.waitUntil(lambda: page.picture.image is not None)
    return page


def choose(picker, data) -> None:
    """Choose a row as the user does."""
    row = next(row for row in range(picker.count()) if picker.itemData(row) == data)
    picker.setCurrentIndex(row)
    picker.activated.emit(row)


def error_on(page) -> float:
    return float(page.error.text().split()[1])


def test_the_card_of_a_model_is_found_and_what_it_finds_is_seen(added):
    assert error_on(added) < 5
    assert added.title.text() == "Add pretty.tflite"
    assert "2 faces of the sample" in added.about.text()
    assert added.picture.image.size().width() > 600
    assert added.form.card.foreign_input.range == (0, 255)
    assert not added.banner.isVisible()
    assert not added.bar.isVisible()


@pytest.mark.usefixtures("long_search")
def test_the_first_points_are_seen_long_before_the_search_ends(page, file, qtbot):
    page.add(file)
    qtbot.waitUntil(lambda: page.picture.image is not None, timeout=SEARCH_MS)
    assert page.search_button.text() == "Stop trying"
    assert page.bar.isVisible()
    assert page.use.isEnabled(), "what is plausible may be saved before the search ends"


@pytest.mark.usefixtures("long_search")
def test_a_search_that_is_stopped_keeps_the_best(page, file, qtbot):
    page.add(file)
    qtbot.waitUntil(page.use.isEnabled, timeout=SEARCH_MS)
    page.search_button.click()
    qtbot.waitUntil(lambda: page.search_button.text() == "Find by trying again", timeout=SEARCH_MS)
    assert "the search was stopped before all was tried" in page.uncertain.text()
    assert error_on(page) < WORST
    page.search_button.click()
    assert page.search_button.text() == "Stop trying"
    qtbot.waitUntil(lambda: "ways so far" in page.about.text(), timeout=SEARCH_MS)


def test_a_wrong_correction_is_seen_at_once_and_cannot_be_saved(added, qtbot):
    right, good = QImage(added.picture.image), error_on(added)
    unit = next(card for card in added.form._cards if card.foreign_output.unit == "centred")
    with qtbot.waitSignal(added._search.pictured, timeout=SEARCH_MS):
        choose(added.form.meaning, unit)
        assert not added.use.isEnabled(), "what is not measured yet"
    assert added.picture.image != right
    qtbot.waitUntil(lambda: added.error.text() != f"NME {good:.2f} %", timeout=SEARCH_MS)
    assert error_on(added) > WORST
    assert not added.use.isEnabled()
    choose(added.form.meaning, next(card for card in added.form._cards if card.foreign_output.unit == "crop"))
    qtbot.waitUntil(added.use.isEnabled, timeout=SEARCH_MS)
    assert error_on(added) == pytest.approx(good, abs=0.01)


def test_every_field_changes_the_card(added, qtbot):
    form = added.form
    choose(form.colour, "BGR")
    choose(form.values, proposal.VALUES[3])
    choose(form.grid, "align_corners")
    choose(form.crop, 2)
    form.scale.setValue(30)
    form.shift.setValue(-6)
    card = form.card
    given = card.foreign_input
    assert (given.colour, given.mean, given.stretched) == ("BGR", proposal.IMAGENET[0], True)
    assert (card.crop.scale, card.crop.dy, card.crop.level) == (1.5, -0.15, False)
    assert card.foreign_output.grid == "align_corners"
    assert form.scale_label.text() == "Size 1.50"
    choose(form.crop, 1)
    assert (form.card.crop.level, form.card.foreign_input.stretched) == (True, False)
    qtbot.waitUntil(lambda: "Measuring" not in added.about.text(), timeout=SEARCH_MS)
    assert added._card == form.card, "the last change counts"


def test_a_correction_ends_the_search(page, file, qtbot):
    page.add(file)
    qtbot.waitUntil(page.use.isEnabled, timeout=SEARCH_MS)
    choose(page.form.colour, "BGR")
    qtbot.waitUntil(lambda: page.use.isEnabled(), timeout=SEARCH_MS)
    qtbot.wait(300)
    assert page.form.card.foreign_input.colour == "BGR"
    assert page.search_button.text() == "Find by trying again"


@pytest.mark.parametrize(("lane", "button"), [(FIRST, "use"), (SECOND, "compare")])
def test_a_model_is_saved_under_a_free_name_and_used(added, qtbot, library, lane, button):
    qtbot.waitUntil(lambda: added.name.text() == "pretty")
    added.name.setText("prettier")
    with qtbot.waitSignal(added.saved) as saved:
        getattr(added, button).click()
    assert saved.args == [lane, "prettier"]
    assert library.load("prettier").card.name == "prettier"
    assert library.free_name("prettier") == "prettier-2"


def test_a_name_that_is_taken_is_a_sentence_and_nothing_is_lost(added, qtbot, library):
    added.name.setText("student-68")
    added.use.click()
    qtbot.waitUntil(added.banner.isVisible)
    assert added.banner.text.startswith("There is a model “student-68” already. It is part of the program.")
    assert added.use.isEnabled()
    added.name.clear()
    added.name.textEdited.emit("")
    assert not added.use.isEnabled()
    assert not library.folders[-1].exists()


def test_what_finds_nothing_is_named_shown_and_not_saved(page, tmp_path, qtbot):
    (tmp_path / "nothing.onnx").write_bytes(NOTHING)
    page.add(tmp_path / "nothing.onnx")
    qtbot.waitUntil(page.banner.isVisible, timeout=SEARCH_MS)
    assert "finds no landmarks: of" in page.banner.text
    assert "choose another model" in page.banner.text.casefold()
    qtbot.waitUntil(lambda: page.picture.image is not None)
    assert error_on(page) > WORST
    assert page.form.isEnabled()
    assert not page.use.isEnabled()


def odd(shipped: str, edit) -> bytes:
    return edited_model(asset_path("models", f"{shipped}.tflite").read_bytes(), edit)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("two.onnx", lambda: means_network([1, 3, 32, 32], inputs=2), "has 2 inputs"),
        ("numbers.onnx", lambda: constant_network(np.zeros(62), 32), "shapes 1 x 62. Numbers or heatmaps of"),
        ("empty.tflite", lambda: b"", "is not a TFLite model, nor an ONNX model"),
        ("flex.tflite", lambda: odd("student-68-lite", with_operator("FlexErf")), "does not have: FlexErf"),
        ("flat.tflite", lambda: odd("student-68-lite-int8", without_scales), "some have the scale 0"),
    ],
    ids=["two inputs", "another model", "empty", "operator of TensorFlow", "int8 of scale 0"],
)
def test_faults_59_89_what_is_no_landmark_model_is_refused(qtbot, themed, tmp_path, library, name, content, words):
    (tmp_path / name).write_bytes(content())
    models = ModelsPage(library.entries, library.load, library)
    qtbot.addWidget(models)
    models.show()
    models.open_model(str(tmp_path / name))
    qtbot.waitUntil(models.banner.isVisible, timeout=SEARCH_MS)
    assert words in models.banner.text
    assert models.list.isVisible()
    models.close_down()


def test_a_model_without_a_card_goes_from_the_drop_into_a_lane(window, file, library, qtbot, monkeypatch):
    monkeypatch.setattr(window.models.adding, "_library", library)
    used = []
    window.models.use_wanted.connect(lambda *args: used.append(args))
    window._open_dropped([str(file)])
    adding = window.models.adding
    qtbot.waitUntil(adding.isVisible)
    qtbot.waitUntil(lambda: adding.use.isEnabled() and not adding.bar.isVisible(), timeout=SEARCH_MS)
    adding.use.click()
    qtbot.waitUntil(lambda: bool(used), timeout=SEARCH_MS)
    assert used == [(FIRST, "pretty")]
    assert window.live.isVisible()
    assert not window.models.adding.isVisibleTo(window.models)


@pytest.mark.usefixtures("long_search")
def test_a_search_goes_on_after_saving_and_its_card_is_saved_over_the_first_one(page, file, library, qtbot):
    page.add(file)
    qtbot.waitUntil(page.use.isEnabled, timeout=SEARCH_MS)
    with qtbot.waitSignal(page.saved) as saved:
        page.use.click()
    assert saved.args == [FIRST, "pretty"]
    first = library.load("pretty").card
    assert page.bar.isVisible(), "the search goes on"
    assert page.title.text() == "Correct the card of pretty"
    assert page.again.isVisible()
    assert not page.use.isVisible()
    assert page.saved_error.text().startswith("Saved with ")
    page.search_button.click()
    qtbot.waitUntil(lambda: not page.bar.isVisible(), timeout=SEARCH_MS)
    page.form.scale.setValue(page.form.scale.value() + 1)
    assert not page.again.isEnabled(), "what is not measured yet"
    qtbot.waitUntil(page.again.isEnabled, timeout=SEARCH_MS)
    with qtbot.waitSignal(page.corrected) as corrected:
        page.again.click()
    second = library.load("pretty").card
    assert corrected.args == [library.find("pretty"), second]
    assert second.crop.scale == pytest.approx(first.crop.scale + 0.05, abs=0.2)
    assert second.name == "pretty"
    assert page.path is None, "nothing is left to do"


@pytest.fixture
def own(library):
    """A model of the user's whose card could be better, and says more than the search can find."""
    library.folders[-1].mkdir()
    path = real_model(library.folders[-1], "own.tflite")
    card = replace(read_card(path.with_suffix(".json")), licence="mine", metrics=({"nme": 9.0},), label_shift=0.01)
    write_card(path.with_suffix(".json"), replace(card, crop=replace(card.crop, scale=1.73)))
    return path


def test_the_card_of_a_saved_model_is_seen_and_kept_unless_it_is_corrected(page, own, library, qtbot):
    card = library.load("own").card
    page.correct(own, card)
    qtbot.waitUntil(lambda: page.error.text() != "", timeout=SEARCH_MS)
    assert page.saved_error.text() == page.error.text().replace("NME", "Saved with")
    assert not page.again.isEnabled(), "there is nothing to save"
    assert page.form.card == card, "1.73 lies between two places of the slider"
    choose(page.form.grid, "integer")
    qtbot.waitUntil(page.again.isEnabled, timeout=SEARCH_MS)
    with qtbot.waitSignal(page.corrected):
        page.again.click()
    saved = library.load("own").card
    assert (saved.foreign_output.grid, saved.crop, saved.licence) == ("integer", card.crop, "mine")
    assert (saved.metrics, saved.label_shift) == ((), 0.0), "they were measured with the former card"


def test_a_better_card_that_is_found_while_the_page_is_not_seen_is_offered(page, own, library, qtbot):
    page.correct(own, library.load("own").card)
    qtbot.waitUntil(lambda: page.error.text() != "", timeout=SEARCH_MS)
    before = error_on(page)
    page.search_button.click()
    page.hide()
    with qtbot.waitSignal(page.better_found, timeout=SEARCH_MS) as better_found:
        pass
    assert better_found.args[0].startswith("A better card of own was found: its error is ")
    assert better_found.args[0].endswith(f" % of the eye distance instead of {before:.2f} %.")
    with qtbot.waitSignal(page.corrected):
        page.save_again()
    assert library.load("own").card.crop.scale != 1.73
    assert library.load("own").card.licence == "mine"
    page.correct(own, library.load("own").card)
    qtbot.waitUntil(lambda: page.error.text() != "", timeout=SEARCH_MS)
    page.search_button.click()
    with qtbot.waitSignal(page.closed, timeout=SEARCH_MS):
        pass  # nothing better was found


def test_what_the_search_does_not_know_of_a_card_stays(page, library, qtbot):
    library.folders[-1].mkdir()
    table = tuple((index,) for index in range(68))
    path = real_model(library.folders[-1], "odd.tflite", markup="Odd", as_68=table)
    card = replace(library.load("odd").card, input=ForeignInput(range=(0.0, 250.0)))
    page.correct(path, card)
    qtbot.waitUntil(lambda: page.error.text() != "", timeout=SEARCH_MS)
    assert page.form.card == card
    assert page.form.values.currentText() == "0 to 250, as saved"
    assert page.form.meaning.currentText() == "x, y of each point, in [0, 1], as saved"
    page.form.shift.setValue(page.form.shift.value() + 2)
    assert page.form.card == replace(card, crop=replace(card.crop, dy=page.form.card.crop.dy))


def test_a_model_whose_file_was_exchanged_is_not_corrected(qtbot, themed, own, library):
    models = ModelsPage(library.entries, library.load, library)
    qtbot.addWidget(models)
    models.show()
    qtbot.waitUntil(lambda: bool(models._entries), timeout=SEARCH_MS)
    models._choose("student-68")
    assert not models.correct.isVisible(), "a shipped model needs no such card"
    models._choose("own")
    own.write_bytes(REAL.read_bytes()[:-1])
    models.correct.click()
    qtbot.waitUntil(models.banner.isVisible, timeout=SEARCH_MS)
    assert "is not the one its card describes" in models.banner.text
    models.close_down()


def test_lanes_that_show_a_model_load_it_again_when_its_card_was_corrected(playing, qtbot, monkeypatch):
    loads, model, load = [], playing.player.models[0], playing.player._api.load_landmarker

    def note(name):
        loads.append(name)
        return load(name)

    monkeypatch.setattr(playing.player, "_api", replace(playing.player._api, load_landmarker=note))
    playing.top_bar.choose(1)
    playing.models.corrected.emit("another")
    assert not playing.live.isVisible()
    playing.models.corrected.emit(model)
    assert playing.live.isVisible()
    qtbot.waitUntil(lambda: loads == [model])


def test_a_better_card_is_saved_from_the_banner(window, qtbot, monkeypatch):
    saved = []
    monkeypatch.setattr(window.models.adding, "save_again", lambda: saved.append(True))
    window.models.better_found.emit("A better card of own was found.")
    assert window.banner.text == "A better card of own was found."
    window.banner.remedy_buttons[0].click()
    assert saved == [True]


def test_a_file_beside_the_card_of_another_is_tried_under_another_name(themed, library, qtbot):
    library.add(REAL.read_bytes(), replace(library.load("student-68-lite").card, name="pretty"), ".tflite")
    other = library.folders[-1] / "pretty.onnx"
    other.write_bytes(constant_network(np.full((68, 2), 0.5), 32))
    models = ModelsPage(library.entries, library.load, library)
    qtbot.addWidget(models)
    models.show()
    models.open_model(str(other))
    qtbot.waitUntil(lambda: models.adding.isVisible() and models.adding.name.text() == "pretty-2", timeout=SEARCH_MS)
    assert not models.banner.isVisible()
    models.close_down()


def test_another_file_replaces_the_one_that_is_tried_and_cancel_leaves(page, file, tmp_path, qtbot):
    other = shutil.copy(file, tmp_path / "other.tflite")
    page.add(file)
    page.add(other)
    assert page.title.text() == "Add other.tflite"
    qtbot.waitUntil(page.use.isEnabled, timeout=SEARCH_MS)
    assert page.name.text() == "other"
    with qtbot.waitSignal(page.closed):
        page.cancel.click()
    shown = page.about.text()
    qtbot.wait(300)
    assert page.about.text() == shown, "nothing is reported any more"


def test_the_name_of_a_file_that_was_replaced_comes_too_late(page, file, library, tmp_path, qtbot, monkeypatch):
    other, may_answer, free_name = shutil.copy(file, tmp_path / "other.tflite"), threading.Event(), library.free_name

    def slow_for_the_first(name: str) -> str:
        if name == file.stem:
            may_answer.wait(SEARCH_MS / 1000)
        return free_name(name)

    monkeypatch.setattr(library, "free_name", slow_for_the_first)
    page.add(file)
    page.add(other)
    qtbot.waitUntil(lambda: page.name.text() == "other", timeout=SEARCH_MS)
    may_answer.set()
    qtbot.wait(300)
    assert page.name.text() == "other"


@pytest.mark.parametrize("again", [False, True], ids=["a new model", "a corrected card"])
def test_what_is_saved_late_leaves_the_page_of_another_file_alone(page, own, file, library, qtbot, monkeypatch, again):
    name = "correct" if again else "add"
    may_save, save, saved = threading.Event(), getattr(library, name), page.corrected if again else page.saved

    def save_late(*facts):
        may_save.wait(SEARCH_MS / 1000)
        return save(*facts)

    monkeypatch.setattr(library, name, save_late)
    if again:
        page.correct(own, library.load("own").card)
        qtbot.waitUntil(lambda: page.error.text() != "", timeout=SEARCH_MS)
        page.save_again()
    else:
        page.add(file)
        qtbot.waitUntil(page.use.isEnabled, timeout=SEARCH_MS)
        page.use.click()
    other = shutil.copy(file, file.with_name("other.tflite"))
    page.add(other)
    with qtbot.waitSignal(saved, timeout=SEARCH_MS):
        may_save.set()
    assert (page.path, page.title.text()) == (other, "Add other.tflite")
    assert page.use.isVisible()
    assert not page.again.isVisible()


def test_the_event_loop_never_waits_for_a_search(page, file, qtbot, heartbeat):
    page.add(file)
    qtbot.waitUntil(page.use.isEnabled, timeout=SEARCH_MS)
    qtbot.wait(1500)
    page.form.scale.setValue(40)
    qtbot.waitUntil(lambda: "Measuring" not in page.about.text(), timeout=SEARCH_MS)
    assert heartbeat.longest_gap < LONGEST_GAP


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_fault_83_the_page_can_be_used_without_mouse_and_eyes(added, palette):
    apply_theme(QApplication.instance(), palette)
    added.activateWindow()
    added.name.setFocus(Qt.FocusReason.TabFocusReason)
    assert len(walking.controls(added)) > 12
    for fault in (walking.nameless, walking.unexplained, walking.unreachable, walking.skipped, walking.without_ring):
        assert fault(added) == []
