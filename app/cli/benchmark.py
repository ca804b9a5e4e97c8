"""`understudy benchmark`: how fast the models run on this machine."""

from __future__ import annotations

import argparse
import platform
from dataclasses import asdict

from app.cli.options import add_json
from app.cli.terminal import report, table
from engine.batch.benchmark import benchmark
from engine.core.errors import UsageError
from engine.inference.library import ModelLibrary
from engine.inference.runtime import runtime_name

MOST_THREADS = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "--model", action="append", metavar="NAME|FILE", help="model to measure; repeatable (default: all)"
    )
    parser.add_argument("--threads", default="1", metavar="1,2", help="numbers of threads (default: 1)")
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Measure and report."""
    library = ModelLibrary()
    names = options.model or [entry.name for entry in library.entries() if entry.error is None]
    if not names:
        raise UsageError("There is no model to measure", "the model folders are empty", "name one with --model")
    pairs = [(library.load(name, threads), threads) for name in names for threads in _threads(options.threads)]
    speeds = benchmark(pairs)
    values = {
        "machine": platform.processor() or platform.machine(),
        "runtime": runtime_name(),
        "models": [{**asdict(speed), "p50": round(speed.p50, 4), "p95": round(speed.p95, 4)} for speed in speeds],
    }
    rows = [
        (speed.model, speed.threads, f"{speed.p50:.2f}", f"{speed.p95:.2f}", f"{speed.bytes / 1e6:.2f} MB")
        for speed in speeds
    ]
    text = table([("model", "threads", "ms a face (median)", "p95", "size"), *rows])
    report(values, text, options.json)
    return 0


def _threads(text: str) -> list[int]:
    parts = text.split(",")
    numbers = [int(part) for part in parts if part.isascii() and part.isdecimal()]
    if len(numbers) < len(parts) or min(numbers) < 1 or max(numbers) > MOST_THREADS:
        raise UsageError(
            f"“{text}” names no number of threads",
            f"whole numbers from 1 to {MOST_THREADS} were expected",
            "write --threads 1,2",
        )
    return numbers
