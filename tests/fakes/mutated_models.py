"""Damaged models that their cards vouch for, loaded and run in a process of its own, which they must not bring down.

`python -m tests.fakes.mutated_models MODEL FOLDER COUNT` writes one JSON object a line.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

MODEL = "damaged.tflite"
HEADER = 8  # bytes up to the mark TFL3 and with it; they stay


def _anywhere(random_: random.Random, content: bytearray) -> None:
    for _ in range(random_.choice((1, 4, 32, 256))):
        content[random_.randrange(HEADER, len(content))] = random_.randrange(256)


def _in_the_tables(random_: random.Random, content: bytearray) -> None:
    """The structure of the network stands at both ends of the file, the weights between."""
    places = [*range(HEADER, 4000), *range(len(content) - 60_000, len(content))]
    for place in random_.choices(places, k=random_.choice((1, 4, 16))):
        content[place] = random_.randrange(256)


def _cut(random_: random.Random, content: bytearray) -> None:
    del content[random_.randrange(HEADER, len(content)) :]


def _noise(random_: random.Random, content: bytearray) -> None:
    content[HEADER:] = random_.randbytes(random_.randrange(1, 20_000))


DAMAGES: tuple[Callable[[random.Random, bytearray], None], ...] = (_anywhere, _in_the_tables, _cut, _noise)


def damaged(content: bytes, seed: int) -> bytes:
    """Return the bytes of a model after damage that the seed decides; the mark of its kind stays."""
    changed = bytearray(content)
    DAMAGES[seed % len(DAMAGES)](random.Random(seed), changed)
    return bytes(changed)


def write_vouched(model: Path, content: bytes, card: Path) -> None:
    """Write a model and a card that agrees with it, as a malicious or careless author would."""
    vouching = json.loads(card.read_text(encoding="utf-8"))
    vouching.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    model.write_bytes(content)
    model.with_suffix(".json").write_text(json.dumps(vouching), encoding="utf-8")


def _try(model: Path) -> str:
    """Load a model and run it once; return what became of it."""
    import numpy as np

    from engine.core.errors import ModelError
    from engine.core.geometry import Crop
    from engine.inference.card import read_card
    from engine.inference.landmarker import Landmarker, read_model
    from engine.inference.runtime import Runtime

    try:
        card = read_card(model.with_suffix(".json"))
        # Without the trial in a further process: what is tried here is the runtime itself.
        runtime = Runtime(read_model(model, card), f"The model {model.name}")
        Landmarker(runtime, card).predict(np.full((200, 200, 3), 127, np.uint8), Crop(100, 100, 150))
    except ModelError as error:
        return str(error)
    return ""


def main(shipped: Path, folder: Path, count: int) -> None:
    """Try `count` damages, each with its own seed."""
    for seed in range(count):
        write_vouched(folder / MODEL, damaged(shipped.read_bytes(), seed), shipped.with_suffix(".json"))
        sys.stdout.write(json.dumps({"seed": seed, "error": _try(folder / MODEL)}) + "\n")
        sys.stdout.flush()  # so that the last line shows which damage was too much


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
