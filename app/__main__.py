"""The command `understudy`."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

SELF_TEST = ("self-test", "--self-test")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, on the arguments of the process if None, and return its exit code."""
    if arguments is None and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While parts of the program are loaded, Ctrl-C ends it without a traceback; nothing can be lost yet.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] in ([name] for name in SELF_TEST):
        return _self_test(words[1:])
    try:
        from app.cli.main import main as run_command_line
    except ImportError as error:
        sys.stderr.write(
            f"A part of the program does not load ({error.msg}).\n"
            "  Likely cause: A file of it was removed or damaged, or a library of the system is missing.\n"
            f"  What to do: Run “understudy {SELF_TEST[0]}”, which names it.\n"
        )
        return 1
    return run_command_line(words)


def run() -> NoReturn:
    """Run the command line on the arguments of the process, and end the process."""
    run_and_end(main)


def run_and_end(program: Callable[[], int]) -> NoReturn:
    """Run a program, and end the process with the exit code that it returns, whatever its daemon threads do.

    Python stops them at its end, which unwinds the native code that they are in, and there OpenCV and Qt abort the
    process (SIGABRT) although all is done. So where one is left, as by a camera that never answers, none is stopped.
    """
    try:
        code = program()
    except Exception:  # noqa: BLE001  said as Python would
        sys.excepthook(*sys.exc_info())
        code = 1
    if any(thread.daemon for thread in threading.enumerate()):
        atexit._run_exitfuncs()  # as Python does
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):  # there is none, or nobody reads it any more
                code = code or 1
        os._exit(code)
    sys.exit(code)


def _self_test(words: list[str]) -> int:
    """Run that verb without what the others need, as it is to find out whether that is there."""
    from app.cli.parser import Parser
    from app.cli.self_test import add_arguments, main

    parser = Parser(prog=f"understudy {SELF_TEST[0]}")
    add_arguments(parser)
    try:
        return main(parser.parse_args(words))
    except OSError as error:
        sys.stderr.write(f"What was found cannot be written ({error.strerror}).\n")
        return 1


if __name__ == "__main__":
    run()
