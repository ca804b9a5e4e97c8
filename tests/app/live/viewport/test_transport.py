"""The bar under the picture of a file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from app.live.viewport.transport import MOST_ASKED_MS, Transport
from app.theme.theme import DARK, LIGHT, apply_theme
from engine.live.file_reader import Playback

PLAYING = Playback(position=12.34, duration=83.2, number=370, count=2496)


@pytest.fixture
def bar(qtbot, themed):
    """Return a shown bar of a file."""
    transport = Transport()
    qtbot.addWidget(transport)
    transport.resize(700, 46)
    transport.show_playback(PLAYING, paused=False)
    transport.show()
    qtbot.waitExposed(transport)
    return transport


def reported(signal) -> list:
    """Return a list that gets what a signal emits."""
    heard: list = []
    signal.connect(lambda *values: heard.append(values[0] if values else None))
    return heard


def test_it_shows_where_a_file_stands(bar):
    assert bar.isVisible()
    assert bar.time.text() == "0:12.3 of 1:23.2"
    assert bar.time.toolTip() == "frame 370, the last one is 2495"
    assert bar.slider.value() == 12340
    assert bar.play.sign == "pause"
    bar.show_playback(PLAYING, paused=True)
    assert bar.play.sign == "play"


def test_its_tip_names_the_frame_on_screen_after_a_step_of_less_than_a_tenth(bar):
    bar.show_playback(replace(PLAYING, position=PLAYING.position + 1 / 30, number=371), paused=True)
    assert bar.time.text() == "0:12.3 of 1:23.2"
    assert bar.time.toolTip() == "frame 371, the last one is 2495"


@pytest.mark.parametrize("playback", [None, Playback(0.0, 1.0, 0, 1)])
def test_it_is_hidden_for_cameras_and_single_pictures(bar, playback):
    bar.show_playback(playback, paused=False)
    assert not bar.isVisible()


def test_it_stays_away_from_a_picture_that_fills_the_screen(bar):
    bar.keep_away(True)
    bar.show_playback(PLAYING, paused=False)
    assert not bar.isVisible()
    bar.keep_away(False)
    assert bar.isVisible()


def test_an_endless_source_has_no_loop_to_switch(bar):
    bar.show_playback(Playback(5.0, 24.0, 150, None, endless=True), paused=False)
    assert not bar.loop.isVisible()


def test_fault_42_without_a_known_end_the_slider_rests_and_steps_still_work(bar, qtbot):
    bar.show_playback(Playback(5.0, None, 150, None), paused=False)
    assert not bar.slider.isEnabled()
    assert bar.time.text() == "0:05.0"
    steps = reported(bar.step_wanted)
    qtbot.mouseClick(bar.on, Qt.MouseButton.LeftButton)
    assert steps == [1]


def test_buttons_say_what_is_wanted(bar, qtbot):
    steps, pauses, loops = reported(bar.step_wanted), reported(bar.play.clicked), reported(bar.loop.toggled)
    for button in (bar.on, bar.back, bar.play, bar.loop, bar.loop):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (steps, len(pauses), loops) == ([1, -1], 1, [True, False])


def test_a_click_on_the_slider_goes_there(bar, qtbot):
    sought = reported(bar.slider.wanted)
    qtbot.mouseClick(bar.slider, Qt.MouseButton.LeftButton, pos=QPoint(bar.slider.width() // 2, 10))
    assert sought == [pytest.approx(83.2 / 2, rel=0.02)]


def test_dragging_asks_seldom_and_for_the_last_place_in_the_end(bar, qtbot):
    sought = reported(bar.slider.wanted)
    slider = bar.slider
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    for x in range(20, slider.width(), 2):
        qtbot.mouseMove(slider, QPoint(x, 10))
        bar.show_playback(PLAYING, paused=False)  # frames go on meanwhile
    assert slider.value() > 80_000, "the handle stays under the mouse"
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 2, 10))
    last = slider.value() / 1000
    qtbot.wait(2 * MOST_ASKED_MS)
    assert len(sought) < 12
    assert sought[-1] == pytest.approx(last)
    bar.show_playback(PLAYING, paused=False)
    assert slider.value() == 12340, "and follows the file again"


def test_what_the_file_does_is_never_taken_for_a_request(bar):
    sought = reported(bar.slider.wanted)
    for position in (1.0, 40.0, 83.0):
        bar.show_playback(Playback(position, 83.2, 0, None), paused=False)
    assert sought == []


def test_keys_move_the_slider(bar, qtbot):
    sought = reported(bar.slider.wanted)
    bar.slider.setFocus()
    qtbot.keyClick(bar.slider, Qt.Key.Key_Right)
    qtbot.wait(2 * MOST_ASKED_MS)
    qtbot.keyClick(bar.slider, Qt.Key.Key_End)
    qtbot.wait(2 * MOST_ASKED_MS)
    assert sought == [pytest.approx(13.34), pytest.approx(83.2)]


def test_fault_83_every_control_has_a_name_and_a_tool_tip(bar):
    for control in (bar.back, bar.play, bar.on, bar.slider, bar.loop):
        assert control.accessibleName()
        assert control.toolTip()
        assert control.focusPolicy() is Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_signs_are_drawn_in_the_colours_of_the_theme(bar, qapp, palette):
    apply_theme(qapp, palette)
    qapp.processEvents()
    picture = bar.play.grab().toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert QColor(palette.text).name() in colours
    assert QColor(palette.field).name() in colours


def test_the_slider_of_a_folder_is_at_its_end_on_the_last_picture(bar):
    for number, place in enumerate((0.0, 0.5, 1.0)):
        bar.show_playback(Playback(number / 30, 0.1, number, 3), paused=True, picture="kitten.jpg")
        assert bar.slider.value() == pytest.approx(place * bar.slider.maximum(), abs=1)


def test_a_folder_shows_the_name_and_the_place_of_its_picture(bar):
    bar.show_playback(Playback(0.1, 34.2, 3, 1026), paused=True, picture="kitten.jpg")
    assert bar.time.text() == "kitten.jpg · 4 of 1026"
    bar.show_playback(Playback(0.1, None, 3, None), paused=True, picture="kitten.jpg")
    assert bar.time.text() == "kitten.jpg · 4"
    bar.show_playback(PLAYING, paused=True)
    assert "kitten" not in bar.time.text()


def test_a_long_name_is_shortened_in_its_middle_and_whole_in_the_tool_tip(bar):
    name = f"2026-11-29 {'holiday ' * 12}0001.jpg"
    bar.show_playback(Playback(0.1, 34.2, 3, 1026), paused=True, picture=name)
    assert "…" in bar.time.text()
    assert bar.time.text().endswith("4 of 1026")
    assert bar.time.toolTip() == name
