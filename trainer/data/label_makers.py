"""Who made the labels of packs, as these say themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.core.texts import read_json
from trainer.recipes.schema import PackChoice

MACHINE, PEOPLE = "machine-made", "manual"  # what a text about labels begins with in `meta.json`


def label_makers(data: Path, packs: Sequence[PackChoice]) -> dict[str, str]:
    """Return for each pack below `data` that says it whether its labels are of a `MACHINE` or of `PEOPLE`."""
    texts = {pack.name: _labels_text(data / pack.name) for pack in packs}
    return {name: maker for name, text in texts.items() for maker in (MACHINE, PEOPLE) if text.startswith(maker)}


def _labels_text(folder: Path) -> str:
    """Return what a pack says of its labels; nothing where there is no such text, as beside crops."""
    try:
        values = read_json(folder / "meta.json")
    except (OSError, ValueError):
        return ""
    text = values.get("labels") if isinstance(values, dict) else None
    return text if isinstance(text, str) else ""
