"""The settings file: only what differs from the defaults, each key read by itself; a mistake affects only its key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import tomli_w
from platformdirs import user_config_path

from app.settings.schema import Settings, paths_by_key, setting_types, value_at, with_value
from engine.core.errors import UnderstudyError, refusal
from engine.core.files import read_regular, replaced
from engine.core.records import LONGEST_SHOWN, Mistake, read_value
from engine.core.texts import LONGEST_MARK, NESTED, decoded, parse_toml
from engine.inference.library import DEFAULT_MODEL

HEADER = "# Settings of Understudy. Only what differs from the defaults is here; remove a line to get its default.\n"
BROKEN_SUFFIX = ".broken.toml"
MOST_BYTES = 100_000  # a larger file is none of ours
MOST_KEPT = 10_000_000  # bytes; of a larger file no copy is kept, and it is never written
MOST_MISTAKES = 50  # with more, the whole file is ignored
MOST_PARSED = 1_000_000  # letters, as the text is parsed again without each wrong line
MOST_NAMED = 5
LOST = "lost-section-"  # replaces a heading that cannot be read
OLD_LANES = {"first": DEFAULT_MODEL, "second": None}  # keys of older versions for one lane each, and their defaults
EVERYTHING = "the whole file"
NOT_UTF_8 = f"{EVERYTHING}: save it as UTF-8"  # as UTF-16 without a mark at its beginning


class SettingsError(UnderstudyError):
    """Settings could not be read or kept; the program works without them."""


@dataclass(frozen=True)
class StoredSettings:
    """The content of a settings file.

    Attributes:
        settings: its good keys, and the defaults of all others.
        unknown: keys that this version does not know, as in the file; a newer version wrote them.
        problem: what was wrong with the file, to be reported once; None if nothing was.
        replaceable: whether the file may be overwritten without losing anything.
    """

    settings: Settings = field(default_factory=Settings)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    problem: SettingsError | None = None
    replaceable: bool = True


def settings_path() -> Path:
    """Return where the settings are kept: `understudy/settings.toml` in the user's configuration folder."""
    return user_config_path("understudy", appauthor=False) / "settings.toml"


def read_settings(path: Path) -> StoredSettings:
    """Read a settings file. Never fails: what cannot be read gets its default.

    A file with mistakes is copied to `NAME.broken.toml` in the same folder, because writing it again removes them.
    """
    try:
        raw = read_regular(path, MOST_KEPT)
    except FileNotFoundError:
        return StoredSettings()
    except OSError as error:
        problem = SettingsError(
            f"The settings in {path} cannot be read ({error.strerror})",
            "the file belongs to another user, or is no settings file",
            "go on with the default settings, and repair or remove it",
        )
        return StoredSettings(problem=problem, replaceable=False)
    # tomllib refuses NUL, so a letter that is not UTF-8 loses its line, like any other mistake.
    text = decoded(raw, "replace")
    useless = EVERYTHING if len(raw) > MOST_BYTES else NOT_UTF_8 if "\0" in text[:LONGEST_MARK] else ""
    values, broken = ({}, [useless]) if useless else _parse(text.replace("\ufffd", "\0"))
    outdated = _renew(values)
    settings, unknown, wrong = _from_values(values, Settings())
    wrong += outdated
    broken = [name[:LONGEST_SHOWN] for name in broken + wrong]
    if not broken:
        return StoredSettings(settings, unknown)
    copy = _keep(path, raw)
    return StoredSettings(settings, unknown, _broken(path, broken, copy), replaceable=copy is not None)


def settings_text(settings: Settings, unknown: Mapping[str, Any]) -> str:
    """Return the content of a file: what differs from the defaults, and the unknown keys."""
    values = _merged(_to_values(settings), unknown)
    return HEADER + ("\n" + tomli_w.dumps(values) if values else "")


def write_settings(path: Path, text: str) -> None:
    """Write a settings file, all of it or nothing.

    Raises:
        SettingsError: the file cannot be written.
    """
    try:
        with replaced(path, durable=True) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="replace")  # odd names of files
    except OSError as error:
        raise SettingsError(
            f"The settings cannot be kept in {path} ({error.strerror})",
            refusal(error, "the folder forbids writing or the disk is full", "")[0],
            "go on: everything works, but the next start begins with the former settings",
        ) from error


# From text to values


def _parse(text: str) -> tuple[dict[str, Any], list[str]]:
    """Read TOML; a line that is no TOML is left out, and named in the list."""
    lines, broken = text.split("\n"), []
    for _ in range(min(MOST_MISTAKES, MOST_PARSED // max(1, len(text)))):
        try:
            values = parse_toml("\n".join(lines))
        except tomllib.TOMLDecodeError as error:
            if str(error) == NESTED:
                break  # no line is known to be the wrong one
            number = _last_line(lines, error)
            line = lines[number - 1]
            # Lines below a lost heading belong to it, and not to the section above.
            heads = line.lstrip().startswith("[") and LOST not in line
            lines[number - 1] = f"[{LOST}{number}]" if heads else ""
            broken += [] if LOST in line else [_line_name(line, number)]
        else:
            return {key: value for key, value in values.items() if not key.startswith(LOST)}, broken
    return {}, [EVERYTHING]


def _last_line(lines: list[str], error: tomllib.TOMLDecodeError) -> int:
    """Return the last non-empty line at or before the place of an error, counted from 1."""
    place = re.search(r"at line (\d+)", str(error))
    number = min(int(place[1]) if place else len(lines), len(lines))
    while number > 1 and not lines[number - 1].strip():
        number -= 1
    if lines[number - 1].strip():
        return number
    return next(n for n, line in enumerate(lines, 1) if line.strip())


def _line_name(line: str, number: int) -> str:
    key = re.match(r"\s*([\w-]+)\s*=", line)
    return key[1] if key else f"line {number}"


# From values to settings


def _renew(values: dict[str, Any]) -> list[str]:
    """Put `lanes.models` in place of the keys of older versions, which knew two lanes; return those that are wrong.

    Where both are there, an older version ran last: this one leaves no old keys.
    """
    lanes = values.get("lanes")
    if not isinstance(lanes, dict) or not lanes.keys() & OLD_LANES.keys():
        return []
    old = {name: lanes.pop(name) for name in OLD_LANES if name in lanes}
    wrong = [name for name, model in old.items() if not isinstance(model, str) or "\0" in model]
    models = [OLD_LANES[name] if name in wrong else old.get(name, OLD_LANES[name]) for name in OLD_LANES]
    lanes["models"] = [model for model in models if model is not None]
    return [f"lanes.{name}" for name in wrong]


def _from_values(
    values: Mapping[str, Any], settings: Settings, prefix: str = ""
) -> tuple[Settings, dict[str, Any], list[str]]:
    """Return `settings` with the values of a file, the unknown values, and the keys of wrong ones."""
    known = paths_by_key()
    unknown: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in values.items():
        key = prefix + name
        if key in known:
            path = known[key]
            try:
                settings = with_value(settings, path, read_value(value, setting_types()[path], (key,)))
            except Mistake:
                wrong.append(key)
        elif not any(other.startswith(f"{key}.") for other in known):
            unknown[name] = value
        elif isinstance(value, dict):
            settings, below, wrong_below = _from_values(value, settings, f"{key}.")
            unknown |= {name: below} if below else {}
            wrong += wrong_below
        else:
            wrong.append(key)
    return settings, unknown, wrong


# From settings to values


def _to_values(settings: Settings) -> dict[str, Any]:
    """Return what differs from the defaults and can be written, in TOML's types."""
    values: dict[str, Any] = {}
    usual = Settings()
    for key, path in paths_by_key().items():
        value = value_at(settings, path)
        if value is None or value == value_at(usual, path) or not _is_text(str(value)):
            continue
        *sections, name = key.split(".")
        table = values
        for section in sections:
            table = table.setdefault(section, {})
        table[name] = value.value if isinstance(value, Enum) else str(value) if isinstance(value, Path) else value
    return values


def _is_text(text: str) -> bool:
    """Return whether TOML can hold a text, which is not so for names of files with bytes that are no letters."""
    try:
        return bool(text.encode()) or not text
    except UnicodeEncodeError:
        return False


def _merged(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in more.items():
        ours = merged.get(key)
        merged[key] = _merged(ours, value) if isinstance(ours, dict) and isinstance(value, dict) else value
    return merged


# What is reported


def _keep(path: Path, raw: bytes) -> Path | None:
    """Copy a file with mistakes; None where that is not possible."""
    copy = path.with_name(path.stem + BROKEN_SUFFIX)
    try:
        with replaced(copy, durable=True) as temporary:
            temporary.write_bytes(raw)
    except OSError:
        return None
    return copy


def _broken(path: Path, keys: list[str], copy: Path | None) -> SettingsError:
    names = ", ".join(f"“{key}”" for key in keys[:MOST_NAMED]) + (" …" if len(keys) > MOST_NAMED else "")
    return SettingsError(
        f"Some settings in {path} are wrong and were left out: {names}",
        "the file was edited, damaged, or written by another version",
        f"set them again; the original file is kept as {copy.name}" if copy else "set them again",
    )
