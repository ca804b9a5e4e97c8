"""What `understudy data check` found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from app.terminal import table

WIDTH, INDENT = 100, 12


def check_text(values: Mapping[str, Any]) -> str:
    """Return the report of a check (see `trainer.data.checking.report_values`) for people."""
    lines = [f"{values['pack']}: {values['faces']} faces in {values['pictures']} pictures", ""]
    lines += [table([("split", "use", "faces"), *(tuple(row.values()) for row in values["parts"])]), ""]
    rows = [(row["array"], row["points"], row["unlabelled"]) for row in values["labels"]]
    lines += [table([("labels", "points", "without a label"), *rows]), ""]
    for finding in values["findings"]:
        sign = "WRONG" if finding["error"] else "doubtful"
        lines.append(fill(finding["text"], WIDTH, initial_indent=sign.ljust(INDENT), subsequent_indent=" " * INDENT))
    lines.append(_verdict(values))
    return "\n".join(lines)


def _verdict(values: Mapping[str, Any]) -> str:
    if not values["sound"]:
        return "A training would suffer from what is wrong: mend it or leave these faces out."
    return "Nothing is wrong; look at what is doubtful." if values["findings"] else "Nothing is wrong."
