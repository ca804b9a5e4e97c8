"""What a run writes down: CSV for people and scripts, TensorBoard for curves, sentences for the terminal."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm


class RunLog:
    """Writes numbers of a run to `KIND.csv` and TensorBoard files in the run's folder.

    Args:
        folder: the run's folder.
        first_step: rows after this step are dropped, so that a resumed run does not tell a stretch twice.
    """

    def __init__(self, folder: Path, first_step: int = 0) -> None:
        self._folder = folder
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=first_step or None)
        for file in folder.glob("*.csv"):
            _drop_rows_after(file, first_step)

    def close(self) -> None:
        """Write what is still in memory."""
        self._board.close()

    def tell(self, text: str) -> None:
        """Say something to whoever watches, above the bar and beside the program's output."""
        tqdm.write(text, file=sys.stderr)

    def write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Add the numbers of a step to the log `kind`; names that it has not had before become new columns."""
        file = self._folder / f"{kind}.csv"
        columns = _columns(file, ["step", *values])
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in values.items()}}
        with file.open("a", newline="", encoding="utf-8") as stream:
            csv.DictWriter(stream, columns).writerow(row)
        for name, value in values.items():
            self._board.add_scalar(f"{kind}/{name}", value, step)


def _columns(file: Path, wanted: list[str]) -> list[str]:
    """Return the columns of a log, which has those wanted from now on; rows from before are shorter."""
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    columns = next(csv.reader(rows[:1]), [])
    missing = [name for name in wanted if name not in columns]
    if missing:
        columns += missing
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerow(columns)
            stream.writelines(rows[1:])
    return columns


def _drop_rows_after(file: Path, step: int) -> None:
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = rows[:1] + [row for row in rows[1:] if int(row.split(",", 1)[0]) <= step]
    file.write_text("".join(kept), encoding="utf-8")
