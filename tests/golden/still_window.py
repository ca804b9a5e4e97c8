"""The real window standing still: one frame of the sample, and numbers that are the same on every machine."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.live.viewport import plates as lane_plates
from app.models.benchmarking import Measurement
from app.settings.schema import LaneSettings, TrainChoices
from app.settings.store import SettingsStore
from app.shell import main_window
from app.shell.main_window import MainWindow
from app.theme.theme import Theme, ThemeChoice
from app.train.controller import TrainingKit
from app.train.log_reader import recipe_facts
from engine.batch.benchmark import Speed
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.paths import asset_path
from engine.core.stats import Spread, Stats
from engine.filters.library import FilterLibrary
from engine.inference.detector import DEFAULT_DETECTOR, make_detector
from engine.inference.library import ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.inference.signals import SignalReader
from engine.live.distance import DistanceMeter
from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render.overlay import OverlayPainter
from engine.render.scene import Layout, Look, OverlayOptions
from engine.sources.sample import RATE, SampleClip
from tests.fakes import fake_trainer
from tests.fakes.window_fakes import FakeEngine

SIZE = 1280, 800
TICKS = int(30 * RATE)  # frames of half a minute
FRAME = 500  # of the sample: a face that laughs
MODELS = "student-68", "teacher-tolerant-68"
FOUR = *MODELS, "student-68-lite", "teacher-tough-68"
AGES = 0.021, 0.034, 0.019, 0.052  # seconds, of the frames of the lanes
MILLISECONDS = {"student-68": 2.1, "teacher-tolerant-68": 6.8}  # a face, on the page Models
RUN = Path(__file__).with_name("training-run")  # the logs of a real training
FIRST = Stats(
    fps=30.0,
    latency_ms={
        "detect": Spread(2.1, 3.0),
        "landmark": Spread(3.4, 4.9),
        "smooth": Spread(0.2, 0.3),
        "draw": Spread(1.1, 1.6),
        "total": Spread(4.8, 6.9),
    },
    nme=None,
    found=1.0,
    dropped=0,
    frames=1800,
    cpu=0.16,
    jitter=0.21,
)
SECOND = replace(FIRST, latency_ms={**FIRST.latency_ms, "landmark": Spread(11.8, 15.2), "total": Spread(13.2, 17.1)})
STATS = FIRST, SECOND, FIRST, replace(SECOND, fps=21.3)
LATENCIES = (21.0, 3.0), (34.0, 5.0), (19.0, 2.0), (52.0, 6.0)  # of each lane: the usual, and how it rises and falls


class StillClock:
    """Always returns the same time."""

    now = 1000.0  # seconds

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


class StillWindow:
    """Shows the pages of the window one by one.

    Args:
        application: the Qt application.
        home: an empty folder for what the window keeps; its pages name it nowhere.
        patch: sets an attribute for as long as the window lives, as `monkeypatch.setattr` does.
    """

    def __init__(self, application: QApplication, home: Path, patch: Callable[[object, str, object], None]) -> None:
        self._clock = StillClock()
        patch(lane_plates, "time", self._clock)
        kit = TrainingKit((sys.executable, "-c", ""), Path("runs"), ())
        patch(main_window, "TrainPage", _train_page(main_window.TrainPage, kit, home))
        self.theme = Theme(application, ThemeChoice.DARK)
        store = SettingsStore(home / "settings.toml")
        store.is_first_start = False
        store.update("lanes", LaneSettings(MODELS))
        store.update("training", TrainChoices("student-68"))
        self._engine = FakeEngine()
        library = ModelLibrary((asset_path("models"),))
        entries = [
            replace(entry, path=Path("models", entry.path.name)) for entry in library.entries() if entry.name in MODELS
        ]
        api = replace(self._engine.api, list_models=lambda: entries, list_filters=FilterLibrary().entries)
        self.window = MainWindow(api, MODELS[0], store, self.theme)
        self.window.resize(*SIZE)
        self.window.live.chart._clock = self._clock.monotonic
        self.window.show()
        self.window.start("sample")
        until(lambda: self.window.view.pixels is not None)
        self._results = [_look(library, model, self._clock.now - age) for model, age in zip(FOUR, AGES, strict=True)]
        self._distances = [None, *(_distance(self._results[0], result) for result in self._results[1:])]
        self._fill_charts()

    def close(self) -> None:
        """Close the window and wait for its threads."""
        self._engine.release()
        close(self.window)
        self.window.deleteLater()

    def show_layout(self, layout: Layout, models: tuple[str, ...] = MODELS) -> None:
        """Show the live page in a layout."""
        self.window.top_bar.choose(0)
        self.window.store.update("lanes.models", models)
        self.window.store.update("live.layout", layout)
        settle()
        for lane, model in enumerate(models):
            self.window.player.model_changed.emit(lane, model)
        self._fill_charts(len(models))
        for _ in range(2):  # what plates say of a frame's age is known once it was painted
            self._fill_latencies()
            self.window.view.lane_plates._data = None  # update at once, though no time has passed
            self.window.player.viewed.emit(self._view(layout, len(models)))
            settle()

    def show_page(self, number: int) -> None:
        """Show another page."""
        self.window.top_bar.choose(number)
        page = self.window.pages.currentWidget()
        rows = page.list if hasattr(page, "list") else page.runs
        until(lambda: rows.model().rowCount() > 0)
        rows.setCurrentIndex(rows.model().index(0, 0))
        if page is self.window.models:
            when = datetime(2026, 1, 2, 3, 4)
            speeds = {name: Speed(name, 1, spent, 1.3 * spent, 0) for name, spent in MILLISECONDS.items()}
            page.speeds.keep({name: Measurement(speed, when) for name, speed in speeds.items()})
        settle(600)  # pages with much text are laid out in several turns

    def _view(self, layout: Layout, lanes: int = 2) -> View:
        return View(tuple(self._lane(place, layout) for place in range(1 if layout is Layout.SINGLE else lanes)))

    def _lane(self, place: int, layout: Layout) -> LaneView:
        result, other = self._results[place], self._results[1 - min(place, 1)]
        both = layout in (Layout.OVERLAID, Layout.DIFFERENCE)
        frame = result.frame
        picture = np.empty((frame.height, frame.width, 4), np.uint8)
        signals = SignalReader().read(result)
        stats, distance = STATS[place], self._distances[place]
        look = Look(OverlayOptions(numbers=False), layout=layout, magnification=LiveSettings().magnification)
        OverlayPainter().paint_frame(picture, result, look, stats, signals)
        return LaneView(result, signals, stats, picture, look, None, other if both else None, distance, distance)

    def _fill_charts(self, lanes: int = 2) -> None:
        """Let half a minute go by: latencies and distances that rise and fall a little."""
        chart = self.window.live.chart
        # Another model begins an empty line: these are theirs.
        chart.add(self._view(Layout.SIDE_BY_SIDE, lanes), LiveSettings(layout=Layout.SIDE_BY_SIDE, lanes=lanes))
        chart.clear()
        for tick in range(TICKS):
            moment = self._moment(tick)
            for lane in range(lanes):
                chart.add_latency(lane, moment, _latency(lane, tick))
                distance = self._distances[lane]
                if distance is not None:
                    chart._distance[lane].add(moment, distance * (1 + 0.2 * math.sin(tick / (23 + 7 * lane - 7))))

    def _fill_latencies(self) -> None:
        """Let the plates know the latencies of the charts, though what was on screen before was not of this source."""
        for lane, result in enumerate(self._results):
            latency = self.window.view.lane_plates.latencies[lane]
            latency.painted(result, self._clock.now, live=False)  # what came before does not count
            for tick in range(TICKS):
                moment = self._moment(tick)
                captured = moment - _latency(lane, tick) / 1e3
                latency.painted(replace(result, frame=replace(result.frame, captured=captured)), moment)
            latency.painted(result, self._clock.now)

    def _moment(self, tick: int) -> float:
        return self._clock.now + (tick - TICKS) / RATE


def close(window: MainWindow) -> None:
    """Close a window, and wait until its threads have ended."""
    gone: list[bool] = []
    window.gone.connect(lambda: gone.append(True))
    window.close()
    until(lambda: bool(gone))


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the event loop run until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        settle(10)


def settle(milliseconds: int = 80) -> None:
    """Let the event loop run for a moment."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _look(library: ModelLibrary, model: str, moment: float) -> Result:
    image, truth = SampleClip().frame(FRAME)
    pipeline = Pipeline(make_detector(DEFAULT_DETECTOR), library.load(model))
    return pipeline.process(Frame(FRAME, moment, image, "Sample", time=FRAME / RATE, truth=truth))


def _distance(first: Result, second: Result) -> float | None:
    meter = DistanceMeter()
    meter.add(0, first)
    meter.add(1, second)
    return meter.value


def _latency(lane: int, tick: int) -> float:
    """Return the milliseconds from capture to screen of one of the last `TICKS` frames."""
    usual, swing = LATENCIES[lane]
    return usual + swing * math.sin(tick / (17 + 6 * lane)) * math.sin(tick / 5)


def _train_page(make: type, kit: TrainingKit, home: Path) -> Callable[..., object]:
    """Return what makes the page of trainings with one run, of which the logs are real, and its recipe."""
    recipe = {**json.loads((RUN / "recipe.json").read_text(encoding="utf-8"))["recipe"], "name": "student-68"}
    folder = home / "runs" / recipe["name"]
    shutil.copytree(RUN, folder)
    (folder / "recipe.json").write_text(json.dumps({"recipe": recipe}), encoding="utf-8")
    fake_trainer.save(folder, recipe["steps"])

    def made(choices: TrainChoices, parent: QWidget) -> object:
        page = make(choices, kit, parent)
        page.controller.runs = home / "runs"
        stage = {**recipe, "network": recipe["shape"], "init": recipe["start"]}
        about = "MobileNetV2 with slim blocks from ImageNet weights."
        facts = recipe_facts({"name": recipe["name"], "description": about, "stages": [stage]})
        page.controller.list_recipes = lambda: page.controller.recipes_listed.emit([facts])
        return page

    return made
