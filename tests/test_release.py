"""What a release hangs on: workflows, changelog, licences, and how large the repository may be.

GitHub runs the workflows; here only what they name is looked at.
"""

from __future__ import annotations

import re
import shlex
from datetime import date

import pytest
import yaml

from app.cli.main import VERBS
from app.shell.about import licences
from tests.test_repository import FILES, PROJECT, PYPROJECT, ROOT, pins
from tools import release

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LARGEST_ASSETS, LARGEST_REPOSITORY = 140_000_000, 150_000_000  # bytes of what is tracked; docs/releasing.md, *Size*
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SYSTEMS = {
    "ubuntu-latest": "Operating System :: POSIX :: Linux",
    "macos-latest": "Operating System :: MacOS",
    "windows-latest": "Operating System :: Microsoft :: Windows",
}


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def jobs() -> list[tuple[str, dict]]:
    return [(f"{file.stem}: {name}", job) for file in WORKFLOWS for name, job in read(file.name)["jobs"].items()]


def lines() -> list[str]:
    """All lines of the shell in the workflows, those that go on in the next as one."""
    scripts = [step["run"] for _, job in jobs() for step in job.get("steps", ()) if "run" in step]
    return [line.strip() for script in scripts for line in script.replace("\\\n", " ").splitlines() if line.strip()]


# Workflows


def test_the_classifiers_are_what_the_workflow_tests() -> None:
    tested, tried = (read(name)["jobs"][job] for name, job in (("tests.yml", "tests"), ("release.yml", "installed")))
    for matrix in (tested["strategy"]["matrix"], tried["strategy"]["matrix"]):
        named = {SYSTEMS[system] for system in matrix["os"]}
        named |= {f"Programming Language :: Python :: {python}" for python in matrix["python"]}
        groups = ("Operating System ::", "Programming Language ::")
        assert named == {line for line in PROJECT["classifiers"] if line.startswith(groups)}
    oldest, newest = (matrix["python"][at].split(".")[1] for at in (0, -1))
    assert PROJECT["requires-python"] == f">=3.{oldest},<3.{int(newest) + 1}"


def test_workflows_may_only_read_but_for_the_draft() -> None:
    assert [file.name for file in WORKFLOWS if read(file.name)["permissions"] != {"contents": "read"}] == []
    assert {name: job["permissions"] for name, job in jobs() if "permissions" in job} == {
        "release: draft": {"contents": "write"}
    }


def test_actions_are_githubs_own_by_major_version() -> None:
    used = [step["uses"] for _, job in jobs() for step in job.get("steps", ()) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []
    called = [job["uses"] for _, job in jobs() if "uses" in job]
    assert [path for path in called if not (ROOT / path).is_file()] == []


def test_what_workflows_run_exists() -> None:
    targets = re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for line in lines() for name in re.findall(r"\bmake ([a-z-]+)", line) if name not in targets] == []
    files = [name for line in lines() for name in re.findall(r"(?<![\w/.*])[\w-]+(?:/[\w-]+)*\.(?:py|txt)\b", line)]
    made = {"SHA256SUMS.txt"}
    assert {"start.py", "packaging/qt-libraries.txt", "packaging/constraints.txt"} <= set(files)
    assert [name for name in files if name not in made and not (ROOT / name).is_file()] == []
    modules = [name for line in lines() for name in re.findall(r"-m ([\w.]+)", line)]
    assert {"pytest", "build", "tools.release"} <= set(modules)
    own = [name for name in modules if name.split(".")[0] in ("tools", "tests", "app")]
    assert [name for name in own if not (ROOT / f"{name.replace('.', '/')}.py").is_file()] == []
    folders = [name for line in lines() for name in re.findall(r"(?<=[ =])tests(?:/\w+)+(?= |$)", line)]
    assert folders
    assert [name for name in folders if not (ROOT / name).is_dir()] == []
    calls = [shlex.split(line) for line in lines() if line.startswith("understudy ")]
    assert ["understudy", "run", "sample", "--headless", "--frames", "30"] in calls
    assert [call for call in calls if call[1] not in VERBS] == []
    extras = [name for line in lines() for name in re.findall(r"\.\[([\w,-]+)\]", line)]
    assert {part for names in extras for part in names.split(",")} <= set(PROJECT["optional-dependencies"])


def test_tools_of_the_release_are_pinned() -> None:
    installed = [word for line in lines() if "pip install" in line for word in line.split("pip install")[1].split()]
    packages = [word for word in installed if re.match(r"[a-z]", word) and "/" not in word]
    assert packages
    assert [word for word in packages if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", word)] == []
    pinned, named = pins("constraints.txt"), dict(word.split("==") for word in packages)
    assert {name: version for name, version in named.items() if pinned.get(name, version) != version} == {}


# Version and changelog


def test_the_version_has_an_entry_and_entries_have_dates_in_their_order() -> None:
    headings = re.findall(r"^## .*$", CHANGELOG, re.MULTILINE)
    found = release.entries(CHANGELOG)
    assert len(found) == len(headings), "a heading is neither “## Unreleased” nor “## 1.2.3 (2026-12-31)”"
    named = [(name, day) for name, day, _ in found if name != "Unreleased"]
    assert PROJECT["version"] == named[0][0]
    assert [name for name, _, _ in found].count("Unreleased") <= 1
    assert "Unreleased" not in [name for name, _, _ in found[1:]]
    days = [date.fromisoformat(day) for _, day in named]
    assert days == sorted(days, reverse=True)
    versions = [tuple(map(int, name.split("."))) for name, _ in named]
    assert versions == sorted(versions, reverse=True)
    assert all(text.strip() for _, _, text in found)


RELEASED = "# Changelog\n\n## 0.2.0 (2026-12-01)\nNew.\n- One\n\n## 0.1.0 (2026-11-21)\nOld.\n"


def test_the_notes_of_a_release_are_its_entry() -> None:
    assert release.notes("v0.2.0", "0.2.0", RELEASED) == "New.\n- One\n"


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "words"),
    [
        ("v0.3.0", "0.2.0", RELEASED, "is not v0.2.0"),
        ("0.2.0", "0.2.0", RELEASED, "is not v0.2.0"),
        ("v0.1.0", "0.1.0", RELEASED, "first entry"),
        ("v0.2.0", "0.2.0", RELEASED.replace("## 0.2.0 (2026-12-01)", "## Unreleased"), "first entry"),
        ("v0.2.0", "0.2.0", RELEASED.replace(" (2026-12-01)", ""), "first entry"),
        ("v0.2.0", "0.2.0", "", "first entry"),
    ],
)
def test_a_tag_that_is_no_release_is_refused(tag: str, version: str, changelog: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        release.notes(tag, version, changelog)


def test_the_version_is_written_in_one_place_of_the_code() -> None:
    asking = [file for file in FILES if file.suffix == ".py" and file.relative_to(ROOT).parts[0] in ("app", "engine")]
    found = [file.name for file in asking if 'version("understudy")' in file.read_text(encoding="utf-8")]
    assert found == ["version.py"]


# Licences


def test_the_metadata_have_every_licence_of_what_is_installed() -> None:
    assert PROJECT["license"] == "Apache-2.0 AND OFL-1.1 AND LicenseRef-Understudy-Models"
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in PROJECT["license-files"]}
    assert "Apache License" in texts["LICENSE"]
    assert "SIL OPEN FONT LICENSE" in texts["assets/fonts/Inter-LICENSE.txt"]
    assert "research and for other non-commercial purposes" in " ".join(texts["MODELS-LICENSE"].split())
    lying = {file.relative_to(ROOT).as_posix() for file in FILES if "LICENSE" in file.name}
    assert lying == set(texts)
    assert "research and non-commercial use only" in licences()


def test_the_licence_of_the_models_names_every_source_of_their_data() -> None:
    text = (ROOT / "MODELS-LICENSE").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.search(r"free for research only\s+\(([^)]*)\)", readme)
    assert named
    assert [name for name in re.split(r",\s+", named[1]) if name not in text] == []


# Size


def test_the_repository_stays_small_enough_to_be_cloned() -> None:
    sizes = {file.relative_to(ROOT).as_posix(): file.stat().st_size for file in FILES}
    assets = sum(size for name, size in sizes.items() if name.startswith("assets/"))
    assert 0 < assets <= LARGEST_ASSETS, "docs/releasing.md, *Size*, says what to do"
    assert sum(sizes.values()) <= LARGEST_REPOSITORY, "docs/releasing.md, *Size*, says what to do"


def test_the_wheel_has_what_the_packages_need_and_nothing_else() -> None:
    packages = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.partition(".")[0] for name in packages} == {"app", "assets", "engine", "trainer"}
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    named = [word for line in manifest.splitlines() if line.startswith("include") for word in line.split()[1:]]
    assert [pattern for pattern in named if not list(ROOT.glob(pattern))] == []
    assert "prune tests" in manifest
