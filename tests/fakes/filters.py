"""Small filters in folders, and faces to draw them on."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from engine.core.faces import Face
from engine.core.geometry import landmark_box
from engine.core.paths import asset_path
from engine.core.schemes import IBUG_68

RED, GREEN, BLUE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255)
# A square that covers the face, centred on the tip of the nose.
SQUARE = """\
[[layer]]
image = "square.png"
anchor = { at = "nose_tip", width = { between = ["face_right", "face_left"] } }
"""


def portrait_points():
    """Landmarks `[68, 2]` float32 of the sample's portrait, about 90 pixels wide."""
    return np.array(json.loads(asset_path("sample", "portrait.json").read_text())["landmarks"], np.float32)


def face_of(points, scheme=IBUG_68, number=1):
    points = np.asarray(points, np.float32)
    return Face(number, landmark_box(points), 0.9, scheme, points, np.ones(len(points), np.float32), 0.0)


def fixed_signals(**values):
    """Signals of a face as given; others are those of one that looks straight ahead, eyes open and mouth closed."""
    neutral = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0, "eye_right": 1.0, "eye_left": 1.0, "mouth": 0.0}
    return SimpleNamespace(**{**neutral, **values})


def write_png(path: Path, colour=RED, size=(40, 40)) -> None:
    """Save an image of one colour, RGBA."""
    Image.new("RGBA", size, colour).save(path)


def make_filter(folder: Path, text: str = SQUARE, colour=RED) -> Path:
    """Make a filter with a `square.png` of 40 x 40 pixels in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "filter.toml").write_text(text, encoding="utf-8")
    write_png(folder / "square.png", colour)
    return folder


def grey(width=440, height=440, level=100):
    """A picture `[H, W, 4]` BGRA of one grey."""
    picture = np.full((height, width, 4), level, np.uint8)
    picture[..., 3] = 255
    return picture
