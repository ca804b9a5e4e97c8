"""`understudy predict`: landmarks of pictures, folders, videos and packs, written to files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

from app.cli.options import add_box, add_detector, add_flip, add_max_faces, add_model
from app.cli.outputs import add_overwrite, pictures_in
from app.cli.terminal import say
from engine.batch.predict import predict_pack, predict_source
from engine.core.errors import UsageError
from engine.core.output_guard import OutputGuard, check_name
from engine.core.platforms import safe_name
from engine.formats.landmark_readers import is_prediction_log
from engine.formats.landmark_writers import Prediction, ending_of, write_predictions
from engine.formats.packs import is_pack, read_pack
from engine.inference.detector import make_detector
from engine.inference.landmarker import Landmarker
from engine.inference.library import ModelLibrary
from engine.sources.base import SourceKind
from engine.sources.opening import open_source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("path", metavar="PATH", help="picture, folder of pictures, video or pack")
    add_model(parser)
    add_flip(parser)
    parser.add_argument(
        "--as-labelled",
        action="store_true",
        help="leave the points where the labels of the training data lie beside what they mark, as “evaluate” does",
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE|DIR", help="FILE.jsonl, FILE.csv, or a folder for .pts files"
    )
    add_overwrite(parser)
    add_box(parser, "detector")
    add_detector(parser)
    add_max_faces(parser)


def main(options: argparse.Namespace) -> int:
    """Write the predictions.

    Raises:
        UsageError: an option means nothing for what is read.
    """
    out, guard, path = Path(options.out), options.guard, Path(options.path).expanduser()
    _refuse_without_meaning(options, is_pack(path))
    guard.check(out, is_report=is_prediction_log(out))
    landmarker = ModelLibrary().load(options.model)
    landmarker.flip, landmarker.as_labelled = options.flip, options.as_labelled
    detector = make_detector(options.detector)
    if is_pack(path):
        truth = options.box == "truth"
        pack = read_pack(path)
        _spare_labels({face.image.relative_to(pack.folder).as_posix() for face in pack.faces}, out, guard)
        _write(predict_pack(pack, landmarker, None if truth else detector), options, landmarker)
        return 0
    with closing(open_source(options.path)) as source:
        names = [file.name for file in pictures_in(path)] or [safe_name(source.name)]
        _spare_labels(names, out, guard)
        frame = "_000000" if source.kind is SourceKind.VIDEO else ""
        for name in () if ending_of(out) else names:
            check_name(out / f"{Path(name).stem}{frame}.pts")  # before anything is computed
        _write(predict_source(source, detector, landmarker, options.max_faces), options, landmarker)
        remark = source.remark
    if remark:
        say(remark, error=True)
    return 1 if remark else 0


def _refuse_without_meaning(options: argparse.Namespace, of_pack: bool) -> None:
    if options.box == "truth" and not of_pack:
        raise UsageError(
            "--box truth needs a pack",
            f"{options.path} is none, so its faces are found by the detector",
            "leave it out, or make a pack of your labels with “understudy data import”",
        )
    if options.max_faces is not None and of_pack:
        raise UsageError(
            "--max-faces cannot be used with a pack",
            "landmarks are written of each face that it labels",
            "leave it out, or name the folder of its pictures",
        )


def _spare_labels(names: Iterable[str], out: Path, guard: OutputGuard) -> None:
    """Let the guard pass every `.pts` file of a folder that predictions for these pictures could be called."""
    paths = [PurePosixPath(name) for name in names]
    pictures = {str(form).casefold() for path in paths for form in (path, path.with_suffix(""))}
    for folder in {out / path.parent for path in paths}:
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            label = PurePosixPath(file.relative_to(out).as_posix().casefold())
            name = str(label.with_suffix(""))
            # The number of a frame or of a face, or both, may follow the name of a picture.
            forms = {name, re.sub(r"_\d+$", "", name), re.sub(r"(_\d+){2}$", "", name)}
            if label.suffix == ".pts" and forms & pictures:
                guard.check(file)


def _write(predictions: Iterator[Prediction], options: argparse.Namespace, landmarker: Landmarker) -> None:
    empty = 0

    def counted() -> Iterator[Prediction]:
        nonlocal empty
        for prediction in predictions:
            empty += not prediction.faces
            yield prediction

    count = write_predictions(counted(), Path(options.out)).count
    say(f"{count} pictures or frames, landmarks by {landmarker.name}: {options.out}")
    if empty:
        say(f"No face in {empty} of {count} of them")
