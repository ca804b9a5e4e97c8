#!/usr/bin/env python3
"""From a fresh clone to the running program in one command. Needs Python 3.11 to 3.13 with pip and venv, nothing else.

python3 start.py [SOURCE] [OPTIONS]    set up what is missing, then open the window: `understudy run`
python3 start.py --headless [...]      the same without a window: writes the files that OPTIONS name, or else a clip, a
                                       picture and a summary in the folder output
python3 start.py test [PYTEST ...]     set up for development as well, then run every check and every test
python3 start.py setup                 set up for development and run nothing

SOURCE and OPTIONS are those of `understudy run`; see `.venv/bin/understudy run --help`.
All that is installed goes to the folder .venv beside this file; delete it to start afresh.
"""
# Even Python 3.6 must be able to read this file, if only to say that it is too old: no newer syntax or imports.

import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)
TIMEOUT = 3600  # seconds for one installation or check; torch comes with GBs of CUDA in places
HEADLESS_FRAMES = 300
# The options of `understudy run` that are followed by a value, which is therefore no SOURCE.
VALUE_OPTIONS = (
    "--model", "--detector", "--max-faces", "--frames", "--record", "--picture", "--screenshot", "--stream", "--json",
    "--rotate", "--camera-format", "--models", "--report",
)  # fmt: skip

# Where Linux keeps fonts, without which Qt writes boxes. What else it needs stands in packaging/qt-libraries.txt.
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
FONT_PACKAGE = "fonts-dejavu-core"

# Words in the output of pip, venv or apt-get, and what they mean. The first that occurs counts.
OFFLINE = "The servers with the packages cannot be reached. Check the network and the proxy, then start again."
FAILURES = {
    "No space left": "The disk is full. Free 1 GB for the application, or 4 GB for the tests, then start again.",
    "ensurepip": "Python's venv module is incomplete. On Debian and Ubuntu: apt-get install python3-venv",
    "No module named venv": "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv",
    "Permission denied": "This folder forbids writing. Give yourself the right to, or clone into a folder of yours.",
    # Before the next ones: nothing is found where nothing is reached.
    "connection broken": OFFLINE,
    "Temporary failure resolving": OFFLINE,
    "found for ai-edge-litert": "LiteRT, which runs the models, is not made for this system: see docs/platforms.md.",
    "found for litert-converter": "The trainer cannot be installed on this system: see docs/platforms.md.",
}


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


class SetUp(NamedTuple):
    """What to install: a name, a title, and the arguments of `pip install`, one tuple per call."""

    name: str
    title: str
    installs: "tuple[tuple[str, ...], ...]"


APPLICATION = SetUp("application", "the application (about a minute)", (("--editable", "."),))
DEVELOPMENT = SetUp(
    "development",
    "the application and what the trainer and the tests need (some minutes)",
    (("--editable", ".[dev,trainer]"), ("--no-deps", "--requirement", "packaging/no-deps.txt")),
)


def main(arguments: "list[str]") -> int:
    """Set up what is missing, then run the application or the tests; return the exit code."""
    try:
        check_python(sys.version_info[:2])
        if arguments[:1] in (["-h"], ["--help"]):
            say(str(__doc__).strip())
            return 0
        if arguments[:1] in (["setup"], ["test"]):
            set_up(DEVELOPMENT, needs_qt=True)
            return run_checks(arguments[1:]) if arguments[0] == "test" else 0
        headless = "--headless" in arguments
        if not headless and not has_display(sys.platform, os.environ):
            say("There is no display here, so Understudy runs without a window. (--headless asks for that.)")
            headless = True
        set_up(APPLICATION, needs_qt=not headless)
        if headless:
            (ROOT / "output").mkdir(exist_ok=True)
            arguments = headless_arguments(arguments, ROOT / "output")
        return run_application(arguments)
    except SetupError as error:
        say(str(error), error=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"Failed: {error}. Check the disk and the permissions, then start again.", error=True)
    except KeyboardInterrupt:
        say("\nInterrupted. The next start goes on from here.", error=True)
        return 130
    return 1


def check_python(version: "tuple[int, int]") -> None:
    """Raise SetupError for a Python that is too old or too new for the packages."""
    if OLDEST <= version <= NEWEST:
        return
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    other = next((name for name in names if shutil.which(name)), None)
    advice = f"Start it with: {other} start.py" if other else "Install one of these and start it with that."
    needed, present = f"Python 3.{OLDEST[1]} to 3.{NEWEST[1]}", f"Python {version[0]}.{version[1]}"
    raise SetupError(f"Understudy needs {needed}, and this is {present}. {advice}")


def has_display(platform: str, environment: "Mapping[str, str]") -> bool:
    """Return whether a window can be shown."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not platform.startswith("linux") or any(environment.get(name) for name in names)


def headless_arguments(arguments: "list[str]", folder: Path) -> "list[str]":
    """Return the arguments of a run without a window: those given, and before them what they may leave open."""
    defaults = ["--headless", "--frames", str(HEADLESS_FRAMES)]
    given = [argument for argument in arguments if argument != "--headless"]
    named = [argument.partition("=")[0] for argument in " ".join(given).replace("--json -", "").split()]
    if not {"--record", "--picture", "--json", "--report"} & set(named):
        for option, name in (("--record", "clip.mp4"), ("--picture", "picture.png"), ("--json", "summary.json")):
            defaults += [option, str(folder / name)]
        # This is for the files of the last time. It would replace a user's own too, so none of these go beside them.
        defaults.append("--overwrite")
    return [*defaults, *given] if names_source(given) else [*defaults, *given, "sample"]


def names_source(arguments: "list[str]") -> bool:
    """Return whether one of the arguments is a SOURCE."""
    is_value = False
    for argument in arguments:
        if not is_value and not argument.startswith("-"):
            return True
        is_value = argument in VALUE_OPTIONS
    return False


def set_up(wanted: SetUp, needs_qt: bool) -> None:
    """Install what is wanted, unless it is there."""
    environment = Environment(ROOT)
    if not environment.has(wanted):
        environment.stamp.unlink(missing_ok=True)  # an interrupted set-up leaves none, and the next start mends it
        environment.make()
        with progress(f"Installing {wanted.title}"):
            for arguments in wanted.installs:
                environment.install(arguments)
        environment.stamp.write_text(environment.stamp_of(wanted))
    if needs_qt and sys.platform.startswith("linux"):
        provide_system_packages(missing_system_packages())


class Environment:
    """The virtual environment `.venv` in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / ".venv"
        self.python, self.understudy = self._script("python"), self._script("understudy")
        self.stamp = self.folder / "understudy.stamp"

    def _script(self, name: str) -> Path:
        return self.folder / "Scripts" / f"{name}.exe" if os.name == "nt" else self.folder / "bin" / name

    def has(self, wanted: SetUp) -> bool:
        """Return whether `wanted` was installed here, with this Python, from the present requirements."""
        if not all(file.exists() for file in (self.python, self.folder / "pyvenv.cfg", self.stamp)):
            return False
        return self.stamp.read_text() in (self.stamp_of(wanted), self.stamp_of(DEVELOPMENT))

    def stamp_of(self, installed: SetUp) -> str:
        """Return what the stamp file says when all of `installed` is there: a hash of what that hangs on."""
        digest = hashlib.sha256(str(self.root).encode())  # which the scripts in the environment hold
        for name in ("pyproject.toml", "packaging/constraints.txt", "packaging/no-deps.txt", ".venv/pyvenv.cfg"):
            digest.update((self.root / name).read_bytes())
        return f"{installed.name} {digest.hexdigest()}"

    def make(self) -> None:
        """Make the environment, unless there is one that works."""
        probe = f"import sys, pip; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
        try:
            call([str(self.python), "-c", probe])
        except (OSError, SetupError):
            with progress("Making the environment .venv"):
                call([sys.executable, "-m", "venv", "--clear", str(self.folder)])

    def install(self, arguments: "tuple[str, ...]") -> None:
        """Install by pip, in the versions of packaging/constraints.txt."""
        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        call([*pip, "--constraint", "packaging/constraints.txt", *arguments])


def missing_system_packages() -> "list[str]":
    """Return the Debian packages of the libraries and fonts that Qt needs and that are not here."""
    lines = (ROOT / "packaging" / "qt-libraries.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#")]
    packages = {package for library, package in pairs if not loads(library)}
    fonts = (font for folder in FONT_FOLDERS for font in Path(folder).expanduser().glob("**/*.?tf"))
    return sorted(packages if next(fonts, None) else {*packages, FONT_PACKAGE})


def loads(library: str) -> bool:
    """Return whether the system has a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def provide_system_packages(packages: "list[str]") -> None:
    """Install Debian packages where that is possible, else say what to install."""
    if not packages:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        say(f"The window needs libraries that are missing here; in Debian's names: {' '.join(packages)}", error=True)
    elif os.geteuid() != 0:
        say("The window needs libraries that are missing here. This line installs them:", error=True)
        say(f"  sudo {' '.join(install)}", error=True)
    else:
        with progress(f"Installing {len(packages)} system packages for the window"):
            call(["apt-get", "update"])
            call(install)


def call(command: "list[str]") -> None:
    """Run a command of the set-up without showing its output; raise SetupError where it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, check=False, cwd=ROOT, env=environment, timeout=TIMEOUT, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
    )  # fmt: skip
    if done.returncode != 0:
        raise SetupError(explain(done.stdout))


def explain(output: str) -> str:
    """Return a sentence on why a command of the set-up failed."""
    for words, sentence in FAILURES.items():
        if words in output:
            return sentence
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no reason given"]
    errors = [line for line in lines if line.lower().startswith(("error", "e:"))] or lines
    return f"The set-up failed: {errors[-1]}. Delete the folder .venv and start again."


def run_application(arguments: "list[str]") -> int:
    """Run `understudy run` until it ends and return its exit code."""
    early: "list[int]" = []
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the application as well, which ends in its own time
    names = ("SIGTERM", "SIGHUP")
    ends = [getattr(signal, name) for name in names if hasattr(signal, name)]
    ends = [end for end in ends if signal.getsignal(end) != signal.SIG_IGN]  # as under nohup
    for end in ends:
        signal.signal(end, lambda number, _: early.append(number))
    application = subprocess.Popen([str(Environment(ROOT).understudy), "run", *arguments])
    for end in ends:
        signal.signal(end, lambda number, _: application.send_signal(number))
    for number in early:
        application.send_signal(number)
    code = application.wait()
    if code == -signal.SIGABRT:
        say("The window could not be opened. To run without one: python3 start.py --headless", error=True)
    return code if code >= 0 else 128 - code  # as a shell would have it


def run_checks(arguments: "list[str]") -> int:
    """Run the linter, the type checker, the import walls and the tests; return 0 where all of them pass."""
    return subprocess.call([str(Environment(ROOT).python), "-m", "tests.checks", *arguments], cwd=str(ROOT))


@contextlib.contextmanager
def progress(text: str) -> "Iterator[None]":
    """Say what is being done and, in the end, how long it took."""
    begun = time.monotonic()
    say(f"{text} ...")
    yield
    say(f"  done in {time.monotonic() - begun:.0f} s")


def say(text: str, error: bool = False) -> None:
    """Write a line to the terminal."""
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
