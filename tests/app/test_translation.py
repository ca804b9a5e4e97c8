"""Every word a user sees can be translated: by the source, by the tools, and on screen."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QLocale, QObject
from PySide6.QtWidgets import QAbstractButton, QLabel, QTabBar, QWidget

from app.settings.words import WORDS
from app.shortcuts.shortcuts import HOTKEYS, Act, with_key
from app.translation import install_translations
from tests.app.conftest import with_all_pages

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for path in sorted((ROOT / "app").rglob("*.py")) if "PySide6" in path.read_text(encoding="utf-8")]
# Calls that put words on the screen.
SHOWING = {
    "QLabel", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QGroupBox", "QAction", "QMessageBox",
    "CheckBox", "Picker", "Section", "named", "make_button", "make_tool_button",
    "setText", "setToolTip", "setStatusTip", "setTitle", "setWindowTitle", "setPlaceholderText", "setAccessibleName",
    "setAccessibleDescription", "setPrefix", "setSuffix", "setFormat", "setLabelText", "setTabText", "setHeaderLabels",
    "addItem", "insertItem", "addTab", "addRow", "setItemText",
    "show_message", "show_notice", "show_hint", "show_text", "show_briefly",
}  # fmt: skip
TRANSLATING = {"tr", "translate", "QT_TR_NOOP"}
NAMES = {"Understudy"}  # the same in every language


def called(node):
    """Return the name of what a call calls."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def literal_words(node):
    """Yield the words that an argument shows without their translation."""
    match node:
        case ast.Constant(value=str() as text):
            if re.search(r"(?<![.\w])[A-Za-z]{2}", text) and text not in NAMES:  # “.pts” is no word
                yield text
        case ast.JoinedStr(values=parts):
            for part in parts:
                yield from literal_words(part.value if isinstance(part, ast.FormattedValue) else part)
        case ast.BinOp(left=left, right=right):
            yield from (*literal_words(left), *literal_words(right))
        case ast.IfExp(body=body, orelse=other):
            yield from (*literal_words(body), *literal_words(other))
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                yield from literal_words(part)
        case ast.Call(func=ast.Attribute(value=text, attr="format" | "join")):
            yield from literal_words(text)


def untranslated(tree):
    """Return calls that show words of the source as they are."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in SHOWING]
    return [
        f"line {call.lineno}: {words!r}"
        for call in calls
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for words in literal_words(argument)
    ]


def unknown_to_lupdate(tree):
    """Return translations that the tools do not find, or find under another heading than the program looks for."""
    inside = {call for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for call in ast.walk(text)}
    wrong = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        place = {"tr": 0, "translate": 1}.get(called(call))
        # Tables mark their words where they stand; painters and rectangles have a `translate` too.
        if place is None or (place and not (is_text(call.args[0]) and call.args[0].value)):
            continue
        if not is_text(call.args[place]):
            wrong.append(f"line {call.lineno}: no literal")
        elif call in inside:
            wrong.append(f"line {call.lineno}: inside an f-string")
        elif called(call) == "tr" and not isinstance(call.func, ast.Attribute):
            wrong.append(f"line {call.lineno}: tr without self; write translate(“module”, …)")
    return wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_words_on_screen_go_through_tr(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert untranslated(tree) == []
    assert unknown_to_lupdate(tree) == []


def test_the_search_finds_what_is_wrong():
    source = """
label.setText("Hello")
box = QCheckBox(f"{count} points")
label.setToolTip("Go" if on else self.tr("Stop"))
label.setText("{0} faces".format(3))
label.setText(self.tr("Fine"))
label.setText(f"{name} · {self.tr('unseen')}")
label.setText(self.tr(words))
label.setText(tr("Nobody's"))
"""
    tree = ast.parse(source)
    assert [line.split(":")[0] for line in untranslated(tree)] == ["line 2", "line 3", "line 4", "line 5"]
    assert [line.split(":")[0] for line in sorted(unknown_to_lupdate(tree))] == ["line 7", "line 8", "line 9"]


# The tools


def tool(name):
    found = shutil.which(name, path=f"{Path(sys.executable).parent}") or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Return a .ts file with every word of the window."""
    path = tmp_path_factory.mktemp("translation") / "understudy_eo.ts"
    command = [tool("pyside6-lupdate"), *map(str, SOURCES), "-ts", str(path), "-warnings-are-errors"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return path


def messages(path):
    """Yield context and message of a .ts file."""
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            yield context.findtext("name"), message


def test_lupdate_finds_every_word(collected):
    found = {(context, message.findtext("source")) for context, message in messages(collected)}
    for line in HOTKEYS:
        assert ("", line.words) in found
    for words in WORDS.values():
        assert {("", words.label), ("", words.hint)} <= found
    calls = [
        call.args[0].value
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and called(call) == "tr" and isinstance(call.args[0], ast.Constant)
    ]
    assert len(calls) > 50
    assert set(calls) <= {words for _, words in found}


@pytest.fixture
def marked(collected, tmp_path, themed):
    """Translate everything into the same words between marks, a third longer, while the test runs."""
    tree = ElementTree.parse(collected)
    for message in tree.getroot().iter("message"):
        words, translation = message.findtext("source"), message.find("translation")
        translation.text = f"⟦{words}{'~' * (len(words) // 3)}⟧"
        translation.attrib.pop("type")
    source = tmp_path / "understudy_eo.ts"
    tree.write(source, encoding="utf-8", xml_declaration=True)
    command = [tool("pyside6-lrelease"), str(source), "-qm", str(tmp_path / "understudy_eo.qm")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    translators = install_translations(themed, QLocale("eo"), tmp_path)
    assert translators, "the translation was not found"
    yield
    for translator in translators:
        themed.removeTranslator(translator)


def test_translated_words_come_on_screen(marked):
    class Banner(QObject):  # a context of the sources
        pass

    assert Banner().tr("Copy") == "⟦Copy~⟧"
    assert HOTKEYS[0].text.startswith("⟦Pause")
    assert with_key("x", Act.SCREENSHOT) == "x (S)", "keys stay what they are"


def spoken(window):
    """Yield the text, the explanation and the accessible name of each widget."""
    for widget in window.findChildren(QWidget):
        if isinstance(widget.parent(), QTabBar):  # its arrows speak Qt's own translation
            continue
        text = widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""
        for words in (text, widget.toolTip(), widget.accessibleName()):
            if re.search(r"[A-Za-z]{2}", words):
                yield f"{type(widget).__name__}: {words}"


def test_nothing_on_the_window_is_left_untranslated(marked, request):
    """As `marked` shows it; names of sources, models and the program are the same in every language."""
    window = request.getfixturevalue("playing")
    said = list(spoken(with_all_pages(window)))
    assert len(said) > 60
    assert [words for words in said if "⟦" not in words and words != "QPushButton: Understudy"] == []


def test_language_without_a_translation_keeps_the_words(tmp_path, themed):
    assert install_translations(themed, QLocale("eo"), tmp_path) == []
    assert HOTKEYS[0].text == "Pause or resume"
