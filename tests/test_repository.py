"""The repository as a whole: nothing of one machine in it, and its metadata agree with each other."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("trainer", "torch")
ROOMS = ("app", "engine", "trainer")
TEXT = {
    ".py",
    ".md",
    ".txt",
    ".toml",
    ".json",
    ".cfg",
    ".ini",
    ".yml",
    ".yaml",
    ".sh",
    ".spec",
    ".cff",
    ".qss",
    ".svg",
    "",
}

# Written so that this file does not contain what it looks for.
FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.$}~*-])/(?:opt|root|work|Users)/\w|(?<![\w.])/home/\w|[A-Z]:\\\\?Users"
    ),
    "a package server": re.compile(r"/simple/|index[-_]url[ =]|trusted[-_]host|find-links"),
}
OWN_NAME = Path(__file__).name


def repository_files() -> list[Path]:
    """All files that are tracked or would be; where git does not say, all that lie in the usual folders."""
    try:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=30).stdout.decode()
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.SubprocessError):
        folders = (*ROOMS, "assets", "docs", "packaging", "tests", ".ci")
        names = [str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*")]
        names += [path.name for path in ROOT.iterdir()]
    files = [ROOT / name for name in sorted(set(names))]
    return [file for file in files if file.is_file() and "__pycache__" not in file.parts]


FILES = repository_files()
MODULES = [file for file in FILES if file.suffix == ".py"]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, CONFIGURATION = PYPROJECT["project"], PYPROJECT["tool"]


def pins(name: str) -> dict[str, str]:
    """Package and version of each line of a requirements file in packaging/."""
    lines = (ROOT / "packaging" / name).read_text(encoding="utf-8").splitlines()
    found = {}
    for line in (line for line in lines if line and not line.startswith("#")):
        match = re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9A-Za-z.]*)", line)
        assert match, f"{name}: “{line}” is no exact pin of a public version"
        assert match[1] not in found, f"{name}: {match[1]} stands there twice"
        found[match[1]] = match[2]
    return found


def requirements() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def test_the_listing_finds_the_repository() -> None:
    names = {file.relative_to(ROOT).as_posix() for file in FILES}
    assert {"pyproject.toml", "start.py", "engine/core/errors.py", "packaging/constraints.txt"} <= names


def test_packaging_is_no_package() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()  # it would hide the library of that name


@pytest.mark.parametrize("room", ROOMS)
def test_every_folder_with_modules_is_a_package(room: str) -> None:
    folders = {file.parent for file in MODULES if file.relative_to(ROOT).parts[0] == room}
    assert folders
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_file_names_the_machine_it_was_made_on(kind: str) -> None:
    found = []
    for file in FILES:
        if file.suffix not in TEXT or file.name == OWN_NAME:
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        lines = enumerate(text.splitlines(), 1)
        found += [
            f"{file.relative_to(ROOT)}:{at}: {line.strip()}" for at, line in lines if FORBIDDEN[kind].search(line)
        ]
    assert found == [], f"{kind} stands in these lines"


@pytest.mark.parametrize(
    "line",
    ["see " + "/root" + "/x", "'" + "/home" + "/anna/data'", "--index" + "-url https://x", "file:" + "///opt/wheels"],
)
def test_forbidden_lines_would_be_found(line: str) -> None:
    assert any(pattern.search(line) for pattern in FORBIDDEN.values())


def test_functions_stay_simple_enough_to_be_read() -> None:
    """The linter bounds what a function may hold; how long a file is follows from what belongs together."""
    rules = CONFIGURATION["ruff"]["lint"]
    assert {"C90", "PL", "BLE", "PERF", "ARG", "N", "PTH"} <= set(rules["select"])
    assert rules["mccabe"]["max-complexity"] <= 12
    assert rules["pylint"]["max-args"] <= 7
    bounds = {"C90", "C901", "PLR0913", "BLE", "BLE001"}
    ignored = {*rules["ignore"], *(code for codes in rules["per-file-ignores"].values() for code in codes)}
    assert ignored & bounds == set()


def test_version_is_the_same_everywhere() -> None:
    assert version("understudy") == PROJECT["version"]


def test_the_citation_is_of_this_version_and_names_both_papers() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (PROJECT["version"], "Apache-2.0")  # that of the code
    preprints = [reference["identifiers"][0]["value"] for reference in citation["references"]]
    assert preprints == ["arXiv:2111.07047", "arXiv:2404.06029"]
    assert all(
        reference["title"] and reference["authors"] and reference["year"] for reference in citation["references"]
    )


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda form: form.stem
)
def test_issue_forms_ask_what_the_doctor_says(form: Path) -> None:
    parts = yaml.safe_load(form.read_text(encoding="utf-8"))["body"]
    assert [part["id"] for part in parts if "understudy doctor" in part["attributes"]["label"]] == ["doctor"]
    assert len({part["id"] for part in parts}) == len(parts)


def test_every_requirement_is_pinned_inside_its_bounds() -> None:
    pinned = pins("constraints.txt")
    wrong = [
        str(requirement)
        for requirement in requirements()
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert wrong == []


def test_installed_packages_are_the_pinned_ones() -> None:
    pinned = pins("constraints.txt")
    names = {canonicalize_name(requirement.name) for requirement in map(Requirement, PROJECT["dependencies"])}
    assert {name: version(name) for name in names} == {name: pinned[name] for name in names}


def test_packages_without_their_requirements_are_pinned_apart() -> None:
    assert not set(pins("no-deps.txt")) & set(pins("constraints.txt"))


LOCK_LINE = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9A-Za-z.]*)( ; [^\\;]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|#.*"
)


def locked() -> dict[str, str]:
    """Package and version of each entry of the lock."""
    lines = (ROOT / "packaging" / "lock.txt").read_text(encoding="utf-8").splitlines()
    matches = [LOCK_LINE.fullmatch(line) for line in lines]
    odd = [line for line, match in zip(lines, matches, strict=True) if match is None]
    assert odd == [], "these lines of the lock are neither a pin nor a hash"
    return {match["name"]: match["version"] for match in matches if match and match["name"]}


def test_the_lock_names_no_server_and_no_path() -> None:
    assert locked()  # whose lines are pins, hashes and remarks
    text = (ROOT / "packaging" / "lock.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|file:|@|index|\.whl|/", re.sub(r"^#.*$", "", text, flags=re.MULTILINE))


def test_the_lock_agrees_with_the_constraints() -> None:
    pinned, versions = pins("constraints.txt"), locked()
    assert {name: version for name, version in versions.items() if pinned.get(name, version) != version} == {}
    groups = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in ("dev", "trainer"))]
    wanted = {canonicalize_name(Requirement(text).name) for group in groups for text in group}
    assert wanted - set(versions) == set(), "make lock brings these in"
    # What only Macs, CUDA or browsers need is not pinned: nothing of ours hangs on its version.
    elsewhere = re.compile(r"nvidia-|cuda-|triton|pyobjc-|httpx2-jsfetch")
    assert [name for name in versions if name not in pinned and not elsewhere.match(name)] == []


def test_hooks_fetch_nothing() -> None:
    """Each hook before a commit is a tool of the environment; none is cloned from a server."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    lines = [line.strip().removeprefix("- ") for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in lines if line.startswith("repo:")] == ["repo: local"]
    entries = [line.removeprefix("entry: ") for line in lines if line.startswith("entry:")]
    assert [entry for entry in entries if not entry.startswith(".venv/bin/")] == []
    assert [line for line in lines if line.startswith("language:")] == ["language: system"] * len(entries)
    assert len(entries) == len([line for line in lines if line.startswith("id:")]) > 0
    assert "://" not in text


def test_the_makefile_names_targets_that_exist() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", text, re.MULTILINE))
    assert {"setup", "format", "lint", "test-fast", "test", "e2e", "golden"} <= targets
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == targets
    named = re.findall(r"-m (tests[.\w]*)|(?<= )(tests/\w+)(?= |$)", text, re.MULTILINE)
    places = [module.replace(".", "/") + ".py" if module else folder for module, folder in named]
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_app_loads_no_trainer_when_it_starts() -> None:
    """The walls allow one module to import the trainer, and that one only inside its functions."""
    early = []
    for file in MODULES:
        if file.relative_to(ROOT).parts[0] != "app":
            continue
        names = imported_at_once(ast.parse(file.read_text(encoding="utf-8")))
        early += [f"{file.relative_to(ROOT)} imports {name}" for name in names if name.split(".")[0] in HEAVY]
    assert early == []


def imported_at_once(tree: ast.Module) -> list[str]:
    """Names of the modules that are imported when the module is; those inside functions are left out."""
    names: list[str] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        waiting += ast.iter_child_nodes(node)
    return names


def test_imports_inside_functions_count_as_late() -> None:
    source = "import a\nif x:\n    from b.c import d\ndef f():\n    import e\nclass G:\n    import h\n"
    assert sorted(imported_at_once(ast.parse(source))) == ["a", "b.c", "h"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_continuous_integration_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
