"""Rewrite the golden landmarks: `python -m tests.golden.write`. Only after a model was replaced on purpose."""

import json
from pathlib import Path

from engine.core.geometry import landmark_box
from engine.core.paths import asset_path
from engine.inference.library import ModelLibrary
from engine.sources.sample import SampleClip

FRAMES = (0, 120, 320, 590)
FILE = Path(__file__).with_name("landmarks.json")


def landmarks() -> dict[str, list[list[list[float]]]]:
    """Return for each shipped model its points on some frames of the sample, rounded to a hundredth of a pixel.

    They are as labelled: as the network gives them.
    """
    clip, library = SampleClip(), ModelLibrary((asset_path("models"),))
    found = {}
    for entry in library.entries():
        landmarker = library.load(entry.name)
        landmarker.as_labelled = True
        points = []
        for number in FRAMES:
            image, truth = clip.frame(number)
            points.append(landmarker.locate(image, landmark_box(truth.points)).points.round(2).tolist())
        found[entry.name] = points
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(landmarks()) + "\n", encoding="utf-8")
