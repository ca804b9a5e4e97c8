"""Landmarks of one face by a model and its card."""

from __future__ import annotations

import errno
import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ModelError
from engine.core.files import read_regular
from engine.core.geometry import Box, Crop, crop_of_box, crop_of_landmarks, roll_of_landmarks
from engine.inference.card import Card, read_card
from engine.inference.detector import Detection, crop_of_detection
from engine.inference.foreign import ForeignModel, shift_of_grid
from engine.inference.runtimes import MODEL_SUFFIXES, ModelRuntime, load_runtime, model_files, shape_words
from engine.inference.trial import ensure_harmless

LARGEST_MODEL = 100_000_000  # bytes
# The model runs again, on a level crop, for heads that roll further than this.
LEVEL_BEYOND = math.radians(15)
# What follows the name of a model whose points are averaged with those of the mirror image.
MIRROR_MARK = " + mirror image"


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of one face, as the model located them.

    Attributes:
        points: `[K, 2]` float32, pixels of the picture.
        confidence: `[K]` float32 in [0, 1].
        roll: angle of the eye line in radians, clockwise on screen.
    """

    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    roll: float

    @cached_property
    def finite(self) -> bool:
        """Whether every number is finite."""
        return bool(np.isfinite(self.points).all() and np.isfinite(self.confidence).all())

    @cached_property
    def score(self) -> float:
        """Score of the face in [0, 1]: mean of the higher half of the confidences.

        The lower half is left out because a face in profile hides half of its points.
        """
        if not self.finite:
            return 0.0
        half = len(self.confidence) // 2
        higher = sorted(self.confidence.tolist())[half:]
        return sum(higher) / len(higher)


class Landmarker:
    """A landmark model ready to run. Belongs to one thread.

    Attributes:
        card: of the model.
        flip: whether each face is looked at twice, as it is and in the mirror, and both are averaged; takes twice the
            time. May be changed between two pictures.
        as_labelled: whether points lie where the labels of the training data do, `label_shift` of the card beside what
            they mark; to compare with such labels or to make more of them. Else they lie on the picture.

    Raises:
        ModelError: the network breaks the model contract, or of a model from elsewhere what its card says.
    """

    def __init__(self, runtime: ModelRuntime, card: Card) -> None:
        self.card = card
        self.flip = self.as_labelled = False
        self._runtime = runtime
        self._foreign = ForeignModel(runtime, card) if card.is_foreign else None
        if self._foreign is None:
            self._check_contract()

    def _check_contract(self) -> None:
        runtime, card = self._runtime, self.card
        picture = (1, card.input_size, card.input_size, 3)
        given = picture if runtime.input_shape == picture else runtime.declared_shape
        points, confidence = (*map(shape_words, runtime.output_shapes), "missing", "missing")[:2]
        expected = {
            "input": (shape_words(picture), shape_words(given)),
            "output 0, the points": (shape_words((1, card.scheme, 2)), points),
            "output 1, the confidence": (shape_words((1, card.scheme)), confidence),
            "type of the input": ("float32", runtime.input_type.name),
            "type of the outputs": ("float32", ", ".join(sorted({kind.name for kind in runtime.output_types[:2]}))),
        }
        wrong = [f"{what} is {found}, not {wanted}" for what, (wanted, found) in expected.items() if wanted != found]
        if wrong:
            raise ModelError(
                f"{runtime.label} breaks the model contract: {'; '.join(wrong)}",
                "it was exported by another program, or the card belongs to another model",
                "export it with “understudy export”, or make a card for it with “understudy models add”",
            )

    @property
    def name(self) -> str:
        """The model's name, and whether its points are averaged with those of the mirror image."""
        return self.card.name + MIRROR_MARK * self.flip

    def predict(self, picture: NDArray[np.uint8], crop: Crop) -> Landmarks:
        """Locate the landmarks of the face that `crop` of `picture` (`[H, W, 3]` uint8 RGB) shows."""
        points, confidence = self.read(crop.sample(picture, self.card.input_size))
        if self._foreign is not None:
            # Along x the two views have the shift in opposite directions.
            shift = shift_of_grid(self._foreign.output, crop)
            points = (points + np.array((not self.flip, True)) * shift).astype(np.float32)
        placed = crop.to_picture(points)
        return Landmarks(placed, confidence, roll_of_landmarks(self.card.markup, placed))

    def read(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return points `[K, 2]` in [0, 1] of a crop `[S, S, 3]` uint8 RGB, and their confidence `[K]` in [0, 1].

        The label shift is taken off along the crop's x axis: faces of the data sets stand upright in their pictures and
        are turned together with their labels in training, so it lies along the eye line, and crops of turned heads are
        level with it.

        Raises:
            ModelError: the mirror image cannot be used, as the points have no known order in it; or the runtime failed.
        """
        points, confidence = self._run(pixels)
        shift = self.card.label_shift
        if self.flip:
            seen, sure = self._run(pixels[:, ::-1])
            order = self.mirror()
            seen[:, 0] = 1 - seen[:, 0]
            points = (points + seen[order]) * np.float32(0.5)
            confidence = (confidence + sure[order]) * np.float32(0.5)
            shift = 0.0  # the two views have it in opposite directions
        points[:, 0] += np.float32((self.card.label_shift if self.as_labelled else 0.0) - shift)
        return points, confidence

    def mirror(self) -> list[int]:
        """Return which point of the mirror image is each point.

        Raises:
            ModelError: that is not known of a model from elsewhere.
        """
        if not (order := self.card.markup.mirror):
            raise ModelError(
                f"The mirror image cannot help the model {self.card.name}",
                "nobody knows which of its points are each other's mirror images",
                "use it without the mirror image",
            )
        return list(order)

    def _run(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self._foreign is not None:
            return self._foreign.run(pixels)
        np.copyto(self._runtime.input_buffer()[0], pixels, casting="unsafe")
        points, confidence = self._runtime.run()[:2]
        return points[0], confidence[0]

    def crop_of_face(self, landmarks: Landmarks) -> Crop:
        """Return the model's crop for a face whose landmarks are known, level if the card says so."""
        roll = landmarks.roll if self.card.crop.level else 0.0
        rule = self.card.crop
        return crop_of_landmarks(landmarks.points, roll, rule.scale, rule.dy, self.card.stretches)

    def locate_detection(self, picture: NDArray[np.uint8], detection: Detection) -> Landmarks:
        """Locate the landmarks of a detected face.

        The detector's box is only an estimate of the landmark box, so a second pass uses the crop of the landmarks.
        """
        rough = self.predict(picture, crop_of_detection(detection, self.card.crop))
        return self.predict(picture, self.crop_of_face(rough)) if rough.finite else rough

    def locate(self, picture: NDArray[np.uint8], box: Box) -> Landmarks:
        """Locate the landmarks of the face in `box`: upright first, then level if the head rolls by over 15 degrees.

        Models from elsewhere that expect level crops learned from no others, and get them whatever the roll.
        """
        rule = self.card.crop
        crop = crop_of_box(box, rule.scale, rule.dy, self.card.stretches)
        upright = self.predict(picture, crop)
        if not upright.finite or not rule.level:
            return upright
        if self._foreign is not None:
            return self.predict(picture, replace(crop, roll=upright.roll))
        if abs(upright.roll) <= LEVEL_BEYOND:
            return upright
        return self.predict(picture, self.crop_of_face(upright))


def model_of(name: str) -> str:
    """Return the name of the model whose landmarks go by a `Landmarker.name`."""
    return name.removesuffix(MIRROR_MARK)


def not_finite_error(model: str) -> ModelError:
    """Return the error of a model whose output is not finite."""
    return ModelError(
        f"The model {model} gave numbers that are not finite",
        "its file is damaged or was exported wrongly",
        "choose another model, or export it again",
    )


def load_landmarker(model: Path, threads: int = 1) -> Landmarker:
    """Load `NAME.tflite` or `NAME.onnx` with the card `NAME.json` next to it; one that is not shipped is tried first.

    Raises:
        ModelError: a file is missing, damaged, harmful or not the one the card describes, or the contract is broken.
    """
    card = read_card(model.with_suffix(".json"))
    content, label = read_model(model, card), f"The model {model.name}"
    ensure_harmless(content, card.sha256, label)
    return Landmarker(load_runtime(content, label, threads), card)


def model_file(card_path: Path) -> Path:
    """Return the model file beside a card: of two that have its name the one that it describes.

    Without any it is the `.tflite` file that is missing.
    """
    files = model_files(card_path)
    described = [file for file in files if _is_described(file, card_path)] if len(files) > 1 else []
    return [*described, *files, card_path.with_suffix(MODEL_SUFFIXES[0])][0]


def owner_of_card(model: Path) -> Path | None:
    """Return another file of the same name that the card beside a model describes; None where there is none."""
    card_path = model.with_suffix(".json")
    others = (file for file in model_files(card_path) if file.suffix != model.suffix)
    return next((file for file in others if _is_described(file, card_path)), None)


def _is_described(model: Path, card_path: Path) -> bool:
    try:
        card, content = read_card(card_path), read_content(model)
    except ModelError:
        return False
    return _fits(content, card)


def _fits(content: bytes, card: Card) -> bool:
    return len(content) == card.bytes and hashlib.sha256(content).hexdigest() == card.sha256


def read_content(path: Path) -> bytes:
    """Return the bytes of a model file.

    Raises:
        ModelError: it cannot be read, or is larger than any model for live use.
    """
    try:
        return read_regular(path, LARGEST_MODEL)
    except OSError as error:
        what = f"The model {path} cannot be opened ({error.strerror})"
        if error.errno == errno.EFBIG:
            raise ModelError(
                what, "it is no model for live use, or a file of another kind", "choose a smaller model"
            ) from error
        raise ModelError(
            what,
            "it was moved or deleted, or its permissions forbid reading",
            "look whether it is there, or choose another model",
        ) from error


def read_model(path: Path, card: Card) -> bytes:
    """Return the bytes of a model after comparing them with its card.

    Raises:
        ModelError: the file is missing or is not what the card describes.
    """
    content = read_content(path)
    size = len(content)
    if not _fits(content, card):
        if (owner := owner_of_card(path)) is not None:
            raise ModelError(
                f"The model {path} has no card: {path.stem}.json describes {owner.name}",
                "two models of one name cannot share a card",
                "give one of the two files another name, and make its card with “understudy models add”",
            )
        problem = f"has {size} bytes instead of {card.bytes}" if size != card.bytes else "has another checksum"
        raise ModelError(
            f"The model {path} is not the one its card describes: it {problem}",
            "the file was cut off, changed or mixed up",
            "copy the model and its card again",
        )
    return content
