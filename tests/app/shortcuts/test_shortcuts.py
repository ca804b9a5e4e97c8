"""The table of keys: complete, without duplicates, and inactive while the user types."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QPushButton, QSlider, QVBoxLayout, QWidget

from app.settings.words import WORDS
from app.shortcuts.shortcuts import HOTKEYS, Act, Group, Hotkeys, hotkey, with_key


class Window(QMainWindow):
    """A window with the table's keys that writes down what they did."""

    def __init__(self):
        super().__init__()
        self.done = []
        self.text, self.button, self.slider = QLineEdit(), QPushButton("Pause"), QSlider(Qt.Orientation.Horizontal)
        content = QWidget()
        layout = QVBoxLayout(content)
        for control in (self.text, self.button, self.slider):
            layout.addWidget(control)
        self.setCentralWidget(content)
        self.hotkeys = Hotkeys(self, {line.act: lambda act=line.act: self.done.append(act) for line in HOTKEYS})

    def keyPressEvent(self, event):
        if not self.hotkeys.press(event):
            super().keyPressEvent(event)


@pytest.fixture
def window(qtbot, themed):
    shown = Window()
    qtbot.addWidget(shown)
    shown.show()
    qtbot.waitExposed(shown)
    shown.activateWindow()
    shown.setFocus()
    return shown


def press(qtbot, widget, keys):
    """Press a key sequence as a keyboard does."""
    stroke = QKeySequence(keys)[0]
    qtbot.keyClick(widget, stroke.key(), stroke.keyboardModifiers())


def test_every_act_has_one_line_and_every_key_one_act():
    names = sorted(line.act.name for line in HOTKEYS if isinstance(line.act, Act))
    assert names == sorted(act.name for act in Act)
    paths = sorted(line.act for line in HOTKEYS if isinstance(line.act, str))
    assert paths == sorted(path for path, words in WORDS.items() if words.key)
    keys = [QKeySequence(key).toString() for line in HOTKEYS for key in line.keys]
    assert all(keys), "a key that Qt does not know"
    assert len(keys) == len(set(keys))
    assert {line.group for line in HOTKEYS} == set(Group)


@pytest.mark.parametrize("line", HOTKEYS, ids=lambda line: line.words)
def test_every_key_does_what_the_table_says(window, qtbot, line):
    for key in line.keys:
        press(qtbot, window, key)
    assert window.done == [line.act] * len(line.keys)


def test_fault_83_keys_do_not_fire_while_typing(window, qtbot):
    QApplication.clipboard().clear()  # other tests leave words there
    window.text.setFocus()
    letters = [key for line in HOTKEYS for key in line.keys if len(key) == 1]
    qtbot.keyClicks(window.text, " ".join(letters))
    for key in ("Left", "Right", "Home", "Ctrl+V"):
        press(qtbot, window.text, key)
    assert window.done == []
    assert window.text.text().replace(" ", "").upper() == "".join(letters)


def test_fault_83_controls_keep_the_keys_they_need(window, qtbot):
    pressed = []
    window.button.clicked.connect(lambda: pressed.append(True))
    window.button.setFocus()
    press(qtbot, window.button, "Space")
    window.slider.setFocus()
    press(qtbot, window.slider, "Right")
    assert (pressed, window.slider.value(), window.done) == ([True], 1, [])
    press(qtbot, window.slider, "X")
    assert window.done == [Act.SWAP], "the others work wherever the focus is"


def test_a_held_key_acts_once_but_steps_go_on(window):
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Right):
        for repeated in (False, True, True):
            event = QKeyEvent(
                QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, "", repeated, 1
            )  # fmt: skip
            QApplication.sendEvent(window, event)
    assert window.done == [Act.PAUSE] + [Act.FRAME_ON] * 3
    assert not any(action.autoRepeat() for action in window.hotkeys.actions.values())


def test_an_act_without_its_own_is_refused(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    with pytest.raises(KeyError):
        Hotkeys(widget, {Act.PAUSE: lambda: None})


def test_actions_and_tool_tips_come_from_the_table(window):
    action = window.hotkeys.actions[Act.SCREENSHOT]
    assert isinstance(action, QAction)
    assert (action.text(), action.shortcut().toString()) == ("Screenshot", "S")
    assert with_key("Save the picture", Act.SCREENSHOT) == "Save the picture (S)"
    assert hotkey(Act.SECONDS_BACK).key_texts == ("Shift+\u2190",)
    assert with_key("Show all keys", Act.KEYS) == "Show all keys (?)"
