"""The page Review: a logged session beside its clip, without any model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app.review.curves_view import CurvesView
from app.review.lists import FrameList, LaneRows
from app.review.loading import Loaded, load
from app.review.playhead import Playhead
from app.review.review_view import ReviewView, Shown
from app.review.words import lane_words, moment_words, place_words, worst_words
from app.settings.binding import follow
from app.settings.store import SettingsStore
from app.shell.background import Background
from app.shell.banner import Banner, Remedy
from app.shortcuts.shortcuts import Act
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import make_button
from app.widgets.file_dialogs import ask_for_file, ask_for_folder
from app.widgets.page_parts import Section, make_words, scroll_page, stack
from app.widgets.sign_button import SignButton
from engine.core.errors import RecordingError, UnderstudyError
from engine.core.frame import Frame
from engine.evaluation.review.clip import ClipReader
from engine.evaluation.review.marks import Marks
from engine.formats.session_log import ENDINGS

WIDTH = 300  # logical pixels, of the side panel
NO_SIZE = (1280, 720)  # of the empty picture where the log does not know its size
CLOSE_SECONDS = 2.0  # time for a clip to be closed


class ReviewPage(QWidget):
    """Shows the frames of a log with the landmarks of all lanes, its curves, worst frames and marks.

    Args:
        store: says which overlays are drawn.
        parent: as of every widget.

    Attributes:
        playhead: the place of the frame on screen among the log's frames, and how it moves.
        loaded: what is shown; None before a log was opened.
        problem: why no log is shown, where one could not be opened; None otherwise.
    """

    reported = Signal(str)  # something that happened
    opened = Signal()  # the first frame of a log is shown, or it could not be opened
    closed = Signal()  # every clip is closed, or its thread was abandoned
    _came = Signal(object, int, object)  # ClipReader, number and Frame or None; from its thread

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loaded: Loaded | None = None
        self.problem: UnderstudyError | None = None
        self._log_path: Path | None = None
        self._offered: Path | None = None  # the last log that was written
        self._elsewhere: tuple[Path, ...] = ()  # where the clip may be
        self._reader: ClipReader | None = None
        self._frame: Frame | None = None
        self._readers: list[ClipReader] = []  # all whose threads may still run
        self._loading = 0  # logs that are being read
        self._asked = 0  # how many were asked for; only the last one is shown
        self._is_closing = False
        self._is_new = False  # whether no frame of the log was shown yet
        self._background = Background(self)
        self.playhead = Playhead(self)
        self._came.connect(self._on_frame, Qt.ConnectionType.QueuedConnection)
        self.view, self.curves, self.banner = ReviewView(), CurvesView(), Banner()
        self.lanes = LaneRows()
        self.worst, self.marks = (
            FrameList(self.tr("Worst frames")),
            FrameList(self.tr("Marks"), self.tr("K puts a mark at a frame")),
        )
        self._lay_out()
        self._connect(store)
        self._show_nothing()

    def open(self, log: Path, clip: Path | None = None) -> None:
        """Show a log; returns at once.

        Args:
            log: `.jsonl` or `.csv`.
            clip: the video, or the folder of its pictures; None to look for it.
        """
        self.banner.hide()
        self.view.show_words(self.tr("Opening {0} …").format(log.name))
        elsewhere = self._elsewhere
        self._loading += 1
        self._asked += 1
        asked = self._asked
        self._background.run(
            lambda: load(log, clip, elsewhere), partial(self._on_loaded, asked), partial(self._on_failed, asked)
        )

    def offer(self, log: Path, clip: Path | None) -> None:
        """Offer a log that was just written, and note where its clip is."""
        self.note_clip(clip)
        if log.suffix.lower() in ENDINGS:
            self._offered = log
            self.offered.setText(self.tr("Open the last log"))
            self.offered.setToolTip(str(log))
            self.offered.show()

    def note_clip(self, clip: Path | None) -> None:
        """Note where the clip of a log may be."""
        if clip is not None and clip not in self._elsewhere:
            self._elsewhere = (clip, *self._elsewhere[:9])

    def close_down(self) -> None:
        """End everything; `closed` is emitted once no decoder is at work, which would bring the program's end down."""
        self._is_closing = True
        self.playhead.hold()
        self._close_reader()
        self._close_on()

    # What users do

    def ask_for_log(self) -> None:
        """Let the user choose a log."""
        begin = "" if self._log_path is None else str(self._log_path.parent)
        names = self.tr("Logs (*.jsonl *.csv)")
        ask_for_file(self, self.tr("Open a log"), lambda path: self.open(Path(path)), names, begin)

    def ask_for_clip(self) -> None:
        """Let the user choose the clip of the log on screen: a video, or a folder of pictures."""
        if self.loaded is None:
            return
        log = self.loaded.log
        ask = ask_for_folder if log.pictures else ask_for_file
        ask(self, self.tr("Choose the clip"), lambda path: self.open(log.path, Path(path)))

    def toggle_mark(self) -> None:
        """Put a mark at the frame on screen, or remove the one there."""
        if self.loaded is None:
            return
        number = self._number()
        if self._changing(lambda marks: marks.toggle(number)):
            is_there = any(mark.frame == number for mark in self.loaded.marks.all)
            words = self.tr("Marked frame {0}") if is_there else self.tr("Mark at frame {0} removed")
            self.reported.emit(words.format(number))

    def go_to_mark(self, step: int) -> None:
        """Go to the next mark, or with -1 to the one before."""
        if self.loaded is not None:
            self._go_round(sorted(self._places_of_marks()), step, self.tr("There is no mark yet. K puts one."))

    def go_to_worst(self, step: int) -> None:
        """Go to the next of the worst frames, the worst first; with -1 back."""
        if self.loaded is None:
            return
        places, place = [worst.place for worst in self.loaded.curves.worst], self.playhead.place
        here = places.index(place) if place in places else (-1 if step > 0 else 0)
        if places:
            self.playhead.hold()
            self.playhead.go_to(places[(here + step) % len(places)])

    # What it is made of

    def _lay_out(self) -> None:
        self.open_log = make_button(self.tr("Open a log …"), self.tr("Open the log of a session"), Act.OPEN)
        self.choose_clip = make_button(self.tr("Choose the clip …"), self.tr("Show the log beside another clip"))
        self.offered = make_button("", "")
        self.back = SignButton("back", self.tr("One frame back"), Act.FRAME_BACK)
        self.play = SignButton("play", self.tr("Play or pause"), Act.PAUSE)
        self.on = SignButton("on", self.tr("One frame forward"), Act.FRAME_ON)
        self.mark = make_button(self.tr("Mark"), self.tr("Put a mark at this frame, or remove it"), Act.MARK)
        self.time = QLabel(wordWrap=True)  # in two lines where there is little room
        self.time.setAccessibleName(self.tr("Time"))
        for button in (self.back, self.on):
            button.setAutoRepeat(True)
        self.transport = QWidget()
        row = QHBoxLayout(self.transport)
        row.setContentsMargins(MARGIN, GAP, MARGIN, 0)
        row.setSpacing(GAP)
        for part in (self.back, self.play, self.on):
            row.addWidget(part)
        row.addWidget(self.time, 1)
        row.addWidget(self.mark)
        above = QVBoxLayout()  # takes no room while the banner is hidden
        above.setContentsMargins(GAP, 0, GAP, 0)
        above.addWidget(self.banner)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(above, 0, 0, 1, 2)
        layout.addWidget(self.view, 1, 0)
        layout.addWidget(self.transport, 2, 0)
        layout.addWidget(self.curves, 3, 0)
        layout.addWidget(self._panel(), 1, 1, 3, 1)
        layout.setRowStretch(1, 2)
        self._layout = layout
        layout.setColumnStretch(0, 1)

    def _panel(self) -> QWidget:
        panel = QWidget()
        panel.setObjectName("reviewPanel")
        panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        panel.setFixedWidth(WIDTH)
        content = QWidget()
        content.setObjectName("panel")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        rows.setSpacing(MARGIN - GAP)
        self.title, self.facts = make_words(), make_words(quiet=True)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.models = Section(self.tr("Models"))
        self.models.rows.addWidget(self.lanes)
        self.worst_section, self.marks_section = Section(self.tr("Worst frames")), Section(self.tr("Marks"))
        self.worst_section.rows.addWidget(self.worst)
        self.marks_section.rows.addWidget(self.marks)
        buttons = stack(self.offered, self.open_log, self.choose_clip)
        for part, stretch in (
            (stack(self.title, self.facts, spacing=2), 0), (self.models, 0), (self.worst_section, 3),
            (self.marks_section, 2), (buttons, 0),
        ):  # fmt: skip
            rows.addWidget(part, stretch)
        rows.addStretch(0)
        self.offered.hide()
        scroll_page(panel, content)
        return panel

    def _connect(self, store: SettingsStore) -> None:
        self.open_log.clicked.connect(self.ask_for_log)
        self.choose_clip.clicked.connect(self.ask_for_clip)
        self.offered.clicked.connect(self._open_offered)
        self.playhead.moved.connect(self._on_moved)
        self.playhead.played.connect(self._show_playing)
        self.back.clicked.connect(lambda: self.playhead.step(-1))
        self.on.clicked.connect(lambda: self.playhead.step(1))
        self.play.clicked.connect(self.playhead.toggle)
        self.mark.clicked.connect(self.toggle_mark)
        self.curves.wanted.connect(self.playhead.go_to)
        self.worst.chosen.connect(self.playhead.go_to)
        self.marks.chosen.connect(self.playhead.go_to)
        self.marks.edited.connect(self._describe)
        self.lanes.changed.connect(self._on_lanes)
        for name in ("points", "contours", "truth"):
            follow(store, f"live.overlay.{name}", partial(self._set_overlay, name))

    def _open_offered(self) -> None:
        if self._offered is not None:
            self.open(self._offered)

    def _set_overlay(self, name: str, shown: bool) -> None:
        setattr(self.view, name, shown)
        self.view.update()

    # What happens

    def _close_on(self) -> None:
        readers = self._readers
        if not self._loading:
            self._background.run(
                lambda: [reader.join(CLOSE_SECONDS) for reader in readers], lambda _: self.closed.emit()
            )

    def _is_wanted(self, asked: int) -> bool:
        """Count a log that was read, and return whether it is still the last one that was asked for."""
        self._loading -= 1
        if self._is_closing:
            self._close_on()
        return not self._is_closing and asked == self._asked

    def _on_loaded(self, asked: int, loaded: Loaded) -> None:
        if not self._is_wanted(asked):
            if loaded.clip is not None:
                loaded.clip.source.close()
            return
        self._close_reader()
        self.loaded, self.problem, self._frame, self._log_path = loaded, None, None, loaded.log.path
        if loaded.clip is not None:
            # The reader is not known yet when its thread begins, but it reads nothing before it is asked.
            reader = ClipReader(loaded.clip, loaded.log, lambda number, frame: self._came.emit(reader, number, frame))
            self._reader = reader
            self._readers = [*(its for its in self._readers if not its.join(0)), reader]
        self.playhead.waits, self._is_new = self._reader is not None, True
        self._show_parts(True)
        log = loaded.log
        self.title.setText(log.path.name)
        self.title.setToolTip(str(log.path))
        clip = loaded.clip.source.name if loaded.clip is not None else self.tr("without its clip")
        self.facts.setText(self.tr("{0} · {1} frames").format(clip, len(log.numbers)))
        self.lanes.show_lanes([lane.model for lane in log.lanes])
        self.curves.show_curves(loaded.curves, loaded.moments)
        self.curves.show_lanes(self.lanes.shown)
        self._list_worst()
        self._list_marks()
        if loaded.remark:
            remedies = [] if loaded.clip is not None else [Remedy(self.tr("Choose the clip …"), self.ask_for_clip)]
            self.banner.show_message(
                self.tr("Not everything of this session can be shown as it was."), loaded.remark, remedies=remedies
            )
        self.playhead.begin(loaded.moments)
        self.view.setFocus()

    def _on_failed(self, asked: int, error: UnderstudyError) -> None:
        if not self._is_wanted(asked):
            return
        self.banner.show_error(error, [Remedy(self.tr("Open a log …"), self.ask_for_log)])
        if self.loaded is None:
            self.problem = error
            self._show_nothing()
        else:
            self.playhead.go_to(self.playhead.place)
        self.opened.emit()

    def _show_parts(self, shown: bool) -> None:
        """Show what belongs to a log, or leave its room to the picture."""
        parts = self.models, self.worst_section, self.marks_section, self.transport, self.curves, self.choose_clip
        for part in parts:
            part.setVisible(shown)
        self._layout.setRowStretch(3, 1 if shown else 0)

    def _show_nothing(self) -> None:
        self._show_parts(False)
        self.title.setText(self.tr("Review"))
        self.facts.setText(self.tr("A logged session beside its clip: scrub, compare, and jump to the worst frames."))
        self.view.show_words(
            self.tr(
                "Open the log of a session, or drop it here. “Log” under “Record and send” on the page Live writes one."
            )
        )

    def _on_moved(self, place: int) -> None:
        assert self.loaded is not None
        self.curves.show_place(place)
        self.time.setText(place_words(self.loaded, place))
        if self._reader is None:
            self._show(None)
        else:
            self.playhead.waits = True
            self._reader.ask(self._number())

    def _on_frame(self, reader: ClipReader, number: int, frame: Frame | None) -> None:
        if reader is not self._reader or self.loaded is None:
            return
        if number == self._number():
            self.playhead.waits = False
            self._show(frame)

    def _show(self, frame: Frame | None) -> None:
        assert self.loaded is not None
        loaded, log, number = self.loaded, self.loaded.log, self._number()
        self._frame = frame
        size = (frame.width, frame.height) if frame is not None else log.size or NO_SIZE
        faces = [
            (lane, log.lanes[lane].frames[number].faces)
            for lane in self.lanes.shown
            if number in log.lanes[lane].frames
        ]
        self.view.show_frame(Shown(number, size, frame, faces))
        self.lanes.show_values([lane_words(loaded, lane, self.playhead.place) for lane in range(len(log.lanes))])
        if self._is_new:
            self._is_new = False
            self.opened.emit()

    def _on_lanes(self) -> None:
        self.curves.show_lanes(self.lanes.shown)
        if self.loaded is not None and not self.playhead.waits:
            self._show(self._frame)

    def _show_playing(self, playing: bool) -> None:
        self.play.sign = "pause" if playing else "play"
        self.play.update()

    # Lists

    def _list_worst(self) -> None:
        assert self.loaded is not None
        loaded = self.loaded
        self.worst.show_rows([(worst.place, worst_words(loaded, worst)) for worst in loaded.curves.worst])

    def _list_marks(self) -> None:
        assert self.loaded is not None
        places = self._places_of_marks()
        self.curves.show_marks(sorted(places))
        rows = [
            (place, f"{moment_words(self.loaded, place)}   {mark.words}".rstrip())
            for place, mark in zip(places, self.loaded.marks.all, strict=True)
        ]
        self.marks.show_rows(rows)

    def _places_of_marks(self) -> list[int]:
        assert self.loaded is not None
        numbers = self.loaded.log.numbers
        return [int(np.abs(numbers - mark.frame).argmin()) for mark in self.loaded.marks.all]

    def _number(self) -> int:
        """Return the number of the frame on screen in its clip."""
        assert self.loaded is not None
        return int(self.loaded.log.numbers[self.playhead.place])

    def _describe(self, row: int) -> None:
        """Let the user give a mark its words."""
        assert self.loaded is not None
        marks = self.loaded.marks
        mark = marks.all[row]
        dialog = QInputDialog(self)
        dialog.setWindowTitle(self.tr("Mark"))
        dialog.setLabelText(self.tr("Words for the mark at frame {0}").format(mark.frame))
        dialog.setTextValue(mark.words)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def describe(words: str) -> None:
            if self.loaded is not None and self.loaded.marks is marks:  # no other log was opened meanwhile
                self._changing(lambda marks: marks.describe(mark.frame, words.strip()))

        dialog.textValueSelected.connect(describe)
        dialog.open()

    def _changing(self, change: Callable[[Marks], object]) -> bool:
        """Change the marks, show them, and report where they cannot be saved; return whether they were."""
        assert self.loaded is not None
        try:
            change(self.loaded.marks)
        except RecordingError as error:
            self.banner.show_error(error)
            return False
        finally:
            self._list_marks()
        return True

    def _go_round(self, places: Sequence[int], step: int, nothing: str) -> None:
        """Go to the next of some places in time, or the one before, and on from the other end."""
        if not places:
            self.reported.emit(nothing)
            return
        here = self.playhead.place
        if step > 0:
            there = next((place for place in places if place > here), places[0])
        else:
            there = next((place for place in reversed(places) if place < here), places[-1])
        self.playhead.hold()
        self.playhead.go_to(there)

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
