"""What the bundle does without."""

from __future__ import annotations

from engine.core.errors import UsageError
from engine.core.installation import SOURCE


def no_trainer() -> UsageError:
    """Return the error of everything that needs the trainer, in the bundle."""
    return UsageError(
        "This bundle comes without the trainer",
        "training and work on data need Python and PyTorch, which is many times the size of the bundle",
        SOURCE,
    )
