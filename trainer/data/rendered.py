"""The pack that needs no data set: frames of the sample, of one face, with their exact landmarks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import RecordingError
from engine.core.files import partial_path
from engine.core.texts import reason
from engine.formats.images import write_picture
from engine.formats.packs import is_pack
from engine.sources.sample import RATE, SampleClip
from engine.sources.sample_portrait import LOOP_SECONDS
from trainer.data.new_pack import boxes_of, write_annotations

STRIDE = 2  # every which frame of the clip
# Whole seconds are kept from the training: frames next to each other are nearly the same.
TEST_EVERY, TEST_AT = 6, 4
FULL_DISK = "the disk is full, or the folder forbids writing"


def render_pack(out: Path) -> int:
    """Write the pack whole or not at all, and return how many frames it has; one that is there stays as it is.

    It holds every second frame of the loop, of which four seconds are split `test` and the others `train`; `landmarks`
    are where the renderer put them, and `visibility` says that all of them are seen.

    Raises:
        SourceError: the sample's portrait is missing or damaged.
        RecordingError: the pack cannot be written; nothing of it is left behind.
    """
    numbers = np.arange(0, round(LOOP_SECONDS * RATE), STRIDE)
    if is_pack(out):
        return len(numbers)
    temporary = None
    try:
        temporary = partial_path(out)  # nobody else's: another training may render the pack at the same time
        (temporary / "images").mkdir(parents=True)
        _write(temporary, out.name, numbers)
        if not is_pack(out):
            temporary.replace(out)
    except (OSError, RecordingError) as error:
        raise RecordingError(
            f"The frames of the sample cannot be written to {out} ({reason(error.__cause__ or error)})",
            FULL_DISK,
            "make room, or name another folder with --data, and start again; nothing half was left there",
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return len(numbers)


def _write(folder: Path, name: str, numbers: NDArray[np.intp]) -> None:
    clip = SampleClip()
    names, landmarks = [], []
    for number in numbers.tolist():
        picture, truth = clip.frame(number)
        names.append(f"images/{number:03d}.jpg")
        landmarks.append(truth.points)
        write_picture(folder / names[-1], picture)
    points = np.stack(landmarks).astype(np.float32)
    tested = (numbers // RATE).astype(int) % TEST_EVERY == TEST_AT
    arrays = {
        "image": np.array(names),
        "landmarks": points,
        "visibility": np.full(points.shape[:2], 2, np.uint8),
        "bbox": boxes_of(points),
        "split": np.where(tested, "test", "train"),
    }
    meta = {
        "name": name,
        "markup": "the 68 points of iBUG",
        "labels": "exact, by the renderer of the sample",
        "faces": "one: a model of this pack knows no other",
        "count": len(names),
        "coords": "0-based pixel centres",
    }
    write_annotations(folder, arrays, meta)
