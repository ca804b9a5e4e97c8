"""The numbers of a lane, each with its unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.live.viewport.captions import SEPARATOR, Line
from engine.core.stats import Spread, Stats
from engine.render.panel import SHOWN_STAGES, number

translate = QCoreApplication.translate  # under the name that lupdate looks for

UNKNOWN = "\u2013"  # a dash


@dataclass(frozen=True)
class Row:
    """A line of numbers.

    Attributes:
        label: what is measured.
        numbers: one, or a median and a 95th percentile.
        unit: of the numbers.
        note: a remark on them, on a line of its own; "" for none.
    """

    label: str
    numbers: tuple[str, ...]
    unit: str
    note: str = ""


@dataclass(frozen=True)
class StatsReport:
    """What the plate of a lane shows.

    Attributes:
        lines: its caption: the model, what it is, the age of its result.
        stats: its numbers; None for the caption alone.
        screen: spread of the milliseconds from the capture of a frame until it is painted; None before there is one.
        distance: as in `engine.live.view.LaneView`.
        roles: of the two models that agree, as people read them; empty where they are not known.
    """

    lines: tuple[Line, ...]
    stats: Stats | None = None
    screen: Spread | None = None
    distance: float | None = None
    roles: tuple[str, ...] = ()


def speed_row(stats: Stats) -> Row:
    """Return the throughput, which says nothing about how late a result is."""
    fps = UNKNOWN if stats.fps is None else number(stats.fps)
    return Row("", (fps,), translate("StatsReport", "results/s"))


def short_line(report: StatsReport) -> str:
    """Return the most important numbers on one line: speed, latency, and how good the landmarks are."""
    if report.stats is None:
        return ""
    speed, screen, share = speed_row(report.stats), report.screen, "%"
    parts = [f"{speed.numbers[0]} {speed.unit}", f"{UNKNOWN if screen is None else number(screen.p50)} ms"]
    parts += [f"{row.label} {row.numbers[0]} {share}" for row in _accuracy(report, share)]
    return SEPARATOR.join(parts)


def time_rows(report: StatsReport, details: bool) -> tuple[Row, ...]:
    """Return the latency from capture to screen, and with `details` that of every stage."""
    rows = [Row(translate("StatsReport", "capture to screen"), _spread(report.screen), "ms")]
    if details and report.stats is not None:
        latencies = report.stats.latency_ms
        rows += [Row(_stage_words(name), _spread(latencies.get(name)), "ms") for name in SHOWN_STAGES]
    return tuple(rows)


def quality_rows(report: StatsReport, details: bool) -> tuple[Row, ...]:
    """Return how good the landmarks are, and with `details` how steady they are and what they cost."""
    stats = report.stats
    share = translate("StatsReport", "% of eye distance")
    accuracy = _accuracy(report, share)
    if stats is None or not details:
        return accuracy
    # The error of a model that misses the hard faces is that of the easy ones only.
    found = stats.found * 100 if stats.frames else None
    cpu = None if stats.cpu is None else stats.cpu * 100
    return (
        *accuracy,
        Row(translate("StatsReport", "face found"), _one(found), translate("StatsReport", "% of frames")),
        Row(translate("StatsReport", "jitter while still"), _one(stats.jitter), share),
        Row(translate("StatsReport", "CPU"), _one(cpu), translate("StatsReport", "% of one core")),
        Row(translate("StatsReport", "dropped"), (str(stats.dropped),), translate("StatsReport", "frames")),
    )


def all_rows(report: StatsReport) -> tuple[Row, ...]:
    """Return every row below the speed."""
    return (*time_rows(report, details=True), *quality_rows(report, details=True))


def spoken(report: StatsReport) -> str:
    """Return everything as one text, for screen readers."""
    said = [line.text for line in report.lines]
    if report.stats is not None:
        rows = (speed_row(report.stats), *all_rows(report))
        said += [_sentence(row) for row in rows if row.numbers[0] != UNKNOWN]
    return "; ".join(said)


def _accuracy(report: StatsReport, unit: str) -> tuple[Row, ...]:
    """Return the error where the truth is known, else how near the lanes are to one another."""
    nme = None if report.stats is None else report.stats.nme
    if nme is not None and math.isfinite(nme):
        return (Row(translate("StatsReport", "NME"), _one(nme), unit),)
    if report.distance is None:
        return ()
    label = translate("StatsReport", "difference")
    note = translate("StatsReport", "between the models, not accuracy")
    if len(report.roles) == 2:
        note = translate("StatsReport", "{0} and {1}, not accuracy").format(*report.roles)
    return (Row(label, _one(report.distance), unit, note),)


def _stage_words(stage: str) -> str:
    return {
        "detect": translate("StatsReport", "detect"),
        "landmark": translate("StatsReport", "landmark"),
        "smooth": translate("StatsReport", "smooth"),
        "draw": translate("StatsReport", "draw"),
    }[stage]


def _sentence(row: Row) -> str:
    numbers = row.numbers[0]
    if len(row.numbers) == 2:
        median, late = row.numbers
        numbers = translate("StatsReport", "median {0}, 95th percentile {1}").format(median, late)
    words = " ".join(part for part in (row.label, numbers, row.unit) if part)
    return f"{words} ({row.note})" if row.note else words


def _one(value: float | None) -> tuple[str, ...]:
    return (UNKNOWN,) if value is None or not math.isfinite(value) else (number(value),)


def _spread(spread: Spread | None) -> tuple[str, ...]:
    return (UNKNOWN, UNKNOWN) if spread is None else (number(spread.p50), number(spread.p95))
