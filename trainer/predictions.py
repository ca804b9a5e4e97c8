"""What a teacher said of faces, kept in a file of its run's folder: nobody is asked twice."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.core.errors import RecordingError
from engine.core.files import replaced
from trainer.augment import Faces
from trainer.init.origin import origin_folder


@dataclass(frozen=True)
class Predictions:
    """Predictions of one teacher.

    Attributes:
        keys: `[N, 32]` uint8, see `face_keys`.
        points: `[N, K, 2]` in [0, 1] of the stored crops.
        trust: `[N, K]` in [0, 1], the teacher's confidence.
    """

    keys: torch.Tensor
    points: torch.Tensor
    trust: torch.Tensor

    def places(self) -> dict[bytes, int]:
        """Return where the prediction for a key stands."""
        return {key.numpy().tobytes(): place for place, key in enumerate(self.keys)}


def face_keys(faces: Faces) -> torch.Tensor:
    """Return a digest `[N, 32]` uint8 of all of each face that a teacher's prediction depends on."""
    digests = [
        hashlib.sha256(image.numpy().tobytes() + shift.numpy().tobytes()).digest()
        for image, shift in zip(faces.images, faces.label_shift, strict=True)
    ]
    return torch.frombuffer(bytearray(b"".join(digests)), dtype=torch.uint8).reshape(-1, 32)


def read_predictions(checkpoint: Path) -> Predictions | None:
    """Return what is kept for a teacher's checkpoint; None if nothing is, or nothing that can be read."""
    try:
        return Predictions(**load_file(_file(checkpoint)))
    except (OSError, SafetensorError, TypeError):  # not asked yet, or cut off: asking again costs only time
        return None


def write_predictions(checkpoint: Path, predictions: Predictions) -> None:
    """Keep predictions for a teacher's checkpoint; the file appears whole or not at all.

    Raises:
        RecordingError: it cannot be written.
    """
    file = _file(checkpoint)
    # Students that train side by side may ask a teacher at once: each writes a file of its own, the last one stays.
    own = file.with_stem(f"{file.stem}-{os.getpid()}")
    try:
        with replaced(own) as temporary:
            save_file(vars(predictions), temporary)
        own.replace(file)
    except (OSError, SafetensorError) as error:
        raise RecordingError(
            f"The teacher's predictions {file} cannot be written ({error})",
            "the folder forbids writing, or the disk is full",
            "make room, or copy the teacher's folder to another place",
        ) from error


def _file(checkpoint: Path) -> Path:
    """Return a name that changes with the weights: a run that is trained on says other things."""
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    return origin_folder(checkpoint) / "predictions" / f"{digest[:16]}.safetensors"
