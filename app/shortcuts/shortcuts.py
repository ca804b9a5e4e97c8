"""The one table of keys, from which the actions of the window, its tool tips and the sheet of keys are made.

Keys of settings are in `app.settings.words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from app.settings.words import WORDS
from app.translation import QT_TR_NOOP

_ARROWS = {"Left": "\u2190", "Right": "\u2192"}


class Group(Enum):
    """Headings of the sheet."""

    PICTURE = QT_TR_NOOP("Picture")
    OVERLAY = QT_TR_NOOP("Overlay")
    COMPARE = QT_TR_NOOP("Compare")
    SAVE = QT_TR_NOOP("Save")
    REVIEW = QT_TR_NOOP("Review")
    WINDOW = QT_TR_NOOP("Window")

    @property
    def text(self) -> str:
        """The heading in the user's language."""
        return QCoreApplication.translate("", self.value)


class Act(Enum):
    """What a key can do, apart from changing a setting."""

    PAUSE = "pause"
    FRAME_BACK = "frame back"
    FRAME_ON = "frame on"
    SECONDS_BACK = "seconds back"
    SECONDS_ON = "seconds on"
    START = "start"
    OPEN = "open"
    PASTE = "paste"
    FILTER = "filter"
    ADD_MODEL = "add model"
    REMOVE_MODEL = "remove model"
    SWAP = "swap"
    SCREENSHOT = "screenshot"
    RECORD = "record"
    REPORT = "report"
    MARK = "mark"
    NEXT_MARK = "next mark"
    LAST_MARK = "last mark"
    NEXT_WORST = "next worst"
    LAST_WORST = "last worst"
    FULL_SCREEN = "full screen"
    PRESENT = "present"
    THEME = "theme"
    KEYS = "keys"
    CLOSE = "close"
    QUIT = "quit"


@dataclass(frozen=True)
class Hotkey:
    """A key and what it does.

    Attributes:
        act: what it does; the path of a setting that it toggles, or sets to its next value.
        keys: alternative key sequences in Qt's portable notation; tool tips name the first.
        words: what it does, in English; `text` is what users read.
        group: where the sheet lists it.
        yields: the focused control comes first, as a slider needs the arrows and a button needs Space.
        repeats: it acts repeatedly while it is held down.
    """

    act: Act | str
    keys: tuple[str, ...]
    words: str
    group: Group
    yields: bool = False
    repeats: bool = False

    @property
    def text(self) -> str:
        """What the key does, in the user's language."""
        return QCoreApplication.translate("", self.words)

    @property
    def key_texts(self) -> tuple[str, ...]:
        """The keys as written on this system."""
        return tuple(_key_text(key) for key in self.keys)

    def fits(self, event: QKeyEvent) -> bool:
        """Whether `event` is a press of one of the keys."""
        pressed = QKeySequence(event.keyCombination())
        return any(pressed == QKeySequence(key) for key in self.keys)


def _yielding(act: Act, key: str, words: str, group: Group, repeats: bool = False) -> Hotkey:
    return Hotkey(act, (key,), words, group, yields=True, repeats=repeats)


def _setting(path: str, group: Group) -> Hotkey:
    words = WORDS[path]
    return Hotkey(path, (words.key,), words.on_sheet or words.label, group)


_ON_PICTURE = [path for path, words in WORDS.items() if path.startswith("live.overlay.") and words.key]
HOTKEYS = (
    _yielding(Act.PAUSE, "Space", QT_TR_NOOP("Pause or resume"), Group.PICTURE),
    _yielding(Act.FRAME_BACK, "Left", QT_TR_NOOP("One frame back"), Group.PICTURE, repeats=True),
    _yielding(Act.FRAME_ON, "Right", QT_TR_NOOP("One frame forward"), Group.PICTURE, repeats=True),
    _yielding(Act.SECONDS_BACK, "Shift+Left", QT_TR_NOOP("Five seconds back"), Group.PICTURE, repeats=True),
    _yielding(Act.SECONDS_ON, "Shift+Right", QT_TR_NOOP("Five seconds forward"), Group.PICTURE, repeats=True),
    _yielding(Act.START, "Home", QT_TR_NOOP("To the start"), Group.PICTURE),
    Hotkey(Act.OPEN, ("Ctrl+O",), QT_TR_NOOP("Open a file"), Group.PICTURE),
    Hotkey(Act.PASTE, ("Ctrl+V",), QT_TR_NOOP("Paste a picture"), Group.PICTURE),
    _setting("live.mirrored", Group.PICTURE),
    *(_setting(path, Group.OVERLAY) for path in sorted([*_ON_PICTURE, "signals"], key=lambda path: WORDS[path].key)),
    Hotkey(Act.FILTER, ("G",), QT_TR_NOOP("Next filter"), Group.OVERLAY),
    Hotkey(Act.ADD_MODEL, ("A",), QT_TR_NOOP("Add a model"), Group.COMPARE),
    Hotkey(Act.REMOVE_MODEL, ("Shift+A",), QT_TR_NOOP("Remove the last model"), Group.COMPARE),
    Hotkey(Act.SWAP, ("X",), QT_TR_NOOP("Swap the models"), Group.COMPARE),
    _setting("live.layout", Group.COMPARE),
    _setting("live.pair", Group.COMPARE),
    _setting("live.pace", Group.COMPARE),
    Hotkey(Act.SCREENSHOT, ("S",), QT_TR_NOOP("Screenshot"), Group.SAVE),
    Hotkey(Act.RECORD, ("R",), QT_TR_NOOP("Record, or stop recording"), Group.SAVE),
    Hotkey(Act.REPORT, ("E",), QT_TR_NOOP("Measure, or write the report"), Group.SAVE),
    Hotkey(Act.MARK, ("K",), QT_TR_NOOP("Mark, or remove the mark"), Group.REVIEW),
    Hotkey(Act.NEXT_MARK, ("J",), QT_TR_NOOP("Next mark"), Group.REVIEW),
    Hotkey(Act.LAST_MARK, ("Shift+J",), QT_TR_NOOP("Mark before"), Group.REVIEW),
    Hotkey(Act.NEXT_WORST, ("W",), QT_TR_NOOP("Next worst frame"), Group.REVIEW),
    Hotkey(Act.LAST_WORST, ("Shift+W",), QT_TR_NOOP("Worst frame before"), Group.REVIEW),
    _setting("controls", Group.WINDOW),
    Hotkey(Act.FULL_SCREEN, ("F",), QT_TR_NOOP("Full screen"), Group.WINDOW),
    Hotkey(Act.PRESENT, ("P",), QT_TR_NOOP("Presenter mode"), Group.WINDOW),
    Hotkey(Act.THEME, ("T",), QT_TR_NOOP("Next theme"), Group.WINDOW),
    Hotkey(Act.KEYS, ("?", "F1"), QT_TR_NOOP("These keys"), Group.WINDOW),
    _yielding(Act.CLOSE, "Esc", QT_TR_NOOP("Close what is on top"), Group.WINDOW),
    Hotkey(Act.QUIT, ("Ctrl+Q",), QT_TR_NOOP("Quit"), Group.WINDOW),
)
_BY_ACT = {hotkey.act: hotkey for hotkey in HOTKEYS}


def hotkey(act: Act | str) -> Hotkey:
    """Return the line of the table for `act`."""
    return _BY_ACT[act]


def with_key(words: str, act: Act | str) -> str:
    """Return a tool tip: `words`, and in brackets the key that does the same."""
    return f"{words} ({hotkey(act).key_texts[0]})"


class Hotkeys:
    """The keys of a window in use.

    Most are shortcuts of actions that belong to the window, so they work wherever the focus is; a text field that is
    typed into keeps its letters, as Qt asks it first. Those that yield come by way of the window's `keyPressEvent`,
    which gets only keys that the focused control does not use.

    Args:
        window: what the actions belong to.
        acts: what to call; every act of the table must have its own.

    Raises:
        KeyError: an act is missing.
    """

    def __init__(self, window: QWidget, acts: Mapping[Act | str, Callable[[], object]]) -> None:
        self._acts = {line.act: acts[line.act] for line in HOTKEYS}
        self.actions = {line.act: self._make_action(line, window) for line in HOTKEYS if not line.yields}

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key that yields asks for; to be called from the window's `keyPressEvent`.

        Returns:
            Whether the key was one of these. If so, the caller ignores the event.
        """
        for line in HOTKEYS:
            if line.yields and line.fits(event):
                if line.repeats or not event.isAutoRepeat():
                    self._acts[line.act]()
                return True
        return False

    def _make_action(self, line: Hotkey, window: QWidget) -> QAction:
        action = QAction(line.text, window)
        action.setShortcuts([QKeySequence(key) for key in line.keys])
        action.setAutoRepeat(line.repeats)
        action.triggered.connect(lambda: self._acts[line.act]())
        window.addAction(action)
        return action


def _key_text(key: str) -> str:
    text = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    for name, arrow in _ARROWS.items():
        text = text.replace(name, arrow)
    return text
