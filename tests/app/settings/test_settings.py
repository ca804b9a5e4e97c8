"""Settings: sparse, readable, and so robust that a mistake loses only its key."""

from __future__ import annotations

import errno
import json
import os
import random
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import file as settings_file
from app.settings import store as settings_store
from app.settings.file import HEADER, read_settings, settings_path, settings_text, write_settings
from app.settings.schema import (
    PASSING,
    LaneSettings,
    Settings,
    TrainChoices,
    WindowPlace,
    paths_by_key,
    setting_types,
)
from app.settings.store import SettingsStore
from app.theme.theme import ThemeChoice
from engine.inference.library import DEFAULT_MODEL
from engine.live.settings import LiveSettings, Pace
from engine.render.scene import Layout, OverlayOptions

CHANGED = Settings(
    source='/videos/Öß 日本/clip "one".mp4',
    turns=(("HD Webcam", 90), ("http://…@192.168.1.9/live", 270)),
    signals=True,
    filter="glasses",
    stream="udp://127.0.0.1:9000",
    recordings=Path("/tmp/Aufnahmen öß"),
    theme=ThemeChoice.LIGHT,
    presenter=True,
    window=WindowPlace(-1200, 40, 900, 700, maximised=True),
    lanes=LaneSettings(("student-98", "tough-68")),
    live=LiveSettings(
        OverlayOptions(points=False, truth=True),
        smoothing=0.25,
        layout=Layout.SIDE_BY_SIDE,
        pace=Pace.LOCKED,
        magnification=7.5,
    ),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "Einstellungen öß" / "settings.toml"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_everything_comes_back(path):
    write_settings(path, settings_text(CHANGED, {}))
    stored = read_settings(path)
    assert stored.settings == CHANGED
    assert (stored.problem, dict(stored.unknown)) == (None, {})


def test_only_what_differs_is_written(path):
    assert settings_text(Settings(), {}) == HEADER
    changed = Settings(
        theme=ThemeChoice.DARK, lanes=LaneSettings(("student-68", "tough-68")), live=LiveSettings(layout=Layout.SPLIT)
    )
    text = settings_text(changed, {})
    assert tomllib.loads(text) == {"theme": "dark", "lanes": {"models": ["student-68", "tough-68"], "layout": "split"}}


def test_settings_lie_in_the_users_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path().name == "settings.toml"
    assert settings_path().parent.name == "understudy"


def test_no_file_gives_the_defaults_without_a_word(path):
    assert read_settings(path).settings == Settings()
    assert read_settings(path).problem is None


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('smoothing = "much"', "smoothing"),
        ("smoothing = 1.5", "smoothing"),
        ("smoothing = nan", "smoothing"),
        ("smoothing = true", "smoothing"),
        ("signals = 1", "signals"),
        ('theme = "purple"', "theme"),
        ("theme = 3", "theme"),
        ("theme = [1]", "theme"),
        ("source = 7", "source"),
        ('turns = [["HD Webcam", 45]]', "turns"),
        ('turns = [["HD Webcam"]]', "turns"),
        ('turns = "HD Webcam"', "turns"),
        ("recordings = false", "recordings"),
        ("window = 3", "window"),
        ("lanes = []", "lanes"),
        ("lanes.magnification = 11", "lanes.magnification"),
        ("lanes.magnification = 0.5", "lanes.magnification"),
        ('lanes.layout = "circle"', "lanes.layout"),
        ("window.width = 0", "window.width"),
        ("window.x = 1e3", "window.x"),
        ("window.x = 99999999999999999999", "window.x"),
        ('overlay.points = "yes"', "overlay.points"),
        ("smoothing = = 3", "smoothing"),
        ("smoothing = 0.5 0.6", "smoothing"),
        ("mirrored", "line 1"),
    ],
)
def test_fault_56_a_broken_key_costs_only_that_key(path, line, key):
    whole = f'{line}\npresenter = true\nfilter = "glasses"\n[overlay2]\nnew = 1\n'
    write(path, whole)
    stored = read_settings(path)
    assert stored.settings == replace(Settings(), presenter=True, filter="glasses")
    assert f"“{key}”" in str(stored.problem)
    assert stored.unknown == {"overlay2": {"new": 1}}
    assert path.with_name("settings.broken.toml").read_text() == whole


def test_fault_56_a_lost_heading_costs_its_section(path):
    write(path, "presenter = true\n[lanes]\nfirst = 'a'\n[overlay\npoints = false\n[window]\nwidth = 700\n")
    stored = read_settings(path)
    assert stored.settings == replace(
        Settings(), presenter=True, lanes=LaneSettings(("a",)), window=WindowPlace(width=700)
    )
    assert "“line 4”" in str(stored.problem)
    assert dict(stored.unknown) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"\0" * 4000,
        b"{",
        b'x = """abc',
        b"a" * 200_000,
        b"[[lanes]]\n",
        b"\xef\xbb\xbf",
        b"=\n" * 60,
    ],
    ids=["empty", "utf-16", "zeros", "brace", "unended", "huge", "array", "mark", "lines"],
)
def test_fault_56_garbage_gives_the_defaults(path, content):
    write(path, content)
    stored = read_settings(path)
    assert stored.settings == Settings()
    assert (stored.problem is None) == (content in (b"", b"\xef\xbb\xbf"))
    if stored.problem:
        assert path.with_name("settings.broken.toml").read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        "smoothing = " + "9" * 5000,
        "smoothing = 0x" + "f" * 5000,
        "smoothing = " + "[" * 1000,
        "smoothing = " + "[" * 60 + "]" * 60,
        "overlay" + ".a" * 40_000 + " = 1",
        'recordings = "\\u0000"',
    ],
    ids=["long number", "long hexadecimal number", "open brackets", "brackets", "long key", "zero"],
)
def test_fault_56_what_breaks_the_parser_costs_only_its_line(path, line):
    write(path, f"presenter = true\n{line}\nsignals = true\n")
    stored = read_settings(path)
    assert stored.settings == replace(Settings(), presenter=True, signals=True)
    assert 0 < len(str(stored.problem)) < 1000
    assert path.with_name("settings.broken.toml").read_bytes() == path.read_bytes()
    settings_text(stored.settings, stored.unknown)


def test_fault_56_what_is_deep_over_many_lines_gives_the_defaults(path):
    write(path, "signals = true\na = " + "[\n" * 3000)
    assert read_settings(path).settings == Settings()
    assert "“the whole file”" in str(read_settings(path).problem)


def test_fault_56_a_text_of_another_editor_is_read(path):
    write(path, "presenter = true\r\n".encode("utf-16"))
    assert read_settings(path).settings == replace(Settings(), presenter=True)
    assert read_settings(path).problem is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="such files are Unix's")
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), Path.mkdir])
def test_fault_56_what_is_no_file_gives_the_defaults_and_stays(path, make):
    path.parent.mkdir(parents=True)
    make(path)
    stored = read_settings(path)
    assert (stored.settings, stored.replaceable) == (Settings(), False)
    assert "cannot be read" in str(stored.problem)


def test_a_name_that_no_toml_can_hold_is_not_kept(path):
    write_settings(path, settings_text(replace(Settings(), source="bad\udcff.mp4", presenter=True), {}))
    assert read_settings(path).settings == replace(Settings(), presenter=True)


def test_fault_56_any_damage_is_survived(path):
    whole = settings_text(CHANGED, {"later": {"x": [1, 2]}}).encode()
    chance = random.Random(7)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        write(path, bytes(damaged[: chance.randint(1, len(damaged))]))
        assert isinstance(read_settings(path).settings, Settings)


def test_fault_56_keys_of_a_newer_version_are_kept(path):
    write(path, 'theme = "dark"\nhologram = true\n[lanes]\nthird = "x"\n[lanes.deep]\ny = 1\n')
    stored = read_settings(path)
    assert stored.problem is None
    write_settings(path, settings_text(replace(stored.settings, presenter=True), stored.unknown))
    assert tomllib.loads(path.read_text()) == {
        "theme": "dark", "presenter": True, "hologram": True, "lanes": {"third": "x", "deep": {"y": 1}},
    }  # fmt: skip


OLD = """\
# Settings of Understudy. Only what differs from the defaults is here; remove a line to get its default.

source = "C920"
smoothing = 0.25
signals = true
filter = "glasses"
stream = "udp://127.0.0.1:9000"
recordings = "/disk/Aufnahmen"
theme = "light"
presenter = true

[window]
x = -1200
y = 40
width = 900
height = 700
maximised = true

[lanes]
first = "student-98"
second = "tough-68"
layout = "side_by_side"
pace = "locked"
magnification = 7.5

[overlay]
points = false
truth = true

[training]
recipe = "student-68-base"
data = "/disk/packs"
"""


def test_a_file_of_the_first_version_is_read_and_written_as_it_is_but_for_the_models(path):
    write(path, OLD)
    stored = read_settings(path)
    assert (stored.problem, dict(stored.unknown)) == (None, {})
    settings = replace(
        CHANGED,
        source="C920",
        turns=(),
        recordings=Path("/disk/Aufnahmen"),
        training=TrainChoices("student-68-base", Path("/disk/packs")),
    )
    assert stored.settings == settings
    written, old = tomllib.loads(settings_text(settings, {})), tomllib.loads(OLD)
    assert written["lanes"].pop("models") == [old["lanes"].pop("first"), old["lanes"].pop("second")]
    assert written == old


@pytest.mark.parametrize(
    ("lanes", "models", "wrong"),
    [
        ('first = "a"', ("a",), ""),
        ('second = "b"', (DEFAULT_MODEL, "b"), ""),
        ('models = ["x", "y", "z"]\nfirst = "a"\nsecond = "b"', ("a", "b"), ""),  # an older version ran last
        ('first = 3\nsecond = "b"', (DEFAULT_MODEL, "b"), "“lanes.first”"),
        ('first = "a"\nsecond = false', ("a",), "“lanes.second”"),
        ('models = ["a", "b", "c", "d"]', ("a", "b", "c", "d"), ""),
        ('models = ["a", "b", "c", "d", "e"]', (DEFAULT_MODEL,), "“lanes.models”"),
        ("models = []", (DEFAULT_MODEL,), "“lanes.models”"),
    ],
)
def test_the_models_of_older_versions_become_a_list(path, lanes, models, wrong):
    write(path, f'[lanes]\n{lanes}\nlayout = "split"\n')
    stored = read_settings(path)
    assert stored.settings == Settings(lanes=LaneSettings(models), live=LiveSettings(layout=Layout.SPLIT))
    assert dict(stored.unknown) == {}
    assert (wrong in str(stored.problem)) if wrong else stored.problem is None


def test_every_setting_has_a_key_of_its_own():
    assert sorted([*paths_by_key().values(), *PASSING]) == sorted(setting_types())
    assert "live" not in {key.partition(".")[0] for key in paths_by_key()}, "the file has no such section"


def test_what_belongs_to_the_source_is_not_remembered(path):
    passing = Settings(live=LiveSettings(mirrored=True, paused=True, filter=object()))
    assert settings_text(passing, {}) == HEADER
    write(path, "mirrored = true\npaused = true\n[live]\npaused = true\n")
    stored = read_settings(path)
    assert stored.settings == Settings()
    assert stored.unknown == {"mirrored": True, "paused": True, "live": {"paused": True}}


# While the window runs


def test_changes_are_reported_once_and_with_their_path(path, qapp):
    store, reported = SettingsStore(path), []
    store.changed.connect(reported.append)
    store.update("live.overlay.box", True)
    store.update("live.overlay.box", True)
    store.update("lanes", LaneSettings(("a", "b")))
    store.toggle("signals")
    assert reported == ["live.overlay.box", "lanes", "signals"]
    with pytest.raises(AttributeError):
        store.update("live.overlay.halo", True)
    assert store.settings == Settings(
        signals=True, lanes=LaneSettings(("a", "b")), live=LiveSettings(OverlayOptions(box=True))
    )


def test_toggling_goes_round(path, qapp):
    store = SettingsStore(path)
    seen = []
    for _ in ThemeChoice:
        store.toggle("theme")
        seen.append(store.settings.theme)
    assert seen == [ThemeChoice.LIGHT, ThemeChoice.DARK, ThemeChoice.SYSTEM]


def test_changes_are_written_once_and_soon(path, qtbot, qapp, monkeypatch):
    writes = []
    monkeypatch.setattr(settings_store, "write_settings", lambda *given: (writes.append(given), write_settings(*given)))
    store = SettingsStore(path)
    store._timer.setInterval(50)
    for share in range(100):
        store.update("live.smoothing", share / 100)
    qtbot.waitUntil(path.exists)
    qtbot.wait(100)
    assert len(writes) == 1
    assert read_settings(path).settings.live.smoothing == 0.99
    store.close()
    assert len(writes) == 1, "nothing new, so nothing is written"


def test_what_was_not_written_yet_is_written_at_the_end(path, qapp):
    store = SettingsStore(path)
    store.update("presenter", True)
    assert not path.exists()
    store.close()
    assert read_settings(path).settings.presenter


def test_two_windows_on_one_file_keep_each_other_s_changes(path, qapp):
    write(path, 'filter = "glasses"\nmood = "good"\n')
    first, second = SettingsStore(path), SettingsStore(path)
    first.update("live.smoothing", 0.25)
    first.update("filter", None)
    second.update("theme", ThemeChoice.LIGHT)
    first.close()
    second.close()
    stored = read_settings(path)
    assert (stored.settings.live.smoothing, stored.settings.theme) == (0.25, ThemeChoice.LIGHT)
    assert (stored.settings.filter, stored.unknown) == (None, {"mood": "good"})


def test_what_was_chosen_last_counts_and_nothing_else_is_written_again(path, qapp):
    first, second = SettingsStore(path), SettingsStore(path)
    second.update("filter", "mask")
    second.close()
    first.update("filter", "glasses")
    first._write()
    write(path, 'theme = "light"\n')
    first.update("signals", True)
    first.close()
    assert read_settings(path).settings == Settings(theme=ThemeChoice.LIGHT, signals=True)


def test_settings_that_were_removed_meanwhile_are_written_again_as_a_whole(path, qapp):
    write(path, 'filter = "glasses"\n')
    store = SettingsStore(path)
    path.unlink()
    store.update("signals", True)
    store.close()
    assert read_settings(path).settings == Settings(filter="glasses", signals=True)


def test_defaults_make_no_file(path, qapp):
    store = SettingsStore(path)
    store.update("presenter", True)
    store.update("presenter", False)
    store.close()
    assert not path.exists()


def test_fault_56_a_broken_file_is_reported_once_and_mended(path, qapp):
    write(path, 'theme = "dark"\nsmoothing = "much"\nlater = 1\n')
    store = SettingsStore(path)
    assert "“smoothing”" in str(store.problem)
    store.close()
    again = SettingsStore(path)
    assert again.problem is None
    assert again.settings == replace(Settings(), theme=ThemeChoice.DARK)
    assert tomllib.loads(path.read_text())["later"] == 1


def test_fault_56_settings_that_cannot_be_written_are_reported_once(path, qtbot, qapp, monkeypatch):
    def refuse(path, durable):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(settings_file, "replaced", refuse)
    store, reported = SettingsStore(path), []
    store.failed.connect(reported.append)
    store._timer.setInterval(10)
    for number in range(3):
        store.update("live.smoothing", number / 10)
        qtbot.wait(60)
    store.close()
    assert len(reported) == 1
    assert "cannot be kept" in reported[0].what
    assert store.settings.live.smoothing == 0.2, "the window works on"


def test_fault_56_a_file_that_cannot_be_read_is_not_overwritten(path, qapp):
    path.mkdir(parents=True)
    (path / "inside").write_text("x")
    store = SettingsStore(path)
    assert "cannot be read" in str(store.problem)
    store.update("presenter", True)
    store.close()
    assert (path / "inside").read_text() == "x"


def test_unknown_values_survive_json_like_nesting(path):
    more = {"later": [{"a": 1}, {"b": [1, 2]}]}
    write_settings(path, settings_text(Settings(), more))
    assert json.dumps(read_settings(path).unknown) == json.dumps(more)
