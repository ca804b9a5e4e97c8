"""The look: readable in both themes, changed at once, and as the desktop where that is wanted."""

import gc
from collections import Counter
from dataclasses import astuple, fields
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget

from app.live.viewport.viewport import Viewport
from app.shell.banner import Banner
from app.theme import theme
from app.theme.theme import DARK, LIGHT, Theme, ThemeChoice, apply_theme, colours, style_sheet
from app.widgets.controls import CheckBox, Picker
from engine.live.settings import MOST_LANES
from tests.app.conftest import with_all_pages

TEXTS = (
    ("text", "panel"), ("text", "field"), ("text", "hover"), ("text", "soft_accent"),
    ("muted", "panel"), ("muted", "field"), ("muted", "hover"),
    ("accent", "panel"), ("accent", "field"), ("accent", "hover"),
    ("on_accent", "accent"), ("on_alert", "alert"), ("on_alert", "alert_edge"),
)  # fmt: skip
# What is no text, but must be seen: the outline of a control, the ring of the focus, the mark that something is on.
MARKS = (("edge", "panel"), ("edge", "field"), ("accent", "panel"), ("accent", "field"), ("text", "panel"))

# Seconds: Qt goes over every widget of the window and then paints all of it, without a turn of the event loop between
# them. On a busy machine with two cores that takes 42 ms.
CHANGE_AND_REPAINT = 0.1


def luminance(colour):
    """Relative luminance, WCAG 2.1."""
    parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(params=[DARK, LIGHT], ids=["dark", "light"])
def palette(request):
    return request.param


@pytest.mark.parametrize(("text", "background"), TEXTS)
def test_fault_83_text_can_be_read(palette, text, background):
    assert contrast(getattr(palette, text), getattr(palette, background)) >= 4.5


@pytest.mark.parametrize(("mark", "background"), MARKS)
def test_fault_83_focus_and_outlines_can_be_seen(palette, mark, background):
    assert contrast(getattr(palette, mark), getattr(palette, background)) >= 3


@pytest.mark.parametrize("words", [theme.ON_STAGE, theme.ON_STAGE_MUTED, theme.STAGE_ACCENT])
def test_fault_83_words_on_the_stage_can_be_read(words):
    assert contrast(words, theme.STAGE) >= 4.5


# What each kind of colour blindness leaves of linear red, green and blue (Machado, Oliveira & Fernandes 2009).
SIGHTS = {
    "all colours": np.eye(3),
    "no red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "no green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "no blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def lab(colour, sight):
    """Return a colour as somebody sees it in CIELAB, where 2 is a difference that is just noticed."""
    parts = np.array([QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF()])
    seen = np.clip(np.array(sight) @ np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4), 0, 1)
    to_xyz = ((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728))  # of white, each is 1
    x, y, z = (cube ** (1 / 3) if cube > 0.008856 else 7.787 * cube + 16 / 116 for cube in np.array(to_xyz) @ seen)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize(("lanes", "panel"), [(theme.ON_DARK, DARK.panel), (theme.ON_LIGHT, LIGHT.panel)])
def test_everybody_can_distinguish_four_lanes_and_see_them_on_the_panel(lanes, panel, sight):
    seen = [lab(colour, SIGHTS[sight]) for colour in lanes]
    assert len(lanes) == MOST_LANES
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 30
    assert min(contrast(colour, panel) for colour in lanes) >= 3


def test_every_colour_is_one():
    assert all(QColor.isValidColorName(colour) for palette in (DARK, LIGHT) for colour in astuple(palette))


@pytest.mark.parametrize("name", [field.name for field in fields(theme.Palette)])
def test_style_sheets_name_every_colour_by_a_role_of_its_own(dressed, qtbot, name):
    spot = QWidget(styleSheet=style_sheet(f"QWidget {{ background: ${name}; }}"))
    shown(qtbot, spot)
    for choice, palette in ((ThemeChoice.LIGHT, LIGHT), (ThemeChoice.DARK, DARK)):
        dressed.choose(choice)
        assert painted(spot) == {getattr(palette, name)}


def test_font_stays_the_systems(qapp):
    before = qapp.font().toString()
    apply_theme(qapp)
    assert qapp.font().toString() == before


# What is on screen


@pytest.fixture
def dressed(themed):
    """Return a theme on the application; afterwards it is dark again."""
    worn = Theme(themed, ThemeChoice.DARK)
    yield worn
    worn.choose(ThemeChoice.DARK)
    worn.deleteLater()


def shown(qtbot, widget):
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def painted(widget):
    """Return the colours in a picture of `widget`."""
    image = widget.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def make_check_box():
    box = CheckBox("Points")
    box.setChecked(True)
    return box


def make_banner():
    banner = Banner()
    banner.show_message("The camera is gone.")
    return banner


def make_button():
    button = QPushButton("Pause")
    button.setCheckable(True)
    button.setChecked(True)
    return button


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (make_check_box, ("accent", "on_accent")),  # the tick is painted by ourselves
        (Picker, ("field", "muted")),  # and so is the chevron
        (make_banner, ("alert", "on_alert")),
        (make_button, ("accent",)),
        (QLineEdit, ("field",)),
    ],
)
def test_controls_change_their_look_while_they_are_on_screen(dressed, qtbot, make, names):
    widget = shown(qtbot, make())
    for choice, palette in ((ThemeChoice.LIGHT, LIGHT), (ThemeChoice.DARK, DARK)):
        dressed.choose(choice)
        seen = painted(widget)
        for name in names:
            assert any(near(colour, getattr(palette, name)) for colour in seen), f"{name} is not to be seen"


def near(one, other):
    """Whether two colours are alike; thin lines are blended with what is behind them."""
    mine, yours = QColor(one).getRgb(), QColor(other).getRgb()
    return max(abs(a - b) for a, b in zip(mine, yours, strict=True)) < 24


def test_what_is_on_screen_is_painted_again_without_being_asked(dressed, qtbot):
    class Counting(CheckBox):
        painted = 0

        def paintEvent(self, event):
            Counting.painted += 1
            super().paintEvent(event)

    box = shown(qtbot, Counting("Points"))
    assert box.isVisible()
    before = Counting.painted
    dressed.choose(ThemeChoice.LIGHT)
    qtbot.waitUntil(lambda: Counting.painted > before)


def test_main_window_changes_at_once_and_the_stage_stays_dark(dressed, playing, qtbot, heartbeat):
    places = [
        part.mapTo(playing, QPoint(4, part.height() - 3))
        for part in (playing.findChild(QWidget, name) for name in ("panelArea", "statusLine"))
    ]
    view = playing.findChild(Viewport)
    corner = view.mapTo(playing, QPoint(2, 2))
    # Pictures are the test's own doing, and no part of a change: the window turns between the two.
    stage_or_picture = playing.grab().toImage().pixelColor(corner)
    # What earlier tests left behind is not cleared away in the middle of a change, nor does it change its colours too.
    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    qtbot.wait(20)
    heartbeat.restart()
    for choice, palette in ((ThemeChoice.LIGHT, LIGHT), (ThemeChoice.DARK, DARK)):
        dressed.choose(choice)
        qtbot.wait(20)
        image = playing.grab().toImage()
        qtbot.wait(20)
        assert [image.pixelColor(place).name() for place in places] == [palette.panel] * 2
        assert image.pixelColor(corner) == stage_or_picture
    heartbeat.stop()
    assert heartbeat.longest_gap < CHANGE_AND_REPAINT


class Events(QObject):
    """Counts what widgets are told."""

    def __init__(self):
        super().__init__()
        self.of = Counter()

    def eventFilter(self, watched, event):
        if isinstance(watched, QWidget):
            self.of[event.type()] += 1
        return False


def test_what_is_not_shown_changes_in_the_next_turn(dressed, qtbot):
    hidden, gone = make_button(), make_button()
    qtbot.addWidget(hidden)
    assert DARK.accent in painted(hidden)
    dressed.choose(ThemeChoice.LIGHT)
    gone.deleteLater()
    qtbot.waitUntil(lambda: LIGHT.accent in painted(hidden))


def test_a_change_lays_nothing_out_and_does_not_grow_with_depth(dressed, themed, window, qtbot):
    for page in range(window.pages.count()):
        window.top_bar.choose(page)
        qtbot.wait(20)
    inner = with_all_pages(window)
    for _ in range(12):
        inner = QWidget(inner)
    events = Events()
    themed.installEventFilter(events)
    dressed.choose(ThemeChoice.LIGHT)
    qtbot.wait(20)
    themed.removeEventFilter(events)
    assert colours() is LIGHT
    assert not {QEvent.Type.StyleChange, QEvent.Type.Resize} & set(events.of)
    assert events.of[QEvent.Type.PaletteChange] < 2 * len(themed.allWidgets())


# What is chosen


class Desktop(QObject):
    """As much of Qt's style hints as a theme looks at: a desktop that the test turns light and dark."""

    colorSchemeChanged = Signal(Qt.ColorScheme)

    def __init__(self):
        super().__init__()
        self.scheme = Qt.ColorScheme.Unknown
        self.asked = []

    def colorScheme(self):
        return self.scheme

    def setColorScheme(self, scheme):
        self.asked.append(scheme)

    def turn(self, scheme):
        self.scheme = scheme
        self.colorSchemeChanged.emit(scheme)


@pytest.fixture
def desktop(themed, monkeypatch):
    """Return a desktop under the application's control of the test; afterwards the look is dark again."""
    fake = Desktop()
    monkeypatch.setattr(type(themed), "styleHints", lambda application: fake)
    yield fake
    apply_theme(themed)


def test_system_theme_follows_the_desktop(themed, desktop):
    Theme(themed, ThemeChoice.SYSTEM)
    assert colours() is DARK, "where the desktop says nothing"
    desktop.turn(Qt.ColorScheme.Light)
    assert colours() is LIGHT
    desktop.turn(Qt.ColorScheme.Dark)
    assert colours() is DARK


def test_chosen_theme_stays_whatever_the_desktop_does(themed, desktop):
    worn = Theme(themed, ThemeChoice.DARK)
    desktop.turn(Qt.ColorScheme.Light)
    assert colours() is DARK
    worn.choose(ThemeChoice.SYSTEM)
    assert colours() is LIGHT


def test_the_window_frame_goes_with_the_theme(themed, desktop):
    worn = Theme(themed, ThemeChoice.SYSTEM)
    for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK, ThemeChoice.SYSTEM):
        worn.choose(choice)
    schemes = Qt.ColorScheme
    assert desktop.asked == [schemes.Unknown, schemes.Light, schemes.Dark, schemes.Unknown]
