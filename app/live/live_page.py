"""The main page: the live picture, its numbers, the side panel, and how they control the player."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import combinations
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.live.active_source import SECOND, ActiveSource
from app.live.camera import CameraControls
from app.live.engine_api import EngineApi
from app.live.files import FileControls
from app.live.filter_loader import FilterLoader
from app.live.outputs import Outputs
from app.live.panel.output import join_outputs
from app.live.panel.panel import ControlPanel
from app.live.panel.source import TIMES, SourceAction
from app.live.player import Player
from app.live.screenshot import Screenshots, screenshot_folder
from app.live.status_text import notice_words, opening_words, remedies_for, status_words
from app.live.viewport.face_hint import FaceHint
from app.live.viewport.over_picture import OutputMark
from app.live.viewport.presenter import Presenter
from app.live.viewport.strip_chart import StripChart
from app.live.viewport.viewport import Viewport
from app.models.facts import cards_of
from app.settings.binding import follow
from app.settings.store import SettingsStore
from app.shell.background import Background
from app.shell.banner import Banner, Remedy
from app.theme.theme import GAP
from app.widgets.file_dialogs import ask_for_address, ask_for_file, ask_for_folder, file_pattern
from engine.core.addresses import has_secret
from engine.core.errors import FilterError, ModelError, SourceError
from engine.evaluation.session_report.report import LIVE, LOCKED, Setting
from engine.formats.images import PICTURE_SUFFIXES
from engine.formats.signatures import VIDEO_SUFFIXES
from engine.inference.library import ModelEntry, default_teacher
from engine.live.camera_reader import FROZEN
from engine.live.session_reporter import LaneFacts
from engine.live.settings import MOST_LANES, Pace
from engine.live.state import FINAL_STATES, SourceState, Status
from engine.live.view import View
from engine.output.virtual_camera import feedback_error
from engine.render.scene import Layout
from engine.sources.base import SourceKind
from engine.sources.opening import SAMPLE

END_MS = 50  # between two looks at whether a file that was sought in has ended


class LivePage(QWidget):
    """Shows one source through one to four models.

    Args:
        api: what the window asks of the engine.
        store: holds what is set.
    """

    status_changed = Signal(str)  # what the source is doing
    reported = Signal(str)  # something that happened

    def __init__(self, api: EngineApi, store: SettingsStore) -> None:
        super().__init__()
        self._api, self._store = api, store
        self._size = self._picture = ""  # of the picture on screen, and its name in a folder
        self._seen, self._only_picture = True, False
        self._report_into: Path | None = None  # the report that begins with the first source
        self._reports_at_end = False  # whether a report is written at the end of the file without asking
        self._shown: View | None = None  # what is on screen
        self._status: Status | None = None
        self._entries: list[ModelEntry] = []
        self._background = Background(self)
        self.view, self.banner, self.chart = Viewport(), Banner(), StripChart()
        self._face_hint = FaceHint(self.view)
        self.presenter, self._output_mark = Presenter(self), OutputMark(self.view)
        self.panel = ControlPanel(store)
        self.outputs = Outputs(store.settings.recordings, self._has_further_pictures, self._measured, self._lane_facts)
        self._screenshots, self._filters = Screenshots(self), FilterLoader(self)
        self.player = Player(api, store, self.outputs.on_result)
        self.files = FileControls(self.player, self.panel.pause, self._background)
        self.cameras = CameraControls(api.list_cameras, self.player, self.panel.source, self)
        self._lay_out()
        self._connect_panel()
        self._connect_player()
        self._connect_parts()
        store.changed.connect(self._on_setting)
        follow(store, "presenter", self._present)
        follow(store, "presenter", self._choose_loop)
        follow(store, "controls", self._show_controls)
        self._show_numbers()

    def start(self, source: str | None, report: Path | None = None) -> None:
        """Open the first source and fill the lists.

        Args:
            source: as `open_source` takes it; None for the first camera, or else the sample.
            report: folder for a report of it; None for none.
        """
        self._report_into = report
        self.cameras.poll()
        self.look_for_models()
        self.look_for_filters()
        self._filters.use(self.panel.filters.folder)
        self.player.open(source)

    def set_seen(self, seen: bool) -> None:
        """Rest while nobody sees the picture, unless it is recorded, logged or sent."""
        self._seen = seen
        self._rest_or_play()

    def look_for_models(self) -> None:
        """List the models that are available now."""
        self._background.run(self._api.list_models, self._on_models)

    def look_for_filters(self) -> None:
        """List the filters that are available now."""
        self._background.run(self._api.list_filters, self.panel.filters.set_entries)

    def close_down(self) -> None:
        """End everything; `player.stopped` is emitted when that is done."""
        self._background.close()
        self._screenshots.close()
        self._filters.close()
        self.cameras.close()
        self.player.stop()
        self.outputs.close()

    # What users do

    def toggle_pause(self) -> None:
        """Pause the picture or go on; a file that has ended starts again."""
        if self._status is not None and self._status.state is SourceState.ENDED:
            self._store.update("live.paused", False)
            self.player.replay()
        else:
            self._store.toggle("live.paused")

    def _play_again(self) -> None:
        """Play a source again that has ended; the button itself has paused or resumed any other."""
        if self._status is not None and self._status.state is SourceState.ENDED:
            self.toggle_pause()

    def toggle_report(self) -> None:
        """Measure the session for a report, or write it; a file that has ended is measured from its beginning."""
        ended = self._status is not None and self._status.state is SourceState.ENDED
        if ended and not self.outputs.reports and self.player.playback is not None:
            self._reports_at_end = True
            self.outputs.start_report(replays=True)
            self.toggle_pause()
            self._write_report_at_end()
        else:
            self.panel.outputs.report.toggle()

    def swap_models(self) -> None:
        """Exchange the models of the two lanes that are compared; with one on screen, show the other model there."""
        self._choose_other()
        if len(self.player.models) > 1:
            self.player.swap_models()

    def add_model(self) -> None:
        """Show one more model; while one alone is shown, those that were chosen before."""
        models = self.player.models
        if not self._compares:
            self._store.update("live.layout", Layout.SIDE_BY_SIDE)
        elif len(models) < MOST_LANES:
            self.player.use_model(self._unused_model(), len(models))

    def remove_model(self, lane: int | None = None) -> None:
        """Take a lane away, by default the last; the picture of one that is left alone fills the stage."""
        models = self.player.models
        if len(models) == 1 or not self._compares:
            return
        self.player.remove_model(len(models) - 1 if lane is None else lane)
        if len(models) == 2:
            self._store.update("live.layout", Layout.SINGLE)

    def compare_next_two(self) -> None:
        """Let a layout of two lanes show the next two of them."""
        lanes = len(self.player.models)
        pairs = list(combinations(range(lanes), 2))
        if pairs:
            place = pairs.index(self._store.settings.session.two)
            self._store.update("live.pair", pairs[(place + 1) % len(pairs)])

    def show_only_picture(self, only: bool) -> None:
        """Hide everything but the picture, or show it again."""
        self._only_picture = only
        self._show_controls()
        self.files.transport.keep_away(only)
        self.view.setFocus()

    def take_screenshot(self) -> None:
        """Save the picture on screen, overlay included."""
        pixels = self.view.composed_pixels()
        if pixels is None:
            self.reported.emit(self.tr("There is no picture to save yet."))
        else:
            self._screenshots.save(pixels, screenshot_folder())

    def open(self, spec: str) -> None:
        """Play a source, unless it is our own virtual camera, which would show itself."""
        fed = self.cameras.named(spec)
        if fed is None or not self.outputs.feeds(fed):
            self.player.open(spec)
            return
        self.banner.show_error(feedback_error(fed))
        if self.player.current is not None:
            self._on_kept(self.player.current)

    def ask_for_file(self) -> None:
        """Let the user choose a video or a picture."""
        both = file_pattern(VIDEO_SUFFIXES | PICTURE_SUFFIXES)
        names = ";;".join(
            (
                self.tr("Videos and pictures ({0})").format(both),
                self.tr("Videos ({0})").format(file_pattern(VIDEO_SUFFIXES)),
                self.tr("Pictures ({0})").format(file_pattern(PICTURE_SUFFIXES)),
                self.tr("All files ({0})").format("*"),
            )
        )
        ask_for_file(self, self.tr("Open a video or a picture"), self.player.open, names, self._last_folder())

    def ask_for_folder(self) -> None:
        """Let the user choose a folder of pictures."""
        ask_for_folder(self, self.tr("Open a folder of pictures"), self.player.open, self._last_folder())

    def _last_folder(self) -> str:
        """Return the folder of the last file; "" where there is none."""
        last = Path(self._store.settings.source or "")
        return str(last.parent) if last.is_absolute() and last.parent.is_dir() else ""

    def ask_for_address(self) -> None:
        """Let the user type the address of a camera in the network."""
        ask_for_address(self, self.player.open)

    def use_model(self, lane: int, name: str) -> None:
        """Use a model in a lane; if only the first was shown, all are from the second on."""
        self.player.use_model(name, lane)
        if lane >= SECOND and not self._compares:
            self._store.update("live.layout", Layout.SIDE_BY_SIDE)

    # What it is made of

    def _lay_out(self) -> None:
        over = QVBoxLayout(self.view)
        over.setContentsMargins(GAP, GAP, GAP, GAP)
        over.addWidget(self.banner, 0, Qt.AlignmentFlag.AlignBottom)  # at the top it would hide the numbers
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.view, 0, 0)
        layout.addWidget(self.presenter, 1, 0)
        layout.addWidget(self.files.transport, 2, 0)
        layout.addWidget(self.chart, 3, 0)
        layout.addWidget(self.panel, 0, 1, 4, 1)
        layout.setRowStretch(0, 1)
        layout.setColumnStretch(0, 1)

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.sources.chosen.connect(self.open)
        folder_of = self.tr("Open the folder of a filter")
        actions = {
            SourceAction.OPEN_FILE: self.ask_for_file,
            SourceAction.OPEN_FOLDER: self.ask_for_folder,
            SourceAction.OPEN_ADDRESS: self.ask_for_address,
            SourceAction.LOOK_AGAIN: self.cameras.poll,
        }
        panel.sources.action_wanted.connect(lambda action: actions[action]())
        panel.lanes.chosen.connect(lambda lane, model: self.player.use_model(model, lane))
        panel.lanes.removed.connect(self.remove_model)
        panel.lanes.add.clicked.connect(self.add_model)
        panel.lanes.swap.clicked.connect(self.swap_models)
        panel.filters.folder_wanted.connect(lambda: ask_for_folder(self, folder_of, panel.filters.choose))
        panel.screenshot.clicked.connect(self.take_screenshot)
        panel.pause.clicked.connect(self._play_again)

    def _connect_player(self) -> None:
        player = self.player
        player.viewed.connect(self._on_view)
        player.status_changed.connect(self._on_status)
        player.opening.connect(self._on_opening)
        player.opened.connect(self._on_opened)
        player.kept.connect(self._on_kept)
        player.model_changed.connect(self._on_model)
        player.idle.connect(self._on_idle)
        player.errors_changed.connect(self.view.show_errors)
        player.failed.connect(lambda error, retry: self.banner.show_error(error, remedies_for(error, retry)))
        self.view.painted.connect(self.chart.add_latency)
        self.view.pane_changed.connect(player.set_pane)
        self.files.transport.play.clicked.connect(self.toggle_pause)
        self.files.transport.loop.toggled.connect(self._choose_loop)
        self.files.opening_wanted.connect(self.open)
        self.cameras.pace_changed.connect(self._show_status)

    def _connect_parts(self) -> None:
        outputs = self.outputs
        for part in (self.files, self._screenshots, outputs):
            part.reported.connect(self.reported)
            part.failed.connect(self.banner.show_error)
        outputs.recording_changed.connect(self._output_mark.show_recording)
        outputs.report_changed.connect(self._output_mark.show_measuring)
        outputs.report_changed.connect(self._on_report)
        outputs.stream_changed.connect(self._on_stream)
        outputs.virtual_changed.connect(partial(self._output_mark.show_sending, "pictures"))
        for changed in (
            outputs.recording_changed, outputs.log_changed, outputs.report_changed, outputs.stream_changed,
            outputs.virtual_changed,
        ):  # fmt: skip
            changed.connect(self._rest_or_play)
            changed.connect(self._on_output)
        outputs.rescue()
        join_outputs(outputs, self.panel.outputs, lambda: self.cameras.current)
        self.panel.filters.chosen.connect(self._filters.use)
        self._filters.changed.connect(lambda version: self._store.update("live.filter", version))
        self._filters.failed.connect(self.banner.show_error)
        self._filters.recovered.connect(self._on_filter_recovered)

    @property
    def _compares(self) -> bool:
        return self._store.settings.live.layout is not Layout.SINGLE

    def _on_setting(self, path: str) -> None:
        if path == "live.layout" and self._compares:
            self._choose_other()
        if path == "live" or path.startswith(("live.", "lanes")):
            self.player.apply(path)
            self.outputs.note_setting()
        if path == "live.overlay.numbers":
            self._show_numbers()
        if path == "live.paused":
            self._show_status()

    def _show_controls(self, _wanted: bool = True) -> None:
        for part in (self.panel, self.chart):
            part.setVisible(self._store.settings.controls and not self._only_picture)

    def _choose_loop(self, _on: bool = False) -> None:
        """Let a file start again at its end where the user wants it, and while there is an audience."""
        self.player.set_loop(self.files.transport.loop.isChecked() or self._store.settings.presenter)

    def _present(self, on: bool) -> None:
        """Show the presenter's numbers in the place of the plates, or these again."""
        self.presenter.setVisible(on)
        self.view.show_plates(not on)
        self._show_big_numbers()

    def _show_big_numbers(self) -> None:
        """Show the presenter's numbers of the picture on screen; while it stands still, no other one comes."""
        if self._shown is not None and self.presenter.isVisible():
            spreads = [latency.spread for latency in self.view.lane_plates.latencies]
            self.presenter.show_view(self._shown, self._store.settings.session, spreads)

    def _show_numbers(self) -> None:
        self.view.show_numbers(self._store.settings.live.overlay.numbers)

    def _choose_other(self) -> None:
        """Choose a second model before it is shown for the first time."""
        models = self.player.models
        if len(models) == 1 and (other := default_teacher(self._entries, models[0])) != models[0]:
            self.player.use_model(other, SECOND)

    def _unused_model(self) -> str:
        """Return a model that no lane has, or else that of the last lane."""
        models = self.player.models
        return default_teacher([entry for entry in self._entries if entry.name not in models], models[-1])

    def _rest_or_play(self) -> None:
        self.player.rest(not self._seen and not self.outputs.active)

    def _has_further_pictures(self) -> bool:
        playing = self.player.current
        return playing is None or playing.session.status.state not in FINAL_STATES

    def _measured(self) -> tuple[Setting, int] | None:
        """Return how the lanes run, for a session report, and how many they are; None while nothing plays."""
        playing, live = self.player.current, self._store.settings.session
        if playing is None or playing.kind is None:
            return None
        pace = LOCKED if live.pace is Pace.LOCKED else LIVE
        facts = playing.name, playing.kind.value, datetime.now(), self._api.detector, live.smoothing
        return Setting(*facts, as_labelled=False, pace=pace), live.on_screen[-1] + 1

    def _lane_facts(self, lane: int) -> LaneFacts:
        return self.player.lane_facts(lane)  # made after the outputs, which it gives its results

    def _begin_report(self) -> None:
        """Begin the report that was asked for on the command line, with the first source that is no substitute."""
        folder, self._report_into = self._report_into, None
        if folder is not None:
            self._reports_at_end = True
            self.outputs.start_report(folder, replays=self.player.playback is not None)
            self.player.seek(0.0)  # the first pictures passed while the source was being opened
            self._write_report_at_end()

    def _on_end(self) -> None:
        """Write the report of a file that has ended, or offer it."""
        if not self.outputs.reports:
            return  # the status line offers it
        if self._reports_at_end:
            self._write_report_at_end()
        else:
            write = Remedy(self.tr("Write the report"), self.outputs.stop_report)
            self.banner.show_notice(self.tr("The file has ended. Its measurements are ready."), [write])

    def _write_report_at_end(self) -> None:
        """Write the report if the file has ended; look again while the status is still that of before a seek.

        Of a file of few pictures nobody may see that it went on before it ended once more.
        """
        if not (self.outputs.reports and self._reports_at_end):
            return
        if self.player.at_end:
            self.outputs.stop_report()
        elif self._status is not None and self._status.state is SourceState.ENDED:
            QTimer.singleShot(END_MS, self, self._write_report_at_end)

    # What is reported

    def _goes_on(self) -> bool:
        return self._status is not None and self._status.state is SourceState.LIVE

    def _on_output(self, on: bool) -> None:
        if on and self.banner.error is not None and self.banner.error is self.outputs.refusal:
            self.banner.hide()  # there is something to record now

    def _on_report(self, on: bool) -> None:
        if not on:
            self._reports_at_end = False  # the next one may have been begun by hand

    def _on_stream(self, on: bool) -> None:
        self._output_mark.show_sending("landmarks", on)
        if on:  # kept for the field; no start sends by itself
            self._store.update("stream", self.panel.outputs.address.text())

    def _on_filter_recovered(self) -> None:
        if isinstance(self.banner.error, FilterError):
            self.banner.hide()

    def _on_models(self, entries: list[ModelEntry]) -> None:
        self._entries = entries
        self.panel.lanes.set_entries(entries)
        cards = cards_of(entries)
        self.view.lane_plates.set_models(cards)
        self.presenter.set_models(cards)
        self._show_big_numbers()
        if self._compares:
            self._choose_other()

    def _on_view(self, view: View) -> None:
        self._shown, live = view, self._store.settings.session
        self.view.show_view(view, live, live=not live.paused and self._goes_on())
        self._face_hint.see(view.first.result)
        self.outputs.show(view, self.view.composed_pixels)
        self.chart.add(view, live)
        self.panel.signal_bars.show_signals(view.first.signals[0] if view.first.signals else None)
        self._show_big_numbers()
        self.cameras.update_pace(view)
        frame = view.first.result.frame
        self._picture = frame.name
        self._show_playback()
        self.panel.overlays.offer_truth(frame.truth is not None)
        size = f"{frame.width}{TIMES}{frame.height}"
        if size != self._size:
            self._size = size
            self._show_status()

    def _on_status(self, status: Status) -> None:
        former, self._status = self._status, status
        if status.state is SourceState.ENDED and (former is None or former.state is not SourceState.ENDED):
            self._on_end()
        playing = self.player.current
        still = playing is not None and playing.is_still
        self.panel.show_ended(status.state is SourceState.ENDED and not still)
        notice = notice_words(playing, status)
        self.view.show_notice(notice)
        if notice:
            self._face_hint.see(None)
        self._offer_reopening(status.message == FROZEN)
        self._show_status()

    def _on_opening(self, playing: ActiveSource, status: Status) -> None:
        self.panel.sources.select(playing.spec)
        words = opening_words(playing, status)
        self.status_changed.emit(words)
        if self.view.pixels is None:
            self.view.show_notice(words)

    def _on_idle(self) -> None:
        self.status_changed.emit(self.tr("Nothing plays"))
        self.view.show_notice(self.tr("There is nothing to show. Choose a source at the right, or drop a file here."))

    def _on_model(self, lane: int, name: str) -> None:
        self.panel.lanes.pickers[lane].select(name)
        # What is wrong with another lane is not over by that.
        if isinstance(self.banner.error, ModelError) and self.banner.error not in self.player.errors:
            self.banner.hide()

    def _on_opened(self, playing: ActiveSource) -> None:
        self.view.show_notice("")
        if self.outputs.reports:  # of the former source
            self.outputs.stop_report()
        if not playing.stands_in:
            self._begin_report()
        # What is wrong with the settings, a filter or an output is not over by that.
        if not playing.stands_in and isinstance(self.banner.error, SourceError | ModelError | None):
            self.banner.hide()
        is_file = playing.kind in (SourceKind.VIDEO, SourceKind.PICTURES)
        if playing.spec is not None and (is_file or playing.is_in_network):
            self.panel.sources.remember(playing.spec)
        self.panel.sources.select(_listed(playing))
        # A substitute for the requested source is not the user's choice, and no password goes into the file.
        passes = self.files.pasted.owns(playing.spec) or has_secret(playing.spec or "")
        if not playing.stands_in and not passes:
            self._store.update("source", playing.found_as)
        self.chart.clear()

    def _on_kept(self, playing: ActiveSource) -> None:
        self.panel.sources.select(_listed(playing))
        self._show_status()

    def _offer_reopening(self, frozen: bool) -> None:
        """Offer to reopen a camera whose picture is frozen, for as long as it is."""
        if frozen:
            remedy = Remedy(self.tr("Open it again"), self.player.reopen)
            self.banner.show_message(self.tr("The camera needs a fresh start."), FROZEN, remedies=[remedy])
        elif FROZEN in self.banner.text:
            self.banner.hide()

    def _show_status(self) -> None:
        playing, status = self.player.current, self._status
        if playing is not None and status is not None:
            words = status_words(playing, status, self._size, self._store.settings.live.paused)
            pace = self.cameras.pace if self._goes_on() and not status.message else ""
            self.status_changed.emit(f"{words} · {pace}" if pace else words)
        self._show_playback()

    def _show_playback(self) -> None:
        paused = self._store.settings.live.paused or not self._goes_on()
        self.files.transport.show_playback(self.player.playback, paused, self._picture)


def _listed(playing: ActiveSource) -> str | None:
    if playing.kind is SourceKind.SAMPLE:
        return SAMPLE
    return playing.found_as
