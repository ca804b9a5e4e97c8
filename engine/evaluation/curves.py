"""The cumulative error distribution as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import RecordingError, refusal
from engine.core.files import replaced
from engine.core.installation import add_extra
from engine.core.metrics import FAILURE_THRESHOLD, accuracy, ced
from engine.evaluation.tables import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Distinguishable with every kind of colour blindness: M. Okabe and K. Ito, “Color Universal Design”, 2008.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8a8f98")
INK, GRID = "#30363d", "#e3e6ea"
WIDTH, HEIGHT, LEGEND_LINE, DOTS_PER_INCH = 7.6, 4.8, 0.22, 150  # inches
# Each line is thinner than the one below it, so that coinciding lines all show.
FIRST_WIDTH, NEXT_WIDTH = 2.4, 1.5


Curve = tuple[str, NDArray[np.floating]]  # its name, and the errors as `engine.core.metrics.accuracy` takes them


def write_curves(path: Path, heading: str, unit: str, curves: Sequence[Curve]) -> str | None:
    """Write a picture of curves; where matplotlib is not installed, return how to get it as a sentence instead.

    The path ends in `.png`, errors are percent of the `unit`, and curves without any error are left out.

    Raises:
        RecordingError: the file cannot be written.
    """
    try:
        # Imported here because it is optional; without pyplot, which keeps global state.
        from matplotlib.figure import Figure
    except ImportError:
        return f"The picture of the curves is left out, because matplotlib is not installed: {add_extra('report')}."
    height = HEIGHT + LEGEND_LINE * len(curves)
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    for index, (name, errors) in enumerate(curves):
        known = errors[~np.isnan(errors)]
        if not len(known):
            continue
        thresholds, share = ced(known)
        figures = accuracy(known)
        label = f"{_plain(name)}:  NME {rounded(figures.nme, 2)} %,  FR {rounded(figures.fr10, 2)} %,  "
        again, place = divmod(index, len(COLOURS))
        (line,) = axes.plot(thresholds, share * 100, label=f"{label}AUC {rounded(figures.auc10, 3)}")
        width = NEXT_WIDTH if index else FIRST_WIDTH
        line.set(color=COLOURS[place], linestyle="--" if again else "-", linewidth=width)
    _label(axes, heading, unit)
    if axes.has_data():
        # Below the axes, where it hides no curve.
        figure.legend(loc="outside lower center", fontsize=9, labelcolor=INK, frameon=False)
    try:
        with replaced(path) as temporary:
            figure.savefig(temporary)
    except OSError as error:
        raise RecordingError(
            f"The picture {path} cannot be written ({error.strerror})",
            *refusal(error, "the folder forbids writing, or the disk is full", "choose another place with --out"),
        ) from error
    return None


def _plain(text: str) -> str:
    """Return a text as matplotlib shows it: no formula between dollars, no legend that “_” hides, no odd bytes."""
    shown = text.encode(errors="replace").decode().replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def _label(axes: Axes, heading: str, unit: str) -> None:
    axes.set_title(_plain(heading), loc="left", fontsize=11, color=INK, pad=10)
    axes.set_xlabel(f"NME of a face (% of {unit})", color=INK)
    axes.set_ylabel("faces with at most this NME (%)", color=INK)
    axes.set(xticks=range(int(FAILURE_THRESHOLD) + 1), xlim=(0, FAILURE_THRESHOLD))
    axes.set(yticks=range(0, 101, 20), ylim=(0, 101))  # a little above all, so that the line at 100 % is seen whole
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0)
    for side in axes.spines.values():
        side.set_color(GRID)
