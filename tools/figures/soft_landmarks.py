"""The picture of hard against soft landmarks: `python -m tools.figures.soft_landmarks --data DIR --out FILE.png`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import UnderstudyError
from engine.core.geometry import crop_of_box, landmark_box
from engine.core.metrics import nme
from engine.core.schemes import IBUG_68
from engine.formats.images import write_picture
from engine.render.ink import drawing_plan
from engine.render.layer import Layer, Region
from engine.render.palette import MUTED, PARTS, PLATE, TEXT, TRUTH, Colour
from engine.render.text import TextPainter
from engine.sources.sample import SampleClip
from trainer.shape_model import fit_shape_model, load_shapes

SHARES = (1.0, 0.97, 0.9, 0.85)
FRAME = 516  # head turned and tilted, mouth open: what a mean face has least of
SIDE, GAP, FOOT = 340, 10, 60  # pixels
SHOWN = 1.25  # side of a panel in larger sides of the landmark box
SOFT = PARTS["eye"]
LARGE, SMALL = 20.0, 16.0  # em in pixels


def draw(shapes: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return the sample's face, its true points and what shape models make of them, as one RGB picture `[H, W, 3]`.

    Args:
        shapes: `[N, 68, 2]`, what the models are fitted on.
    """
    image, truth = SampleClip().frame(FRAME)
    canvas = np.empty((SIDE + 2 * GAP + FOOT, len(SHARES) * (SIDE + GAP) + GAP, 4), np.uint8)
    canvas[:] = (*PLATE, 255)
    crop = crop_of_box(landmark_box(truth.points), SHOWN)
    face = cv2.cvtColor(crop.sample(image, SIDE), cv2.COLOR_RGB2BGRA)
    painter, layer = TextPainter(), Layer()
    for index, share in enumerate(SHARES):
        model = fit_shape_model(shapes, share)
        soft = model.soften(truth.points[None])[0]
        x, foot = GAP + index * (SIDE + GAP), SIDE + 2 * GAP
        panel = canvas[GAP : GAP + SIDE, x : x + SIDE]
        panel[:] = face
        for points, colour in ((truth.points, TRUTH), (soft, SOFT)):
            _draw_points(panel, crop.from_picture(points) * SIDE - 0.5, colour, layer)
        title = f"{100 * share:.0f} % of the variance: {model.modes.shape[1]} modes"
        painter.draw(canvas, title, (x, foot + 20), LARGE, TEXT)
        moved = f"moved by {nme(IBUG_68, soft, truth.points):.1f} % of the eye distance"
        painter.draw(canvas, moved, (x, foot + 44), SMALL, MUTED)
    for text, colour, rise in (("hard", TRUTH, 36), ("soft", SOFT, 12)):
        painter.draw(canvas, text, (GAP + 12, GAP + SIDE - rise), LARGE, colour)
    return cv2.cvtColor(canvas, cv2.COLOR_BGRA2RGB)


def _draw_points(panel: NDArray[np.uint8], points: NDArray[np.float32], colour: Colour, layer: Layer) -> None:
    layer.clear(Region(0, 0, SIDE, SIDE))
    for _, ends in drawing_plan(IBUG_68).lines:
        layer.lines(layer.fixed(points[ends]), 1, colour, 0.9)
    layer.dots(points, 2.0, np.tile(np.array(colour, np.float32), (len(points), 1)), np.ones(len(points)))
    layer.edge(0.4)
    layer.lay(panel)


def main(arguments: list[str] | None = None) -> None:
    """Draw the picture with the 300-W training shapes of the data directory."""
    parser = argparse.ArgumentParser(prog="python -m tools.figures.soft_landmarks", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with shapes/300w_train_68.npz")
    parser.add_argument("--out", type=Path, required=True, help="the picture to write")
    options = parser.parse_args(arguments)
    try:
        write_picture(options.out, draw(load_shapes(options.data / "shapes" / "300w_train_68.npz")))
    except UnderstudyError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
