"""Every check of the repository: `python -m tests.checks [PYTEST ...]`; with `lint` alone, all but the tests."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 3600  # seconds for one check
TYPOS = str(Path(sys.executable).with_name("typos"))  # a program without a module of Python
LINT = {
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
    "import walls": ["-c", "from importlinter.cli import lint_imports_command as main; main()"],
    "spelling": ["-c", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))", TYPOS],
}


def main(arguments: list[str]) -> int:
    """Run all checks, whatever fails; return the exit code of the first that failed, or 0."""
    checks = LINT if arguments == ["lint"] else {**LINT, "pytest": ["-m", "pytest", *arguments]}
    offscreen, codes = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}, {}
    for name, command in checks.items():
        print(f"\n== {name}", flush=True)
        done = subprocess.run([sys.executable, *command], check=False, cwd=ROOT, env=offscreen, timeout=TIMEOUT)
        codes[name] = done.returncode
    print("\n" + "\n".join(f"{name:<14}{'FAILED' if code else 'passed'}" for name, code in codes.items()))
    return next((code for code in codes.values() if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
