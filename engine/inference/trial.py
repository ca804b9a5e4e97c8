"""A model that is not shipped runs on one grey frame, in a process of its own, before it is loaded for the first time.

A damaged or malicious file can bring the runtime's native code down, or keep it busy for ever; no exception reports
that. Models that passed are noted by their checksum in the user's cache folder.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from platformdirs import user_cache_path

from engine.core.errors import ModelError
from engine.core.paths import asset_path
from engine.core.platforms import NO_TERMINAL
from engine.core.processes import own_module
from engine.inference.card import read_card
from engine.inference.runtime import has_no_scale
from engine.inference.runtimes import load_runtime, runtime_version

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]  # where the child finds this module
TIMEOUT = 20.0  # seconds for the whole trial; most of it is the start of Python, on a machine that is busy
CPU_SECONDS = 4  # for loading and one frame: the largest shipped model needs 0.4
MEMORY = 2_000_000_000  # bytes of address space for the same
GREY = 127
NO_SCALE = b"a scale is 0\n"  # what the child writes first, of a model that may end it


def ensure_harmless(content: bytes, sha256: str, label: str) -> None:
    """Try a model, unless it is shipped or has passed before.

    Args:
        content: bytes of the model file.
        sha256: their checksum.
        label: name of the model in errors.

    Raises:
        ModelError: it cannot be loaded or run, ends the process that tries, or takes too long.
    """
    if sha256 in _shipped():
        return
    # By runtime, as what one of them survives may bring down another.
    note = user_cache_path("understudy", appauthor=False) / "tried models" / f"{sha256} {runtime_version(content)}"
    with suppress(OSError):
        if note.exists():
            return
    _try(content, label)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    except OSError as error:
        log.warning("%s will be tried again at its next use: %s cannot be written (%s)", label, note, error.strerror)


def _try(content: bytes, label: str) -> None:
    command = [*own_module(__name__), label]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, check=False, cwd=ROOT, timeout=TIMEOUT,
            creationflags=NO_TERMINAL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _refusal(f"{label} gave no result within {TIMEOUT:g} s") from None
    if done.returncode != 0:
        errors = done.stderr.decode(errors="replace").strip().splitlines()
        log.warning("The trial of %s ended with %d: %s", label, done.returncode, "\n".join(errors[-20:]))
        code = done.returncode
        ended_by = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise _refusal(f"{label} brings down the program that runs it ({ended_by})", done.stdout == NO_SCALE)
    if output := done.stdout.removeprefix(NO_SCALE):
        raise ModelError(*json.loads(output))


def _refusal(what: str, no_scale: bool = False) -> ModelError:
    what = f"{what}; it was tried in a process of its own"
    if no_scale:
        return ModelError(
            what,
            "it computes in integers of which some have the scale 0, so all their values are the same",
            "quantise it again with typical pictures of faces, or use it in float32",
        )
    return ModelError(
        what,
        "the file is damaged, was made to do harm, or needs another runtime",
        "choose another model, or export it again with “understudy export”",
    )


@cache
def _shipped() -> frozenset[str]:
    """Return the checksums of the models that ship with the program, which its tests have run."""
    found = set()
    for card in asset_path("models").glob("*.json"):
        with suppress(ModelError):
            found.add(read_card(card).sha256)
    return frozenset(found)


def main() -> None:
    """In the child: run the model that comes by the standard input; write the sentences of a refusal as JSON.

    What may end this process without a word is written before.
    """
    content = sys.stdin.buffer.read()
    _limit()
    if has_no_scale(content):
        sys.stdout.buffer.write(NO_SCALE)
        sys.stdout.buffer.flush()
    try:
        runtime = load_runtime(content, sys.argv[1])
        runtime.input_buffer()[...] = GREY
        runtime.run()
    except ModelError as error:
        sys.stdout.write(json.dumps([error.what, error.why, error.fix]))


def _limit() -> None:
    """Bound what the model may use, where the system can; beyond it the system ends this process."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(usage.ru_utime + usage.ru_stime) + 1
        for kind, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_CPU, spent + CPU_SECONDS),
            (resource.RLIMIT_AS, MEMORY),
        ):
            resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
