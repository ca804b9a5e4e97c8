"""Checking for the trainer's packages before any work begins."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from engine.core.errors import UsageError

# What training and export import.
TRAINER_PACKAGES = (
    "ai_edge_quantizer",
    "torch",
    "lightning_fabric",
    "litert_torch",
    "safetensors",
    "tensorboard",
    "timm",
    "torchvision",
    "tqdm",
    "flatbuffers",
)


def require_packages(names: Iterable[str]) -> None:
    """Check that packages of the extra `trainer` are installed, without importing them.

    Raises:
        UsageError: some are not.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The trainer needs packages that are not installed ({', '.join(missing)})",
            "the application alone does without them",
            "run “pip install -e .[trainer] -c packaging/constraints.txt”",
        )
