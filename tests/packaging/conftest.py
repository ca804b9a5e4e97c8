"""The modules of `packaging/`, which is no package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
NAMES = ("archives", "build", "contents", "entry", "libraries")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Return what imports a module of that folder by its name, in the state in which its file is."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture
def libraries(load: Callable[[str], ModuleType]) -> ModuleType:
    """Return `packaging/libraries.py`."""
    pytest.importorskip("lief", reason="needs lief, of the extras [dev] and [bundle], to read libraries")
    return load("libraries")
