"""What a report of a fault says: the versions, where the last crash was, and the log; what is private is left out.

Nothing is sent: the user copies the text. Of file names, folders and addresses only the kind remains, and rather too
much is left out than too little.
"""

from __future__ import annotations

import platform
import re
from pathlib import Path

from platformdirs import user_log_path

from engine.core.paths import ASSETS
from engine.core.version import program_version

LAST_CRASH = "last crash.txt"
MOST_LOG = 4_000  # characters at its end that are reported

ROOT = ASSETS.parent
OWN = ("app", "engine", "trainer")
# Lines of a log, and the last line of a trace, with what may stay in front of their message.
BEGINNING = re.compile(
    r"\d{4}-\d\d-\d\d [\d:,]+ [A-Z]+ [\w.]+: |(?:app|engine|trainer)\.[\w.]+: |\w*(?:Error|Exception|Interrupt): |"
)
PLACE = re.compile(r'(?P<begin>.*\bfile )"(?P<path>[^"]*)"(?P<end>.*)', re.IGNORECASE)
SECRET = re.compile(r"\b(pass\w*|pwd|token|secret|key|user\w*)(\s*[=:]\s*)\S+", re.IGNORECASE)
ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*)://\S*", re.IGNORECASE)
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']*'")
FILE = re.compile(r".*\.[A-Za-z]\w{0,9}\b")  # up to the last word that may be a file's name
FOLDER = re.compile(r"(?<![\w<])(?:[A-Za-z]:[\\/]|[\\/~]|[^\s(“\"']+[\\/](?=\S)).*")  # from a path on


def log_path() -> Path:
    """Return where the log is kept: in the user's folder of logs."""
    return user_log_path("understudy", appauthor=False) / "understudy.log"


def about() -> str:
    """Return the versions of the program, Python and the system."""
    return f"Understudy {program_version()}, Python {platform.python_version()}, {platform.platform()}"


def end_of_log(folder: Path) -> str:
    """Return the end of the log in a folder, without what is private; "" if there is none."""
    return without_private(_text_of(folder / log_path().name)[-MOST_LOG:])


def without_names(text: str) -> str:
    """Return a sentence without names of files and folders, addresses and passwords."""
    text = SECRET.sub(r"\1\2<hidden>", text)
    text = ADDRESS.sub(r"<address of \1>", text)
    text = QUOTED.sub(lambda quoted: "<name>" if re.search(r"[\\/]|\.\w", quoted[0]) else quoted[0], text)
    text = FOLDER.sub("<path>", text)
    return FILE.sub("<name>", text)


def last_crash(folder: Path) -> str:
    """Return the trace of the last run that did not end properly, without what is private; "" if all did."""
    return without_private(_text_of(folder / LAST_CRASH)).strip()


def without_private(text: str) -> str:
    """Return lines of a log or a trace without names of files and folders, addresses, passwords and code of the user.

    Places in the program and its libraries stay.
    """
    lines, is_known = [], False
    for line in text.splitlines():
        if place := PLACE.fullmatch(line):
            known = _known_place(place["path"])
            is_known = known is not None
            lines.append(f'{place["begin"]}"{known or "<file>"}"{place["end"]}')
        elif line.startswith("    "):  # the code at that place
            lines += [line] if is_known else []
        elif line.startswith("Extension modules: "):
            lines.append(line)
        else:
            beginning = BEGINNING.match(line)
            at = beginning.end() if beginning else 0
            lines.append(line[:at] + without_names(line[at:]))
    return "\n".join(lines)


def _known_place(path: str) -> str | None:
    """Return a file of the program, Python or a library by its place in there; None for any other."""
    parts = re.split(r"[\\/]", path)
    for at in range(len(parts) - 1, -1, -1):
        inside = "/".join(parts[at:])
        if parts[at] == "site-packages" or re.fullmatch(r"python3\.\d+", parts[at]):
            return inside
        if parts[at] in OWN and (at == 0 or (ROOT / inside).is_file()):  # in a bundle, paths begin there
            return inside
    return None


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
