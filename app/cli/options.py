"""Arguments that several verbs of the command line share."""

from __future__ import annotations

import argparse

from engine.inference.library import DEFAULT_MODEL

Verbs = argparse._SubParsersAction  # the type has no public name


def add_verb(verbs: Verbs, verb: str, module: str, text: str) -> argparse.ArgumentParser:
    """Add a verb that the module `app.commands.MODULE` carries out, and return its parser.

    Args:
        verbs: where it is added.
        verb: what the user types.
        module: name of the module, whose `main` gets the options.
        text: what the verb does, for the help; begins with a small letter and has no full stop.
    """
    parser: argparse.ArgumentParser = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(module=module)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json FILE|-`."""
    parser.add_argument(
        "--json", metavar="FILE|-", help="write the report as JSON to a file, or to the terminal with -"
    )


def add_model(parser: argparse._ActionsContainer) -> None:
    """Add `--model NAME|FILE`."""
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="NAME|FILE", help=f"landmark model (default: {DEFAULT_MODEL})"
    )
