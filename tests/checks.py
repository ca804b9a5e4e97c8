"""Every check of the repository: `python -m tests.checks [lint | test] [PYTEST ...]`; without a word, both parts."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

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
# A worker for each core, but each takes 1 GB; then the tests that need the machine to themselves.
TESTS = {
    "tests": ["-m", "pytest", "--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal", "-m", "not alone"],
    "tests alone": ["-m", "pytest", "-m", "alone"],
}
NO_TESTS = 5  # pytest's exit code where its arguments choose none


def main(arguments: list[str]) -> int:
    """Run all checks, whatever fails; return the exit code of the first that failed, or 0."""
    part, options = (arguments[0], arguments[1:]) if arguments[:1] in (["lint"], ["test"]) else ("", arguments)
    codes = {} if part == "test" else {name: run(name, command) for name, command in LINT.items()}
    counts: Counter[str] = Counter()
    if part != "lint":
        for name, command in TESTS.items():
            codes[name], counted = run_tests(name, [*command, *options])
            counts += counted
    if counts:  # the tests that were asked for may all be of one kind
        codes = {name: 0 if code == NO_TESTS else code for name, code in codes.items()}
    print("\n" + "\n".join(f"{name:<14}{'FAILED' if code else 'passed'}" for name, code in codes.items()))
    if part != "lint":
        print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return next((code for code in codes.values() if code), 0)


def run(name: str, command: list[str]) -> int:
    """Run a check and return its exit code; Qt opens no window."""
    print(f"\n== {name}", flush=True)
    offscreen = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run([sys.executable, *command], check=False, cwd=ROOT, env=offscreen, timeout=TIMEOUT).returncode


def run_tests(name: str, command: list[str]) -> tuple[int, Counter[str]]:
    """Run pytest; return its exit code, and how many tests passed, failed and were skipped where it says so."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code = run(name, [*command, f"--junitxml={report}"])
        if not report.exists():
            return code, Counter()
        suite = ElementTree.parse(report).getroot()[0]
    tests, failures, errors, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    return code, Counter(passed=tests - failed - skipped, failed=failed, skipped=skipped)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
