"""Finding faces: MediaPipe's BlazeFace short-range model, run by LiteRT with its decoding in numpy.

The model and its constants: Bazarevsky et al., “BlazeFace”, 2019; file and licence in `assets/models`.
"""

from __future__ import annotations

import hashlib
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ModelError
from engine.core.geometry import Box
from engine.core.installation import renew
from engine.core.paths import asset_path
from engine.inference.detector import Detection
from engine.inference.runtime import Runtime

SIZE = 128
# (cells a side, anchors per cell) of the two grids, in the order of the outputs.
ANCHOR_GRIDS = ((16, 2), (8, 6))
MODEL_FILE = "face_detection_short_range.tflite"
MODEL_SHA256 = "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
SCORE_THRESHOLD = 0.5
# Boxes that overlap by more belong to one face and are averaged.
SAME_FACE_OVERLAP = 0.3
# A box smaller than this share of the input is too small for the model, which there gives false boxes.
SMALLEST_BOX = 0.06


class BlazeFace:
    """BlazeFace short range, for faces up to about two metres from a webcam.

    Raises:
        ModelError: the model file is missing or damaged.
    """

    def __init__(self) -> None:
        self._runtime = Runtime(model_content(), "The face detector")
        shapes = self._runtime.output_shapes
        self._regressors = next(index for index, shape in enumerate(shapes) if shape[-1] > 1)
        self._anchors = _anchors()
        self._letterbox = np.zeros((SIZE, SIZE, 3), np.uint8)
        self._filled = (0, 0)

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the faces of an RGB picture `[H, W, 3]` uint8, best first."""
        left, top, scale = self._write_input(picture)
        outputs = self._runtime.run()
        logits = outputs[1 - self._regressors][0, :, 0]
        # The sigmoid grows with its argument, so the threshold is compared before it is computed.
        hits = np.flatnonzero(logits > math.log(SCORE_THRESHOLD / (1 - SCORE_THRESHOLD)))
        if not len(hits):
            return []
        raw = outputs[self._regressors][0, hits].reshape(len(hits), -1, 2)
        raw = raw[:, :4] / SIZE  # centre, size, right eye, left eye; the other points are not needed
        raw[:, 0] += self._anchors[hits]
        raw[:, 2:] += self._anchors[hits][:, None]
        sane = np.isfinite(raw).all((1, 2)) & (raw[:, 1] > SMALLEST_BOX).all(1)
        scores = 1 / (1 + np.exp(-logits[hits][sane]))
        faces = _merge_overlapping(raw[sane], scores)
        return [_detection(face, score, left, top, scale) for face, score in faces]

    def _write_input(self, picture: NDArray[np.uint8]) -> tuple[int, int, float]:
        """Fit the picture into the square input; return its offset there and pixels of input per pixel of picture."""
        height, width = picture.shape[:2]
        scale = SIZE / max(height, width)
        inner_height, inner_width = max(1, round(height * scale)), max(1, round(width * scale))
        top, left = (SIZE - inner_height) // 2, (SIZE - inner_width) // 2
        if self._filled != (inner_height, inner_width):
            self._letterbox[:] = 0
            self._filled = (inner_height, inner_width)
        inside = self._letterbox[top : top + inner_height, left : left + inner_width]
        # INTER_AREA by whole factors is slow at full size; nearest to half the way loses nothing a 128 px model sees.
        step = max(1, int(0.5 / scale))
        # From the middle of each step, so that nothing moves; a side shorter than a step keeps its last line.
        thinned = picture[min(step // 2, height - 1) :: step, min(step // 2, width - 1) :: step]
        cv2.resize(thinned, (inner_width, inner_height), dst=inside, interpolation=cv2.INTER_LINEAR)
        buffer = self._runtime.input_buffer()
        np.multiply(self._letterbox, np.float32(1 / 127.5), out=buffer[0], casting="unsafe")
        buffer -= 1
        return left, top, scale


def model_content() -> bytes:
    """Return the bytes of the shipped model.

    Raises:
        ModelError: the file is missing or is not the one that was shipped.
    """
    path = asset_path("models", MODEL_FILE)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"The face detector {path} cannot be opened ({error.strerror})",
            "the installation is incomplete",
            renew(),
        ) from error
    if hashlib.sha256(content).hexdigest() != MODEL_SHA256:
        raise ModelError(
            f"The face detector {path} is damaged",
            f"it has {len(content)} bytes and another checksum than the file that was shipped",
            renew(),
        )
    return content


def _anchors() -> NDArray[np.float32]:
    """Return the anchors' centres `[896, 2]` in [0, 1], in the order of the outputs."""
    grids = []
    for cells, per_cell in ANCHOR_GRIDS:
        centre = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(centre, centre), -1).reshape(-1, 2)
        grids.append(grid.repeat(per_cell, 0))
    return np.concatenate(grids).astype(np.float32)


def _merge_overlapping(
    faces: NDArray[np.float32], scores: NDArray[np.float32]
) -> list[tuple[NDArray[np.float32], float]]:
    """Average what overlaps, weighted by score, as MediaPipe does: the result jitters less than the best box alone.

    Args:
        faces: `[n, 4, 2]`, centre, size, right eye and left eye in [0, 1] of the input.
        scores: `[n]`.
    """
    merged = []
    order = np.argsort(-scores)
    while len(order):
        best = order[0]
        face, others = faces[best], faces[order]
        low = np.maximum(face[0] - face[1] / 2, others[:, 0] - others[:, 1] / 2)
        high = np.minimum(face[0] + face[1] / 2, others[:, 0] + others[:, 1] / 2)
        shared = np.clip(high - low, 0, None).prod(1)
        same = shared / (face[1].prod() + others[:, 1].prod(1) - shared) > SAME_FACE_OVERLAP
        same[0] = True
        group = order[same]
        weights = scores[group, None, None]
        merged.append(((faces[group] * weights).sum(0) / weights.sum(), float(scores[best])))
        order = order[~same]
    return merged


def _detection(face: NDArray[np.float32], score: float, left: int, top: int, scale: float) -> Detection:
    def place(point: NDArray[np.float32]) -> tuple[float, float]:
        # From edges of the input to pixel centres of the picture.
        x, y = (point * SIZE - (left, top)) / scale - 0.5
        return float(x), float(y)

    (x0, y0), (x1, y1) = place(face[0] - face[1] / 2), place(face[0] + face[1] / 2)
    return Detection(Box(x0, y0, x1, y1), score, place(face[2]), place(face[3]))
