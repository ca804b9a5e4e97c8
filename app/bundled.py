"""What the bundle does without."""

from __future__ import annotations

from engine.core.errors import UsageError


def no_trainer() -> UsageError:
    """Return the error of everything that needs the trainer, in the bundle."""
    return UsageError(
        "This bundle comes without the trainer",
        "training and work on data need Python and PyTorch, which is many times the size of the bundle",
        "get the source of Understudy where the bundle came from, install Python 3.11, 3.12 or 3.13, and run "
        "“python3 start.py setup” in the folder of the source",
    )
