"""What the verbs say of packages that are not there."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from app.cli import options
from engine.core import installation
from engine.core.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("prefix", "expected"), [(ROOT / ".venv", "start.py"), (Path("/elsewhere"), "pip")])
def test_advice_on_missing_packages_can_be_pasted_in_any_folder(monkeypatch, prefix, expected):
    monkeypatch.setattr(sys, "prefix", str(prefix))
    with pytest.raises(UsageError, match="no_such_package_xyz") as refused:
        options.require_packages(["sys", "no_such_package_xyz"])
    command = shlex.split(refused.value.fix.partition("“")[2].partition("”")[0])
    assert command[0] == sys.executable
    assert expected in " ".join(command)
    paths = [Path(word.removesuffix("[trainer]")) for word in command[1:] if "/" in word]
    assert paths
    assert all(path.is_absolute() and path.exists() for path in paths)


def test_without_a_checkout_the_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    with pytest.raises(UsageError) as refused:
        options.require_packages(["no_such_package_xyz"])
    assert '-m pip install "understudy[trainer]"' in refused.value.fix
