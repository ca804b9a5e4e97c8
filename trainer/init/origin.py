"""Where weights come from: a checkpoint of a run, or a model of the application in its place."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from engine.core.errors import UsageError
from engine.inference.card import Card, TrainingFacts, read_card
from engine.inference.landmarker import read_model
from trainer.checkpoint import Checkpoint, read_checkpoint
from trainer.init.from_tflite import network_of_model

MODEL_SUFFIX = ".tflite"


def is_model(path: str | Path) -> bool:
    """Tell whether a path names a model, not a checkpoint."""
    return Path(path).suffix == MODEL_SUFFIX


def origin_name(path: str | Path) -> str:
    """Return the name of the model, or of the folder of the run that wrote the checkpoint."""
    return Path(path).stem if is_model(path) else Path(path).parent.name


def origin_folder(path: Path, runs: Path) -> Path:
    """Return where to keep what belongs to the origin: the run's folder; models are only read, so theirs is in runs."""
    return runs / path.stem if is_model(path) else path.parent


def read_origin(path: Path) -> Checkpoint:
    """Read a checkpoint, or a `.tflite` model and its card as the checkpoint that they were exported from.

    What a model does not say is left out: the optimiser's state is empty, and of the recipe there are only name,
    batch, network and crop.

    Raises:
        UsageError: the checkpoint cannot be read, or the model is not of a heatmap network.
        ModelError: the model or its card is missing or damaged.
    """
    if not is_model(path):
        return read_checkpoint(path)
    card = read_card(path.with_suffix(".json"))
    network = network_of_model(read_model(path, card), path.name)
    facts = card.training or _facts_in_words(card)
    weights = network.state_dict()
    return Checkpoint(
        step=facts.steps,
        recipe={
            "name": facts.recipe,
            "batch": facts.batch,
            "network": asdict(network.shape),
            "crop_scale": card.crop.scale,
        },
        model=weights,
        ema=weights,
        notes={"lineage": list(facts.lineage), "revision": card.revision},
    )


def _facts_in_words(card: Card) -> TrainingFacts:
    """Return what the sentences of a card without such fields say of the training."""
    found = re.fullmatch(r"(.+), (\d+) steps of (\d+)", card.recipe)
    if found is None:
        raise UsageError(
            f"The card of {card.name} does not tell how the model was made",
            f"its recipe is “{card.recipe}”, not “NAME, N steps of M”",
            "give a model that “understudy export” made",
        )
    lineage = card.data.rpartition("Before that: ")[2].removesuffix(".").split("; ")
    return TrainingFacts(found[1], int(found[2]), int(found[3]), tuple(lineage))
