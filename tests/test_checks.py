"""The checks that `python3 start.py test`, `make lint` and continuous integration run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import checks

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


def test_no_test_is_left_out_of_both_runs() -> None:
    """What the run of those marked `alone` ignores has none of them."""
    trainer = Path(checks.ROOT, "tests/trainer")
    assert not [path for path in trainer.rglob("*.py") if "mark.alone" in path.read_text(encoding="utf-8")]
