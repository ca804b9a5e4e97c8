"""The window: its pages, the status line, the keys, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QHideEvent,
    QKeyEvent,
    QMoveEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from app.live.active_source import SECOND
from app.live.engine_api import EngineApi
from app.live.files import local_path
from app.live.live_page import LivePage
from app.live.viewport.over_picture import FirstHint
from app.models.models_page import ModelsPage
from app.review.review_page import ReviewPage
from app.settings.store import SettingsStore
from app.shell.about import show_about
from app.shell.banner import Banner, Remedy
from app.shell.bars import StatusLine, TopBar
from app.shell.place import keep_on_screens, place_of, restore_place
from app.shortcuts.cheat_sheet import HotkeySheet
from app.shortcuts.shortcuts import HOTKEYS, Act, Hotkeys
from app.theme.theme import Theme, ThemeChoice
from app.train.train_page import TrainPage
from app.widgets.page_parts import stack
from engine.core.errors import UnderstudyError
from engine.formats.session_log import ENDINGS
from engine.inference.runtimes import is_model_file
from engine.sources.base import SourceKind

LIVE_PAGE, MODELS_PAGE, TRAIN_PAGE, REVIEW_PAGE = range(4)
_PAGES = "live", "models", "training", "review"  # the window's attributes that are these pages
CLOSING_MS = 2500  # after this the program ends without waiting for threads that hang; outputs have their own limits


class MainWindow(QMainWindow):
    """The main window.

    Args:
        api: what the window asks of the engine.
        model: landmark model to start with, by name or path; None for the remembered one.
        store: holds the settings.
        theme: the look of the application.
    """

    gone = Signal()  # the window was closed, and its threads have ended or were abandoned

    def __init__(self, api: EngineApi, model: str | None, store: SettingsStore, theme: Theme) -> None:
        super().__init__()
        self._api, self.store, self._theme = api, store, theme
        self._closing = False
        self._start_live: Callable[[], object] | None = None  # what was put off until the page Live is shown
        self._unfinished = {"player", "outputs"}
        self._models: ModelsPage | None = None
        self._training: TrainPage | None = None
        self._review: ReviewPage | None = None
        if model is not None:
            store.update("lanes.models", (model, *store.settings.lanes.models[1:]))
        with theme.put_aside():
            self.live = LivePage(api, store)
            self.pages = QStackedWidget()
            self.pages.addWidget(self.live)
            self.top_bar = TopBar((self.tr("Live"), self.tr("Models"), self.tr("Train"), self.tr("Review")))
            self.status_line = StatusLine()
            # Short names for what most of the program and its tests use.
            self.view, self.panel = self.live.view, self.live.panel
            self.banner, self.player = self.live.banner, self.live.player
            self.setWindowTitle("Understudy")
            self.setAcceptDrops(True)
            self.setCentralWidget(stack(self.top_bar, self.pages, self.status_line, spacing=0, expanding=self.pages))
            self.sheet = HotkeySheet(self)
            self._hint = FirstHint(self.view, self.banner, self.live.presenter)
        self.setMinimumSize(640, 420)
        self._hotkeys = Hotkeys(self, self._acts())
        self._connect()
        restore_place(self, store.settings.window)
        keep_on_screens(self)
        if store.settings.presenter:
            self._fill_screen(True)
        self.view.setFocus()

    def start(self, source: str | None, stream: str | None = None, report: Path | None = None) -> None:
        """Open the first source and fill the lists.

        Args:
            source: as `open_source` takes it; None for the remembered one, or the first camera, or else the sample.
            stream: where landmarks are sent, as `engine.output.streaming.address` writes it; None for nowhere.
            report: folder for a report of the first source, which is measured from its beginning; None for none.
        """
        self.live.start(source if source is not None else self.store.settings.source, report)
        if stream is not None:
            self.live.outputs.start_stream(stream)
        if self.store.problem is not None:
            self.banner.show_error(self.store.problem)
        if self.store.is_first_start:
            self._hint.greet()

    def start_review(self, log: Path, clip: Path | None) -> None:
        """Show a logged session; no source is opened before the user goes to the page Live."""
        self._start_live = lambda: self.start(None)
        self.show_review(log, clip)

    def show_review(self, log: Path, clip: Path | None = None) -> None:
        """Show a logged session beside its clip; None to look for it."""
        remembered = self.store.settings.source
        self.review.note_clip(Path(remembered) if remembered else None)
        self.review.open(log, clip)
        self.top_bar.choose(REVIEW_PAGE)

    def report_crash(self, details: str) -> None:
        """Report an uncaught error of the program."""
        self.banner.show_message(
            self.tr("Something went wrong inside the program."),
            self.tr("This is our mistake. You can go on; “Copy” takes the details for a report."),
            details,
        )

    def report_former_crash(self, report: str, logs: Path, hook: str = "") -> None:
        """Say that this is a safe start after one that did not end properly.

        Args:
            report: what “Copy” adds.
            logs: the folder that *Open the log* opens.
            hook: the file of the hook that was at work then; "" if none was.
        """
        what = self.tr("Understudy did not end properly the last time")
        if hook:
            what = self.tr("Understudy did not end properly while the hook {0} was at work").format(hook)
        error = UnderstudyError(
            what,
            self.tr("So this is a safe start: the sample and a shipped model, without camera, filter or stream"),
            self.tr("Your settings are kept for the next start. “Copy” takes the details for a report"),
        )
        folder = QUrl.fromLocalFile(str(logs))
        open_log = Remedy(self.tr("Open the log"), lambda: QDesktopServices.openUrl(folder), closes=False)
        self.banner.show_error(error, [open_log], report)

    # What users do

    def toggle_full_screen(self) -> None:
        """Show only the picture in full screen, or the window again."""
        self._fill_screen(not self.isFullScreen())
        if not self.isFullScreen():
            self.store.update("presenter", False)

    def close_top(self) -> None:
        """Close what is on top: the sheet of keys, the banner, or the full screen."""
        if self.sheet.isVisible():
            self.sheet.toggle()
        elif self._banner_here.isVisible():
            self._banner_here.hide()
        elif self.isFullScreen():
            self.toggle_full_screen()

    # Parts. Pages other than Live are made when they are first needed: they have half of all widgets.

    @property
    def models(self) -> ModelsPage:
        """The page Models."""
        if self._models is None:
            api = self._api
            self._models = page = ModelsPage(api.list_models, api.load_landmarker, api.library, self.pages)
            page.use_wanted.connect(self._use_model)
            page.added.connect(self.live.look_for_models)
            page.corrected.connect(self._use_corrected)
            page.better_found.connect(self._offer_better_card)
            self._show_lanes()
            self.pages.addWidget(page)
        return self._models

    @property
    def training(self) -> TrainPage:
        """The page Train."""
        if self._training is None:
            self._training = page = TrainPage(self.store.settings.training, parent=self.pages)
            page.load_wanted.connect(lambda path: self._use_model(SECOND, path))
            page.choices_changed.connect(lambda choices: self.store.update("training", choices))
            page.controller.changed.connect(lambda: self.top_bar.mark_busy(TRAIN_PAGE, page.busy))
            self.pages.addWidget(page)
        return self._training

    @property
    def review(self) -> ReviewPage:
        """The page Review."""
        if self._review is None:
            self._review = page = ReviewPage(self.store, self.pages)
            page.reported.connect(self.status_line.show_briefly)
            page.closed.connect(lambda: self._finished("review"))
            self._unfinished.add("review")
            self.pages.addWidget(page)
        return self._review

    @property
    def _reviews(self) -> bool:
        """Whether the page Review is on show."""
        return self._review is not None and self.pages.currentWidget() is self._review

    @property
    def _banner_here(self) -> Banner:
        return self.review.banner if self._reviews else self.banner

    def _acts(self) -> dict[Act | str, Callable[[], object]]:
        live, panel = self.live, self.panel
        settings = (line.act for line in HOTKEYS if isinstance(line.act, str))
        return {
            **{path: partial(self.store.toggle, path) for path in settings},
            "live.overlay.truth": panel.overlays.boxes["truth"].click,  # not while it is disabled
            Act.PAUSE: self._here(live.toggle_pause, lambda review: review.playhead.toggle()),
            Act.FRAME_BACK: self._here(lambda: live.files.step(-1), lambda review: review.playhead.step(-1)),
            Act.FRAME_ON: self._here(lambda: live.files.step(1), lambda review: review.playhead.step(1)),
            Act.SECONDS_BACK: self._here(lambda: live.files.skip(-5.0), lambda review: review.playhead.skip(-5.0)),
            Act.SECONDS_ON: self._here(lambda: live.files.skip(5.0), lambda review: review.playhead.skip(5.0)),
            Act.START: self._here(lambda: live.player.seek(0.0), lambda review: review.playhead.go_to(0)),
            Act.OPEN: self._here(live.ask_for_file, ReviewPage.ask_for_log),
            Act.MARK: self._here(None, ReviewPage.toggle_mark),
            Act.NEXT_MARK: self._here(None, lambda review: review.go_to_mark(1)),
            Act.LAST_MARK: self._here(None, lambda review: review.go_to_mark(-1)),
            Act.NEXT_WORST: self._here(None, lambda review: review.go_to_worst(1)),
            Act.LAST_WORST: self._here(None, lambda review: review.go_to_worst(-1)),
            Act.PASTE: live.files.paste,
            Act.FILTER: panel.filters.choose_next,
            "live.pair": live.compare_next_two,
            Act.ADD_MODEL: live.add_model,
            Act.REMOVE_MODEL: live.remove_model,
            Act.SWAP: live.swap_models,
            Act.SCREENSHOT: live.take_screenshot,
            Act.RECORD: panel.outputs.record.toggle,
            Act.REPORT: live.toggle_report,
            Act.FULL_SCREEN: self.toggle_full_screen,
            Act.PRESENT: partial(self.store.toggle, "presenter"),
            Act.THEME: partial(self.store.toggle, "theme"),
            Act.KEYS: self.sheet.toggle,
            Act.CLOSE: self.close_top,
            Act.QUIT: self.close,
        }

    def _here(self, live: Callable[[], object] | None, review: Callable[[ReviewPage], object]) -> Callable[[], object]:
        """Return what a key does: something else on the page Review; without `live`, nothing on other pages."""

        def act() -> None:
            if self._reviews:
                review(self.review)
            elif live is not None:
                live()

        return act

    def _connect(self) -> None:
        live = self.live
        self.top_bar.tabs.currentChanged.connect(self._show_page)
        self.pages.currentChanged.connect(self._look_who_sees)
        self.top_bar.controls.clicked.connect(lambda: self.store.toggle("controls"))
        self.top_bar.theme.clicked.connect(lambda: self.store.toggle("theme"))
        self.top_bar.keys.clicked.connect(self.sheet.toggle)
        self.top_bar.about.clicked.connect(lambda: show_about(self))
        live.status_changed.connect(self.status_line.show_text)
        live.reported.connect(self.status_line.show_briefly)
        live.outputs.log_written.connect(lambda log: self.review.offer(log, self._clip_on_screen()))
        live.panel.full_screen.clicked.connect(self.toggle_full_screen)
        self.store.failed.connect(self.banner.show_error)
        self.store.changed.connect(self._on_setting)

    def _show_page(self, place: int) -> None:
        self.pages.setCurrentWidget(getattr(self, _PAGES[place]))

    def _on_setting(self, path: str) -> None:
        if path == "presenter":
            self._fill_screen(self.store.settings.presenter)
        elif path == "theme":
            self._on_theme(self.store.settings.theme)
        elif path.startswith("lanes"):
            self._show_lanes()

    def _show_lanes(self) -> None:
        if self._models is not None:
            self._models.show_lanes(self.store.settings.lanes.models)

    def _on_theme(self, choice: ThemeChoice) -> None:
        self._theme.choose(choice)
        words = {
            ThemeChoice.SYSTEM: self.tr("Theme: as the system"),
            ThemeChoice.LIGHT: self.tr("Theme: light"),
            ThemeChoice.DARK: self.tr("Theme: dark"),
        }
        self.status_line.show_briefly(words[choice])

    def _use_model(self, lane: int, model: str) -> None:
        self.live.use_model(lane, model)
        self.top_bar.choose(LIVE_PAGE)

    def _use_corrected(self, model: str) -> None:
        """Load a model whose card has changed again in the lanes that show it."""
        lanes = [lane for lane, its in enumerate(self.player.models) if its == model]
        for lane in lanes:
            self.player.use_model(model, lane)
        if lanes:
            self.top_bar.choose(LIVE_PAGE)

    def _offer_better_card(self, words: str) -> None:
        self.banner.show_notice(words, [Remedy(self.tr("Save it"), self.models.save_better_card)])

    def _clip_on_screen(self) -> Path | None:
        playing = self.player.current
        path = Path(playing.found_as or "") if playing is not None and playing.kind is SourceKind.VIDEO else None
        return path if path is not None and path.is_file() else None

    def _fill_screen(self, fill: bool) -> None:
        if fill != self.isFullScreen():
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        if fill:
            self.top_bar.choose(LIVE_PAGE)
        for part in (self.top_bar, self.status_line):
            part.setVisible(not fill)
        self.live.show_only_picture(fill)

    def _remember_place(self) -> None:
        if not self._closing and not self.isFullScreen():
            self.store.update("window", place_of(self))

    def _look_who_sees(self) -> None:
        """Let the live page rest while it is on no screen."""
        if not self._closing:
            lives = self.pages.currentWidget() is self.live
            if lives and self._start_live is not None:
                start, self._start_live = self._start_live, None
                start()
            self.live.set_seen(lives and self.isVisible() and not self.isMinimized())

    # Events of Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look_who_sees()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look_who_sees()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._remember_place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._remember_place()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._remember_place()
            self._look_who_sees()
        # A filter that was made in another window appears in the list on coming back.
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow() and not self._closing:
            self.live.look_for_filters()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Only keys that the focused control does not use arrive here.
        if not self._hotkeys.press(event):
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            self.view.show_hint(self.tr("Drop to open"))
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.view.show_hint("")

    def dropEvent(self, event: QDropEvent) -> None:
        self.view.show_hint("")
        event.acceptProposedAction()
        self._open_dropped([local_path(url) for url in event.mimeData().urls() if url.isLocalFile()])

    def _open_dropped(self, paths: Sequence[str]) -> None:
        if not paths:
            self.banner.show_message(
                self.tr("The dropped item is not a file on this computer."),
                self.tr("It is probably a link to a web page. Save the picture or video first, then drop the file."),
            )
            return
        if len(paths) > 1:
            self.status_line.show_briefly(
                self.tr("{0} files were dropped; the first is opened. Drop their folder to see all.").format(len(paths))
            )
        if Path(paths[0]).suffix.lower() in ENDINGS:
            self.show_review(Path(paths[0]))
            return
        if is_model_file(paths[0]):
            self.models.open_model(paths[0])
            self.top_bar.choose(MODELS_PAGE)
            return
        self.top_bar.choose(LIVE_PAGE)
        self.player.open(paths[0])

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        if self._closing:
            return
        self._remember_place()
        if self._training is not None:
            self.store.update("training", self._training.choices)  # including text that was typed but not confirmed
        self._closing = True
        self.hide()  # at once; the rest goes on in the background
        self.player.stopped.connect(lambda: self._finished("player"))
        self.live.outputs.closed.connect(lambda: self._finished("outputs"))
        QTimer.singleShot(CLOSING_MS, self, lambda: self._finished("player", "review"))
        self.live.close_down()
        if self._models is not None:
            self._models.close_down()
        if self._training is not None:
            self._training.controller.close_down()
        if self._review is not None:
            self._review.close_down()
        self.store.close()

    def _finished(self, *parts: str) -> None:
        self._unfinished.difference_update(parts)
        if not self._unfinished:
            self.gone.emit()
