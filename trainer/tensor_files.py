"""Files of tensors that others may read, as far as the user's settings let them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write tensors by name as safetensors.

    Raises:
        OSError, SafetensorError: the file cannot be written.
    """
    path.touch()
    usual = path.stat().st_mode
    save_file(dict(tensors), path, metadata)
    path.chmod(usual)  # safetensors lets nobody but the owner read what it writes
