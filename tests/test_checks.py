"""The checks that `python3 start.py test`, `make lint` and continuous integration run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import checks, conftest

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands, none of which is run; the type checker fails, and of the tests chosen none is marked `alone`."""
    log: list[list[str]] = []

    def fake_run(command: list[str], **settings: object) -> subprocess.CompletedProcess[str]:
        assert settings["env"]["QT_QPA_PLATFORM"] == "offscreen"
        log.append(command[1:])
        code = 3 if "mypy" in command else 0
        if "pytest" in command:
            none = "alone" in command or "nothing" in command
            counted, code = ((0, 0, 0, 0), checks.NO_TESTS) if none else ((12, 0, 0, 2), 0)
            Path(command[-1].removeprefix("--junitxml=")).write_text(REPORT.format(*counted), encoding="utf-8")
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", fake_run)
    return log


def test_all_checks_run_offscreen_and_the_first_failure_counts(
    ran: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert checks.main(["-k", "start"]) == 3
    assert ran[: len(checks.LINT)] == list(checks.LINT.values())
    assert [command[:-1] for command in ran[len(checks.LINT) :]] == [
        [*command, "-k", "start"] for command in checks.TESTS.values()
    ]
    *summary, _, counts = capsys.readouterr().out.splitlines()
    results = [line.split()[-1] for line in summary[-7:]]
    assert results == ["passed", "passed", "FAILED", "passed", "passed", "passed", "passed"]
    assert counts == "10 passed, 0 failed, 2 skipped"


def test_one_part_leaves_the_other_out(ran: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main(["lint"]) == 3
    assert ran == list(checks.LINT.values())
    ran.clear()
    assert checks.main(["test", "-k", "start"]) == 0
    assert [command[-3:-1] for command in ran] == [["-k", "start"]] * 2
    assert checks.main(["test", "-k", "nothing"]) == checks.NO_TESTS


TRIAL = """
import os
import pytest

def test_passes():
    assert "PYTEST_XDIST_WORKER" in os.environ

@pytest.mark.alone
@pytest.mark.parametrize("number", [1, 2])
def test_alone(number):
    assert number < 2 or "PYTEST_XDIST_WORKER" in os.environ
"""


def test_tests_run_side_by_side_and_those_marked_alone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "test_trial.py").write_text(TRIAL, encoding="utf-8")
    command = [sys.executable, "-m", "tests.checks", "test", str(tmp_path), "-p", "no:cacheprovider"]
    outside = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=checks.ROOT, env=outside, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout
    assert done.stdout.splitlines()[-1] == "2 passed, 1 failed, 0 skipped"


def test_a_run_of_the_tests_marked_alone_imports_no_other_files() -> None:
    def ignored(file: str, marks: str) -> bool | None:
        config = SimpleNamespace(option=SimpleNamespace(markexpr=marks))
        return conftest.pytest_ignore_collect(Path(checks.ROOT, "tests", file), config)

    for file in ("engine/live/test_lanes.py", "app/theme/test_theme.py"):
        assert ignored(file, "alone") is None
    assert ignored("engine/core/test_files.py", "alone") is True
    for marks in ("", "not alone"):
        assert ignored("engine/core/test_files.py", marks) is None


def test_no_test_is_left_out_of_both_runs(tmp_path: Path) -> None:
    """One that is marked where the run of those marked `alone` does not look for the mark ends every run."""
    file = tmp_path / "test_trial.py"
    marked = SimpleNamespace(path=file, get_closest_marker=lambda name: name == "alone")
    file.write_text(TRIAL, encoding="utf-8")
    conftest.pytest_collection_modifyitems([marked])
    file.write_text("from elsewhere import pytestmark\n", encoding="utf-8")
    with pytest.raises(pytest.UsageError, match="has to name the mark"):
        conftest.pytest_collection_modifyitems([marked])
