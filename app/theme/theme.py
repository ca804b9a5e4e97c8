"""The colours of the window: light, dark, or those of the system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from string import Template

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import getCppPointer

from app.theme.style_sheet import STYLE
from engine.render.palette import LANES, LANES_ON_LIGHT, code_of

GAP = 8  # logical pixels between neighbours
MARGIN = 20  # logical pixels between groups and around them

# The stage around the picture stays dark in every theme, as in a cinema.
STAGE = "#0d0f12"
ON_STAGE = "#e8eaed"
ON_STAGE_MUTED = "#a3acb8"
STAGE_ACCENT = "#4fc3a1"


@dataclass(frozen=True)
class Palette:
    """The colours of a theme, each as `#rrggbb`.

    Every text has a contrast of 4.5 : 1 or better against its backgrounds, and what marks the focus or the edge of a
    control one of 3 : 1 (WCAG 2.1, AA).

    Attributes:
        panel: side panel, status line, dialogs.
        field: buttons, lists, text fields.
        hover: a field under the mouse.
        line: between parts of the window.
        edge: outlines of controls.
        text: on panel, field and hover.
        muted: headings and hints, on the same three.
        faint: disabled controls.
        accent: focus, slider, check marks, links.
        on_accent: text and marks on the accent.
        soft_accent: the done part of a progress bar, below text.
        alert, alert_edge, on_alert: the banner, its outline and pressed buttons, its text.
    """

    panel: str
    field: str
    hover: str
    line: str
    edge: str
    text: str
    muted: str
    faint: str
    accent: str
    on_accent: str
    soft_accent: str
    alert: str
    alert_edge: str
    on_alert: str


_COLOURS = {  # in the dark and in the light theme
    "panel": ("#1a1d22", "#f2f4f6"),
    "field": ("#272c34", "#ffffff"),
    "hover": ("#323944", "#e4e8ed"),
    "line": ("#272c34", "#d5dae1"),
    "edge": ("#6f7989", "#7b8694"),
    "text": ("#e8eaed", "#1b2027"),
    "muted": ("#a3acb8", "#505a67"),
    "faint": ("#6d7682", "#8a939f"),
    "accent": ("#4fc3a1", "#0a7158"),
    "on_accent": ("#08120e", "#ffffff"),
    "soft_accent": ("#24594b", "#b5e3d5"),
    "alert": ("#5a1f24", "#fbe3e1"),
    "alert_edge": ("#8c3a41", "#eab0ab"),
    "on_alert": ("#ffe3e0", "#61150f"),
}
_Role = QPalette.ColorRole
# Each colour's word in style sheets, and its roles in Qt's palette, of which the first has that word. Where Qt has no
# such colour, the role is one with which nothing is painted here: the style sheet has rules for tool tips.
_ROLES = {
    "panel": ("window", [_Role.Window, _Role.AlternateBase]),
    "field": ("base", [_Role.Base, _Role.Button]),
    "hover": ("light", [_Role.Light]),
    "line": ("midlight", [_Role.Midlight]),
    "edge": ("mid", [_Role.Mid, _Role.Dark]),
    "text": ("text", [_Role.Text, _Role.WindowText, _Role.ButtonText]),
    "muted": ("placeholder-text", [_Role.PlaceholderText]),
    "faint": ("shadow", [_Role.Shadow]),
    "accent": ("accent", [_Role.Accent, _Role.Highlight, _Role.Link]),
    "on_accent": ("highlighted-text", [_Role.HighlightedText]),
    "soft_accent": ("link-visited", [_Role.LinkVisited]),
    "alert": ("tooltip-base", [_Role.ToolTipBase]),
    "alert_edge": ("tooltip-text", [_Role.ToolTipText]),
    "on_alert": ("bright-text", [_Role.BrightText]),
}
DARK, LIGHT = (Palette(*shades) for shades in zip(*_COLOURS.values(), strict=True))


# Colours of lanes, on the picture and on dark panels, and on light ones.
ON_DARK, ON_LIGHT = (tuple(map(code_of, lanes)) for lanes in (LANES, LANES_ON_LIGHT))


class ThemeChoice(Enum):
    """The themes that the user can choose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


def colours() -> Palette:
    """Return the colours on screen now, for widgets that paint themselves; Qt repaints them when these change."""
    return LIGHT if QGuiApplication.palette().window().color() == QColor(LIGHT.panel) else DARK


def stage_colour(alpha: int) -> QColor:
    """Return the colour of the stage for what is laid over pictures, its opacity from 0 to 255."""
    colour = QColor(STAGE)
    colour.setAlpha(alpha)
    return colour


def lane_colour(lane: int) -> str:
    """Return the colour of a lane, counted from 0, on a panel of the theme on screen, as `#rrggbb`."""
    return (ON_DARK if colours() is DARK else ON_LIGHT)[lane % len(ON_DARK)]


def stage_lane_colour(lane: int) -> str:
    """Return the colour of a lane, counted from 0, on the stage and on pictures, as `#rrggbb`."""
    return ON_DARK[lane % len(ON_DARK)]


def style_sheet(style: str = STYLE) -> str:
    """Return a style sheet for every theme: `$names` of colours become roles of Qt's palette."""
    words = {name: f"palette({word})" for name, (word, _) in _ROLES.items()}
    return Template(style).substitute(words, margin=MARGIN)


def apply_theme(application: QApplication, palette: Palette = DARK) -> None:
    """Give the whole application these colours: what is shown at once, the rest in the next turn of the event loop.

    The font stays the system's.
    """
    application.setPalette(_qt_palette(palette))
    if not application.styleSheet():
        application.setStyleSheet(style_sheet())
        return
    # Qt looks up the roles that a style sheet names when it goes over a widget, and not when the palette changes.
    shown = _polish(application, lambda widget: widget.isVisible())
    QTimer.singleShot(0, application, lambda: _polish(application, lambda widget: _address(widget) not in shown))


def _polish(application: QApplication, is_due: Callable[[QWidget], bool]) -> set[int]:
    """Go over the widgets that are due and return their addresses, as a widget may be gone when it is used again."""
    style = application.style()
    due = [widget for widget in application.allWidgets() if is_due(widget)]
    for widget in due:
        style.polish(widget)
    return set(map(_address, due))


def _address(widget: QWidget) -> int:
    return int(getCppPointer(widget)[0])


class Theme(QObject):
    """Gives the application the colours that the user chose.

    With `SYSTEM` it follows the desktop, also while the window is open; it is dark where the desktop does not say.

    Args:
        application: what gets the colours.
        choice: the first choice.
    """

    def __init__(self, application: QApplication, choice: ThemeChoice = ThemeChoice.SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._choice = choice
        self._hints = application.styleHints()
        self._hints.colorSchemeChanged.connect(self._apply)
        self._set_system_scheme()
        application.setStyle("Fusion")  # once: it takes a fifth of the time of a change of colours
        apply_theme(application, self._palette())

    @contextmanager
    def put_aside(self) -> Iterator[None]:
        """Leave the style sheet out while a window is put together.

        Else Qt goes over all widgets of a part again with each larger part that takes it up: a fifth of a second.
        """
        sheet = self._application.styleSheet()
        self._application.setStyleSheet("")
        try:
            yield
        finally:
            self._application.setStyleSheet(sheet)

    def choose(self, choice: ThemeChoice) -> None:
        """Change the colours of everything on screen."""
        if choice is not self._choice:
            self._choice = choice
            self._set_system_scheme()
            self._apply()

    def _set_system_scheme(self) -> None:
        # The window's frame and the dialogs that the desktop draws itself.
        schemes = {ThemeChoice.LIGHT: Qt.ColorScheme.Light, ThemeChoice.DARK: Qt.ColorScheme.Dark}
        self._hints.setColorScheme(schemes.get(self._choice, Qt.ColorScheme.Unknown))

    def _apply(self) -> None:
        if self._palette() is not colours():
            apply_theme(self._application, self._palette())

    def _palette(self) -> Palette:
        if self._choice is ThemeChoice.SYSTEM:
            return LIGHT if self._hints.colorScheme() is Qt.ColorScheme.Light else DARK
        return LIGHT if self._choice is ThemeChoice.LIGHT else DARK


def _qt_palette(colours: Palette) -> QPalette:
    palette = QPalette()
    for name, (_, roles) in _ROLES.items():
        for role in roles:
            palette.setColor(role, QColor(getattr(colours, name)))
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.faint))
    return palette
