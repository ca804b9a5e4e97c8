"""Videos and odd names through the command line: lengths, sound, shape, and names that are no UTF-8."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.formats.images import write_picture
from engine.output import sound
from engine.sources.sample import SampleClip
from tests.app.cli.commands import run
from tests.fakes.clips import write_clip

MEDIA = Path(__file__).resolve().parents[2] / "media"
ODD = os.fsdecode(b"caf\xe9")
no_such_names = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems allow no such names")


@pytest.fixture(autouse=True)
def without_ffmpeg(monkeypatch):
    monkeypatch.setattr(sound.shutil, "which", lambda name: None)


def length(path: Path) -> tuple[float, int]:
    """Return the seconds and the frames of a video."""
    capture, frames = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), 0
    rate = capture.get(cv2.CAP_PROP_FPS)
    while capture.grab():
        frames += 1
    return frames / rate, frames


def slow(path: Path) -> Path:
    """Write four pictures that are shown for 5 seconds each."""
    return write_clip(path, frames=4, rate=0.2)


def fast(path: Path) -> Path:
    """Write a fifth of a second at 1000 frames a second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 1000.0, (64, 48))
    for number in range(200):
        writer.write(np.full((48, 64, 3), number, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("verb", ["run", "filter"])
@pytest.mark.parametrize(
    ("make", "seconds"),
    [
        (lambda folder: MEDIA / "variable_rate.mp4", 1.73),
        (lambda folder: MEDIA / "variable_rate.webm", 1.73),
        (lambda folder: MEDIA / "offset.mkv", 0.48),
        (lambda folder: slow(folder / "slow.mp4"), 20.0),
        (lambda folder: fast(folder / "fast.mp4"), 0.2),
    ],
    ids=["variable mp4", "variable webm", "offset", "slow", "fast"],
)
def test_fault_42_what_is_written_lasts_as_long_as_the_source(capsys, tmp_path, verb, make, seconds):
    source, out = make(tmp_path), tmp_path / "out.mp4"
    if verb == "run":
        code, _, err = run(capsys, "run", source, "--headless", "--record", out)
    else:
        code, _, err = run(capsys, "filter", "apply", "glasses", source, "--out", out)
    assert code == 0, err
    assert length(out)[0] == pytest.approx(seconds, abs=0.045)


def test_a_constant_rate_is_kept_frame_by_frame(capsys, tmp_path):
    source, out = write_clip(tmp_path / "a.mp4", frames=40, rate=29.97), tmp_path / "out.avi"
    assert run(capsys, "filter", "apply", "glasses", source, "--out", out)[0] == 0
    assert length(out)[1] == 40


def test_pixels_are_square_in_what_is_written(capsys, tmp_path):
    out = tmp_path / "out.mp4"
    assert run(capsys, "filter", "apply", "glasses", MEDIA / "wide_pixels.mkv", "--out", out)[0] == 0
    assert cv2.VideoCapture(str(out)).read()[1].shape == (48, 64, 3)


@pytest.mark.parametrize("name", ["sound.mp4", "sound.mkv"])
@pytest.mark.parametrize("verb", ["run", "filter"])
def test_without_ffmpeg_it_says_that_the_sound_is_missing(capsys, tmp_path, name, verb):
    out = tmp_path / "out.mp4"
    record = ("run", MEDIA / name, "--headless", "--record", out)
    code, _, err = run(
        capsys, *(record if verb == "run" else ("filter", "apply", "glasses", MEDIA / name, "--out", out))
    )
    assert code == 0
    assert f"The sound of {name} is missing in out.mp4" in err
    assert "Install it" in err


def test_of_a_silent_video_no_sound_is_missed(capsys, tmp_path):
    source = write_clip(tmp_path / "a.mp4", frames=3)
    code, _, err = run(capsys, "filter", "apply", "glasses", source, "--out", tmp_path / "out.mp4")
    assert code == 0
    assert "sound" not in err


@no_such_names
def test_fault_45_a_picture_whose_name_is_no_utf8_never_loses_the_others(capsys, tmp_path):
    folder, image = tmp_path / "f", SampleClip().frame(90)[0]
    write_picture(folder / "a.png", image)
    write_picture(folder / "b.png", image)
    (folder / "b.png").rename(folder / f"{ODD}.png")
    assert run(capsys, "predict", folder, "--out", tmp_path / "o.jsonl")[0] == 0
    records = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["image"] for record in records] == ["a.png", f"{ODD}.png"]
    assert all(len(record["faces"]) == 1 for record in records)
    assert run(capsys, "predict", folder, "--out", tmp_path / "o.csv")[0] == 0, "a table too"
    assert len((tmp_path / "o.csv").read_text(encoding="utf-8").splitlines()) == 3
    assert run(capsys, "predict", folder, "--out", tmp_path / "pts")[0] == 0
    assert {file.name for file in (tmp_path / "pts").iterdir()} == {"a.pts", f"{ODD}.pts"}
    assert run(capsys, "filter", "apply", "glasses", folder, "--out", tmp_path / "drawn")[0] == 0
    assert {file.name for file in (tmp_path / "drawn").iterdir()} == {"a.png", f"{ODD}.png"}


@no_such_names
@pytest.mark.parametrize("folder", ["plain", ODD])
def test_fault_45_videos_whose_names_are_no_utf8_are_read_and_written(capsys, tmp_path, folder):
    (tmp_path / folder).mkdir()
    source = write_clip(tmp_path / "a.mp4", frames=5).rename(tmp_path / folder / f"{ODD}.mp4")
    out = tmp_path / folder / f"r{ODD}.mp4"
    code, _, err = run(capsys, "run", source, "--headless", "--record", out)
    assert code == 0, err
    assert sorted(file.name for file in (tmp_path / folder).iterdir()) == sorted([source.name, out.name])
    plain = out.rename(tmp_path / "plain.mp4")
    assert length(plain)[1] == 5


@pytest.mark.skipif(sys.platform == "win32", reason="such names are forbidden there")
def test_fault_45_names_with_a_colon_are_read_and_written(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(Path("a.mp4").absolute(), frames=5).rename("12:30:00.mp4")
    code, _, err = run(capsys, "run", "12:30:00.mp4", "--headless", "--record", "10:00.mp4")
    assert code == 0, err
    assert length(tmp_path / "10:00.mp4")[1] == 5


def test_pictures_that_are_only_read_are_written_as_png(capsys, tmp_path):
    folder = tmp_path / "f"
    write_picture(folder / "a.png", np.full((40, 60, 3), 90, np.uint8))
    (folder / "a.png").rename(folder / "a.jfif")
    assert run(capsys, "filter", "apply", "glasses", folder, "--out", tmp_path / "out")[0] == 0
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["a.jfif.png"]
