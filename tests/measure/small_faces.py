"""How many small faces are found in large pictures: `python -m tests.measure.small_faces --data PACK [PACK ...]`.

Training faces of packs with 68 points are made so small that their landmark box is `--size` pixels wide, and pasted at
random places of pictures of 1280 x 720 pixels; as many pictures hold none. The backgrounds are made of pieces of the
same packs' pictures from beside the faces, upside down, as other people's faces may be among them, and of drawn
shapes. A face counts as found if a box of `predict` overlaps its
landmark box by half.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.cli.terminal import say
from engine.core.frame import Frame
from engine.core.geometry import Box, landmark_box
from engine.formats.images import read_picture, write_picture
from engine.formats.packs import PackFace, read_pack
from engine.inference.detector import make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import Pipeline

WIDTH, HEIGHT = 1280, 720
FOUND = 0.5  # overlap of boxes
AWAY = 0.35  # sides of a landmark box by which pieces keep away from a face


def small(face: PackFace, size: float) -> tuple[NDArray[np.uint8], Box] | None:
    """Return a face's picture, so small that its landmark box is `size` pixels wide, with that box."""
    picture, box = read_picture(face.image), landmark_box(face.landmarks)
    scale = size / box.width
    if scale > 1:
        return None
    little = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = [(edge + 0.5) * scale - 0.5 for edge in (box.x0, box.y0, box.x1, box.y1)]
    return np.asarray(little, np.uint8), Box(*edges)


def piece(face: PackFace, random: np.random.Generator) -> NDArray[np.uint8] | None:
    """Return what lies left or right of a face and its hair, where there is something."""
    picture, box = read_picture(face.image), landmark_box(face.landmarks)
    left, right = int(box.x0 - AWAY * box.width), int(box.x1 + AWAY * box.width)
    sides = [side for side in (picture[:, : max(left, 0)], picture[:, max(right, 0) :]) if side.shape[1] >= 40]
    return sides[random.integers(len(sides))] if sides else None


def background(faces: list[PackFace], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture `[720, 1280, 3]` uint8 RGB without a face: pieces of pictures, with shapes drawn over them."""
    image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    image[:] = random.integers(0, 256, 3)
    for _ in range(60):
        part = piece(faces[random.integers(len(faces))], random)
        if part is not None:
            x, y = random.integers(-40, WIDTH - 40), random.integers(-40, HEIGHT - 40)
            paste(image, part[::-1], int(x), int(y))
    for _ in range(int(random.integers(0, 12))):
        colour, centre = random.integers(0, 256, 3).tolist(), random.integers(0, (WIDTH, HEIGHT)).tolist()
        axes = random.integers(5, 120, 2).tolist()
        cv2.ellipse(image, centre, axes, float(random.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return image


def paste(image: NDArray[np.uint8], part: NDArray[np.uint8], x: int, y: int) -> None:
    """Put a part on an image, its corner at (x, y); what lies outside is cut off."""
    top, left = max(0, -y), max(0, -x)
    inside = part[top : HEIGHT - y, left : WIDTH - x]
    image[y + top : y + top + inside.shape[0], x + left : x + left + inside.shape[1]] = inside


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="PACK", help="packs with 68 points")
    parser.add_argument("--size", type=float, default=64.0, help="width of the landmark box in pixels (default: 64)")
    parser.add_argument("--count", type=int, default=60, help="pictures with a face, and without (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="of places and backgrounds (default: 0)")
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"landmark model (default: {DEFAULT_MODEL})")
    parser.add_argument("--out", type=Path, help="folder for the pictures that went wrong")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    faces = [face for pack in options.data for face in read_pack(pack, "train").faces]
    pipeline = Pipeline(make_detector(), ModelLibrary().load(options.model), smoothing=0.0)
    found = false = beside = 0
    seconds = 0.0
    chosen = iter(random.permutation(len(faces)))
    for number in range(options.count):
        bare = background(faces, random)
        while (shrunk := small(faces[next(chosen)], options.size)) is None:
            pass
        part, box = shrunk
        x = int(random.integers(0, WIDTH - part.shape[1] + 1))
        y = int(random.integers(0, HEIGHT - part.shape[0] + 1))
        full = bare.copy()
        paste(full, part, x, y)
        truth = Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)
        for image, wanted in ((full, truth), (bare, None)):
            start = time.perf_counter()
            result = pipeline.process(Frame(number, 0.0, image, "measure", name=f"{number} {wanted is None}"))
            seconds += time.perf_counter() - start
            hits = [face for face in result.faces if wanted is not None and face.box.overlap(wanted) >= FOUND]
            found += bool(hits)
            if wanted is None:
                false += len(result.faces)
            else:
                beside += len(result.faces) - len(hits)
            if options.out and (not hits if wanted is not None else result.faces):
                marked = image.copy()
                for face in result.faces:
                    corners = [round(edge) for edge in face.box.as_list()]
                    cv2.rectangle(marked, corners[:2], corners[2:], (255, 0, 0), 2)
                if wanted is not None:
                    corners = [round(edge) for edge in wanted.as_list()]
                    cv2.rectangle(marked, corners[:2], corners[2:], (0, 255, 0), 2)
                write_picture(options.out / f"{number:03d}-{'bare' if wanted is None else 'missed'}.png", marked)
    say(f"found {found} of {options.count} faces {options.size:g} px wide ({found / options.count:.1%})")
    say(f"false: {false} on {options.count} pictures without a face, {beside} beside a face")
    say(f"{seconds / options.count / 2 * 1e3:.1f} ms a picture")
    return 0


if __name__ == "__main__":
    sys.exit(main())
