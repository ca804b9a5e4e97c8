"""The optional Python file of a filter, which may draw what images cannot.

It is a program like any other and can do whatever its user can. It is run only where the caller allows it; the
application does so only for filters that the user put into the folder of filters.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import FilterError
from engine.core.files import read_regular
from engine.inference.signals import FaceSignals

log = logging.getLogger(__name__)

LARGEST_HOOK = 1_000_000  # bytes
FUNCTION = "draw"
SIGNATURE = "def draw(picture, points, signals, seconds):"
EXPECTED = f"a hook is Python and has a function “{SIGNATURE}”"


class Hook:
    """The function of a Python file. Safe from any thread: it draws on one picture at a time.

    Attributes:
        error: why it was switched off; None while it works.
    """

    def __init__(self, file: Path, draw: Callable[..., object]) -> None:
        self._file, self._draw = file, draw
        self._drawing = threading.Lock()  # two lanes may draw at once, and hooks are written for one thread
        self.error: FilterError | None = None

    def __call__(
        self, picture: NDArray[np.uint8], points: NDArray[np.float32], signals: FaceSignals, seconds: float
    ) -> None:
        """Let it draw on `picture` `[H, W, 4]` BGRA, in place and not mirrored; after its first exception never again.

        It gets the landmarks `[68, 2]` of one face in pixels of the picture, the signals of that face, and a time in
        seconds that never decreases.
        """
        with self._drawing:
            if self.error is not None:
                return
            try:
                self._draw(picture, points.copy(), signals, seconds)
            except Exception as error:  # noqa: BLE001  a hook may raise anything
                self.error = _failure(self._file, error, "the rest of the filter is drawn without it")
                log.warning("%s", self.error)


def load_hook(file: Path, run: bool) -> Hook | None:
    """Return the function `draw` of a Python file as a hook; None unless it may `run`: then it is only compiled.

    Raises:
        FilterError: the file cannot be read, is no Python, fails, or has no such function.
    """
    try:
        program = compile(read_regular(file, LARGEST_HOOK), str(file), "exec")
    except OSError as error:
        raise FilterError(
            file,
            None,
            f"the hook cannot be read ({error.strerror})",
            "filter.toml names it as its hook",
            "put it next to filter.toml, or remove the line “hook”",
        ) from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _failure(file, error, EXPECTED) from error
    if not run:
        return None
    names: dict[str, Any] = {"__name__": file.stem, "__file__": str(file)}
    try:
        exec(program, names)
    except Exception as error:
        raise _failure(file, error, EXPECTED) from error
    if not callable(names.get(FUNCTION)):
        raise FilterError(
            file, None, f"there is no function “{FUNCTION}”", "a hook has one", f"begin it with: {SIGNATURE}"
        )
    return Hook(file, names[FUNCTION])


def _failure(file: Path, error: Exception, expected: str) -> FilterError:
    """Return what went wrong inside the hook, with the last of its own lines that ran."""
    if isinstance(error, SyntaxError):
        line = error.lineno
    else:
        own = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = own[-1] if own else None
    return FilterError(file, line, f"the hook failed: {type(error).__name__}: {error}", expected, "fix it and save it")
