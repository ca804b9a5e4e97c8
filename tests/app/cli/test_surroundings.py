"""The command line without a terminal, with a flooded one, and in other languages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import main
from engine.formats.images import write_picture
from engine.sources.sample import SampleClip
from tests.conftest import ROOT

HEADLESS = ("run", "sample", "--headless", "--frames", "2", "--json", "-")


def called(*before: str, words=HEADLESS, **how) -> subprocess.CompletedProcess:
    """Call the program in a process of its own, after some lines of Python."""
    lines = [*before, "import sys", "from app.cli.main import main", f"sys.exit(main({list(words)!r}))"]
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, timeout=100, **how)


@pytest.mark.parametrize(
    "before",
    [
        ["import sys", "sys.stderr = sys.__stderr__ = None"],  # as where a program has no terminal on Windows
        ["import os", "os.write(2, b'a warning of a library' * 50_000)"],
    ],
    ids=["none", "flooded"],
)
def test_fault_69_without_a_terminal_for_errors_or_with_a_flood_in_it_a_run_is_the_same(before, tmp_path):
    with (tmp_path / "errors").open("wb") as errors:
        done = called(*before, stdout=subprocess.PIPE, stderr=errors)
    assert done.returncode == 0
    assert json.loads(done.stdout)["frames"] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows closes no standard files")
def test_fault_69_no_file_takes_the_place_of_a_closed_terminal(tmp_path):
    """Native code writes its warnings to the file of that number: else into a recording, or into our own modules."""
    after = "import atexit, os; atexit.register(lambda: os.write(1, str(os.path.sameopenfile(2, 0)).encode()))"
    with Path(os.devnull).open("rb") as nothing:
        done = called(after, stdin=nothing, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(2))
    assert done.returncode == 0
    report = done.stdout.decode().removesuffix("True")
    assert json.loads(report)["frames"] == 2


def test_fault_69_mistakes_without_a_terminal_still_give_their_exit_code():
    done = called("import sys", "sys.stderr = None", words=["run", "gone.mp4", "--headless"], stdout=subprocess.PIPE)
    assert done.returncode == 1


@pytest.mark.parametrize("language", ["de_DE.UTF-8", "tr_TR.UTF-8"])
def test_fault_82_numbers_in_files_have_points_in_every_language(tmp_path, language):
    """Both by the environment and by the setting of the process, as Qt makes it, where the system has the language."""
    folder = tmp_path / "pictures"
    for number in (0, 60):
        write_picture(folder / f"{number}.png", SampleClip().frame(number)[0])
    before = (
        "import contextlib, locale",
        "with contextlib.suppress(locale.Error): locale.setlocale(locale.LC_ALL, '')",
        "from app.cli.main import main",
        f"main(['predict', {str(folder)!r}, '--out', {str(tmp_path / 'own.csv')!r}])",
    )
    words = ["predict", str(folder), "--out", str(tmp_path / "own.jsonl")]
    done = called(*before, words=words, env={**os.environ, "LC_ALL": language, "LANG": language}, capture_output=True)
    assert done.returncode == 0, done.stderr
    for ending in ("csv", "jsonl"):
        assert main(["predict", str(folder), "--out", str(tmp_path / f"plain.{ending}")]) == 0
        plain, own = (tmp_path.joinpath(f"{name}.{ending}").read_bytes() for name in ("plain", "own"))
        assert plain == own
