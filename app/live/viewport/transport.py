"""The bar under the picture of a file: play, step, a slider over its time, loop."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QStyle, QWidget

from app.shortcuts.shortcuts import Act
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import named
from app.widgets.sign_button import SignButton
from app.widgets.times import clock_words
from engine.live.file_reader import Playback

MOST_ASKED_MS = 50  # between two seeks while the slider is dragged
STEP_MS, PAGE_MS = 1000, 10_000  # of the slider's keys
LONGEST_NAME = 24  # letters of a picture's name


class Transport(QWidget):
    """Shows the position in a file, and lets the user change it. Hidden for cameras and for single pictures."""

    step_wanted = Signal(int)  # frames, negative ones go back

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.back = SignButton("back", self.tr("One frame back"), Act.FRAME_BACK)
        self.play = SignButton("pause", self.tr("Pause or resume"), Act.PAUSE)
        self.on = SignButton("on", self.tr("One frame forward"), Act.FRAME_ON)
        self.slider = TimeSlider()
        self.time = QLabel()
        self.time.setAccessibleName(self.tr("Time"))
        self.loop = SignButton("loop", self.tr("Start again at the end"))
        self.loop.setCheckable(True)
        for button in (self.back, self.on):
            button.setAutoRepeat(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, GAP, MARGIN, GAP)
        layout.setSpacing(GAP)
        for part in (self.back, self.play, self.on, self.slider, self.time, self.loop):
            layout.addWidget(part, 1 if part is self.slider else 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.back.clicked.connect(lambda: self.step_wanted.emit(-1))
        self.on.clicked.connect(lambda: self.step_wanted.emit(1))
        self._of_use = self._kept_away = False
        self.hide()

    def show_playback(self, playback: Playback | None, paused: bool, picture: str = "") -> None:
        """Show the position in a file, and whether it is paused; None hides the bar.

        Of a folder of pictures the name of the `picture` on screen and its place are shown instead of a time.
        """
        shown = playback is not None and playback.count != 1
        self._of_use = shown
        self.setVisible(shown and not self._kept_away)
        if playback is None or not shown:
            return
        sign = "play" if paused else "pause"
        if sign != self.play.sign:
            self.play.sign = sign
            self.play.update()
        self.loop.setVisible(not playback.endless)
        position = self.slider.value() / 1000 if self.slider.isSliderDown() else playback.position
        end = playback.duration
        if picture and end is not None and playback.count:
            end *= 1 - 1 / playback.count  # where the last picture begins, for which the file then ends
        self.slider.show_time(position, end)
        if picture:
            self._write_picture(picture, playback)
        else:
            self._write_time(position, playback)

    def keep_away(self, away: bool) -> None:
        """Stay hidden while the picture fills the screen, or end that."""
        self._kept_away = away
        self.setVisible(self._of_use and not away)

    def _write_picture(self, picture: str, playback: Playback) -> None:
        place = str(playback.number + 1)
        if playback.count is not None:
            place = self.tr("{0} of {1}").format(place, playback.count)
        room = self.time.fontMetrics().averageCharWidth() * LONGEST_NAME
        name = self.time.fontMetrics().elidedText(picture, Qt.TextElideMode.ElideMiddle, room)
        self.time.setText(f"{name} · {place}")
        self.time.setMinimumWidth(max(self.time.sizeHint().width(), self.time.minimumWidth()))
        self.time.setToolTip(picture)

    def _write_time(self, position: float, playback: Playback) -> None:
        whole = playback.duration
        words = clock_words(position)
        if whole is not None:
            words = self.tr("{0} of {1}").format(words, clock_words(whole))
        number = self.tr("frame {0}").format(playback.number)  # counted from 0, as in logs and reports
        if playback.count is not None:
            number = self.tr("frame {0}, the last one is {1}").format(playback.number, playback.count - 1)
        self.time.setToolTip(number)  # several frames share a tenth of a second
        if words == self.time.text():
            return
        self.time.setText(words)
        # Wide enough for the longest time, so that the slider does not move with the digits.
        widest = words if whole is None else self.tr("{0} of {1}").format(clock_words(whole), clock_words(whole))
        room = self.time.fontMetrics().horizontalAdvance("".join("0" if c.isdigit() else c for c in widest))
        self.time.setMinimumWidth(max(room, self.time.minimumWidth() if whole is None else 0))


class TimeSlider(QSlider):
    """A slider over milliseconds that jumps to a click, and limits how often it seeks while it is dragged."""

    wanted = Signal(float)  # seconds

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        named(self, self.tr("Time in the file"), self.tr("Drag to go through the file"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSingleStep(STEP_MS)
        self.setPageStep(PAGE_MS)
        self._asked: int | None = None
        self._resting = QTimer(self, singleShot=True, interval=MOST_ASKED_MS)
        self._resting.timeout.connect(self._ask)
        self.valueChanged.connect(self._want)

    def show_time(self, position: float, duration: float | None) -> None:
        """Show a time, in seconds; without a known duration the slider is disabled."""
        self.blockSignals(True)
        self.setEnabled(duration is not None)
        self.setRange(0, round(1000 * (duration or 0.0)))
        if not self.isSliderDown():
            self.setValue(round(1000 * position))
        self.blockSignals(False)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self._time_at(event.position().x()))
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setValue(self._time_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def _time_at(self, x: float) -> int:
        # The middle of the handle is placed under the mouse.
        handle = self.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, None, self)
        room = max(1, self.width() - handle)
        return QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), round(x - handle / 2), room)

    def _want(self, milliseconds: int) -> None:
        self._asked = milliseconds
        if not self._resting.isActive():
            self._ask()

    def _ask(self) -> None:
        if self._asked is not None:
            asked, self._asked = self._asked, None
            self._resting.start()
            self.wanted.emit(asked / 1000)
