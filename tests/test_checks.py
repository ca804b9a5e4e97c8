"""The checks that `python3 start.py test`, `make lint` and continuous integration run."""

from __future__ import annotations

import subprocess

import pytest

from tests import checks


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands, none of which is run; the type checker fails."""
    log: list[list[str]] = []

    def fake_run(command: list[str], **settings: object) -> subprocess.CompletedProcess[str]:
        assert settings["env"]["QT_QPA_PLATFORM"] == "offscreen"
        log.append(command[1:])
        return subprocess.CompletedProcess(command, 3 if "mypy" in command else 0)

    monkeypatch.setattr(subprocess, "run", fake_run)
    return log


def test_all_checks_run_offscreen_and_the_first_failure_counts(
    ran: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert checks.main(["-k", "start"]) == 3
    assert ran[-1] == ["-m", "pytest", "-k", "start"]
    assert len(ran) == 6
    summary = capsys.readouterr().out.splitlines()[-6:]
    assert [line.split()[-1] for line in summary] == ["passed", "passed", "FAILED", "passed", "passed", "passed"]


def test_lint_leaves_the_tests_out(ran: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main(["lint"]) == 3
    assert ran == list(checks.LINT.values())
