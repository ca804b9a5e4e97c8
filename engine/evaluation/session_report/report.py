"""The report of a session: everything that its three files show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from engine.evaluation.files import DIGITS, all_rounded
from engine.evaluation.session_report.figures import Distance, LaneFigures, distance_matrix, lane_figures
from engine.evaluation.session_report.machine import Machine, this_machine
from engine.evaluation.session_report.meter import SessionMeter
from engine.evaluation.session_report.worst_frames import WorstFrame
from engine.inference.card import Card

KIND, VERSION = "understudy session report", 2
TRUTH = "the ground truth"
IN_TURNS, LOCKED, LIVE = "in turns", "locked", "live"  # paces


@dataclass(frozen=True)
class LaneModel:
    """The model of a lane.

    Attributes:
        name: of the lane, which no other one has.
        sha256, bytes, precision, points, licence: of the model's file, as its card says.
        failure: in sentences why the lane ended before the others, or gave no result; "" if neither is so.
    """

    name: str
    sha256: str
    bytes: int
    precision: str
    points: int
    licence: str
    failure: str = ""


@dataclass(frozen=True)
class Setting:
    """How the lanes were run, and on what.

    Attributes:
        source: name of the source, as users know it.
        kind: of the source: camera, video, pictures or sample.
        began: local time.
        detector: name of the face detector.
        smoothing: strength of the smoothing in [0, 1].
        as_labelled: whether points lie where labels do, with each card's label shift left on.
        remark: what is missing from the source, as a sentence; "" if nothing is.
        pace: how the lanes took turns: `in turns` on one thread; beside each other, `locked` to the same frames, or
            `live`, each as fast as it can.
    """

    source: str
    kind: str
    began: datetime
    detector: str
    smoothing: float
    as_labelled: bool
    remark: str = ""
    pace: str = IN_TURNS


@dataclass(frozen=True)
class SessionReport:
    """What was measured, and what it was measured on.

    Attributes:
        meter: what was measured frame by frame.
        models, lanes: of each lane its model and its figures.
        places: of each lane its place among all of the session, counted from 0, which gives it its colour on screen.
        left_out: lanes without any result, each with its reason.
        matrix: distance of each lane from each other one; None from itself.
        lag_behind: what lags are measured against: the ground truth, or the name of the first lane.
    """

    setting: Setting
    machine: Machine
    models: tuple[LaneModel, ...]
    places: tuple[int, ...]
    left_out: tuple[LaneModel, ...]
    lanes: tuple[LaneFigures, ...]
    matrix: list[list[Distance | None]]
    lag_behind: str
    meter: SessionMeter


def lane_name(model: str, before: Sequence[str]) -> str:
    """Return the name of a lane: its model's, with its number where a lane `before` it has that already."""
    return f"{model} ({len(before) + 1})" if model in before else model


def lane_model(name: str, card: Card, failure: str = "") -> LaneModel:
    """Return the facts of a lane's model."""
    return LaneModel(name, card.sha256, card.bytes, card.precision, card.scheme, card.licence, failure)


def make_report(meter: SessionMeter, models: Sequence[LaneModel], setting: Setting) -> SessionReport:
    """Return the report of what was measured. A lane without any result is left out, unless none has one."""
    kept = meter.measured_lanes or list(range(len(models)))
    measured = meter.of_lanes(kept)
    return SessionReport(
        setting=setting,
        machine=this_machine(),
        models=tuple(models[lane] for lane in kept),
        places=tuple(kept),
        left_out=tuple(model for lane, model in enumerate(models) if lane not in kept),
        lanes=tuple(lane_figures(lane, measured.has_truth) for lane in measured.lanes),
        matrix=distance_matrix(measured),
        lag_behind=TRUTH if measured.has_truth else models[0].name,
        meter=measured,
    )


def as_values(report: SessionReport) -> dict[str, Any]:
    """Return the report without its pictures as plain values for JSON; units are in the names."""
    meter, setting = report.meter, report.setting
    return {
        **asdict(setting),
        "kind": KIND,
        "version": VERSION,
        "source_kind": setting.kind,
        "began": setting.began.isoformat(timespec="seconds"),
        "frames": len(meter.moments),
        "seconds": round(meter.moments[-1], 3) if meter.continuous and meter.moments else None,
        "ground_truth": meter.has_truth,
        "lag_behind": report.lag_behind,
        "machine": asdict(report.machine),
        "lanes": [
            {**asdict(model), **_lane_values(figures)}
            for model, figures in zip(report.models, report.lanes, strict=True)
        ],
        "left_out": [{"name": model.name, "why": model.failure} for model in report.left_out],
        "distances": [[cell and _rounded(asdict(cell)) for cell in row] for row in report.matrix],
        "furthest_apart": [_worst_values(worst, "percent_apart", meter) for worst in meter.furthest_apart],
        "most_wrong": [_worst_values(worst, "nme", meter) for worst in meter.most_wrong],
    }


def _lane_values(figures: LaneFigures) -> dict[str, Any]:
    values = asdict(figures)
    for name in ("latency", "landmark", "detect"):
        spread = values.pop(name)
        values[f"{name}_ms"] = spread and _rounded(spread)
    values["frames_per_second"] = values.pop("throughput")
    values["lag_ms"] = values.pop("lag")
    values["accuracy"] = values["accuracy"] and _rounded(values["accuracy"])
    return _rounded(values)


def _worst_values(worst: WorstFrame, unit: str, meter: SessionMeter) -> dict[str, Any]:
    place = {"frame": worst.number, "picture": worst.name or None}
    values = {**place, "seconds": worst.moment if meter.continuous else None, unit: worst.value}
    return {**_rounded(values), "lanes": list(worst.words)}


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return all_rounded(values, DIGITS)
