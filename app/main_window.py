"""The window: the live picture, the side panel, the status line, and what they do to the player."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QGridLayout, QMainWindow, QVBoxLayout, QWidget

from app.background import Background
from app.banner import Banner
from app.controls import ControlPanel
from app.pickers import SourceAction
from app.player import Parts, Player
from app.playing import Playing
from app.screenshot import save_screenshot, screenshot_folder
from app.status_line import StatusLine
from app.theme import MARGIN
from app.view import LiveView
from engine.errors import ModelError, UnderstudyError
from engine.live_settings import LiveSettings, View
from engine.live_state import SILENT_STATES, SourceState, Status
from engine.sources.base import SourceKind
from engine.sources.opening import SAMPLE

TIMES = "\u00d7"  # between width and height
CLOSING_MS = 2500  # after this the program ends without waiting for threads that hang


class MainWindow(QMainWindow):
    """Everything that is on screen.

    Args:
        parts: what the window asks of the engine.
        model: landmark model to start with, by name or path.
    """

    gone = Signal()  # the window was closed, and its threads have ended or were given up

    def __init__(self, parts: Parts, model: str) -> None:
        super().__init__()
        self._parts = parts
        self._size = ""  # of the picture on screen, for the status line
        self._status: Status | None = None
        self._closing = False
        self._background = Background(self)
        self.view, self.banner, self.status_line = LiveView(), Banner(), StatusLine()
        self.panel = ControlPanel(LiveSettings())
        self.player = Player(parts, self.panel.live_settings(), model, self)
        self.setWindowTitle("Understudy")
        self.setAcceptDrops(True)
        self._lay_out()
        self._add_actions()
        self._connect_panel()
        self._connect_player()
        self.view.setFocus()

    def start(self, source: str | None) -> None:
        """Open the first source and fill the lists.

        Args:
            source: as `open_source` takes it; None for the first camera, or else the sample.
        """
        self._look_for_cameras()
        self._background.run(self._parts.list_models, self.panel.models.set_entries)
        self.player.open(source)

    def tell_crash(self, details: str) -> None:
        """Tell of an error of our own that nobody caught."""
        self.banner.show_message(
            self.tr("Something went wrong inside the program."),
            self.tr("This is our mistake. You can go on; “Copy” takes the details for a report."),
            details,
        )

    # What it is made of

    def _lay_out(self) -> None:
        over = QVBoxLayout(self.view)
        over.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        over.addWidget(self.banner, 0, Qt.AlignmentFlag.AlignBottom)  # at the top it would hide the numbers
        content = QWidget()
        layout = QGridLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.view, 0, 0)
        layout.addWidget(self.panel, 0, 1)
        layout.addWidget(self.status_line, 1, 0, 1, 2)
        layout.setRowStretch(0, 1)
        layout.setColumnStretch(0, 1)
        self.setCentralWidget(content)
        self.setMinimumSize(640, 420)
        self.resize(1280, 800)

    def _add_actions(self) -> None:
        for text, key, act in (
            (self.tr("Screenshot"), "S", self.take_screenshot),
            (self.tr("Full screen"), "F", self.toggle_full_screen),
            (self.tr("Open file"), QKeySequence.StandardKey.Open, self.ask_for_file),
            (self.tr("Quit"), QKeySequence("Ctrl+Q"), self.close),
        ):
            action = QAction(text, self)
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(act)
            self.addAction(action)

    def _connect_panel(self) -> None:
        panel = self.panel
        panel.changed.connect(lambda: self.player.apply(panel.live_settings()))
        panel.sources.chosen.connect(self.player.open)
        panel.sources.action_wanted.connect(self._on_source_action)
        panel.models.chosen.connect(self.player.use_model)
        panel.pause.toggled.connect(self._tell_status)
        panel.screenshot.clicked.connect(self.take_screenshot)
        panel.full_screen.clicked.connect(self.toggle_full_screen)

    def _connect_player(self) -> None:
        player = self.player
        player.viewed.connect(self._on_view)
        player.status_changed.connect(self._on_status)
        player.opening.connect(self._on_opening)
        player.opened.connect(self._on_opened)
        player.kept.connect(self._on_kept)
        player.model_changed.connect(self._on_model)
        player.idle.connect(self._on_idle)
        player.troubled.connect(self.banner.show_error)

    # What users do

    def toggle_pause(self) -> None:
        """Hold the picture or go on; a file that has ended starts again."""
        if self._status is not None and self._status.state is SourceState.ENDED:
            self.player.replay()
        else:
            self.panel.pause.toggle()

    def toggle_full_screen(self) -> None:
        """Show only the picture on the whole screen, or the window again."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        for part in (self.panel, self.status_line):
            part.setVisible(not self.isFullScreen())
        self.view.setFocus()

    def take_screenshot(self) -> None:
        """Save the picture on screen, overlay included."""
        if self.view.pixels is None:
            self.status_line.tell_briefly(self.tr("There is no picture to save yet."))
            return
        pixels, folder = self.view.pixels.copy(), screenshot_folder()

        def save() -> Path | UnderstudyError:
            try:
                return save_screenshot(pixels, folder)
            except UnderstudyError as error:
                return error

        self._background.run(save, self._on_screenshot)

    def ask_for_file(self) -> None:
        """Let the user choose a video or a picture."""
        self._ask(self.tr("Open a video or a picture"), QFileDialog.FileMode.ExistingFile)

    def ask_for_folder(self) -> None:
        """Let the user choose a folder of pictures."""
        self._ask(self.tr("Open a folder of pictures"), QFileDialog.FileMode.Directory)

    def _ask(self, title: str, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.player.open)
        dialog.open()  # returns at once: the picture behind it goes on

    def _on_source_action(self, action: SourceAction) -> None:
        {
            SourceAction.OPEN_FILE: self.ask_for_file,
            SourceAction.OPEN_FOLDER: self.ask_for_folder,
            SourceAction.LOOK_AGAIN: self._look_for_cameras,
        }[action]()

    def _look_for_cameras(self) -> None:
        self._background.run(self._parts.list_cameras, self.panel.sources.set_cameras)

    def _open_dropped(self, paths: Sequence[str]) -> None:
        if not paths:
            self.banner.show_message(
                self.tr("What was dropped is no file of this machine."),
                self.tr("It is probably a link to a web page. Save the picture or video first, then drop the file."),
            )
            return
        if len(paths) > 1:
            self.status_line.tell_briefly(
                self.tr("{0} files were dropped; the first is opened. Drop their folder to see all.").format(len(paths))
            )
        self.player.open(paths[0])

    # What the player tells

    def _on_view(self, view: View) -> None:
        self.view.show_picture(view.first.picture)
        frame = view.first.result.frame
        self.panel.offer_truth(frame.truth is not None)
        size = f"{frame.width}{TIMES}{frame.height}"
        if size != self._size:
            self._size = size
            self._tell_status()

    def _on_status(self, status: Status) -> None:
        self._status = status
        self.view.show_notice(self._notice(status))
        self._tell_status()

    def _on_opening(self, playing: Playing, status: Status) -> None:
        self.panel.sources.select(playing.spec)
        name = self.tr("The first camera") if playing.spec is None else _short(playing.spec)
        words = f"{name} · {status.message or self._words(SourceState.STARTING)}"
        self.status_line.tell(words)
        if self.view.pixels is None:
            self.view.show_notice(words)

    def _on_idle(self) -> None:
        self.status_line.tell(self.tr("Nothing plays"))
        self.view.show_notice(self.tr("There is nothing to show. Choose a source at the right, or drop a file here."))

    def _on_model(self, name: str) -> None:
        self.panel.models.select(name)
        if isinstance(self.banner.error, ModelError):
            self.banner.hide()

    def _on_opened(self, playing: Playing) -> None:
        self.view.show_notice("")
        if not playing.stands_in:
            self.banner.hide()
        if playing.kind in (SourceKind.VIDEO, SourceKind.PICTURES) and playing.spec is not None:
            self.panel.sources.remember_file(playing.spec)
        self.panel.sources.select(_listed(playing))
        self.panel.mirrored.setChecked(playing.session.settings.mirrored)
        self.panel.pause.setChecked(False)

    def _on_kept(self, playing: Playing) -> None:
        self.panel.sources.select(_listed(playing))
        self._tell_status()

    def _on_screenshot(self, outcome: Path | UnderstudyError) -> None:
        if isinstance(outcome, Path):
            self.status_line.tell_briefly(self.tr("Screenshot saved: {0}").format(outcome))
        else:
            self.banner.show_error(outcome)

    def _tell_status(self) -> None:
        """Say what the source on screen is doing."""
        playing, status = self.player.current, self._status
        if playing is not None and status is not None:
            # Why a source failed is told by the banner.
            message = "" if status.state is SourceState.FAILED else status.message
            self.status_line.tell(message or self._plain_words(playing, status))

    def _plain_words(self, playing: Playing, status: Status) -> str:
        """Describe a source that has nothing special to say."""
        if status.state is SourceState.ENDED and playing.is_still:
            return f"{playing.name} · {self._size}"
        if status.state is not SourceState.LIVE:
            return f"{playing.name} · {self._words(status.state)}"
        if self.panel.pause.isChecked():
            return f"{playing.name} · {self.tr('paused')} · {self._size}"
        if playing.kind is SourceKind.SAMPLE and playing.stands_in:
            return self.tr("Sample: what was asked for could not be opened, so the built-in clip plays")
        if playing.kind is SourceKind.SAMPLE and playing.spec is None:
            return self.tr("Sample: no camera was found, so the built-in clip plays")
        return f"{playing.name} · {self._words(status.state)} · {self._size}"

    def _notice(self, status: Status) -> str:
        """Return what to write over a picture that is not live."""
        if status.state is SourceState.FAILED:
            return self.tr("The picture stopped")  # the banner tells why
        return (status.message or self._words(status.state)) if status.state in SILENT_STATES else ""

    def _words(self, state: SourceState) -> str:
        playing = self.player.current
        live = playing is not None and playing.kind is SourceKind.CAMERA
        return {
            SourceState.STARTING: self.tr("opening …"),
            SourceState.LIVE: self.tr("live") if live else self.tr("playing"),
            SourceState.STALLED: self.tr("no picture comes"),
            SourceState.RECONNECTING: self.tr("disconnected, trying again …"),
            SourceState.ENDED: self.tr("ended; Space plays it again"),
            SourceState.FAILED: self.tr("failed"),
        }[state]

    # What Qt tells

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # No shortcuts: these keys come here only if the control with the focus has no use for them itself.
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.toggle_pause()
        elif event.key() == Qt.Key.Key_Escape and self.banner.isVisible():
            self.banner.hide()
        elif event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self.toggle_full_screen()
        else:
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
        self._open_dropped([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        if self._closing:
            return
        self._closing = True
        self.hide()  # at once; what takes time happens unseen
        self.player.stopped.connect(self.gone)
        QTimer.singleShot(CLOSING_MS, self, self.gone.emit)
        self._background.close()
        self.player.stop()


def _listed(playing: Playing) -> str | None:
    """Return under which entry of the source list a source stands."""
    if playing.kind is SourceKind.SAMPLE:
        return SAMPLE
    return playing.name if playing.kind is SourceKind.CAMERA else playing.spec


def _short(spec: str) -> str:
    return Path(spec).name or spec
