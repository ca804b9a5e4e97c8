"""What the program is and under which licences it may be used."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.core.version import program_version


def show_about(parent: QWidget) -> QMessageBox:
    """Show the version and the licences over a window, which goes on running; return the dialogue."""
    translate = QCoreApplication.translate
    version = translate("about", "Understudy {0}").format(program_version())
    box = QMessageBox(QMessageBox.Icon.NoIcon, translate("about", "About Understudy"), version, parent=parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setInformativeText(licences())
    box.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    box.addButton(translate("about", "Close"), QMessageBox.ButtonRole.RejectRole)
    box.open()
    return box


def licences() -> str:
    """Return what may be done with the parts of the program, a paragraph each."""
    translate = QCoreApplication.translate
    return "\n\n".join(
        (
            translate("about", "Facial landmarks, live: a small student network learned them from big teachers."),
            translate("about", "The code is free under the licence Apache-2.0."),
            translate(
                "about",
                "The models are for research and non-commercial use only, as they learned from face pictures that are "
                "free for research only. The face detector is MediaPipe's BlazeFace (Apache-2.0).",
            ),
            translate("about", "The font is Inter (SIL OFL 1.1). The sample is NASA's portrait of Eileen Collins."),
            translate("about", "Nothing leaves this machine unless you stream it."),
        )
    )
