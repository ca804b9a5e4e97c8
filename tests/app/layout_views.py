"""Every view of the real window, to be measured in several sizes.

`python -m tests.app.layout_views 1920x1080` writes the faults of every view in that size as JSON, in dark those of the
page Live alone. Qt reads the scale of the screen once, from QT_SCALE_FACTOR, so that another scale needs a process of
its own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.shell.banner import Banner, Remedy
from app.shell.main_window import MODELS_PAGE, REVIEW_PAGE, TRAIN_PAGE
from app.theme.theme import ThemeChoice
from engine.inference.library import ModelLibrary
from engine.live.file_reader import Playback
from engine.render.scene import Layout
from tests.app.layout_faults import layout_faults
from tests.fakes.foreign_models import REAL
from tests.fakes.session_logs import logged_clip
from tests.golden.still_window import FOUR, MODELS, StillWindow, settle, until
from tests.golden.window_pictures import patching

THEMES = ThemeChoice.DARK, ThemeChoice.LIGHT
SETTLED_MS = 25  # most layouts are done after one turn of the event loop
LATE_MS = 300  # pages with much text are laid out in several
REMARK = (  # the longest one of the page Review
    "Not everything of this session can be shown as it was.",
    "It has one model, without latency and error, as files of “predict” and logs of former versions do. “holiday.mp4” "
    "was no file, so there is no clip, and landmarks are shown alone.",
)
LANES = {1: MODELS[:1], 2: MODELS, 3: FOUR[:3], 4: FOUR}


def faults_of(
    still: StillWindow,
    folder: Path,
    sizes: Sequence[tuple[int, int]],
    live_alone: Sequence[ThemeChoice] = (),
) -> dict[str, list[str]]:
    """Return the faults of every view in every size and theme, by its name; without those that have none.

    In themes that are `live_alone`, only the page Live is measured: it is the quickest to show.
    """
    found: dict[str, list[str]] = {}
    for theme in THEMES:
        still.theme.choose(theme)
        for name in live_views(still) if theme in live_alone else views(still, folder / theme.value):
            for size in sizes:
                still.window.setWindowState(Qt.WindowState.WindowNoState)  # however large the screen is
                still.window.resize(*size)
                settle(SETTLED_MS)
                assert still.window.size().toTuple() == size
                if layout_faults(still.window):
                    settle(LATE_MS)
                if faults := layout_faults(still.window):
                    found[f"{name}, {size[0]}\u00d7{size[1]}, {theme.value}"] = faults
    return found


def views(still: StillWindow, folder: Path) -> Iterator[str]:
    """Show one view after another; yield the name of each."""
    yield from live_views(still)
    yield from _pages(still, folder)


def live_views(still: StillWindow) -> Iterator[str]:
    """Show the views of the page Live; yield the name of each."""
    yield from _lanes(still)
    yield from _presented(still)


def _lanes(still: StillWindow) -> Iterator[str]:
    still.show_layout(Layout.SINGLE)
    yield "one lane"
    for layout in (Layout.SPLIT, Layout.OVERLAID, Layout.DIFFERENCE):
        still.show_layout(layout)
        yield layout.value
    for lanes in (3, 4, 2):
        still.show_layout(Layout.SIDE_BY_SIDE, LANES[lanes])
        yield f"{lanes} lanes"
    for name, begin, end in _additions(still):
        begin()
        yield name
        end()


def _additions(still: StillWindow) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Yield what may come to two lanes: a name, what shows it, and what takes it away again."""
    window, store, view = still.window, still.window.store, still.window.view
    transport = window.live.files.transport
    plate = view.lane_plates.plates[0]
    yield "all numbers", lambda: plate.details_wanted.emit(True), lambda: plate.details_wanted.emit(False)
    yield "no controls", lambda: store.update("controls", False), lambda: store.update("controls", True)

    def unfold(open_all: bool) -> None:
        store.update("signals", open_all)
        store.update("folded.output", not open_all)

    yield "unfolded", lambda: unfold(True), lambda: unfold(False)
    yield (
        "a file",
        lambda: transport.show_playback(Playback(3723.4, 7384.2, 111_702, 221_526), paused=False),
        lambda: transport.show_playback(None, paused=False),
    )
    yield (
        "a notice",
        lambda: view.show_notice("The camera was unplugged. Plug it in again, and the picture comes back."),
        lambda: view.show_notice(""),
    )
    yield "a banner", lambda: _warn(window.banner), window.banner.hide
    yield "a hint", lambda: view.show_hint("Drop to open"), lambda: view.show_hint("")
    yield "the keys", window.sheet.toggle, window.sheet.toggle


def _warn(banner: Banner) -> None:
    banner.show_message(*REMARK, remedies=[Remedy("Choose the clip …", lambda: None)])


def _presented(still: StillWindow) -> Iterator[str]:
    still.window.store.update("presenter", True)
    for lanes, models in LANES.items():
        still.show_layout(Layout.SINGLE if lanes == 1 else Layout.SIDE_BY_SIDE, models)
        yield f"{lanes} presented"
    still.window.store.update("presenter", False)


def _pages(still: StillWindow, folder: Path) -> Iterator[str]:
    window = still.window
    for page, name in ((MODELS_PAGE, "models"), (TRAIN_PAGE, "train")):
        still.show_page(page)
        yield name
    folder.mkdir()
    models = window.models
    _warn(models.banner)
    yield "models with a banner"
    models.banner.hide()
    models.library = ModelLibrary((REAL.parent, folder))
    window.top_bar.choose(MODELS_PAGE)
    file = folder / "a model from elsewhere.tflite"
    file.write_bytes(REAL.read_bytes())
    models.add_model(file)
    adding = models.adding
    until(lambda: adding.form.isEnabled() and adding.picture.image is not None)
    yield "adding a model"
    models._show_overview()
    window.top_bar.choose(REVIEW_PAGE)
    yield "review without a log"
    window.show_review(logged_clip(folder, lanes=3))
    until(lambda: window.review.loaded is not None and window.review.view.shown is not None)
    window.review.mark.click()
    yield "review"
    _warn(window.review.banner)
    yield "review with a banner"
    window.review.banner.hide()


def main() -> None:
    """Measure every view in the sizes that are named."""
    sizes = [tuple(map(int, size.split("x"))) for size in sys.argv[1:]]
    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder, patching() as patch:
        still = StillWindow(application, Path(folder), patch)
        found = faults_of(still, Path(folder), sizes, live_alone=[ThemeChoice.DARK])
        ratio = still.window.devicePixelRatioF()
        still.close()
    sys.stdout.write(json.dumps({"ratio": ratio, "faults": found}))


if __name__ == "__main__":
    main()
