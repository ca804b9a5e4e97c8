"""`understudy models`: the available models."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from app.cli.options import add_json
from app.cli.terminal import number, report, table
from engine.inference.library import ModelEntry, ModelLibrary

add_arguments = add_json  # its only argument


def main(options: argparse.Namespace) -> int:
    """List the models; damaged ones with the reason."""
    entries = ModelLibrary().entries()
    values = [
        {"name": entry.name, "file": entry.path, "card": entry.card and asdict(entry.card), "error": entry.error}
        for entry in entries
    ]
    report({"models": values}, _text(entries), options.json)
    return 0


def _text(entries: list[ModelEntry]) -> str:
    if not entries:
        return "No model was found."
    rows: list[tuple[object, ...]] = [("model", "role", "points", "size", "NME", "on", "licence")]
    problems = []
    for entry in entries:
        card = entry.card
        if entry.error is not None or card is None:
            problems.append(f"{entry.name} cannot be used. {entry.error}")
            continue
        metric: dict[str, Any] = card.metrics[0] if card.metrics else {}
        data = f"{metric.get('data', '?')} {metric.get('split', '')}" if metric else None
        size = f"{card.bytes / 1e6:.2f} MB"
        licence = card.licence.partition(":")[0]
        rows.append((entry.name, card.role, card.scheme, size, number(metric.get("nme"), 2, " %"), data, licence))
    return "\n".join([table(rows), *problems])
