"""The same BlazeFace model run by MediaPipe's own Tasks detector: the extra `[mediapipe]`."""

from __future__ import annotations

import mediapipe
import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.inference.blazeface import SCORE_THRESHOLD, model_content
from engine.inference.detector import Detection


class MediaPipeDetector:
    """MediaPipe Tasks' FaceDetector, one picture at a time. Belongs to one thread."""

    def __init__(self) -> None:
        tasks = mediapipe.tasks
        # From bytes: MediaPipe cannot open every path.
        base = tasks.BaseOptions(model_asset_buffer=model_content())
        options = tasks.vision.FaceDetectorOptions(base_options=base, min_detection_confidence=SCORE_THRESHOLD)
        self._detector = tasks.vision.FaceDetector.create_from_options(options)

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the faces of an RGB picture `[H, W, 3]` uint8, best first."""
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        height, width = picture.shape[:2]
        faces = []
        for found in self._detector.detect(image).detections:
            box = found.bounding_box
            # The points come as shares of the picture, the eyes first: the subject's right, then the left.
            right, left = ((point.x * width - 0.5, point.y * height - 0.5) for point in found.keypoints[:2])
            # Edges of pixels, counted from 0, become coordinates whose integers are pixel centres.
            x0, y0 = box.origin_x - 0.5, box.origin_y - 0.5
            edges = Box(x0, y0, x0 + box.width, y0 + box.height)
            faces.append(Detection(edges, float(found.categories[0].score), right, left))
        return sorted(faces, key=lambda face: -face.score)
