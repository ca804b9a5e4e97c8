"""Translating the window, where there is a translation into the user's language."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from engine.core.paths import asset_path


def QT_TR_NOOP(words: str) -> str:
    """Mark words of a table, of the context “”; `lupdate` looks for this name. Qt's own one has no types."""
    return words


def install_translations(
    application: QApplication, locale: QLocale | None = None, folder: Path | None = None
) -> list[QTranslator]:
    """Translate what is made from now on: our words, and those of Qt's own dialogs.

    Args:
        application: what is translated.
        locale: the language; the user's if None.
        folder: holds files such as `understudy_de.qm`; the one that ships with the program if None.

    Returns:
        The translations found, which belong to the application; without any, the words stay English.
    """
    wanted = locale or QLocale()
    places = (
        ("understudy", str(folder or asset_path("translations"))),
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
    )
    found = []
    for name, place in places:
        translator = QTranslator(application)
        if translator.load(wanted, name, "_", place):
            application.installTranslator(translator)
            found.append(translator)
    return found
