"""The parser of the command line, whose help is written as everything else is: a full disk does not pass in silence."""

from __future__ import annotations

import argparse
import sys
from typing import IO, Any

from app.cli.terminal import say


class Parser(argparse.ArgumentParser):
    """A parser that raises OSError where its help or its version cannot be written; argparse itself would go on."""

    def _print_message(self, message: str, file: IO[str] | Any = None) -> None:
        if message and file is sys.stdout:
            say(message.removesuffix("\n"))
        else:
            super()._print_message(message, file)
