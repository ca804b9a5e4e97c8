"""`understudy self-test`, also `understudy --self-test`: is every part of the program here, and does it work?

This file needs nothing but Python itself, and each check runs in a process of its own: a library that is missing, or
that brings down the program which loads it, ends only the check that needs it.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
from importlib import import_module

from app.cli.terminal import say
from engine.core.manifest import problems, read_manifest
from engine.core.paths import ASSETS
from engine.core.platforms import NO_TERMINAL
from engine.core.processes import is_bundled, own_module
from engine.core.texts import reason

# The functions of `app.self_test.checks`, in this order. They return what works, and raise what does not.
CHECKS = ("libraries", "sample", "models", "filters", "recording", "window")
TIMEOUT = 300.0  # seconds for one check, on a machine that is very busy
DAMAGED = "Unpack or install Understudy again."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes: nothing that people need."""
    parser.add_argument("--only", choices=CHECKS, help=argparse.SUPPRESS)  # in a child: one check


def main(options: argparse.Namespace) -> int:
    """Carry out all checks, whatever fails; the exit code is 1 if something is wrong."""
    if options.only:
        return _child(options.only)
    wrong = _report("files", *_files())
    for check in CHECKS:
        wrong += _report(check, *_in_child(check))
    say(f"{wrong} thing(s) are wrong, see above." if wrong else "Everything is here and works.")
    return 1 if wrong else 0


def _files() -> tuple[str, list[str]]:
    """Compare the files with their list; return what was found, and a sentence for each that is wrong."""
    folder = ASSETS.parent
    try:
        entries = read_manifest(folder)
    except (OSError, ValueError) as error:
        return "", [f"The list of the program's files cannot be read ({reason(error)}). {DAMAGED}"]
    if not entries:
        if is_bundled():
            return "", [f"The list of the program's files is missing. {DAMAGED}"]
        return "a checkout has no list of them; those of assets are tried below", []
    wrong = [f"{name} {what}. {DAMAGED}" for name, what in problems(folder, entries).items()]
    return f"{len(entries)} are as they were made", wrong


def _in_child(check: str) -> tuple[str, list[str]]:
    """Carry out one check in a process of its own; return what works, and a sentence for each thing that does not."""
    command = [*own_module("app"), "self-test", "--only", check]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, cwd=ASSETS.parent, timeout=TIMEOUT,
            creationflags=NO_TERMINAL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "", [f"The check gave no result within {TIMEOUT:g} s. Something hangs; restart the computer."]
    except OSError as error:
        return "", [f"The program cannot start a process of its own ({error.strerror}). {DAMAGED}"]
    try:
        works, wrong = json.loads(done.stdout.decode("utf-8").splitlines()[-1])
    except (ValueError, IndexError):
        code = done.returncode
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        last = f", and said last: {said[-1].strip()}" if said else ""
        return "", [f"The check brings down the program ({ended}){last}. {DAMAGED}"]
    return works, wrong


def _child(check: str) -> int:
    """Carry out one check here, and write its result as a line of JSON."""
    works, wrong = "", []
    try:
        from engine.core.platforms import complete_home  # here, as it needs more of Python than the look at the files

        complete_home()
        works, wrong = getattr(import_module("app.self_test.checks"), check)()
    except Exception as error:  # noqa: BLE001  whatever it is, it is the result
        wrong = [_sentence(error)]
    say(json.dumps([works, wrong]))
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"{error.name or 'A part of the program'} does not load: {error}. {DAMAGED}"
    return str(error) or type(error).__name__


def _report(check: str, works: str, wrong: list[str]) -> int:
    """Write the result of a check, and return how many things are wrong."""
    for line in wrong:
        say(f"wrong  {check}: {line}")
    if not wrong:
        say(f"ok     {check}: {works}")
    return len(wrong)
