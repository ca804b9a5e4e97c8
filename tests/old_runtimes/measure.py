"""Write the table of docs/runtimes.md: `python -m tests.old_runtimes.measure DIR`, where DIR holds the old runtimes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from app.cli.terminal import say
from tests.old_runtimes.runtimes import LAST, OLDEST, old_runtime, own_runtime, try_models
from tests.old_runtimes.shipped import difference, faces_for, shipped_models

ROUNDS = 16


def main(folder: Path) -> None:
    """Run every shipped model in every runtime, round after round so that all see the same load, and say the table."""
    models = shipped_models()
    contents = {name: path.read_bytes() for name, path in models.items()}
    inputs = {name: faces_for(path) for name, path in models.items()}
    runtimes = [own_runtime(), old_runtime(folder, LAST), old_runtime(folder, OLDEST)]
    rounds = [[try_models(runtime, contents, inputs) for runtime in runtimes] for _ in range(ROUNDS)]
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    say(f"{os.cpu_count()} cores, load over the last 1, 5 and 15 minutes: {load}\n")
    say("| model | " + " | ".join(runtime.title for runtime in runtimes) + " | largest difference |")
    say("|---|" + "--:|" * (len(runtimes) + 1))
    for name in models:
        cells = []
        for place in range(len(runtimes)):
            times = np.concatenate([found[place][f"{name}.ms"] for found in rounds])
            cells.append(f"{times.min():.2f} / {np.median(times):.2f}")
        apart = max(difference(name, found, rounds[0][0]) for found in rounds[0][1:])
        say(f"| `{name}` | {' | '.join(cells)} | {apart:.5%} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
