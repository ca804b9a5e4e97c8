"""What the verbs say of packages that are not there."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from app import trainer_setup
from app.cli import options
from engine.core.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("is_package", "expected"), [(True, "-P -m app train --install"), (False, f"{ROOT / 'start.py'} setup")]
)
def test_advice_on_missing_packages_can_be_pasted_in_any_folder(monkeypatch, is_package, expected):
    monkeypatch.setattr(trainer_setup, "_is_package", lambda: is_package)
    with pytest.raises(UsageError, match="no_such_package_xyz") as refused:
        options.require_packages(["sys", "no_such_package_xyz"])
    command = shlex.split(refused.value.fix.partition("“")[2].partition("”")[0])
    assert command[0] == sys.executable
    assert " ".join(command[1:]) == expected
