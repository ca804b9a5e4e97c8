"""The look of the window: a calm dark palette that keeps the eye on the picture."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

# Every text colour stands at 4.5 : 1 or better against the backgrounds it is used on (WCAG AA).
STAGE = "#0d0f12"  # around the picture
PANEL = "#1a1d22"  # side panel and status line
FIELD = "#272c34"  # buttons, lists
HOVER = "#323944"
EDGE = "#6a7484"  # outlines of controls
TEXT = "#e8eaed"
MUTED = "#a3acb8"  # headings, hints
FAINT = "#6d7682"  # what cannot be used now
ACCENT = "#4fc3a1"  # focus, slider, check marks
ON_ACCENT = "#08120e"
ALERT = "#5a1f24"  # banner
ALERT_EDGE = "#8c3a41"
ON_ALERT = "#ffe3e0"

GAP = 8  # logical pixels between neighbours
MARGIN = 20  # logical pixels between groups and around them

_STYLE = f"""
#panel, #panelArea, #statusLine {{ background: {PANEL}; }}
#panelArea {{ border: none; border-left: 1px solid {FIELD}; }}
#statusLine {{ border-top: 1px solid {FIELD}; padding: 7px {MARGIN}px; color: {TEXT}; }}
QLabel[role="heading"] {{ color: {MUTED}; }}

QPushButton, QToolButton, QComboBox {{
    background: {FIELD}; color: {TEXT}; border: 1px solid {EDGE}; border-radius: 6px; padding: 7px 11px;
}}
QPushButton:hover, QToolButton:hover, QComboBox:hover {{ background: {HOVER}; }}
QPushButton:pressed, QPushButton:checked {{ background: {ACCENT}; color: {ON_ACCENT}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus {{ border: 2px solid {ACCENT}; padding: 6px 10px; }}
QPushButton:checked:focus {{ border-color: {TEXT}; }}
QComboBox::drop-down {{ border: none; width: 26px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox QAbstractItemView {{
    background: {FIELD}; color: {TEXT}; border: 1px solid {EDGE}; outline: none; padding: 4px;
}}
QComboBox QAbstractItemView::item {{ min-height: 26px; padding: 0 7px; border-radius: 4px; }}
QComboBox QAbstractItemView::item:selected {{ background: {ACCENT}; color: {ON_ACCENT}; }}
QComboBox QAbstractItemView::item:disabled {{ background: transparent; color: {FAINT}; }}

QCheckBox {{ spacing: 9px; padding: 4px 0; outline: none; }}
QCheckBox:disabled {{ color: {FAINT}; }}
QCheckBox::indicator {{
    width: 15px; height: 15px; border: 1px solid {EDGE}; border-radius: 4px; background: {FIELD};
}}
QCheckBox::indicator:hover {{ background: {HOVER}; }}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QCheckBox::indicator:focus {{ width: 13px; height: 13px; border: 2px solid {TEXT}; }}
QCheckBox::indicator:disabled {{ background: {PANEL}; border-color: {HOVER}; }}

QSlider {{ min-height: 24px; border: 1px solid transparent; border-radius: 5px; }}
QSlider:focus {{ border-color: {ACCENT}; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {EDGE}; }}
QSlider::sub-page:horizontal {{ border-radius: 2px; background: {ACCENT}; }}
QSlider::handle:horizontal {{ width: 16px; margin: -6px 0; border-radius: 8px; background: {TEXT}; }}

#banner {{ background: {ALERT}; border: 1px solid {ALERT_EDGE}; border-radius: 8px; }}
#banner QLabel {{ color: {ON_ALERT}; }}
#banner QToolButton {{ background: transparent; border: 1px solid transparent; color: {ON_ALERT}; padding: 4px 8px; }}
#banner QToolButton:hover {{ background: {ALERT_EDGE}; }}
#banner QToolButton:focus {{ border: 2px solid {ON_ALERT}; padding: 3px 7px; }}
QToolTip {{ background: {FIELD}; color: {TEXT}; border: 1px solid {EDGE}; padding: 4px; }}
QScrollBar:vertical {{ background: {PANEL}; width: 10px; }}
QScrollBar::handle:vertical {{ background: {EDGE}; border-radius: 4px; min-height: 30px; margin: 1px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
"""


def apply_theme(application: QApplication) -> None:
    """Give the whole application the dark look; the font stays the system's."""
    application.setStyle("Fusion")
    application.setPalette(_palette())
    application.setStyleSheet(_STYLE)


def _palette() -> QPalette:
    roles = QPalette.ColorRole
    colours = {
        roles.Window: PANEL,
        roles.WindowText: TEXT,
        roles.Base: FIELD,
        roles.AlternateBase: PANEL,
        roles.Text: TEXT,
        roles.Button: FIELD,
        roles.ButtonText: TEXT,
        roles.BrightText: ON_ALERT,
        roles.Light: HOVER,
        roles.Mid: EDGE,
        roles.Dark: STAGE,
        roles.Highlight: ACCENT,
        roles.Accent: ACCENT,
        roles.HighlightedText: ON_ACCENT,
        roles.ToolTipBase: FIELD,
        roles.ToolTipText: TEXT,
        roles.PlaceholderText: MUTED,
        roles.Link: ACCENT,
    }
    palette = QPalette()
    for role, colour in colours.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(FAINT))
    return palette
