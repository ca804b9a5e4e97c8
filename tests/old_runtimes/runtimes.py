"""The runtimes that models are tried in: where they are, and how a job is given to one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

VARIABLE = "UNDERSTUDY_OLD_RUNTIMES"
INSTALL = "python -m tests.old_runtimes.install DIR"
WORKER = Path(__file__).with_name("worker.py")
# The oldest runtime that models are promised to run in, and the last one of that name.
OLDEST, LAST = "2.11.0", "2.14.0"


@dataclass(frozen=True)
class TrialRuntime:
    """A runtime in a Python of its own.

    Attributes:
        title: its name and version.
        module: what to import.
        python: the interpreter that has it installed.
    """

    title: str
    module: str
    python: Path


def trial_python(folder: Path, number: str) -> Path:
    """Return where below `folder` the Python of a version of tflite-runtime stands."""
    place = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    return folder / number / place


def old_runtime(folder: Path, number: str) -> TrialRuntime:
    """Return a version of tflite-runtime that `INSTALL` put below `folder`."""
    return TrialRuntime(f"tflite-runtime {number}", "tflite_runtime", trial_python(folder, number))


def own_runtime() -> TrialRuntime:
    """Return the runtime of the application."""
    return TrialRuntime(f"LiteRT {version('ai-edge-litert')}", "ai_edge_litert", Path(sys.executable))


def try_models(
    runtime: TrialRuntime, models: Mapping[str, bytes], inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Load and run models in a runtime; the result is as `worker.py` describes.

    Args:
        runtime: where.
        models: contents of `.tflite` files by name.
        inputs: what to run each on, `[N, 1, S, S, 3]` float32; models without are only loaded.
    """
    nothing = np.zeros((0,), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        job, result = Path(folder, "job.npz"), Path(folder, "result.npz")
        contents = {f"{name}.tflite": np.frombuffer(content, np.uint8) for name, content in models.items()}
        np.savez(job, **contents, **{f"{name}.input": inputs.get(name, nothing) for name in models})
        command = [runtime.python, WORKER, runtime.module, job, result]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(f"{runtime.title} fell over: {done.stderr}")
        with np.load(result) as found:
            return dict(found)
