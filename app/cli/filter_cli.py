"""The arguments of `understudy filter`: one function a subcommand."""

from __future__ import annotations

import argparse

from app.cli.options import Verbs, add_json, add_model, add_verb
from engine.inference.detector import DEFAULT_DETECTOR, DETECTORS


def add_filter(verbs: Verbs) -> None:
    """Add the verb `filter` with its subcommands."""
    parser = add_verb(verbs, "filter", "filter", "make, list, check and apply AR filters")
    actions = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True, dest="action")
    _add_new(actions)
    add_json(add_verb(actions, "list", "filter", "list the filters, shipped ones and your own"))
    _add_check(actions)
    _add_apply(actions)


def _add_new(actions: Verbs) -> None:
    parser = add_verb(actions, "new", "filter", "make the folder of a filter that works at once, to be changed")
    parser.add_argument("name", metavar="NAME", help="name of the filter and of its folder")
    parser.add_argument("--to", metavar="DIR", help="where the folder is made (default: your folder of filters)")
    add_json(parser)


def _add_check(actions: Verbs) -> None:
    parser = add_verb(actions, "check", "filter", "read a filter and tell the line of a mistake")
    _add_filter_name(parser)
    add_json(parser)


def _add_apply(actions: Verbs) -> None:
    parser = add_verb(actions, "apply", "filter", "draw a filter on saved pictures or a video")
    _add_filter_name(parser)
    parser.add_argument("path", metavar="PATH", help="picture, folder of pictures, or video")
    parser.add_argument("--out", required=True, metavar="FILE|DIR", help="picture, folder for pictures, .mp4 or .avi")
    parser.add_argument(
        "--run-hook",
        action="store_true",
        help="run the filter's Python file although the filter is not in your folder of filters",
    )
    add_model(parser)
    parser.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        choices=tuple(DETECTORS),
        help=f"what finds the faces (default: {DEFAULT_DETECTOR})",
    )
    add_json(parser)


def _add_filter_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("filter", metavar="NAME|FOLDER", help="a filter, as “understudy filter list” names it")
