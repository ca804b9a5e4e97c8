"""The sheet of keys: it lists all of them, covers the window, and closes by itself."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QMainWindow, QScrollArea

from app.shortcuts.cheat_sheet import HotkeySheet
from app.shortcuts.shortcuts import HOTKEYS, Act, Hotkeys
from app.theme.theme import DARK, LIGHT, apply_theme


@pytest.fixture
def window(qtbot, themed):
    shown = QMainWindow()
    shown.text = QLineEdit()
    shown.setCentralWidget(shown.text)
    shown.resize(1000, 700)
    qtbot.addWidget(shown)
    shown.sheet = HotkeySheet(shown)
    acts = {line.act: (lambda: None) for line in HOTKEYS}
    shown.hotkeys = Hotkeys(shown, {**acts, Act.KEYS: shown.sheet.toggle})
    shown.show()
    qtbot.waitExposed(shown)
    shown.activateWindow()
    shown.text.setFocus()
    return shown


def words(window):
    return [label.text() for label in window.sheet.findChildren(QLabel)]


def test_sheet_lists_every_key_with_its_words(window):
    window.sheet.toggle()
    said = words(window)
    for line in HOTKEYS:
        assert line.text in said
        assert all(key in said for key in line.key_texts)
        assert f"{', '.join(line.key_texts)}: {line.text}" in window.sheet.accessibleDescription()


@pytest.mark.parametrize("leave", ["Esc", "?", "F1", "click"])
def test_sheet_goes_away_and_gives_the_focus_back(window, qtbot, leave):
    window.sheet.toggle()
    assert window.sheet.isVisible()
    assert window.focusWidget() is window.sheet
    keys = {"Esc": Qt.Key.Key_Escape, "?": Qt.Key.Key_Question, "F1": Qt.Key.Key_F1}
    if leave == "click":
        qtbot.mouseClick(window.sheet, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    else:
        qtbot.keyClick(window.sheet, keys[leave])
    assert not window.sheet.isVisible()
    assert window.focusWidget() is window.text


def test_fault_83_question_mark_in_a_text_field_is_a_letter(window, qtbot):
    qtbot.keyClicks(window.text, "?")
    assert not window.sheet.isVisible()
    assert window.text.text() == "?"


def test_tab_does_not_reach_what_is_covered(window, qtbot):
    window.sheet.toggle()
    qtbot.keyClick(window.sheet, Qt.Key.Key_Tab)
    assert window.focusWidget() is window.sheet


@pytest.mark.parametrize(("size", "columns"), [((1280, 800), 3), ((640, 420), 2), ((420, 300), 1)])
def test_sheet_fits_into_every_window(window, qtbot, size, columns):
    window.sheet.toggle()
    window.resize(*size)
    qtbot.waitUntil(lambda: window.sheet.size() == window.size())
    qtbot.wait(20)
    scroll = window.sheet.findChild(QScrollArea)
    card = scroll.parentWidget()
    assert window.rect().contains(card.geometry())
    assert scroll.widget().layout().count() == columns
    assert scroll.widget().sizeHint().width() <= scroll.viewport().width(), "words are cut off"
    if size[1] < 500:
        before = scroll.verticalScrollBar().value()
        qtbot.keyClick(window.sheet, Qt.Key.Key_Down)
        assert scroll.verticalScrollBar().value() > before, "what does not fit can be scrolled to"


def test_sheet_has_room_for_all_after_a_change_of_theme(window, themed, qtbot):
    window.resize(1280, 800)
    sizes = []
    for colours in (DARK, LIGHT, DARK, DARK):
        apply_theme(themed, colours)
        window.sheet.toggle()
        qtbot.wait(1)
        sizes.append(window.sheet.findChild(QScrollArea).parentWidget().size())
        assert not window.sheet.findChild(QScrollArea).verticalScrollBar().isVisible()
        window.sheet.toggle()
        qtbot.wait(1)
    assert len({size.toTuple() for size in sizes}) == 1
