"""Stand-ins for the two networks, so that tracking and pipeline are tested without them."""

from collections.abc import Callable

import numpy as np

from engine.core.geometry import Box, Crop, crop_of_landmarks, roll_of_landmarks
from engine.core.schemes import IBUG_68
from engine.inference.card import Card, CropRule
from engine.inference.detector import Detection, crop_of_detection
from engine.inference.landmarker import Landmarks

FAKE_CARD = Card(
    name="fake",
    role="student",
    system="test",
    scheme=68,
    input_size=64,
    crop=CropRule(1.3),
    sha256="",
    bytes=0,
    params=0,
    macs=0,
    precision="",
    minimum_runtime="",
    licence="",
    data="",
    recipe="",
    revision="",
)


def face_points(x: float, y: float, size: float, roll: float = 0.0) -> np.ndarray:
    """68 points of a face of `size` pixels around (x, y): two eyes above, the rest in a ring."""
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle)], 1) / 2
    points[list(IBUG_68.right_eye)] = (-0.2, -0.2)
    points[list(IBUG_68.left_eye)] = (0.2, -0.2)
    points[36], points[45] = (-0.3, -0.2), (0.3, -0.2)
    cosine, sine = np.cos(roll), np.sin(roll)
    return (points @ np.array([[cosine, sine], [-sine, cosine]]) * size + (x, y)).astype(np.float32)


class FakeScene:
    """Faces that both fakes see: a list of (x, y, size, roll), to be changed between pictures."""

    def __init__(self, *faces: tuple[float, float, float, float]) -> None:
        self.faces = list(faces)


class FakeDetector:
    """Finds every face of the scene, in whole pictures only, and counts how often it was asked for one and for a tile.

    A tile is any picture that is smaller than one before.
    """

    def __init__(self, scene: FakeScene) -> None:
        self.scene = scene
        self.calls = self.tiles = 0
        self._whole = 0

    def detect(self, picture: np.ndarray) -> list[Detection]:
        self._whole = max(self._whole, picture.size)
        if picture.size < self._whole:
            self.tiles += 1
            return []
        self.calls += 1
        found = []
        for x, y, size, roll in self.scene.faces:
            points = face_points(x, y, size, roll)
            box = Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
            right, left = points[list(IBUG_68.right_eye)].mean(0), points[list(IBUG_68.left_eye)].mean(0)
            found.append(Detection(box, 0.9, tuple(right), tuple(left)))
        return found


class FakeLandmarker:
    """Finds the face of the scene whose centre lies in the crop, else nothing of confidence; `spoil` may damage it."""

    def __init__(self, scene: FakeScene, spoil: Callable[[Landmarks], Landmarks] | None = None) -> None:
        self.card = FAKE_CARD
        self.name, self.flip = FAKE_CARD.name, False
        self.scene = scene
        self.spoil = spoil
        self.crops: list[Crop] = []

    def predict(self, picture: np.ndarray, crop: Crop) -> Landmarks:
        self.crops.append(crop)
        points, confidence = face_points(crop.centre_x, crop.centre_y, crop.side / 1.3), 0.02
        for x, y, size, roll in self.scene.faces:
            place = crop.from_picture(np.array([x, y]))
            if (np.abs(place - 0.5) < 0.35).all() and 0.5 < crop.side / size < 3:
                points, confidence = face_points(x, y, size, roll), 0.95
                break
        found = Landmarks(points, np.full(68, confidence, np.float32), roll_of_landmarks(IBUG_68, points))
        return self.spoil(found) if self.spoil else found

    def locate_detection(self, picture: np.ndarray, detection: Detection) -> Landmarks:
        return self.predict(picture, crop_of_detection(detection, self.card.crop))

    def crop_of_face(self, landmarks: Landmarks) -> Crop:
        return crop_of_landmarks(landmarks.points, landmarks.roll, self.card.crop.scale)
