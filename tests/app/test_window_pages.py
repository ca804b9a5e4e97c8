"""The pages of the main window: each is made when it is first needed, and shown without a pause."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.live.live_page import LivePage
from app.models.models_page import ModelsPage
from app.review.review_page import ReviewPage
from app.settings.file import read_settings
from app.settings.schema import TrainChoices
from app.shell.main_window import LIVE_PAGE, MODELS_PAGE, REVIEW_PAGE, TRAIN_PAGE
from app.train.train_page import TrainPage
from tests.app.conftest import LONGEST_GAP

OTHERS = {MODELS_PAGE: ModelsPage, TRAIN_PAGE: TrainPage, REVIEW_PAGE: ReviewPage}


def kinds(window):
    """Return the kinds of the pages that were made."""
    return [type(window.pages.widget(place)) for place in range(window.pages.count())]


def test_pages_are_made_when_they_are_first_shown(window):
    assert kinds(window) == [LivePage]
    for place, kind in OTHERS.items():
        window.top_bar.choose(place)
        assert type(window.pages.currentWidget()) is kind
        assert window.pages.currentWidget().isVisible()
    for place in (LIVE_PAGE, *OTHERS, LIVE_PAGE):
        window.top_bar.choose(place)
    assert window.pages.currentWidget() is window.live
    assert kinds(window) == [LivePage, *OTHERS.values()]


def test_pages_open_in_any_order(window):
    for place in reversed(OTHERS):
        window.top_bar.choose(place)
        assert type(window.pages.currentWidget()) is OTHERS[place]


def test_keys_of_the_review_do_nothing_elsewhere(window, qtbot):
    for key in (Qt.Key.Key_K, Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_Home):
        qtbot.keyClick(window, key)
    assert kinds(window) == [LivePage]


def test_settings_of_a_page_that_was_never_shown_are_kept(window, tmp_path):
    chosen = TrainChoices("student-68", tmp_path / "packs")
    window.store.update("training", chosen)
    window.close()
    assert read_settings(tmp_path / "settings.toml").settings.training == chosen


def test_a_page_begins_with_what_was_set_before_it_was_made(window, qtbot, tmp_path):
    window.store.update("training", TrainChoices("student-68", tmp_path / "packs"))
    window.store.update("lanes.models", ("student-68", "teacher-tolerant-68"))
    window.store.update("live.overlay.contours", False)
    assert window.training.form.data_folder == tmp_path / "packs"
    assert window.review.view.contours is False
    window.store.update("live.overlay.contours", True)
    assert window.review.view.contours is True
    window.top_bar.choose(MODELS_PAGE)
    rows = window.models.list
    qtbot.waitUntil(lambda: rows.topLevelItemCount() > 0)
    assert window.models._lanes == ("student-68", "teacher-tolerant-68")


def test_pages_change_without_a_pause(playing, qtbot, heartbeat):
    for _ in range(2):  # the first time they are made
        for place in OTHERS:
            playing.top_bar.choose(place)
            qtbot.wait(50)
            playing.top_bar.choose(LIVE_PAGE)
            qtbot.wait(50)
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP
