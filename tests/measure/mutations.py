"""Changed inputs for every reader: `python -m tests.measure.mutations --count 3000 --seed 0`.

Each goes to the verb or the reader that a user would give it to, many in one child process. It must end with what it
can do or with a sentence: no traceback, no crash, no wait over 5 s, less than 1 GB of memory. The exit code is 1 where
one did not. `--kinds "model,card"` takes these kinds alone, `--keep DIR` keeps what failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.fakes.mutations import KINDS, Mutations

LONGEST_WAIT = 5.0  # seconds, without those for which other programs had the processor
HANGS = 20.0  # seconds after which the child is ended
MOST_MEMORY = 1000.0  # MB
MOST_ADDRESSES = 8 << 30  # bytes; PyTorch alone takes some of these, and whatever wants more is at fault


# In the child


def _verb(*words: str) -> Callable[[Path], int]:
    """Return what gives an input to the command line; words in capitals stand for places."""

    def use(path: Path) -> int:
        from app.cli.main import main

        places = {
            "FILE": str(path),
            "FOLDER": str(path.parent),
            "PACK": str(path.parent / "p"),
            "OTHER": str(path.parent.parent / "b"),
        }
        beside = next((str(other) for other in path.parent.glob(f"{path.stem}.*") if other != path), "")
        filled = [{**places, "BESIDE": beside}.get(word, word) for word in words]
        try:
            return main(filled)
        except SystemExit as exit_:
            return exit_.code if isinstance(exit_.code, int) else 2

    return use


def _settings(path: Path) -> int:
    from app.settings.file import read_settings, settings_text

    stored = read_settings(path)
    if stored.problem is not None:
        sys.stderr.write(str(stored.problem))
    settings_text(stored.settings, stored.unknown)
    return int(stored.problem is not None)


def _checkpoint(path: Path) -> int:
    from engine.core.errors import UnderstudyError
    from trainer.init.initialise import load_network

    try:
        load_network(path)
    except UnderstudyError as error:
        sys.stderr.write(str(error))
        return 1
    return 0


def _run(path: Path) -> int:
    from engine.core.errors import UnderstudyError
    from trainer.run_folder import read_run

    try:
        read_run(path.parent)
    except UnderstudyError as error:
        sys.stderr.write(str(error))
        return 1
    return 0


RUN = ("run", "FILE", "--headless", "--frames", "4", "--model", "student-68-lite")
SCORE = ("evaluate", "--data", "PACK", "--predictions", "FILE")
USES: dict[str, Callable[[Path], int]] = {
    "model": _verb("run", "sample", "--headless", "--frames", "2", "--model", "FILE"),
    "card": _verb("run", "sample", "--headless", "--frames", "2", "--model", "BESIDE"),
    "settings": _settings,
    "filter": _verb("filter", "check", "FOLDER"),
    "filter image": _verb("filter", "check", "FOLDER"),
    "pack": _verb("evaluate", "--data", "FOLDER", "--model", "student-68-lite"),
    "predictions.npz": _verb(*SCORE),
    "predictions.jsonl": _verb(*SCORE),
    "predictions.csv": _verb(*SCORE),
    "points": _verb("run", "BESIDE", "--headless", "--model", "student-68-lite"),
    "truth of a clip": _verb("run", "BESIDE", "--headless", "--model", "student-68-lite"),
    "checkpoint": _checkpoint,
    "run": _run,
    "filter points": _verb("filter", "check", "FOLDER"),
    "evaluation": _verb("compare", "FOLDER", "OTHER"),
    "video.mp4": _verb(*RUN),
    "video.avi": _verb(*RUN),
    "picture.png": _verb(*RUN),
    "picture.jpg": _verb(*RUN),
    "picture.webp": _verb(*RUN),
    "picture.tif": _verb(*RUN),
    "picture.bmp": _verb(*RUN),
}


def child() -> None:
    """Use the inputs that are named on stdin, one a line, and say what became of each."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what native code prints is no answer
    for module in ("app.cli.main", "app.cli.run", "app.settings.file", "trainer.init.initialise"):
        import_module(module)  # what takes long the first time is no fault of an input
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        kind, path = json.loads(line)
        answers.write(json.dumps(_tried(kind, Path(path))) + "\n")
        answers.flush()


def _tried(kind: str, path: Path) -> dict[str, object]:
    logging.getLogger().handlers.clear()  # they would write to the stream of the input before
    said, code, trace = io.StringIO(), 0, ""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak of memory is that of now
    start = _moment()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = USES[kind](path)
        except BaseException:  # noqa: BLE001 - whatever it is, it is what we look for
            trace = traceback.format_exc()
    took, waited, used, idle = (now - then for now, then in zip(_moment(), start, strict=True))
    # Nor those for which a process that was asked for help was ready: then no core was idle.
    seconds = min(took - waited, used + idle)
    words = said.getvalue()
    if not trace and "Traceback (most recent" in words:
        trace = words[words.index("Traceback (most recent") :]
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1e3
    return {"code": code, "words": words[-600:], "trace": trace[-3000:], "seconds": seconds, "memory": peak}


def _moment() -> tuple[float, float, float, float]:
    """Return in seconds: the time; for how long this thread was ready but other programs had the processor; what it
    and the processes that it asked for help have computed; and how long each core was idle."""
    waited = int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    used = sum(sum(resource.getrusage(whose)[:2]) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    ticks = Path("/proc/stat").read_text(encoding="ascii").split()[4:6]
    idle = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") / (os.cpu_count() or 1)
    return time.monotonic(), waited, used, idle


# In the parent


@dataclass(frozen=True)
class Failure:
    """What must not happen."""

    number: int
    kind: str
    change: str
    what: str
    detail: str

    def line(self) -> str:
        """Return it in a line."""
        return f"{self.number:5}  {self.kind}, {self.change}: {self.what}. {self.detail}"


class Child:
    """A process that uses inputs; another takes its place when it dies or hangs."""

    def __init__(self, command: Sequence[str] = (sys.executable, "-m", "tests.measure.mutations", "--child")) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - as long as we

    def use(self, kind: str, path: Path) -> dict[str, object]:
        """Return what became of an input; `died` or `hangs` where the process did not answer."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([kind, str(path)]) + "\n")
        process.stdin.flush()
        watch = threading.Timer(HANGS, process.kill)
        watch.start()
        answer = process.stdout.readline()
        hung = not watch.is_alive()
        watch.cancel()
        if answer:
            return json.loads(answer)
        code = process.wait()
        self._process = None
        return {"hangs": True} if hung else {"died": code}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()
        self._errors.close()

    def _start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONFAULTHANDLER": "1"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=self._errors, text=True, env=environment
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it is ready
        return self._process


def judged(answer: dict[str, object]) -> tuple[str, str] | None:
    """Return what went wrong with an input, and the detail; None where it ended as it has to."""
    if "hangs" in answer or "died" in answer:
        return ("it hangs", "") if "hangs" in answer else (f"the process died with {answer['died']}", "")
    trace = str(answer["trace"]).strip().splitlines()
    if trace:
        places = [line.strip() for line in trace if line.strip().startswith("File ")]
        return "a traceback", f"{trace[-1][:160]} ({places[-1][:120] if places else ''})"
    if float(str(answer["seconds"])) > LONGEST_WAIT:
        return "it took too long", f"{answer['seconds']:.1f} s"
    if float(str(answer["memory"])) > MOST_MEMORY:
        return "it took too much memory", f"{answer['memory']:.0f} MB"
    if answer["code"] and not answer["words"]:
        return "it failed without a sentence", ""
    return None


def run(count: int, seed: int, kinds: Sequence[str] = tuple(KINDS), keep: Path | None = None) -> list[Failure]:
    """Make and use so many inputs; return what failed, and keep these."""
    failures, user = [], Child()
    with tempfile.TemporaryDirectory() as folder:
        mutations = Mutations(Path(folder), seed, tuple(kinds))
        for number in range(count):
            kind, change, path = mutations.make(number)
            wrong = judged(user.use(kind, path))
            if wrong is None:
                continue
            failures.append(Failure(number, kind, change, *wrong))
            sys.stderr.write(failures[-1].line() + "\n")
            if keep is not None:
                shutil.copytree(path.parents[0], keep / f"{number}", symlinks=True, ignore=_special)
        user.close()
    return failures


def _special(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]


def main() -> int:
    """Make, use and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS), help="of input, with commas between them")
    parser.add_argument("--keep", type=Path, help="folder for the inputs that failed")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child()
        return 0
    failures = run(options.count, options.seed, options.kinds.split(","), options.keep)
    for (kind, what), number in sorted(Counter((each.kind, each.what) for each in failures).items()):
        sys.stdout.write(f"{number:5}  {kind}: {what}\n")
    sys.stdout.write(f"{len(failures)} of {options.count} inputs failed\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
