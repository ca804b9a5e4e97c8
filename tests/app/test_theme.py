import pytest
from PySide6.QtGui import QColor

from app import theme


def luminance(colour):
    """Relative luminance, WCAG 2.1."""
    parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("text", "background"),
    [
        (theme.TEXT, theme.PANEL),
        (theme.TEXT, theme.FIELD),
        (theme.TEXT, theme.HOVER),
        (theme.MUTED, theme.PANEL),
        (theme.MUTED, theme.STAGE),
        (theme.MUTED, theme.FIELD),
        (theme.ON_ACCENT, theme.ACCENT),
        (theme.ON_ALERT, theme.ALERT),
        (theme.ON_ALERT, theme.ALERT_EDGE),
    ],
)
def test_fault_83_text_can_be_read(text, background):
    assert contrast(text, background) >= 4.5


@pytest.mark.parametrize("background", [theme.PANEL, theme.FIELD, theme.STAGE])
def test_focus_can_be_seen(background):
    assert contrast(theme.ACCENT, background) >= 3


def test_font_stays_the_systems(qapp):
    before = qapp.font().toString()
    theme.apply_theme(qapp)
    assert qapp.font().toString() == before
