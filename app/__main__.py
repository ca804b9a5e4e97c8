"""The command `understudy`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

SELF_TEST = ("self-test", "--self-test")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, on the arguments of the process if None, and return its exit code."""
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


def _self_test(words: list[str]) -> int:
    """Run that verb without what the others need, as it is to find out whether that is there."""
    import argparse

    from app.cli.self_test import add_arguments, main

    parser = argparse.ArgumentParser(prog=f"understudy {SELF_TEST[0]}")
    add_arguments(parser)
    return main(parser.parse_args(words))


if __name__ == "__main__":
    sys.exit(main())
