"""The self-test names everything that is missing, damaged or does not load, and goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from app.cli import self_test
from engine.core.manifest import write_manifest

ROOT = Path(__file__).resolve().parents[3]
# Twenty files of all kinds: models, their cards, filters, sample, font, code of ours.
FILES = [
    "app/__main__.py",
    "app/app.py",
    "app/shell/main_window.py",
    "assets/README.md",
    "assets/filters/_template/filter.toml",
    "assets/filters/_template/hat.png",
    "assets/filters/glasses/shadow.png",
    "assets/filters/mask/tiger.pts",
    "assets/fonts/Inter-LICENSE.txt",
    "assets/fonts/Inter-Medium.otf",
    "assets/models/face_detection_short_range.LICENSE",
    "assets/models/face_detection_short_range.tflite",
    "assets/models/student-68-int8.tflite",
    "assets/models/student-68.json",
    "assets/models/student-mvit2-98.tflite",
    "assets/models/teacher-star-68.tflite",
    "assets/sample/portrait.json",
    "assets/sample/portrait.png",
    "assets/virtual_camera/send_frames.py",
    "engine/inference/trial.py",
]


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """A listed copy of the program, without the largest model."""
    folder = tmp_path_factory.mktemp("self-test") / "under study ß"
    ignored = shutil.ignore_patterns(
        "__pycache__", "*swinv2*", "*kd-68*", "*mvit2-68*", "*toler*", "*tough*", "*-lite*"
    )
    for name in ("app", "assets", "engine"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    write_manifest(folder)
    return folder


@pytest.fixture
def files(program, monkeypatch):
    """Return what looks at the files of the copy."""
    monkeypatch.setattr(self_test, "ASSETS", program / "assets")
    return lambda: self_test._files()[1]


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the copy by itself; the packages that it needs are found as usual."""
    paths = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, "-m", "app", *words]
    return subprocess.run(command, cwd=folder, env=paths, capture_output=True, text=True, timeout=300)


def test_a_whole_program_passes(files):
    assert files() == []


@pytest.mark.parametrize("name", FILES)
def test_each_file_that_is_taken_out_is_named(program, files, name, tmp_path):
    shutil.move(program / name, tmp_path / "kept")
    try:
        assert files() == [f"{name} is missing. Unpack or install Understudy again."]
    finally:
        shutil.move(tmp_path / "kept", program / name)


def test_there_are_twenty_of_them():
    assert len(set(FILES)) == 20


def test_everything_works_and_the_program_says_so(program):
    done = run(program, "--self-test")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [["ok", f"{name}:"] for name in ("files", *self_test.CHECKS)]
    assert lines[-1] == "Everything is here and works."


def test_each_check_goes_on_after_another_s_failure(program, tmp_path, monkeypatch, capsys):
    """A model and a picture of a filter are damaged at once, and a library does not load."""
    folder = tmp_path / "copy"
    shutil.copytree(program, folder)
    model, shadow = folder / "assets/models/student-68.tflite", folder / "assets/filters/glasses/shadow.png"
    model.write_bytes(model.read_bytes()[:-1] + b"?")
    shadow.write_bytes(b"no picture")
    (folder / "websockets.py").write_text("raise ImportError('libfake.so.1: cannot open shared object file')\n")
    monkeypatch.setattr(self_test, "ASSETS", folder / "assets")
    monkeypatch.setattr(self_test, "CHECKS", ("libraries", "models", "filters", "sample"))
    assert self_test.main(Namespace(only=None)) == 1
    lines = capsys.readouterr().out.splitlines()
    wrong = [line for line in lines if line.startswith("wrong")]
    assert "wrong  files: assets/models/student-68.tflite is damaged. Unpack or install Understudy again." in wrong
    assert any(
        line.startswith("wrong  libraries: The package websockets does not load (libfake.so.1:") for line in wrong
    )
    assert any(
        line.startswith("wrong  models: The model ") and "student-68.tflite is not the one" in line for line in wrong
    )
    assert any(line.startswith("wrong  filters: glasses/") for line in wrong)
    assert [line.split()[1] for line in lines if line.startswith("ok ")] == ["sample:"]
    assert lines[-1] == f"{len(wrong)} thing(s) are wrong, see above."


def test_without_a_library_the_program_says_what_finds_it(program, tmp_path):
    (tmp_path / "cv2.py").write_text("raise ImportError('libopenblas.so: cannot open shared object file')\n")
    done = run(program, "models", PYTHONPATH=os.pathsep.join((str(tmp_path), str(program))))
    assert done.returncode == 1
    assert done.stderr.startswith("A part of the program does not load (libopenblas.so: cannot open")
    assert "understudy self-test" in done.stderr


CHILDREN = {
    "is ended": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", r"brings down the program \(SIGSEGV\)"),
    "ends": ("raise SystemExit(3)", r"brings down the program \(exit code 3\)"),
    "complains": ("raise RuntimeError('no such symbol')", "and said last: RuntimeError: no such symbol"),
    "babbles": ("print('[1, 2')", "brings down the program"),
    "hangs": ("import time; time.sleep(60)", "gave no result within 1 s"),
}


@pytest.mark.parametrize("kind", CHILDREN)
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_check_that_brings_down_its_process_is_a_sentence(kind, monkeypatch):
    code, expected = CHILDREN[kind]
    monkeypatch.setattr(self_test, "own_module", lambda name: [sys.executable, "-c", code])
    monkeypatch.setattr(self_test, "TIMEOUT", 1.0 if kind == "hangs" else 60.0)
    works, wrong = self_test._in_child("models")
    assert works == ""
    assert len(wrong) == 1
    assert re.search(expected, wrong[0]), wrong


def test_what_libraries_may_print_before_the_result_does_no_harm(monkeypatch):
    code = "print('INFO: noise'); print('[\"fine\", []]')"
    monkeypatch.setattr(self_test, "own_module", lambda name: [sys.executable, "-c", code])
    assert self_test._in_child("models") == ("fine", [])


def test_a_list_of_files_that_is_damaged_is_named(program, monkeypatch, tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    monkeypatch.setattr(self_test, "ASSETS", tmp_path / "assets")
    assert self_test._files()[1][0].startswith("The list of the program's files cannot be read")


def test_a_bundle_without_its_list_is_not_taken_for_a_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(self_test, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(self_test, "read_manifest", lambda folder: {})
    assert self_test._files()[1] == []
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert self_test._files()[1] == ["The list of the program's files is missing. Unpack or install Understudy again."]


def test_each_library_of_a_bundle_that_does_not_load_is_named_once(monkeypatch, tmp_path):
    """Two libraries lack one of the system's, one is no library at all; one that is damaged is not loaded."""
    from app.self_test import checks

    for name in ("a.so", "b.so", "broken.so", "damaged.so", "fine.so.1", "libQt6WaylandClient.so.6"):
        (tmp_path / name).write_bytes(name.encode())
    write_manifest(tmp_path)
    (tmp_path / "damaged.so").write_bytes(b"other")
    reasons = {
        "a.so": "libEGL.so.1: cannot open shared object file: No such file or directory",
        "b.so": "libEGL.so.1: cannot open shared object file: No such file or directory",
        "broken.so": "broken.so: invalid ELF header",
    }
    loaded = []
    monkeypatch.setattr(checks, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(checks, "_refusal", lambda file: loaded.append(file.name) or reasons.get(file.name, ""))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    _, wrong = checks.libraries()
    assert sorted(loaded) == ["a.so", "b.so", "broken.so", "fine.so.1"]
    assert wrong == [
        "broken.so does not load (broken.so: invalid ELF header).",
        "libEGL.so.1 is missing, and a.so and 1 others cannot load without it. If it belongs to the system, run "
        "“sudo apt-get install libegl1” on Debian and Ubuntu.",
    ]


def test_a_model_that_does_not_find_the_face_is_named(monkeypatch):
    from app.self_test import checks

    monkeypatch.setattr(checks, "LARGEST_NME", 0.5)
    _, wrong = checks.models()
    assert any(line.startswith("The model student-68 does not find the face of the sample (NME: 2.") for line in wrong)


def test_the_result_of_a_child_is_its_last_line(capsys):
    assert self_test._child("filters") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == ["4 load", []]


def test_it_runs_where_no_library_loads():
    blocked = "import sys; sys.modules.update(dict.fromkeys(('cv2', 'numpy', 'PySide6', 'ai_edge_litert')))"
    child = subprocess.run(
        [sys.executable, "-c", f"{blocked}; import app.__main__, app.cli.self_test"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert child.returncode == 0, child.stderr
