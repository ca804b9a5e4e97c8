"""The report of a session as an HTML page that needs no other file and no script."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from engine.core.metrics import FAILURE_THRESHOLD, ced
from engine.evaluation.session_report.charts import Line, Plot, chart
from engine.evaluation.session_report.figures import Distance, LaneFigures, Percentiles, binned, known
from engine.evaluation.session_report.report import IN_TURNS, LIVE, LaneModel, SessionReport
from engine.evaluation.session_report.style import FIRST_PAIR, STYLE
from engine.evaluation.session_report.worst_frames import JOINED_LATER, WorstFrame

BINS = 240  # points of a curve over time: finer cannot be seen
LATENCY_BINS = 60  # of latencies, which differ much from frame to frame
CED_POINTS = 200
NONE = "\N{EN DASH}"
# A page that loads nothing, whatever the names in it are.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
EYES = "% of the eye distance"

# Label with unit, what it means, and the value, which a note may follow on a line of its own.
Row = tuple[str, str, Callable[[LaneFigures], str]]


def as_html(report: SessionReport) -> str:
    """Return the report as an HTML page."""
    sections = [
        _header(report),
        _failures([*report.models, *report.left_out]),
        _section("Lanes", _lanes_table(report)),
        _section("How far apart the models are", _matrix_table(report)) if len(report.models) > 1 else "",
        _section("Over the session", f'<div class="charts">{"".join(map(chart, _plots(report)))}</div>'),
        _worst(report),
        _section("Models", _models_table(report)),
        _section("Measured on", _facts(_machine_rows(report))),
    ]
    title = escape(f"Session report: {report.setting.source}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(section for section in sections if section)
        + "\n</main>\n</body>\n</html>\n"
    )


def _section(heading: str, content: str) -> str:
    return f"<section>\n<h2>{heading}</h2>\n{content}\n</section>"


def _header(report: SessionReport) -> str:
    setting, meter = report.setting, report.meter
    count = len(meter.moments)
    facts = [
        f"{count} {'frames' if meter.continuous else 'pictures'}",
        f"{meter.moments[-1]:.1f} s" if meter.continuous and count else "",
        _lanes_words(report),
        "with ground truth" if meter.has_truth else "without ground truth, so there is no error",
        setting.began.strftime("%Y-%m-%d %H:%M"),
    ]
    remark = f'<p class="alert">{escape(setting.remark)}</p>' if setting.remark else ""
    words = " · ".join(filter(None, facts))
    return f'<header><h1>{escape(setting.source)}</h1><p class="quiet">{escape(words)}</p>{remark}</header>'


def _lanes_words(report: SessionReport) -> str:
    count, one = len(report.models), "frame" if report.meter.continuous else "picture"
    if count == 1:
        return "1 model"
    return (
        f"{count} models, each at its own pace"
        if report.setting.pace == LIVE
        else f"{count} models, each on every {one}"
    )


def _failures(models: Sequence[LaneModel]) -> str:
    return "".join(f'<p class="alert">{escape(model.failure)}</p>' for model in models if model.failure)


# The lanes


def _lanes_table(report: SessionReport) -> str:
    heads = "".join(f'<th scope="col">{name}</th>' for name in _names(report))
    rows = []
    for label, meaning, value in _rows(report):
        cells = "".join(_cell(*value(figures).split("\n")) for figures in report.lanes)
        rows.append(f'<tr><th scope="row">{escape(label)}<small>{escape(meaning)}</small></th>{cells}</tr>')
    return _table(f"<tr><th></th>{heads}</tr>", rows)


def _cell(value: str, note: str = "") -> str:
    return f"<td>{escape(value)}{f'<small>{escape(note)}</small>' if note else ''}</td>"


def _rows(report: SessionReport) -> list[Row]:
    meter = report.meter
    one, many = ("frame", "frames") if meter.continuous else ("picture", "pictures")
    rows: list[Row] = [
        (f"Throughput, {many}/s", _throughput_words(report), _throughput),
        ("Latency p50 / p95 / p99, ms", f"of a {one}, from its arrival to its landmarks", _spread("latency")),
        ("Landmark network p50 / p95 / p99, ms", f"of all faces of a {one}, with their crops", _spread("landmark")),
        ("Detector p50 / p95 / p99, ms", f"on the {many} on which it ran", _spread("detect", counted=True)),
    ]
    if meter.has_truth:
        rows += [
            (f"NME, {EYES}", f"mean error against ground truth, over the {many} with a face", _accuracy("nme", 2)),
            (f"FR10, % of the {many}", "with an NME above 10 %, or with the true face missed", _accuracy("fr10", 2)),
            ("AUC10, 0 to 1", "area under the cumulative errors up to 10 %; 1 is perfect", _accuracy("auc10", 3)),
        ]
    if meter.continuous:
        rows += [
            (f"Jitter, {EYES}", "mean move of the points between two frames while the face is still", _jitter),
            ("Lag, ms", f"how late the points are behind {report.lag_behind} while the face moves", _lag),
            ("Faces lost", "how often a tracked face was not found on the next frame", lambda its: str(its.lost)),
        ]
    return [
        *rows,
        (f"Face found, % of the {many}", "", lambda its: _number(its.found, 1, 100)),
        ("Confidence, mean, 0 to 1", "of all points", lambda its: _number(its.confidence, 3)),
        ("Confidence, p5, 0 to 1", f"95 of 100 {many} are above", lambda its: _number(its.low_confidence, 3)),
        (many.capitalize(), "that this lane processed", lambda its: str(its.frames)),
    ]


def _throughput_words(report: SessionReport) -> str:
    if len(report.models) > 1 and report.setting.pace != IN_TURNS:
        return "1000 / mean latency, while the other lanes ran beside it"
    return "what this lane could process by itself: 1000 / mean latency"


def _jitter(figures: LaneFigures) -> str:
    return _over(figures.jitter, 3, figures.still)


def _lag(figures: LaneFigures) -> str:
    return _over(figures.lag, 1, figures.moving)


def _throughput(figures: LaneFigures) -> str:
    return _number(figures.throughput, 1)


def _spread(name: str, counted: bool = False) -> Callable[[LaneFigures], str]:
    def words(figures: LaneFigures) -> str:
        spread: Percentiles | None = getattr(figures, name)
        if spread is None:
            return NONE
        numbers = f"{spread.p50:.2f} / {spread.p95:.2f} / {spread.p99:.2f}"
        return f"{numbers}\n{spread.count} times" if counted else numbers

    return words


def _accuracy(name: str, digits: int) -> Callable[[LaneFigures], str]:
    return lambda figures: _number(getattr(figures.accuracy, name, None), digits)


def _over(value: float | None, digits: int, pairs: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}\n{pairs} pairs of frames"


def _number(value: float | None, digits: int, scale: float = 1.0) -> str:
    return NONE if value is None else f"{value * scale:.{digits}f}"


# How far apart they are


def _matrix_table(report: SessionReport) -> str:
    heads = "".join(f'<th scope="col">{name}</th>' for name in _names(report))
    rows = []
    for name, distances in zip(_names(report), report.matrix, strict=True):
        cells = "".join(_distance_cell(distance, report.meter.continuous) for distance in distances)
        rows.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    note = (
        f"Mean distance of the landmarks that two models place on the same face, in {EYES}, and p95 below it. It says "
        "nothing about which is right: both may be wrong in the same way."
    )
    return f'{_table(f"<tr><th></th>{heads}</tr>", rows)}<p class="quiet">{note}</p>'


def _distance_cell(cell: Distance | None, continuous: bool) -> str:
    if cell is None or cell.mean is None:
        return f"<td>{NONE}</td>"
    return _cell(f"{cell.mean:.2f} %", f"p95 {cell.p95:.2f} % · {cell.frames} {'frames' if continuous else 'pictures'}")


# Curves


def _plots(report: SessionReport) -> list[Plot]:
    meter, names = report.meter, [model.name for model in report.models]
    across = "seconds" if meter.continuous else "picture"

    def over_time(title: str, column: str, top: float | None = None, bins: int = BINS) -> Plot:
        lines = [
            Line(place, name, binned(meter.moments, lane.columns[column], bins))
            for place, name, lane in zip(report.places, names, meter.lanes, strict=True)
        ]
        return Plot(title, across, lines, top, whole=not meter.continuous)

    pairs = [
        Line(FIRST_PAIR + number, f"{names[first]} and {names[second]}", binned(meter.moments, column, BINS))
        for number, ((first, second), column) in enumerate(meter.distances.items())
    ]
    return [
        *([over_time(f"NME, {EYES}", "nme"), _ced(report)] if meter.has_truth else ()),
        Plot(f"Apart, {EYES}", across, pairs, whole=not meter.continuous),
        over_time("Latency, ms", "latency", bins=LATENCY_BINS),
        over_time(f"Jitter while still, {EYES}", "jitter"),
        over_time("Confidence, 0 to 1", "confidence", top=1.0),
    ]


def _ced(report: SessionReport) -> Plot:
    lines = []
    for place, model, lane in zip(report.places, report.models, report.meter.lanes, strict=True):
        thresholds, share = ced(known(lane.columns["nme"]))
        every = max(1, len(thresholds) // CED_POINTS)
        points = np.stack([thresholds, share * 100], 1)[::every].tolist()
        lines.append(Line(place, model.name, [(x, y) for x, y in points]))
    what = "frames" if report.meter.continuous else "pictures"
    title = f"Cumulative errors: % of the {what} with at most this NME"
    return Plot(title, f"NME, {EYES}, up to {FAILURE_THRESHOLD:g}", lines, top=100.0)


# The worst frames


def _worst(report: SessionReport) -> str:
    meter = report.meter
    wrong, apart = meter.most_wrong, meter.furthest_apart
    words = "Light dots: found."
    if meter.has_truth:
        words += " Orange rings: ground truth."
    parts = [
        _section(heading, "".join(_worst_row(its, unit, report) for its in frames) + f'<p class="quiet">{words}</p>')
        for heading, unit, frames in (("Largest errors", "NME", wrong), ("Furthest apart", "mean distance", apart))
        if frames
    ]
    return "\n".join(parts)


def _worst_row(worst: WorstFrame, what: str, report: SessionReport) -> str:
    value = f"{what} {worst.value:.2f} %" if math.isfinite(worst.value) else "a face was missed"
    place = worst.name or f"frame {worst.number}, {worst.moment:.2f} s"
    tiles = []
    columns = zip(report.models, _names(report), worst.words, worst.pictures, strict=True)
    for model, name, words, picture in columns:
        without = "had failed" if model.failure else "left this frame out"  # as slower ones do at live pace
        said = f"{name} {escape(words if picture or words == JOINED_LATER else without)}"
        data = "" if picture is None else base64.b64encode(picture).decode()
        shown = f'<img alt="{escape(model.name)}" src="data:image/jpeg;base64,{data}">' if data else ""
        tiles.append(f"<figure>{shown}<figcaption>{said}</figcaption></figure>")
    return (
        f'<h3>{escape(place)} <span class="quiet">{escape(value)}</span></h3><div class="tiles">{"".join(tiles)}</div>'
    )


# What it was measured on


def _models_table(report: SessionReport) -> str:
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Model", "Points", "File", "Precision", "SHA-256"))
    rows = [
        f'<tr><th scope="row">{name}</th><td>{model.points}</td><td>{model.bytes / 1e6:.2f} MB</td>'
        f"<td>{escape(model.precision)}</td><td><code>{escape(model.sha256)}</code></td></tr>"
        for name, model in zip(_names(report), report.models, strict=True)
    ]
    return _table(f"<tr>{heads}</tr>", rows)


def _machine_rows(report: SessionReport) -> list[tuple[str, str]]:
    machine, setting = report.machine, report.setting
    return [
        ("Processor", f"{machine.processor}, {machine.cores} logical cores; each model on one thread"),
        ("System", machine.system),
        (
            "Versions",
            f"Understudy {machine.program}, Python {machine.python}, {machine.runtime}, OpenCV {machine.opencv}, "
            f"NumPy {machine.numpy}",
        ),
        ("Face detector", setting.detector),
        ("Smoothing", f"{setting.smoothing:g} of 1" if report.meter.continuous else "none, as pictures stand alone"),
        ("Points", "as labelled, with each card's label shift" if setting.as_labelled else "on the picture"),
    ]


def _facts(rows: Sequence[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(text)}</dd>' for name, text in rows)}</dl>"


def _table(head: str, rows: Sequence[str]) -> str:
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def _names(report: SessionReport) -> list[str]:
    """Return the name of each lane after a mark in its colour."""
    marked = zip(report.places, report.models, strict=True)
    return [f'<span class="mark mark{place}"></span>{escape(model.name)}' for place, model in marked]
