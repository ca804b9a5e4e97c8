"""`understudy filter`: AR filters are made, listed, checked and drawn on saved pictures."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from app.cli.options import add_action, add_actions, add_detector, add_json, add_model
from app.cli.outputs import add_overwrite, pictures_in
from app.cli.terminal import INTERRUPTED, report, say, table
from engine.batch.apply_filter import apply_to_source, written_name
from engine.core.interruption import interruption_watch
from engine.filters.library import FilterLibrary, create_filter, filter_entry, is_own, load_filter, user_filters
from engine.inference.detector import make_detector
from engine.inference.library import ModelLibrary
from engine.inference.pipeline import DEFAULT_SMOOTHING, Pipeline
from engine.output.sound import copy_sound
from engine.sources.base import SourceKind
from engine.sources.opening import open_source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their arguments."""
    actions = add_actions(parser)
    new = add_action(actions, "new", _new, "make the folder of a filter that works at once, to be changed")
    new.add_argument("name", metavar="NAME", help="name of the filter and of its folder")
    new.add_argument("--to", metavar="DIR", help="where the folder is made (default: your folder of filters)")
    listing = add_action(actions, "list", _list, "list the filters, shipped ones and your own")
    check = add_action(actions, "check", _check, "read a filter and report the line of a mistake")
    apply = add_action(actions, "apply", _apply, "draw a filter on saved pictures or a video")
    for verb in (check, apply):
        verb.add_argument("filter", metavar="NAME|FOLDER", help="a filter, as “understudy filter list” names it")
    apply.add_argument("path", metavar="PATH", help="picture, folder of pictures, or video")
    apply.add_argument("--out", required=True, metavar="FILE|DIR", help="picture, folder for pictures, .mp4 or .avi")
    add_overwrite(apply)
    apply.add_argument(
        "--run-hook",
        action="store_true",
        help="run the filter's Python file although the filter is not in your folder of filters",
    )
    add_model(apply)
    add_detector(apply)
    for verb in (new, listing, check, apply):
        add_json(verb)


def _new(options: argparse.Namespace) -> int:
    folder = create_filter(options.name, Path(options.to) if options.to else user_filters())
    text = (
        f"{folder} holds your filter: filter.toml, which explains itself, and hat.png.\n"
        "Show it, then save either file: the live picture follows at once. docs/filters.md has the rest."
    )
    report({"folder": folder}, text, options.json)
    return 0


def _list(options: argparse.Namespace) -> int:
    entries = FilterLibrary().entries()
    rows = [
        (entry.name, entry.title, f"{'you' if entry.own else 'the program'}{' *' * bool(entry.hides)}", entry.folder)
        for entry in entries
        if entry.error is None
    ]
    problems = [f"{entry.name} cannot be used. {entry.error}" for entry in entries if entry.error is not None]
    problems += [f"* {entry.name} is yours; {entry.hides} is not used." for entry in entries if entry.hides]
    hint = f"Your own filters are in {user_filters()}. “understudy filter new NAME” makes one there."
    text = "\n".join([table([("filter", "title", "from", "folder"), *rows]), *problems, hint])
    report({"filters": [vars(entry) for entry in entries]}, text, options.json)
    return 0


def _check(options: argparse.Namespace) -> int:
    folder = FilterLibrary().find(options.filter)
    loaded = load_filter(folder)
    entry = filter_entry(folder)
    rows: list[tuple[object, ...]] = [("line", "image", "pixels", "held by", "blend")]
    for layer in loaded.layers:
        spec, size = layer.spec, f"{layer.image.width} x {layer.image.height}"
        rows.append((spec.line, spec.image, size, "anchor" if spec.mesh is None else "mesh", spec.blend))
    layers = table(rows)
    text = f"“{entry.title}” in {folder} can be drawn.\n{layers}"
    if entry.hook:
        text += f"\nIts hook {loaded.spec.hook} was read, but not run: a hook is a program like any other."
    report(vars(entry), text, options.json)
    return 0


def _apply(options: argparse.Namespace) -> int:
    out = Path(options.out)
    for file in (out, *(out / written_name(picture.name) for picture in pictures_in(Path(options.path)))):
        options.guard.check(file)
    folder = FilterLibrary().find(options.filter)
    hooks = options.run_hook or is_own(folder)
    loaded = load_filter(folder, hooks)
    if loaded.spec.hook and not hooks:
        say(f"The hook {loaded.spec.hook} is not run; read it, then use --run-hook.", error=True)
    landmarker, detector = ModelLibrary().load_live(options.model), make_detector(options.detector)
    with interruption_watch() as noted, closing(open_source(options.path)) as source:
        smoothing = DEFAULT_SMOOTHING if source.kind is SourceKind.VIDEO else 0.0
        pipeline = Pipeline(detector, landmarker, smoothing)
        frames, with_faces = apply_to_source(source, Path(options.path), pipeline, loaded, out, noted.is_set)
        remark = source.remark
    if noted.is_set():
        say(INTERRUPTED, error=True)
    sound = copy_sound(Path(options.path), out) if source.kind is SourceKind.VIDEO and out.is_file() else ""
    text = f"{frames} pictures or frames written to {options.out}; {with_faces} of them have a face."
    report({"frames": frames, "with_faces": with_faces, "out": options.out}, text, options.json)
    failure = None if loaded.hook is None else loaded.hook.error
    for problem in filter(None, (sound, remark, str(failure or ""))):
        say(problem, error=True)
    return noted.exit_code or (1 if remark or failure else 0)
