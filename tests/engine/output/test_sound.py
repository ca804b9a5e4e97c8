"""Sound is copied by a program of the user's, or a sentence says that it is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from engine.output.sound import copy_sound
from tests.fakes.clips import write_clip

MEDIA = Path(__file__).resolve().parents[2] / "media"
# Writes what it was called with beside itself; then fails for the codecs in the file `refused`, or writes its output.
PROGRAM = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
calls = here / "calls.json"
before = json.loads(calls.read_text()) if calls.exists() else []
calls.write_text(json.dumps([*before, sys.argv[1:]]))
if sys.argv[sys.argv.index("-c:a") + 1] in (here / "refused").read_text().split():
    sys.exit("no such codec here")
pathlib.Path(sys.argv[-1].removeprefix("file:")).write_bytes(b"with sound")
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program of the test is a script")


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """Put a program on the path; return its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ffmpeg"
    program.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    (folder / "refused").write_text("", encoding="utf-8")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def calls(folder: Path) -> list[list[str]]:
    path = folder / "calls.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def test_the_sound_is_copied_for_as_long_as_the_pictures_last(tmp_path, ffmpeg):
    video = write_clip(tmp_path / "10:00 out.mp4", frames=10, rate=25)
    assert copy_sound(MEDIA / "sound.mp4", video) == ""
    assert video.read_bytes() == b"with sound"
    (command,) = calls(ffmpeg)
    assert [part for part in command if part.startswith("file:")][:2] == [
        f"file:{video}",
        f"file:{MEDIA / 'sound.mp4'}",
    ]
    assert command[command.index("-t") + 1] == "0.400"
    assert command.count("-protocol_whitelist") == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["10:00 out.mp4", "bin"]


@pytest.mark.parametrize(
    ("name", "begin"), [("sound.mp4", None), ("longer_sound.ts", "1.440"), ("begins_late.ts", "1.720")]
)
def test_the_sound_begins_with_the_first_picture(tmp_path, ffmpeg, name, begin):
    assert copy_sound(MEDIA / name, write_clip(tmp_path / "out.mp4", frames=10, rate=25)) == ""
    (command,) = calls(ffmpeg)
    source = command.index(f"file:{MEDIA / name}")
    late = command[: source - 3][-4:]  # what stands in front of the options of the source
    assert late == ["-seek_timestamp", "1", "-ss", begin] if begin else "-ss" not in command


@pytest.mark.parametrize(("ending", "second"), [(".mp4", "aac"), (".avi", "pcm_s16le")])
def test_sound_that_the_container_cannot_hold_is_encoded_again(tmp_path, ffmpeg, ending, second):
    (ffmpeg / "refused").write_text("copy", encoding="utf-8")
    assert copy_sound(MEDIA / "sound.mkv", write_clip(tmp_path / f"out{ending}", frames=10)) == ""
    assert [command[command.index("-c:a") + 1] for command in calls(ffmpeg)] == ["copy", second]


def test_a_program_that_fails_leaves_the_video_and_a_sentence(tmp_path, ffmpeg):
    (ffmpeg / "refused").write_text("copy aac", encoding="utf-8")
    video = write_clip(tmp_path / "out.mp4", frames=10)
    before = video.read_bytes()
    said = copy_sound(MEDIA / "sound.mp4", video)
    assert said.startswith("The sound of sound.mp4 is missing in out.mp4")
    assert "no such codec here" in said
    assert video.read_bytes() == before


def test_a_silent_source_starts_no_program(tmp_path, ffmpeg):
    assert copy_sound(MEDIA / "tall_pixels.mp4", write_clip(tmp_path / "out.mp4")) == ""
    assert calls(ffmpeg) == []


def test_where_sound_may_be_it_is_not_called_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    said = copy_sound(MEDIA / "interlaced_mpeg2.mpg", write_clip(tmp_path / "out.mp4"))
    assert said.startswith("out.mp4 has no sound")
