"""What `understudy data check` and `derive98` found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from app.cli.terminal import number, table

WIDTH, INDENT = 100, 12
MANUAL_POINTS = 68


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


def derivation_text(values: Mapping[str, Any]) -> str:
    """Return the report of a derivation (the values of `trainer.data.derived98.Derivation`) for people."""
    moved = MANUAL_POINTS - values["coinciding"]
    if moved:
        markups = (
            f"The markups coincide in {values['coinciding']} of the {MANUAL_POINTS} manual points; the other {moved} "
            f"were moved. Mean over all: {number(values['shift'], 2, ' %')} of the eye distance."
        )
    else:
        markups = f"All {MANUAL_POINTS} manual points were kept where they are."
    return (
        f"{values['pack']} holds {values['kept']} of {values['faces']} faces, 98 points proposed by "
        f"{values['proposal']}.\n{markups}\n"
        f"Distance of the proposals from the manual points: median {number(values['disagreement'], 2, ' %')} of the "
        "root of the box's area.\n"
        f"Left out: {values['without_proposal']} without a proposal, {values['sparse']} with too few manual points, "
        f"{values['implausible']} of a shape that real faces do not have."
    )


def _verdict(values: Mapping[str, Any]) -> str:
    if not values["sound"]:
        return "A training would suffer from what is wrong: mend it or leave these faces out."
    return "Nothing is wrong; look at what is doubtful." if values["findings"] else "Nothing is wrong."
