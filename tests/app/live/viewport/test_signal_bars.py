"""The signals of a face as numbers with units and bars that say the same."""

import math

import numpy as np
import pytest

from app.live.viewport.signal_bars import UNKNOWN, WIDEST_ANGLE, SignalBars
from app.theme.theme import colours
from engine.core.face_signals import FaceSignals, HeadPose
from engine.inference.signals import SignalReader
from tests.fakes.clock import FakeClock
from tests.fakes.turned_face import result_of, turned_face


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def bars(qtbot, themed, clock):
    shown = SignalBars(clock=clock)
    qtbot.addWidget(shown)
    shown.resize(shown.sizeHint())
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def signals(yaw=12.4, pitch=-3.6, roll=0.2, right=0.91, left=0.5, blinks=4, mouth=0.25):
    pose = HeadPose(yaw, pitch, roll, 1.0, np.zeros((4, 2), np.float32), np.eye(3))
    return FaceSignals(1, pose, right, left, blinks, mouth)


def by_label(bars):
    return {signal.label: signal for signal in bars.shown}


def show(bars, clock, its):
    clock.now += 1.0
    bars.show_signals(its)
    return by_label(bars)


def filled(bars):
    """Return how many pixels are filled in each row of bars, from top to bottom."""
    image = bars.grab().toImage()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    wanted = [int(colours().accent[i : i + 2], 16) for i in (5, 3, 1)]
    lit = (np.abs(pixels[:, :, :3].astype(int) - wanted).sum(2) < 60).sum(1)
    return [int(lit[round(y) : round(y + bars._row_height())].max()) for y in bars._rows()]


def test_every_signal_has_its_number_and_unit(bars, clock):
    shown = show(bars, clock, signals())
    assert {label: signal.value for label, signal in shown.items()} == {
        "yaw": "12°",
        "pitch": "\u22124°",
        "roll": "0°",
        "left eye open": "50 %",
        "right eye open": "91 %",
        "mouth open": "25 %",
        "blinks": "4",
    }


def test_the_last_face_before_a_pause_is_the_one_on_show(bars, clock, qtbot):
    show(bars, clock, signals(yaw=12.4))
    for yaw in (20.0, 31.0):  # steps that come faster than digits can be read
        clock.now += 0.1
        bars.show_signals(signals(yaw=yaw))
    qtbot.waitUntil(lambda: by_label(bars)["yaw"].value == "31°", timeout=2000)
    assert bars.shown == bars.describe(signals(yaw=31.0))


def test_bars_say_the_same_as_the_numbers(bars, clock):
    shown = show(bars, clock, signals())
    assert (shown["mouth open"].start, shown["mouth open"].end) == (0.0, 0.25)
    assert shown["yaw"].start == 0.5
    assert shown["yaw"].end == pytest.approx(0.5 + 12.4 / WIDEST_ANGLE / 2)
    assert shown["pitch"].end == 0.5
    assert shown["pitch"].start == pytest.approx(0.5 - 3.6 / WIDEST_ANGLE / 2)
    assert shown["blinks"].start is None


def test_bars_are_seen_as_long_as_they_say(bars, clock):
    show(bars, clock, signals(yaw=0.0, pitch=60.0, roll=-30.0, left=1.0, right=0.5, mouth=0.0))
    yaw, pitch, roll, left, right, mouth, blinks = filled(bars)
    assert yaw <= 2
    assert pitch == pytest.approx(left / 2, abs=4)
    assert roll == pytest.approx(left / 4, abs=4)
    assert right == pytest.approx(left / 2, abs=4)
    assert (mouth, blinks) == (0, 0)
    assert left > 40


def test_angles_beyond_the_bar_fill_it_and_keep_their_number(bars, clock):
    shown = show(bars, clock, signals(yaw=88.0, roll=-170.0))
    assert (shown["yaw"].value, shown["yaw"].end) == ("88°", 1.0)
    assert (shown["roll"].value, shown["roll"].start) == ("\u2212170°", 0.0)


def test_what_is_unknown_is_not_shown_as_zero(bars, clock):
    shown = show(bars, clock, FaceSignals(1, None, math.nan, 0.8, 2, math.nan))
    for label in ("yaw", "pitch", "roll", "right eye open", "mouth open"):
        assert shown[label].value == UNKNOWN
        assert shown[label].start == shown[label].end
    assert shown["left eye open"].value == "80 %"


def test_no_face_says_so_at_once(bars, clock):
    show(bars, clock, signals())
    assert max(filled(bars)) > 0
    bars.show_signals(None)
    assert all(signal.value == UNKNOWN for signal in bars.shown)
    assert bars.accessibleDescription() == "no face"
    assert max(filled(bars)) == 0


def test_a_face_that_comes_back_is_shown_at_once(bars, clock):
    bars.show_signals(signals())
    bars.show_signals(None)
    bars.show_signals(signals())
    assert by_label(bars)["yaw"].value == "12°"


def test_bars_follow_quickly_and_digits_stay_readable(bars, clock):
    show(bars, clock, signals(mouth=0.1))
    clock.now += 0.1
    bars.show_signals(signals(mouth=0.6))
    mouth = by_label(bars)["mouth open"]
    assert (mouth.value, mouth.end) == ("10 %", 0.6)
    clock.now += 0.2
    bars.show_signals(signals(mouth=0.7))
    assert by_label(bars)["mouth open"].value == "70 %"


def test_the_signals_can_be_heard(bars, clock):
    show(bars, clock, signals())
    assert bars.accessibleName() == "Signals of the largest face"
    assert "yaw 12°" in bars.accessibleDescription()
    assert "blinks 4" in bars.accessibleDescription()


def test_a_real_face_that_looks_into_the_camera_stands_at_zero(bars, clock):
    (its,) = SignalReader().read(result_of(turned_face()))
    shown = show(bars, clock, its)
    assert {shown[label].value for label in ("yaw", "pitch", "roll")} == {"0°"}
    assert shown["mouth open"].value == "0 %"
