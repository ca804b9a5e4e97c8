"""The page of the models: their cards, their speed, and files from elsewhere."""

from __future__ import annotations

import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.live.active_source import FIRST, SECOND
from app.models import benchmarking
from app.models.models_page import ModelsPage
from app.theme.theme import DARK, LIGHT, apply_theme
from engine.batch.benchmark import Speed
from engine.inference.library import ModelEntry, ModelLibrary
from tests.app import walking
from tests.app.conftest import LONGEST_GAP
from tests.fakes.models import FAKE_CARD
from tests.fakes.window_fakes import BROKEN

SHIPPED = Path(__file__).resolve().parents[3] / "assets" / "models"
METRIC = {
    "data": "lfpw68",
    "split": "test",
    "n": 290,
    "nme_faces": 159,
    "nme": 3.0464,
    "nme_box": 1.8277,
    "fr10": 1.2579,
    "auc10": 0.6954,
    "visibility_auc": 0.9561,
    "protocol": "in percent of the eye distance",
}
STUDENT = replace(
    FAKE_CARD,
    name="student-98",
    scheme=98,
    system="a network",
    bytes=2_165_440,
    params=943_948,
    macs=71_631_488,
    licence="research only",
    data="8958 faces; those of ytf68 are machine-made",
    recipe="student-98, 600 steps",
    revision="6430c7f",
    label_shift=0.00301,
    metrics=(METRIC, {"data": "faces", "n": 12, "nme": 4.0, "box": "detector"}),
)
TEACHER = replace(FAKE_CARD, name="teacher-68", role="teacher")


@pytest.fixture
def entries(tmp_path):
    """Return what the library lists; tests change it."""
    return [
        ModelEntry("broken", tmp_path / "broken.tflite", None, BROKEN),
        ModelEntry("student-98", tmp_path / "student-98.tflite", STUDENT, None),
        ModelEntry("teacher-68", tmp_path / "teacher-68.tflite", TEACHER, None),
    ]


@pytest.fixture
def page(qtbot, themed, entries):
    """Return the page on a library that is listed, with models that load but do not run."""

    def load(model):
        if "broken" in model:
            raise BROKEN
        return SimpleNamespace(card=replace(TEACHER, name=Path(model).stem))

    shown = ModelsPage(lambda: list(entries), load)
    qtbot.addWidget(shown)
    shown.resize(1280, 760)
    shown.show()
    qtbot.waitExposed(shown)
    qtbot.waitUntil(lambda: shown.list.topLevelItemCount() == len(entries))
    yield shown
    shown.close_down()


@pytest.fixture
def slow_benchmark(monkeypatch):
    """Let measuring take until the event is set, or until it is called off."""
    go_on = threading.Event()

    def measure(landmarkers, cancelled, on_round):
        on_round(3, 20)
        while not go_on.wait(0.005):
            if cancelled.is_set():
                return []
        return [Speed(landmarker.card.name, threads, 3.25, 4.5, 1) for landmarker, threads in landmarkers]

    monkeypatch.setattr(benchmarking, "benchmark", measure)
    yield go_on
    go_on.set()


def choose(page, name):
    page.list.setCurrentItem(page.list.findItems(name, Qt.MatchFlag.MatchExactly)[0])


def words(widget):
    """Return what every label below a widget says."""
    from PySide6.QtWidgets import QLabel

    return [label.text() for label in widget.findChildren(QLabel) if not label.isHidden()]


def test_card_shows_everything(page):
    choose(page, "student-98")
    assert (page.card.name.text(), page.card.role.text()) == ("student-98", "Student")
    network = words(page.card.network)
    for fact in (
        "98 points",
        "a network",
        "2.17 MB",
        "944 thousand",
        "71.6 million a face",
        "+0.30 % of the crop's side to the right, taken off live",
        "64 \u00d7 64 pixels, RGB",
    ):
        assert fact in network
    for fact in ("research only", "8958 faces; those of ytf68 are machine-made", "student-98, 600 steps", "6430c7f"):
        assert fact in words(page.card.origin)


def test_accuracy_shows_its_protocol_and_what_was_not_measured(page):
    choose(page, "student-98")
    assert page.card.accuracy.texts == [
        ("lfpw68", "test", "159 of 290", "3.05", "1.83", "1.26", "0.695", "0.956", "\u2013"),
        ("faces", "all", "12", "4.00", "\u2013", "\u2013", "\u2013", "\u2013", "\u2013"),
    ]
    assert page.card.protocol.text() == "In percent of the eye distance."
    assert page.card.legend.isVisible()
    choose(page, "teacher-68")
    assert page.card.role.text() == "Teacher"
    assert page.card.no_accuracy.isVisible()
    assert not page.card.accuracy.isVisible()
    assert not page.card.legend.isVisible()


def test_a_usable_model_is_chosen_first(page):
    assert page.list.currentItem().text(0) == "student-98"


def test_the_model_on_show_is_chosen_before_others(qtbot, themed, entries):
    shown = ModelsPage(lambda: list(entries), lambda model: SimpleNamespace(card=TEACHER))
    qtbot.addWidget(shown)
    shown.show_lanes(("teacher-68", "student-98"))
    shown.show()
    qtbot.waitUntil(lambda: shown.list.topLevelItemCount() == len(entries))
    assert shown.list.currentItem().text(0) == "teacher-68"
    shown.close_down()


def test_broken_model_says_why_and_cannot_be_used(page):
    choose(page, "broken")
    assert page.card.problem.text() == (
        "The model “broken” is damaged.\nIts bytes changed on the way. Install it again."
    )
    assert not page.card.network.isVisible()
    for button in (page.first, page.second, page.measure):
        assert not button.isEnabled()


def test_a_file_that_was_put_into_the_folder_without_a_card_says_so(qtbot, themed, tmp_path):
    shutil.copy(SHIPPED / "student-68.tflite", tmp_path / "found.tflite")
    library = ModelLibrary((tmp_path / "none", tmp_path))
    page = ModelsPage(library.entries, library.load)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.list.topLevelItemCount() == 1)
    assert page.card.role.text() == "Card missing"
    assert "add it from there" in page.card.problem.text()
    assert not page.first.isEnabled()
    page.close_down()


def test_fault_10_card_shows_that_the_file_is_missing_and_where_it_was(qtbot, themed, tmp_path):
    """A real library of two models, of which one has lost its file."""
    for name in ("student-68", "student-68-lite"):
        for suffix in (".tflite", ".json"):
            shutil.copy(SHIPPED / f"{name}{suffix}", tmp_path)
    gone = tmp_path / "student-68-lite.tflite"
    gone.unlink()
    page = ModelsPage(ModelLibrary((tmp_path,)).entries, ModelLibrary((tmp_path,)).load)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page.list.topLevelItemCount() == 2)
    assert page.list.currentItem().text(0) == "student-68"
    choose(page, "student-68-lite")
    assert page.card.role.text() == "File missing"
    assert str(gone) in page.card.problem.text()
    assert "112 \u00d7 112 pixels, RGB" in words(page.card.network)
    assert not page.first.isEnabled()
    page.close_down()


def test_buttons_ask_for_a_lane(page, qtbot):
    choose(page, "teacher-68")
    for button, lane in ((page.first, FIRST), (page.second, SECOND)):
        with qtbot.waitSignal(page.use_wanted) as wanted:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert wanted.args == [lane, "teacher-68"]


def test_a_button_adds_a_lane_while_there_are_two_or_three(page, qtbot):
    choose(page, "teacher-68")
    for lanes, there in ((1, False), (2, True), (3, True), (4, False)):
        page.show_lanes(("student-68",) * lanes)
        assert page.another.isVisible() == there
        if there:
            with qtbot.waitSignal(page.use_wanted) as wanted:
                qtbot.mouseClick(page.another, Qt.MouseButton.LeftButton)
            assert wanted.args == [lanes, "teacher-68"]


def test_speed_is_measured_and_kept_for_the_session(page, qtbot, slow_benchmark, heartbeat):
    page.measure.click()
    assert page.card.speed.text() == "Measuring …"
    assert not page.measure.isVisible()
    assert not page.measure_all.isEnabled()
    qtbot.wait(100)
    slow_benchmark.set()
    qtbot.waitUntil(lambda: not page.speeds.busy)
    words = r"p50 3\.25 ms, p95 4\.50 ms a face on one thread · measured \d{4}-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(words, page.card.speed.text())
    choose(page, "teacher-68")
    assert "Not measured" in page.card.speed.text()
    choose(page, "student-98")
    assert "3.25 ms" in page.card.speed.text()
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_all_usable_models_are_measured(page, qtbot, slow_benchmark):
    slow_benchmark.set()
    page.measure_all.click()
    qtbot.waitUntil(lambda: not page.speeds.busy)
    assert page.speeds.result("teacher-68") is not None
    assert page.speeds.result("student-98") is not None
    assert page.speeds.result("broken") is None
    assert not page.banner.isVisible()


def test_measuring_shows_how_far_it_is(page, qtbot, slow_benchmark):
    page.measure_all.click()
    assert page.progress.text() == "Loading the models …"
    qtbot.waitUntil(lambda: page.progress.text() == "Measuring: 3 of 20 rounds")
    slow_benchmark.set()
    qtbot.waitUntil(lambda: not page.speeds.busy)
    assert page.progress.text() == ""


def test_measured_models_are_in_the_table_and_in_the_picture(page, qtbot, slow_benchmark):
    slow_benchmark.set()
    assert page.chart.accessibleDescription().startswith("“Measure all” puts")
    page.show_lanes(("teacher-68", "student-98"))
    page.measure_all.click()
    qtbot.waitUntil(lambda: not page.speeds.busy)
    rows = {row[0]: row[1:] for row in page.list.texts()}
    assert rows["student-98"] == ("Student", "98", "2.17", "3.05", "3.25")
    assert rows["teacher-68"] == ("Teacher", "68", "0.00", "\u2013", "3.25")
    assert rows["broken"][1:] == ("\u2013",) * 4
    assert page.chart.accessibleDescription() == "student-98: NME 3.05 %, 3.25 ms, 2.17 MB", "others have no error"
    choose(page, "teacher-68")
    qtbot.mouseClick(page.chart, Qt.MouseButton.LeftButton, pos=page.chart.place_of("student-98").toPoint())
    assert page.list.currentItem().text(0) == "student-98"


def test_measuring_can_be_cancelled(page, qtbot, slow_benchmark):
    page.measure.click()
    assert page.cancel.isVisible()
    page.cancel.click()
    assert not page.speeds.busy
    assert not page.cancel.isVisible()
    qtbot.wait(50)
    assert "Not measured" in page.card.speed.text()
    slow_benchmark.set()
    page.measure.click()
    qtbot.waitUntil(lambda: not page.speeds.busy)
    assert "3.25 ms" in page.card.speed.text()


def test_shipped_model_is_measured_for_real(qtbot, themed, monkeypatch):
    monkeypatch.setattr("engine.batch.benchmark.ROUNDS", 2)
    library = ModelLibrary((SHIPPED,))
    page = ModelsPage(library.entries, library.load)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page.list.topLevelItemCount() > 1)
    choose(page, "student-68-lite")
    page.measure.click()
    qtbot.waitUntil(lambda: not page.speeds.busy, timeout=20_000)
    speed = page.speeds.result("student-68-lite").speed
    assert (speed.model, speed.threads) == ("student-68-lite", 1)
    assert 0 < speed.p50 <= speed.p95
    page.close_down()


def test_a_model_that_goes_while_it_is_measured_is_reported(page, qtbot):
    page.speeds.start(["broken"])
    qtbot.waitUntil(page.banner.isVisible)
    assert page.banner.text.startswith("The model “broken” is damaged.")
    assert page.measure.isEnabled()


def test_a_file_from_elsewhere_is_listed_and_used_by_its_path(page, qtbot, tmp_path):
    path = tmp_path / "elsewhere" / "mine.tflite"
    page.open_model(str(path))
    qtbot.waitUntil(lambda: page.list.currentItem().text(0) == "mine")
    with qtbot.waitSignal(page.use_wanted) as wanted:
        page.first.click()
    assert wanted.args == [FIRST, str(path)]
    page.refresh()
    qtbot.wait(50)
    assert page.list.currentItem().text(0) == "mine"


def test_a_file_that_cannot_be_used_is_reported(page, qtbot, tmp_path):
    page.open_model(str(tmp_path / "broken.tflite"))
    qtbot.waitUntil(page.banner.isVisible)
    assert page.banner.text == "The model “broken” is damaged. Its bytes changed on the way. Install it again."
    assert page.list.topLevelItemCount() == 3


def test_the_list_is_read_again_whenever_the_page_is_shown(page, qtbot, entries):
    choose(page, "teacher-68")
    page.hide()
    del entries[1]
    page.show()
    qtbot.waitUntil(lambda: page.list.topLevelItemCount() == 2)
    assert page.list.currentItem().text(0) == "teacher-68"


def test_without_models_a_sentence_says_what_to_do(qtbot, themed):
    page = ModelsPage(lambda: [], lambda model: None)
    qtbot.addWidget(page)
    page.show()
    assert page.nothing.text() == "Looking for models …"
    qtbot.waitUntil(lambda: page.nothing.text().startswith("There is no model yet."))
    assert page.nothing.isVisible()
    for button in (page.measure_all, page.open_folder):
        assert not button.isEnabled()
    page.close_down()


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_fault_83_the_page_can_be_used_without_mouse_and_eyes(page, palette):
    apply_theme(QApplication.instance(), palette)
    page.activateWindow()
    page.list.setFocus()
    assert len(walking.controls(page)) > 6
    for fault in (walking.nameless, walking.unexplained, walking.unreachable, walking.skipped, walking.without_ring):
        assert fault(page) == []
