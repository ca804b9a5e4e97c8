"""Calls of the program's command line inside the test's own process."""

from __future__ import annotations

from app.cli.main import main


def run(capsys, *arguments):
    """Run a command; return its exit code, its output and its errors."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err
