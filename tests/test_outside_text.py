"""What others wrote, as an attack: tags that make other readers run code, references without end, files without end."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings.file import read_settings
from app.settings.schema import Settings
from engine.core.errors import FilterError, ModelError, UsageError
from engine.filters.reading import read_spec
from engine.inference.card import read_card
from trainer.run_folder import read_run

HUGE = 50_000_000  # bytes


def tags(canary: Path) -> str:
    """Text for which careless readers of YAML make a folder."""
    return f"!!python/object/apply:os.mkdir ['{canary}']\n"


def references(_: Path) -> str:
    """A billion words in few lines, where references are followed."""
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"{chr(c)}: &{chr(c)} [{', '.join([f'*{chr(c - 1)}'] * 9)}]" for c in range(ord("b"), ord("j"))]
    return "\n".join(lines)


def entities(_: Path) -> str:
    return '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


def huge(_: Path) -> str:
    return "#" * HUGE


READERS = {
    "card.json": (lambda path: read_card(path), ModelError),
    "recipe.json": (lambda path: read_run(path.parent), UsageError),
    "filter.toml": (lambda path: read_spec(path.parent), FilterError),
}


@pytest.mark.parametrize("attack", [tags, references, entities, huge])
@pytest.mark.parametrize("name", READERS)
def test_fault_78_cards_recipes_and_filters_run_nothing_and_are_refused(tmp_path, name, attack):
    canary, (read, error) = tmp_path / "canary", READERS[name]
    (tmp_path / name).write_text(attack(canary), encoding="utf-8")
    with pytest.raises(error, match=name.partition(".")[0]):
        read(tmp_path / name)
    assert not canary.exists()


@pytest.mark.parametrize("attack", [tags, references, entities, huge])
def test_fault_78_settings_run_nothing_and_are_the_defaults(tmp_path, attack):
    canary, path = tmp_path / "canary", tmp_path / "settings.toml"
    path.write_text(attack(canary), encoding="utf-8")
    stored = read_settings(path)
    assert stored.settings == Settings()
    assert attack is huge or stored.problem is not None
    assert not canary.exists()
