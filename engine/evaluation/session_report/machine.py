"""What a session was measured on: the machine and the versions of what computes."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.core.platforms import system_name
from engine.core.version import program_version
from engine.inference.runtime import runtime_and_version


@dataclass(frozen=True)
class Machine:
    """A machine and what is installed on it.

    Attributes:
        processor, cores: its name as far as the system gives it, and the number of logical cores.
        system, python, program, runtime, opencv, numpy: names and versions.
    """

    processor: str
    cores: int
    system: str
    python: str
    program: str
    runtime: str
    opencv: str
    numpy: str


def this_machine() -> Machine:
    """Return the facts of this machine."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{system_name()} ({platform.release()}, {platform.machine()})",
        python=platform.python_version(),
        program=program_version(),
        runtime=runtime_and_version(),
        opencv=cv2.__version__,
        numpy=np.__version__,
    )


def _processor() -> str:
    try:  # Linux alone; other systems say it through `platform`
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
