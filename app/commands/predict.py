"""`understudy predict`: landmarks of pictures, folders, videos and packs, written to files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from app.terminal import say
from engine.landmark_files import write_predictions
from engine.models.detector import make_detector
from engine.models.landmarker import Landmarker
from engine.models.library import ModelLibrary
from engine.packs import is_pack, read_pack
from engine.prediction import Prediction, predict_pack, predict_source, require_some
from engine.sources.opening import open_source


def main(options: argparse.Namespace) -> int:
    """Write the predictions."""
    landmarker = ModelLibrary().load(options.model)
    predictions = require_some(_predictions(options, landmarker), options.path)
    count = write_predictions(predictions, Path(options.out))
    say(f"{count} pictures or frames, landmarks by {landmarker.card.name}: {options.out}")
    return 0


def _predictions(options: argparse.Namespace, landmarker: Landmarker) -> Iterator[Prediction]:
    path = Path(options.path)
    detector = make_detector(options.detector)
    if is_pack(path):
        yield from predict_pack(read_pack(path), landmarker, None if options.box == "truth" else detector)
        return
    source = open_source(options.path)
    try:
        yield from predict_source(source, detector, landmarker)
    finally:
        source.close()
