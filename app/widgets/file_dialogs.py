"""Asking for a file, a folder or an address without stopping the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

HOME = str(Path("~").expanduser())


def ask_for_file(parent: QWidget, title: str, use: Callable[[str], object], names: str = "", begin: str = "") -> None:
    """Let the user choose a file and return at once; `use` gets its path, if one is chosen.

    Args:
        parent: what the dialog belongs to.
        title: what is asked for.
        use: called with the path.
        names: which files are listed, as Qt writes it; all of them if empty.
        begin: the folder to begin in; the user's own if empty.
    """
    _ask(QFileDialog(parent, title, begin or HOME, names), QFileDialog.FileMode.ExistingFile, use)


def ask_for_folder(parent: QWidget, title: str, use: Callable[[str], object], begin: str = "") -> None:
    """Let the user choose a folder, as `ask_for_file` does with a file; `begin` is the folder to begin in."""
    _ask(QFileDialog(parent, title, begin or HOME), QFileDialog.FileMode.Directory, use)


def file_pattern(endings: Iterable[str]) -> str:
    """Return the pattern of files with these endings, such as `.mp4`, as Qt writes it; large letters count too."""
    return " ".join(f"*{form}" for ending in sorted(endings) for form in (ending, ending.upper()))


def ask_for_address(parent: QWidget, use: Callable[[str], object]) -> None:
    """Let the user type the address of a camera in the network and return at once; `use` gets it."""
    dialog = QInputDialog(parent)
    dialog.setWindowTitle(QCoreApplication.translate("file_dialogs", "Open a camera in the network"))
    words = QCoreApplication.translate(
        "file_dialogs", "Address of the stream, such as {0}.\nOne with a password is not remembered for the next start."
    )
    dialog.setLabelText(words.format("http://192.168.1.20:8080/video, rtsp://USER:PASSWORD@192.168.1.20/live"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.textValueSelected.connect(use)
    dialog.open()


def _ask(dialog: QFileDialog, mode: QFileDialog.FileMode, use: Callable[[str], object]) -> None:
    dialog.setFileMode(mode)
    dialog.setOption(QFileDialog.Option.HideNameFilterDetails)  # eighty endings would fill the window
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(use)
    dialog.open()
