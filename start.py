#!/usr/bin/env python3
"""From a fresh clone to the running program in one command. Needs Python 3.11 to 3.13 with pip and venv, nothing else.

python3 start.py [SOURCE] [OPTIONS]    set up what is missing, then open the window: `understudy run`
python3 start.py --headless [...]      the same without a window: a clip, a picture and a summary in the folder output
python3 start.py test [PYTEST ...]     set up for development as well, then run every check and every test

SOURCE and OPTIONS are those of `understudy run`; see `.venv/bin/understudy run --help`.
All that is installed goes to the folder .venv beside this file; delete it to start afresh.
"""
# Python 3.6 must be able to read this file, if only to say that it is too old: no newer syntax, no newer modules on top.

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, Optional

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)
INSTALL_TIMEOUT = 3600  # seconds; the trainer's packages are some GB where torch comes with CUDA
HEADLESS_FRAMES = 300
# Options of `understudy run` that are followed by a value, which is therefore no SOURCE.
VALUE_OPTIONS = ("--model", "--frames", "--record", "--picture", "--screenshot", "--json")

# What Qt's wheel expects of the system: library, and the package of Debian and Ubuntu that has it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
FONT_PACKAGE = "fonts-dejavu-core"

# Words in the output of pip, venv or apt, and what they mean. The first that occurs counts.
FAILURES = (
    ("No space left", "The disk is full. Free 1 GB for the application or 4 GB for the tests, then start again."),
    ("ensurepip", "Python's venv module is incomplete. On Debian and Ubuntu: apt-get install python3-venv"),
    ("No module named venv", "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"),
    ("Permission denied", "This folder forbids writing. Start from a folder that is yours."),
    ("connection broken", "The package index cannot be reached. Check the network and the proxy, then start again."),
    ("Connection to", "The package index cannot be reached. Check the network and the proxy, then start again."),
    ("Temporary failure resolving", "The package servers cannot be reached. Check the network, then start again."),
)


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


class Stage(NamedTuple):
    """A part of the set-up.

    Attributes:
        name: names its stamp, the file that says it is done.
        title: what is installed.
        installs: arguments of `pip install`, one call after the other.
    """

    name: str
    title: str
    installs: "tuple[tuple[str, ...], ...]"


APPLICATION = Stage("application", "the application (about a minute)", (("--editable", "."),))
DEVELOPMENT = Stage(
    "development",
    "what the trainer and the tests need (some minutes)",
    # torch comes first and alone: in one call with the others its place may be taken by a newer build for CUDA.
    (("torch",), ("--editable", ".[dev,trainer]"), ("--no-deps", "--requirement", "packaging/no-deps.txt")),
)


def main(arguments: "list[str]") -> int:
    """Set up what is missing, then run the application or the tests; return the exit code."""
    try:
        check_python(sys.version_info[:2])
        if arguments[:1] in (["-h"], ["--help"]):
            say(__doc__.strip())
            return 0
        if arguments[:1] == ["test"]:
            set_up([APPLICATION, DEVELOPMENT], needs_qt=True)
            return run_tests(arguments[1:])
        headless = "--headless" in arguments
        if not headless and not has_display(sys.platform, os.environ):
            say("There is no display here, so Understudy runs without a window. (--headless asks for that.)")
            headless = True
        set_up([APPLICATION], needs_qt=not headless)
        return run_application(headless_arguments(arguments, ROOT / "output") if headless else arguments)
    except SetupError as error:
        say(str(error), error=True)
    except OSError as error:
        say("The set-up failed: {}. Check the disk and the permissions, then start again.".format(error), error=True)
    except KeyboardInterrupt:
        say("\nInterrupted. The next start goes on from here.", error=True)
        return 130
    return 1


def check_python(version: "tuple[int, int]") -> None:
    """Refuse a Python that the packages do not exist for.

    Raises:
        SetupError: it is too old or too new.
    """
    if OLDEST <= version <= NEWEST:
        return
    names = ["python3.{}".format(minor) for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    other = next((name for name in names if shutil.which(name)), None)
    raise SetupError(
        "Understudy needs Python 3.{} to 3.{}, and this is Python {}.{}. ".format(OLDEST[1], NEWEST[1], *version)
        + ("Start it with: {} start.py".format(other) if other else "Install one of these and start it with that.")
    )


def has_display(platform: str, environment: "os._Environ[str] | dict[str, str]") -> bool:
    """Tell whether a window can be shown."""
    if not platform.startswith("linux"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def headless_arguments(arguments: "list[str]", folder: Path) -> "list[str]":
    """Return the arguments for a run without a window: those given, and before them what they may leave open."""
    defaults = [
        "--headless",
        *("--frames", str(HEADLESS_FRAMES)),
        *("--record", str(folder / "clip.mp4")),
        *("--picture", str(folder / "picture.png")),
        *("--json", str(folder / "summary.json")),
    ]
    given = [argument for argument in arguments if argument != "--headless"]
    return defaults + given + ([] if names_source(given) else ["sample"])


def names_source(arguments: "list[str]") -> bool:
    """Tell whether one of the arguments is a SOURCE."""
    values = (before in VALUE_OPTIONS for before in [""] + arguments)
    return any(not is_value and not argument.startswith("-") for is_value, argument in zip(values, arguments))


def set_up(stages: "list[Stage]", needs_qt: bool) -> None:
    """Bring the environment to where all of `stages` are done; does nothing where they are."""
    environment = Environment(ROOT)
    if not all(environment.is_done(stage) for stage in stages):
        # Without any stamp until the last call of pip is through, an interrupted set-up is taken up at the next start.
        environment.forget_stages()
        environment.make()
        for stage in stages:
            with progress("Installing " + stage.title):
                for install in stage.installs:
                    environment.install(install)
        for stage in stages:
            environment.note_done(stage)
    if needs_qt and sys.platform.startswith("linux"):
        provide_system_packages(missing_system_packages())


class Environment:
    """The virtual environment `.venv` of the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.scripts = self.folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")

    def is_done(self, stage: Stage) -> bool:
        """Tell whether `stage` was installed from the requirements as they are now, for this place and Python."""
        stamp = self._stamp(stage)
        return self.python.exists() and stamp.is_file() and stamp.read_text() == self._fingerprint()

    def note_done(self, stage: Stage) -> None:
        """Write the stamp of `stage`."""
        self._stamp(stage).write_text(self._fingerprint())

    def forget_stages(self) -> None:
        """Remove the stamps of all stages."""
        for stamp in self.folder.glob("*.stamp"):
            stamp.unlink()

    def _stamp(self, stage: Stage) -> Path:
        return self.folder / (stage.name + ".stamp")

    def _fingerprint(self) -> str:
        """Hash what the content of the environment depends on; its scripts hold the path of the folder."""
        digest = hashlib.sha256(str(self.root).encode())
        for name in ("pyproject.toml", "packaging/constraints.txt", "packaging/no-deps.txt", ".venv/pyvenv.cfg"):
            digest.update((self.root / name).read_bytes())
        return digest.hexdigest()

    def make(self) -> None:
        """Make the environment, unless there is one that works."""
        if self._works():
            return
        with progress("Making the environment .venv for Python {}.{}".format(*sys.version_info[:2])):
            call([sys.executable, "-m", "venv", "--clear", str(self.folder)], self.root)

    def _works(self) -> bool:
        probe = "import sys, pip; sys.exit(not {} <= sys.version_info[:2] <= {})".format(OLDEST, NEWEST)
        try:
            return subprocess.run([str(self.python), "-c", probe], capture_output=True, timeout=60).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def install(self, arguments: "tuple[str, ...]") -> None:
        """Install by pip, with the versions in packaging/constraints.txt."""
        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        call([*pip, "--constraint", "packaging/constraints.txt", *arguments], self.root)


def missing_system_packages() -> "list[str]":
    """Return the Debian packages of the libraries and fonts that Qt needs and that are not here."""
    packages = {package for library, package in QT_LIBRARIES.items() if not loads(library)}
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    if not any(True for folder in folders for _ in folder.glob("**/*.[ot]tf")):
        packages.add(FONT_PACKAGE)
    return sorted(packages)


def loads(library: str) -> bool:
    """Tell whether the system has a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def provide_system_packages(packages: "list[str]") -> None:
    """Install Debian packages where that is possible, else print the line that does it."""
    if not packages:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        say("The window needs what Debian calls {}: install these first.".format(" ".join(packages)), error=True)
    elif os.geteuid() != 0:
        say("The window needs system libraries that are missing here. This installs them:", error=True)
        say("  sudo apt-get update && sudo " + " ".join(install), error=True)
    else:
        with progress("Installing {} system packages for the window".format(len(packages))):
            call(["apt-get", "update"], ROOT)
            call(install, ROOT)


class progress:  # noqa: N801 -- reads as a function
    """Say what is being done, and in the end how long it took."""

    def __init__(self, text: str) -> None:
        self.text, self.begun = text, time.monotonic()

    def __enter__(self) -> None:
        say(self.text + " ...")

    def __exit__(self, kind: Optional[type], *_: object) -> None:
        if kind is None:
            say("  done in {:.0f} s".format(time.monotonic() - self.begun))


def call(command: "list[str]", folder: Path) -> None:
    """Run a command of the set-up without showing its output.

    Raises:
        SetupError: it failed.
    """
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive", PYTHONIOENCODING="utf-8")
    try:
        done = subprocess.run(
            command, cwd=str(folder), env=quiet, timeout=INSTALL_TIMEOUT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SetupError("The network is too slow: an installation took over an hour. Start again to go on.") from None
    if done.returncode != 0:
        raise SetupError(explain(done.stdout))


def explain(output: str) -> str:
    """Return a sentence on why a command of the set-up failed."""
    for words, sentence in FAILURES:
        if words in output:
            return sentence
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no reason given"]
    errors = [line for line in lines if line.lower().startswith(("error", "e:"))] or lines
    return "The set-up failed ({}). Delete the folder .venv and start again.".format(errors[-1])


def run_application(arguments: "list[str]") -> int:
    """Run `understudy run` until it ends; return its exit code."""
    script = Environment(ROOT).scripts / ("understudy.exe" if os.name == "nt" else "understudy")
    application = subprocess.Popen([str(script), "run", *arguments])
    # A Ctrl-C reaches the application too, which then ends in its own time; to be terminated is passed on to it.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: application.terminate())
    code = application.wait()
    if code == -signal.SIGABRT:
        say("The window could not be opened. This runs without one: python3 start.py --headless", error=True)
    return code if code >= 0 else 128 - code


def run_tests(arguments: "list[str]") -> int:
    """Run the linter, the type checker, the import walls and the tests; return 0 where all of them pass."""
    checks = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy"],
        "import walls": ["-c", "from importlinter.cli import lint_imports_command as main; main()"],
        "pytest": ["-m", "pytest", *arguments],
    }
    offscreen = dict(os.environ, QT_QPA_PLATFORM="offscreen")
    python, codes = str(Environment(ROOT).python), {}
    for name, command in checks.items():
        say("\n== {}".format(name))
        codes[name] = subprocess.run([python, *command], cwd=str(ROOT), env=offscreen, timeout=INSTALL_TIMEOUT).returncode
    say("\n== summary")
    for name, code in codes.items():
        say("{:<14}{}".format(name, "passed" if code == 0 else "FAILED"))
    return next((code for code in codes.values() if code), 0)


def say(text: str, error: bool = False) -> None:
    """Write a line to the terminal."""
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
