"""The optional Python file of a filter, which may draw what images cannot.

It is a program like any other and can do whatever its user can. It is run only where the caller allows it; the
application does so only for filters that the user put into the folder of filters.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import FilterError
from engine.core.face_signals import SIGNALS, FaceSignals
from engine.core.files import read_regular

log = logging.getLogger(__name__)

LARGEST_HOOK = 1_000_000  # bytes
FUNCTION = "draw"
SIGNATURE = "def draw(picture, points, signals, seconds):"
DRAW_SECONDS = 1.0  # for one face; a frame at 30 a second has 0.03
LOAD_SECONDS = 5.0  # for what it does, and imports, while it is loaded
MOST_WORDS = 300  # characters of an exception in a message
DRAWN_WITHOUT = "the rest of the filter is drawn without it"
# Called with the file of a hook before its code runs, and with None after it: native code, or `os._exit`, may end the
# program in between. One that was abandoned goes on running.
report_work: Callable[[Path | None], object] | None = None
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
        """Let it draw on `picture` `[H, W, 4]` BGRA, in place and not mirrored; after its first failure never again.

        It gets the landmarks `[68, 2]` of one face in pixels of the picture, the signals of that face, and a time in
        seconds that never decreases. It has `DRAW_SECONDS` for that; one that takes longer is abandoned.
        """
        with self._drawing:
            if self.error is not None:
                return
            canvas = picture.copy()  # one that was abandoned may go on drawing
            self.error = _watched(
                self._file, lambda: self._draw(canvas, points.copy(), signals, seconds), DRAW_SECONDS, DRAWN_WITHOUT
            )
            if self.error is None:
                np.copyto(picture, canvas)
            else:
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
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the last two: nested too deeply
        raise _failure(file, error, EXPECTED) from error
    if not run:
        return None
    names: dict[str, Any] = {"__name__": file.stem, "__file__": str(file)}
    failure = _watched(file, lambda: exec(program, names), LOAD_SECONDS, EXPECTED)
    if failure is not None:
        raise failure
    if not callable(names.get(FUNCTION)):
        raise FilterError(
            file, None, f"there is no function “{FUNCTION}”", "a hook has one", f"begin it with: {SIGNATURE}"
        )
    return Hook(file, names[FUNCTION])


def _watched(file: Path, work: Callable[[], object], seconds: float, expected: str) -> FilterError | None:
    """Run code of a hook on a thread of its own; return what went wrong, None if nothing did.

    Whatever it raises ends only that thread. If it takes too long, it is left alone there, and asked to end: Python
    raises an exception in it once it runs Python code again.
    """
    failed: list[FilterError] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  a hook may raise anything, an end of the program included
            failed.append(_failure(file, error, expected))

    thread = threading.Thread(target=run, name="hook", daemon=True)
    if report_work is not None:
        report_work(file)
    thread.start()
    thread.join(seconds)
    if not thread.is_alive():
        if report_work is not None:
            report_work(None)
        return failed[0] if failed else None
    line = _line_at_work(file, thread)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
    return FilterError(
        file,
        line,
        f"the hook gave no answer within {seconds:g} s",
        expected,
        "let it do less, or end its loop; save it",
    )


def _line_at_work(file: Path, thread: threading.Thread) -> int | None:
    """Return the line of the file that a thread is in."""
    frame = sys._current_frames().get(thread.ident or 0)
    own = (at.f_lineno for at, _ in traceback.walk_stack(frame) if at.f_code.co_filename == str(file))
    return next(own, None) if frame is not None else None


def _failure(file: Path, error: BaseException, expected: str) -> FilterError:
    """Return what went wrong inside the hook, with the last of its own lines that ran."""
    if isinstance(error, SyntaxError):
        line = error.lineno
    else:
        trace = traceback.walk_tb(error.__traceback__)
        own = [number for frame, number in trace if frame.f_code.co_filename == str(file)]
        line = own[-1] if own else None
    try:
        words = str(error)
    except Exception:  # noqa: BLE001  the exception may be the hook's own
        words = ""
    said = words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]} …"
    return FilterError(file, line, f"the hook failed: {type(error).__name__}: {said}", expected, _fix(error, words))


def _fix(error: BaseException, words: str) -> str:
    """Return what to do about a mistake, with the right words where it is a usual one."""
    if FaceSignals.__name__ in words:
        return f"write a signal with a dot, as signals.mouth: there are {', '.join(SIGNALS)}; then save it"
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return "import or define that name in the hook, as with “import numpy as np”, and save it"
    return "fix it and save it"
