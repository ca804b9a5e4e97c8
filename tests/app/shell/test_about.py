"""The dialogue About says version and licences."""

from __future__ import annotations

import tomllib

from PySide6.QtWidgets import QWidget

from app.shell.about import show_about
from app.shell.bars import TopBar
from engine.core.version import program_version
from tests.conftest import ROOT


def test_about_names_the_version_and_what_code_and_models_are_for(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    box = show_about(parent)
    assert box.isVisible()
    assert program_version() in box.text()
    paragraphs = box.informativeText().split("\n\n")
    assert any("code" in text and "Apache-2.0" in text for text in paragraphs)
    assert any("models" in text and "research and non-commercial use only" in text for text in paragraphs)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0 AND OFL-1.1 AND LicenseRef-Understudy-Models", "About says the same"
    (close,) = box.buttons()
    close.click()
    assert not box.isVisible()


def test_the_name_of_the_program_opens_it(qtbot):
    bar = TopBar(("Live",))
    qtbot.addWidget(bar)
    assert bar.about.accessibleName() == "About Understudy"
    with qtbot.waitSignal(bar.about.clicked):
        bar.about.click()
