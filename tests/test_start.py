"""The set-up: what it decides, what it skips, how it fails and how it goes on."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import start
from app.cli.main import build_parser

SOURCE = Path(start.__file__).read_text(encoding="utf-8")
posix_only = pytest.mark.skipif(os.name == "nt", reason="uses a shell script and signals of POSIX")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in a folder with a space and a non-ASCII letter, that start.py takes for its own."""
    folder = tmp_path / "under study é"
    (folder / "packaging").mkdir(parents=True)
    for name in ("pyproject.toml", "packaging/constraints.txt", "packaging/no-deps.txt"):
        (folder / name).write_text(name)
    monkeypatch.setattr(start, "ROOT", folder)
    return folder


class PipLog:
    """Stands in for venv and pip: notes the calls, and fails at the call number `fails_at`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.fails_at = 0

    def make(self, environment: start.Environment) -> None:
        environment.python.parent.mkdir(parents=True, exist_ok=True)
        environment.python.touch()
        (environment.folder / "pyvenv.cfg").write_text("version = 3.11.7")

    def install(self, environment: start.Environment, arguments: tuple[str, ...]) -> None:
        self.calls.append(arguments)
        if len(self.calls) == self.fails_at:
            raise KeyboardInterrupt


@pytest.fixture
def pip(root: Path, monkeypatch: pytest.MonkeyPatch) -> PipLog:
    log = PipLog()
    monkeypatch.setattr(start.Environment, "make", lambda self: log.make(self))
    monkeypatch.setattr(start.Environment, "install", lambda self, arguments: log.install(self, arguments))
    return log


# Python


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_supported_python_is_accepted(version: tuple[int, int]) -> None:
    start.check_python(version)


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10), (3, 14)])
def test_other_python_is_refused_in_a_sentence(version: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(start.SetupError, match=rf"needs Python 3\.11 to 3\.13, and this is Python {version[0]}\."):
        start.check_python(version)


def test_refusal_names_a_python_that_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "python3.12" else None)
    with pytest.raises(start.SetupError, match=r"Start it with: python3\.12 start\.py"):
        start.check_python((3, 9))


def test_an_old_python_can_read_the_file() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 6))
    annotations = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg | ast.AnnAssign)]
    annotations += [node.returns for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    evaluated_early = [ast.unparse(node) for node in annotations if isinstance(node, ast.Subscript | ast.BinOp)]
    assert evaluated_early == []  # quoted, they are strings
    modules = {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert modules <= {
        *("contextlib", "ctypes", "hashlib", "os", "shutil", "signal", "subprocess", "sys", "time"),
        *("collections.abc", "pathlib", "typing"),
    }


# Window or not


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"QT_QPA_PLATFORM": "offscreen"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_display_is_found(platform: str, environment: dict[str, str], expected: bool) -> None:
    assert start.has_display(platform, environment) is expected


def test_value_options_are_those_of_the_command_line() -> None:
    run = build_parser()._subparsers._group_actions[0].choices["run"]
    with_value = {name for action in run._actions if action.nargs != 0 for name in action.option_strings}
    assert set(start.VALUE_OPTIONS) == with_value


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], False),
        (["--model", "student-68"], False),
        (["--model=student-68", "--frames", "5"], False),
        (["clip.mp4"], True),
        (["--frames", "5", "clip.mp4"], True),
    ],
)
def test_source_is_distinguished_from_values(arguments: list[str], expected: bool) -> None:
    assert start.names_source(arguments) is expected


def test_headless_run_takes_the_sample_and_leaves_files(tmp_path: Path) -> None:
    options = build_parser().parse_args(["run", *start.headless_arguments(["--headless"], tmp_path)])
    assert (options.source, options.headless, options.frames) == ("sample", True, start.HEADLESS_FRAMES)
    files = [options.record, options.picture, options.json]
    assert files == [str(tmp_path / name) for name in ("clip.mp4", "picture.png", "summary.json")]


def test_given_arguments_win_over_those_of_the_headless_run(tmp_path: Path) -> None:
    given = ["my clip.mp4", "--headless", "--frames", "5", "--json", "-"]
    options = build_parser().parse_args(["run", *start.headless_arguments(given, tmp_path)])
    assert (options.source, options.frames, options.json) == ("my clip.mp4", 5, "-")
    assert options.record == str(tmp_path / "clip.mp4")


@pytest.mark.parametrize("option", ["--record", "--picture", "--json", "--report"])
def test_a_headless_run_replaces_its_own_files_and_writes_those_of_the_user_alone(option: str, tmp_path: Path) -> None:
    def run(*given: str) -> tuple[dict[str, object], bool]:
        options = build_parser().parse_args(["run", *start.headless_arguments(["--headless", *given], tmp_path)])
        files = {name: getattr(options, name) for name in ("record", "picture", "json", "report")}
        return {name: file for name, file in files.items() if file is not None}, options.overwrite

    own, overwrites = run("sample")
    assert (set(own), overwrites) == ({"record", "picture", "json"}, True)
    assert run("sample", option, "mine") == run("sample", f"{option}=mine") == ({option[2:]: "mine"}, False)


@pytest.mark.parametrize(
    ("arguments", "display", "expected_first", "says_so"),
    [([], True, None, False), ([], False, "--headless", True), (["--headless"], True, "--headless", False)],
)
def test_main_opens_a_window_where_it_can(
    root: Path,
    arguments: list[str],
    display: bool,
    expected_first: str | None,
    says_so: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepared, started = [], []
    monkeypatch.setattr(start, "has_display", lambda *_: display)
    monkeypatch.setattr(start, "set_up", lambda wanted, needs_qt: prepared.append((wanted, needs_qt)))
    monkeypatch.setattr(start, "run_application", lambda arguments: started.append(arguments) or 0)
    assert start.main(arguments) == 0
    assert next(iter(started[0]), None) == expected_first
    assert prepared == [(start.APPLICATION, expected_first is None)]
    assert (root / "output").is_dir() is (expected_first is not None)
    assert ("no display" in capsys.readouterr().out) is says_so


# What is installed, and when


def test_setup_prepares_development_and_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[tuple[start.SetUp, bool]] = []
    monkeypatch.setattr(start, "set_up", lambda wanted, needs_qt: prepared.append((wanted, needs_qt)))
    monkeypatch.setattr(start, "run_checks", lambda arguments: pytest.fail("tests were run"))
    assert start.main(["setup"]) == 0
    assert prepared == [(start.DEVELOPMENT, True)]


def test_second_start_installs_nothing(pip: PipLog) -> None:
    start.set_up(start.APPLICATION, needs_qt=False)
    assert pip.calls == [("--editable", ".")]
    start.set_up(start.APPLICATION, needs_qt=False)
    assert len(pip.calls) == 1


def test_development_includes_the_application_and_not_the_other_way_round(pip: PipLog) -> None:
    start.set_up(start.APPLICATION, needs_qt=False)
    start.set_up(start.DEVELOPMENT, needs_qt=False)
    assert pip.calls[1:] == list(start.DEVELOPMENT.installs)
    start.set_up(start.APPLICATION, needs_qt=False)
    assert len(pip.calls) == 3


@pytest.mark.parametrize(
    "changed", ["pyproject.toml", "packaging/constraints.txt", "packaging/no-deps.txt", ".venv/pyvenv.cfg"]
)
def test_changed_requirements_are_installed(pip: PipLog, root: Path, changed: str) -> None:
    start.set_up(start.APPLICATION, needs_qt=False)
    (root / changed).write_text("changed")
    start.set_up(start.APPLICATION, needs_qt=False)
    assert len(pip.calls) == 2


def test_moved_repository_is_installed_again(pip: PipLog, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start.set_up(start.APPLICATION, needs_qt=False)
    monkeypatch.setattr(start, "ROOT", root.rename(root.with_name("elsewhere")))
    start.set_up(start.APPLICATION, needs_qt=False)
    assert len(pip.calls) == 2


def test_lost_interpreter_is_installed_again(pip: PipLog, root: Path) -> None:
    start.set_up(start.APPLICATION, needs_qt=False)
    start.Environment(root).python.unlink()
    start.set_up(start.APPLICATION, needs_qt=False)
    assert len(pip.calls) == 2


@pytest.mark.parametrize("fails_at", [1, 2])
def test_interrupted_installation_is_mended_by_the_next_start(pip: PipLog, fails_at: int) -> None:
    pip.fails_at = fails_at
    with pytest.raises(KeyboardInterrupt):
        start.set_up(start.DEVELOPMENT, needs_qt=False)
    start.set_up(start.DEVELOPMENT, needs_qt=False)
    assert pip.calls[fails_at:] == list(start.DEVELOPMENT.installs)
    start.set_up(start.DEVELOPMENT, needs_qt=False)
    assert len(pip.calls) == fails_at + 2


def test_interrupted_update_leaves_no_stamp_of_the_old_state(pip: PipLog, root: Path) -> None:
    start.set_up(start.APPLICATION, needs_qt=False)
    before = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text("changed")
    pip.fails_at = 2
    with pytest.raises(KeyboardInterrupt):
        start.set_up(start.APPLICATION, needs_qt=False)
    (root / "pyproject.toml").write_text(before)
    start.set_up(start.APPLICATION, needs_qt=False)
    assert len(pip.calls) == 3


def test_working_environment_is_kept_and_a_broken_one_replaced(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = start.Environment(root)
    environment.folder.mkdir()
    (environment.folder / "rubbish").touch()
    environment.make()
    assert not (environment.folder / "rubbish").exists()
    assert "Making the environment" in capsys.readouterr().out
    kept = environment.folder / "kept"
    kept.touch()
    environment.make()
    assert kept.exists()
    assert capsys.readouterr().out == ""


# System libraries


def test_missing_libraries_are_named_by_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "some.ttf").touch()
    monkeypatch.setattr(start, "FONT_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(start, "loads", lambda library: library not in ("libEGL.so.1", "libxcb-cursor.so.0"))
    assert start.missing_system_packages() == ["libegl1", "libxcb-cursor0"]


def test_a_system_without_fonts_gets_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(start, "FONT_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(start, "loads", lambda library: True)
    assert start.missing_system_packages() == [start.FONT_PACKAGE]


def test_library_that_does_not_exist_does_not_load() -> None:
    assert not start.loads("libunderstudy-has-no-such-library.so.7")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of the set-up, which are not run."""
    log: list[list[str]] = []
    monkeypatch.setattr(start, "call", log.append)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return log


def test_root_installs_system_packages(calls: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    start.provide_system_packages(["libegl1"])
    assert calls[0] == ["apt-get", "update"]
    assert calls[1] == ["apt-get", "install", "--yes", "--no-install-recommends", "libegl1"]


def test_others_get_the_line_that_does_it(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    start.provide_system_packages(["libegl1", "libgl1"])
    assert calls == []
    expected = "sudo apt-get install --yes --no-install-recommends libegl1 libgl1"
    assert [line.strip() for line in capsys.readouterr().err.splitlines()][1:] == [expected]


def test_other_systems_get_the_names(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    start.provide_system_packages(["libegl1"])
    assert calls == []
    assert "in Debian's names: libegl1" in capsys.readouterr().err


def test_nothing_missing_means_nothing_done(calls: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    start.provide_system_packages([])
    assert calls == []
    assert capsys.readouterr() == ("", "")


# Failures


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for numpy==2.4.6",
            "cannot be reached",
        ),
        ("The virtual environment was not created because ensurepip is not available.", "python3-venv"),
        ("/usr/bin/python3: No module named venv", "python3-venv"),
        ("Error: [Errno 13] Permission denied: '.venv'", "forbids writing"),
        ("E: Temporary failure resolving 'deb.example'", "cannot be reached"),
        (
            "ERROR: No matching distribution found for ai-edge-litert<3,>=2.1",
            "LiteRT, which runs the models, is not made",
        ),
        ("ERROR: No matching distribution found for litert-converter==0.5.0", "The trainer cannot be installed"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
            "ERROR: No matching distribution found for ai-edge-litert<3,>=2.1",
            "cannot be reached",
        ),
    ],
)
def test_known_failures_are_explained(output: str, expected: str) -> None:
    assert expected in start.explain(output)


def test_unknown_failure_quotes_the_last_error() -> None:
    output = "ERROR: first\nERROR: Could not build wheels for x\n\nnote: something\n"
    assert "Could not build wheels for x" in start.explain(output)
    assert "no reason given" in start.explain("")


def test_failing_command_becomes_a_sentence(root: Path) -> None:
    with pytest.raises(start.SetupError, match="disk is full"):
        start.call([sys.executable, "-c", "import sys; sys.exit('[Errno 28] No space left on device: ä')"])


@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (start.SetupError("No network."), 1, "No network."),
        (PermissionError(13, "Permission denied", ".venv"), 1, "Permission denied"),
        (subprocess.TimeoutExpired("pip", 3600), 1, "timed out"),
        (KeyboardInterrupt(), 130, "The next start goes on"),
    ],
)
def test_main_ends_with_a_sentence_and_an_exit_code(
    failure: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(wanted: start.SetUp, needs_qt: bool) -> None:
        raise failure

    monkeypatch.setattr(start, "set_up", fail)
    assert start.main([]) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


# Running


@pytest.fixture
def signals_kept() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@posix_only
@pytest.mark.usefixtures("signals_kept")
@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ('[ "$1" = run ] && [ "$2" = "my clip.mp4" ] && exit 7', 7, ""),
        ("kill -ABRT $$", 134, "could not be opened"),
        ("kill -TERM $$", 143, ""),
    ],
)
def test_application_gives_its_exit_code(
    root: Path, script: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    understudy = start.Environment(root).understudy
    understudy.parent.mkdir(parents=True)
    understudy.write_text(f"#!/bin/sh\n{script}\n")
    understudy.chmod(0o755)
    assert start.run_application(["my clip.mp4"]) == code
    error = capsys.readouterr().err
    assert said in error
    assert bool(error) is bool(said)


@posix_only
@pytest.mark.usefixtures("signals_kept")
@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("name", ["TERM", "HUP"])
def test_being_terminated_is_passed_on_and_waited_for(
    root: Path, early: bool, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = getattr(signal, f"SIG{name}")
    signal.signal(number, signal.SIG_DFL)
    understudy = start.Environment(root).understudy
    understudy.parent.mkdir(parents=True)
    ready = root / "ready"
    understudy.write_text(
        f"#!/bin/sh\ntrap 'exit 5' {name}\ntouch '{ready}'\nfor i in $(seq 200); do sleep 0.05; done\nexit 6\n"
    )
    understudy.chmod(0o755)

    class Application(subprocess.Popen):
        """Has started when it is there, as under load; then the signal comes, before or after it is known."""

        def __init__(self, command: list[str]) -> None:
            super().__init__(command)
            while not ready.exists():
                time.sleep(0.01)
            if early:
                os.kill(os.getpid(), number)

        def wait(self, timeout: float | None = None) -> int:
            if not early:
                os.kill(os.getpid(), number)
            return super().wait(timeout)

    monkeypatch.setattr(subprocess, "Popen", Application)
    assert start.run_application([]) == 5


@posix_only
def test_checks_run_in_the_environment_and_give_their_exit_code(root: Path) -> None:
    python = start.Environment(root).python
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$PWD: $*" > ran\nexit 3\n')
    python.chmod(0o755)
    assert start.run_checks(["-k", "start"]) == 3
    assert (root / "ran").read_text() == f"{root}: -m tests.checks -k start\n"


def test_installation_uses_the_pinned_versions(calls: list[list[str]], root: Path) -> None:
    start.Environment(root).install(("--editable", "."))
    command = calls[0]
    assert command[command.index("--constraint") + 1] == "packaging/constraints.txt"
    assert command[-2:] == ["--editable", "."]
