"""`understudy train` apart from the training itself: the list of recipes, and the end by standard input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.cli.main import main
from engine.core.paths import asset_path
from tests.fakes.packs import make_pack
from trainer.recipes import RECIPES
from trainer.recipes.names import STAGES

ROOT = Path(__file__).resolve().parents[3]
WAITING = """
import signal, time
from app.cli.train import interrupt_when_stdin_closes
asked = []
signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
interrupt_when_stdin_closes()
print("ready", flush=True)
while not asked:
    time.sleep(0.01)
print("ended politely", flush=True)
"""


def test_recipes_are_listed_for_people_and_programs(capsys, tmp_path):
    file = tmp_path / "recipes.json"
    assert main(["train", "--list", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["recipe", "points", "input", "steps", "batch", "description"]
    entry = next(entry for entry in json.loads(file.read_text())["recipes"] if entry["name"] == "student-68")
    assert [stage["steps"] for stage in entry["stages"]] == [5000, 1800, 600, 5000, 7000, 9200]
    assert {stage["network"]["points"] for stage in entry["stages"]} == {68}
    assert entry["description"].startswith("The student that the application starts with")
    assert "`" not in entry["description"]
    assert any(line.split()[:5] == ["student-68", "68", "128", "5000+1800+600+5000+7000+9200", "64"] for line in lines)


def test_a_recipe_is_shown_with_its_changes_and_all_that_its_stages_take_from_it(capsys, tmp_path):
    file = tmp_path / "recipe.json"
    command = ["train", "student-mvit2-68", "--show", "--set", "taught.steps=7", "--json", str(file)]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    stages = json.loads(file.read_text())["stages"]
    assert [stage["steps"] for stage in stages] == [2800, 2400, 900, 7, 2400, 7000, 4500, 2800]
    assert [stage["init"] for stage in stages[:2]] == ["random", "student-mvit2-68:base"]
    assert "name = student-mvit2-68:taught" in lines
    assert 'teachers = ["teacher-tough-68"]' in lines
    assert lines.count("network.encoder = mobilevitv2") == 8
    assert any(line.startswith("packs = faces5_tough68 (weight 0.3") for line in lines)
    assert main(["train", "--show", "student-68", "--stage", "last"]) == 0
    assert capsys.readouterr().out.startswith("name = student-68:last\npacks = lfpw68 ")


def test_a_training_without_a_recipe_says_how_to_find_one(capsys):
    assert main(["train"]) == 1
    assert "“understudy train --list”" in capsys.readouterr().err


REFUSED = {
    "train studnet-68": "There is no recipe “studnet-68”",
    "train student-68 --stage middle": "The recipe student-68 has no stage “middle”",
    "train student-68:middle": "The recipe student-68 has no stage “middle”",
    "train student-68 --set steps": "“steps” is no change",
    "train student-68": "There is no folder of packs data",
    "train student-68 --data nowhere": "There is no folder of packs nowhere",
    "train own-68 --pictures nowhere": "There is no file or folder nowhere",
    "train own-68 --pictures .": "There is no picture in .",
    "train --resume nowhere": "There is no run in nowhere",
    "train --resume nowhere --pictures .": "--pictures is for new runs",
    "train --resume . --data nowhere": "There is no run in .",
    "export nowhere --out new.onnx": "Leave the ending out, or write new.tflite; for ONNX add --onnx",
    "export nowhere --out new.npz": "Leave the ending out, or write new.tflite",
    "export nowhere --out new": "The checkpoint nowhere cannot be read",
    "export . --out new": "There is no run in .",
    "export nowhere --out new --int8": "The checkpoint nowhere cannot be read",
    f"export {asset_path('models', 'student-68.tflite')} --out new": "student-68.tflite is a model already",
    "data check nowhere": "nowhere is not a pack",
    "data import wflw nowhere --out new": "There is no folder nowhere",
    "data label nowhere --out new": "There is no file or folder nowhere",
    "data pack lfpw68 --out new --data nowhere": "There is no folder of packs nowhere",
}
REFUSING = """
import contextlib, io, json, pathlib, sys
from app.cli.main import main
for words in sys.argv[1:]:
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(words.split())
    print(json.dumps((code, said.getvalue(), "torch" in sys.modules, pathlib.Path("new").exists())))
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """What came of each of these calls, one after another in a process that has not imported torch.

    The exit code, what was said, whether torch is imported by now, and whether the folder `new` was made.
    """
    ran = subprocess.run(
        [sys.executable, "-c", REFUSING, *REFUSED],
        cwd=tmp_path_factory.mktemp("refused"), capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return dict(zip(REFUSED, map(json.loads, ran.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("words", REFUSED)
def test_wrong_arguments_are_refused_before_torch_is_imported(words, refusals):
    code, said, imported, made = refusals[words]
    assert REFUSED[words] in said
    assert (code, imported, made) == (1, False, False)


def test_no_run_is_written_among_the_files_of_a_pack(tmp_path, capsys):
    folder = make_pack(tmp_path / "mine")
    before = sorted(folder.rglob("*"))
    assert main(["train", "toy-68", "--data", str(tmp_path / "data"), "--out", str(folder)]) == 1
    assert "mine is a pack, not the folder of a run" in capsys.readouterr().err
    assert (sorted(folder.rglob("*")), sorted(tmp_path.iterdir())) == (before, [folder])


def test_the_names_of_recipes_and_stages_are_known_without_them():
    stages = {name: tuple(stage.name for stage in recipe.stages) for name, recipe in RECIPES.items()}
    assert stages == STAGES, f"write into trainer/recipes/names.py: {stages}"


@pytest.mark.parametrize("first", [b"", b"some words\n"])
def test_closing_standard_input_is_a_ctrl_c(first):
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.stdin.write(first)
        process.stdin.flush()
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout.readline() == b"ended politely\n"
        assert process.wait(10) == 0


def test_pages_do_without_torch():
    pages = "app.train.train_page, app.models.models_page"
    code = f"import {pages}, sys; sys.exit('torch' in sys.modules or 'trainer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tiny", asset_path("models", "tiny.tflite")),
        ("models/tiny", Path("models/tiny.tflite")),
        ("tiny.tflite", Path("tiny.tflite")),
    ],
)
def test_a_mere_name_is_a_model_of_the_program_and_a_path_is_a_path(name, expected, monkeypatch, capsys, tmp_path):
    def exported(checkpoint, target, role):
        return SimpleNamespace(model=target, card=target.with_suffix(".json"), difference=0.0)

    monkeypatch.setattr("trainer.tflite.export.export", exported)
    checkpoint = tmp_path / "last.safetensors"
    checkpoint.touch()
    assert main(["export", str(checkpoint), "--out", name]) == 0
    assert f"{expected} and its card are written." in capsys.readouterr().out
