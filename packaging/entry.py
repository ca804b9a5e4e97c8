"""What the bundle starts: the command line; or, for a child process, a module of ours as `python -m MODULE` would."""

from __future__ import annotations

import multiprocessing
import runpy
import sys

from engine.core.manifest import cut_off, read_manifest
from engine.core.paths import ASSETS

OWN = ("app", "engine")


def main() -> int:
    """Run what the arguments say, and return the exit code; without any, the window opens."""
    multiprocessing.freeze_support()
    words = sys.argv[1:]
    # Children are started by `sys.executable -m MODULE` everywhere, and here `sys.executable` is this program.
    if len(words) > 1 and words[0] == "-m" and words[1].partition(".")[0] in OWN:
        sys.argv = sys.argv[2:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        return 0
    if words[:1] not in (["self-test"], ["--self-test"]) and (cut := _cut_off()):
        sys.stderr.write(
            f"Understudy cannot start: {', '.join(cut)} {'is' if len(cut) == 1 else 'are'} damaged or missing.\n"
            "  Likely cause: Not everything was unpacked, or the disk was full.\n"
            "  What to do: Unpack or install Understudy again.\n"
        )
        return 1
    from app.__main__ import main as run_command_line

    return run_command_line(words or ["run"])


def _cut_off() -> list[str]:
    folder = ASSETS.parent
    try:
        return cut_off(folder, read_manifest(folder))
    except (OSError, ValueError):  # the self-test says it; the program does without
        return []


if __name__ == "__main__":
    from app.__main__ import run_and_end

    run_and_end(main)
