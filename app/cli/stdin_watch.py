"""Ending a run from another program: Ctrl-C reaches no child without a terminal, on Windows not even as a signal."""

from __future__ import annotations

import _thread
import os
import sys
import threading


def interrupt_when_stdin_closes() -> None:
    """Do as on Ctrl-C once standard input has ended: its writer closed it, or ended itself in whatever way."""
    if sys.stdin is None:
        return
    descriptor = sys.stdin.fileno()

    def watch() -> None:
        try:
            while os.read(descriptor, 1024):  # not by `sys.stdin`, whose lock would be missing at the end
                pass
        except OSError:
            pass  # as good as closed
        _thread.interrupt_main()

    threading.Thread(target=watch, name="stdin watch", daemon=True).start()
