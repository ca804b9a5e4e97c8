"""`understudy predict`: landmarks of pictures, folders, videos and packs, written to files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from app.cli.options import add_box, add_detector, add_model
from app.cli.terminal import say
from engine.batch.predict import predict_pack, predict_source
from engine.formats.landmark_writers import Prediction, write_predictions
from engine.formats.packs import is_pack, read_pack
from engine.inference.detector import make_detector
from engine.inference.landmarker import Landmarker
from engine.inference.library import ModelLibrary
from engine.sources.opening import open_source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("path", metavar="PATH", help="picture, folder of pictures, video or pack")
    add_model(parser)
    parser.add_argument(
        "--out", required=True, metavar="FILE|DIR", help="FILE.jsonl, FILE.csv, or a folder for .pts files"
    )
    add_box(parser, "detector")
    add_detector(parser)


def main(options: argparse.Namespace) -> int:
    """Write the predictions."""
    landmarker = ModelLibrary().load(options.model)
    detector = make_detector(options.detector)
    path = Path(options.path)
    if is_pack(path):
        truth = options.box == "truth"
        _write(predict_pack(read_pack(path), landmarker, None if truth else detector), options, landmarker)
        return 0
    with closing(open_source(options.path)) as source:
        _write(predict_source(source, detector, landmarker), options, landmarker)
        remark = source.remark
    if remark:
        say(remark, error=True)
    return 1 if remark else 0


def _write(predictions: Iterator[Prediction], options: argparse.Namespace, landmarker: Landmarker) -> None:
    count = write_predictions(predictions, Path(options.out))
    say(f"{count} pictures or frames, landmarks by {landmarker.card.name}: {options.out}")
