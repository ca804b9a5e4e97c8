"""Install old runtimes for the tests, each in an environment of its own: `python -m tests.old_runtimes.install DIR`.

Tests use them where the environment variable `UNDERSTUDY_OLD_RUNTIMES` names DIR. Only this command needs a network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from app.cli.terminal import say
from tests.old_runtimes.runtimes import LAST, OLDEST, VARIABLE, trial_python

# The Pythons that there are wheels for, best first.
PYTHONS = {OLDEST: ("3.9", "3.8", "3.7"), LAST: ("3.11", "3.10", "3.9", "3.8")}
NUMPY = "numpy<2"  # the runtimes were compiled for it


def find_python(versions: tuple[str, ...], pyenv: Path) -> Path | None:
    """Return a Python of the first version that is on the path or below `pyenv`, None if there is none."""
    for number in versions:
        installed = [*sorted(pyenv.glob(f"versions/{number}.*/bin/python")), shutil.which(f"python{number}")]
        for python in filter(None, installed):
            if subprocess.run([python, "-c", "import venv"], capture_output=True).returncode == 0:
                return Path(python)
    return None


def install(folder: Path, number: str, python: Path) -> None:
    """Make an environment with a version of tflite-runtime."""
    subprocess.run([python, "-m", "venv", folder / number], check=True)
    packages = [f"tflite-runtime=={number}", NUMPY]
    subprocess.run([trial_python(folder, number), "-m", "pip", "install", "--quiet", *packages], check=True)


def main(folder: Path) -> int:
    """Install what can be; return 1 if something could not."""
    missing = 0
    for number, versions in PYTHONS.items():
        python = find_python(versions, Path.home() / ".pyenv")
        if python is None:
            say(f"tflite-runtime {number} needs Python {' or '.join(versions)}, and none was found.", error=True)
            missing += 1
            continue
        install(folder, number, python)
        say(f"tflite-runtime {number} is installed beside {python}.")
    say(f"Let the tests use them: {VARIABLE}={folder.resolve()}")
    return min(missing, 1)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
