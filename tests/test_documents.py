"""The documents: their links lead somewhere, and the command line understands the commands that they name."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from app.cli.main import build_parser

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *ROOT.glob("assets/*.md"),
    *ROOT.glob("packaging/*.md"),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
VERB_ALONE = re.compile(r"understudy( [a-z][a-z0-9]*){1,2}")  # talked of, without what it needs


def name(document):
    return document.relative_to(ROOT).as_posix()


def anchor(heading):
    """Return what a heading is called in links, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def commands(text):
    """Return the calls of the program in code blocks and in the running text, without what explains them."""
    lines = [line for block in FENCE.findall(text) for line in re.sub(r"\\\n *", "", block).splitlines()]
    blocks = [line.split("    ")[0].split("  #")[0].strip() for line in lines]
    running = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", FENCE.sub("", text))]
    return [command for command in (*blocks, *running) if re.match(r"understudy( |$)", command)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    broken = []
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        path, _, part = target.partition("#")
        if "://" in target:
            continue
        linked = document.parent / path if path else document
        if not linked.exists():
            broken.append(target)
        elif part:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            broken += [] if part in [anchor(heading) for heading in headings] else [target]
    assert broken == []


def understood(command):
    """Return whether the command line takes a call; of a verb alone, whether it is one."""
    arguments = [word for word in shlex.split(command)[1:] if word != "..."]
    try:
        build_parser().parse_args([*arguments, "--help"] if VERB_ALONE.fullmatch(command) else arguments)
    except SystemExit as end:
        return end.code == 0
    return True


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_are_understood(document, capsys):
    named = commands(document.read_text(encoding="utf-8"))
    calls = [command for command in named if command != "understudy" and "VERB" not in command]
    assert [command for command in calls if not understood(command)] == []


def test_commands_that_are_none_would_be_found(capsys):
    text = "```\nunderstudy run sample    shows it\nunderstudy rnu\n```\nand `understudy models --jsn\n-` too"
    assert commands(text) == ["understudy run sample", "understudy rnu", "understudy models --jsn -"]
    assert [understood(command) for command in commands(text)] == [True, False, False]


def test_the_architecture_names_places_that_exist():
    """Folders and files in code style, by their path from the root, a package, or the folder that is spoken of."""
    text = FENCE.sub("", (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    named = re.findall(r"`([a-z_0-9/]+(?:/|\.py))`", text)
    assert len(named) > 40
    roots = [
        ROOT,
        *(ROOT / package for package in ("app", "engine", "trainer", "tests")),
        *(ROOT / "engine" / folder for folder in ("filters", "live")),
        ROOT / "app" / "live",
    ]
    assert [place for place in named if not any((root / place).exists() for root in roots)] == []


def test_the_architecture_lists_every_folder_and_the_layers_in_their_order():
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"][
        1
    ]["layers"]
    section = text[text.index("## The layers of the engine") : text.index("## The path of a frame")]
    assert re.findall(r"^\| `(\w+)/`", section, re.MULTILINE) == " : ".join(layers).split(" : ")
    for package in ("app", "trainer"):
        folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
        assert {folder for folder in folders if f"`{folder}/`" not in text} == set()
