"""The banner has the colours of an alert where something is wrong, and those of the window where nothing is."""

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel

from app.shell.banner import Banner, Remedy
from app.theme.theme import DARK, LIGHT, apply_theme


@pytest.mark.parametrize("palette", [DARK, LIGHT])
def test_what_is_not_wrong_does_not_look_like_an_alert(themed, qtbot, palette):
    apply_theme(themed, palette)
    banner = Banner()
    qtbot.addWidget(banner)
    remedies = [Remedy("Save it", lambda: None)]

    def colours() -> tuple[QColor, QColor]:
        """Background and words."""
        words = banner.findChild(QLabel)
        return banner.grab().toImage().pixelColor(banner.width() // 2, 4), words.palette().windowText().color()

    banner.show_message("The camera is gone.", remedies=remedies)
    assert colours() == (QColor(palette.alert), QColor(palette.on_alert))
    banner.show_notice("A better card was found.", remedies)
    assert colours() == (QColor(palette.field), QColor(palette.text))
    banner.show_message("The camera is gone.", remedies=remedies)
    assert colours() == (QColor(palette.alert), QColor(palette.on_alert))
