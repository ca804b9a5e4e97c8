"""`understudy run` on cameras that misbehave, and with options that exclude each other."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli import run as run_command
from app.cli.main import main
from engine.core.errors import ModelError, OutputError
from engine.formats.images import write_picture
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.live import camera_reader
from tests.fakes.faulty_camera import FaultyCamera, camera_source, hangs, noisy
from tests.fakes.killing_model import write_killing_model
from tests.fakes.threads import no_thread_left


def run(capsys, *arguments):
    """Run the command; return its exit code and its errors."""
    code = main(["run", *(str(argument) for argument in arguments)])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("script", [[noisy(640, 480)] * 4, []], ids=["reading", "opening"])
def test_fault_02_a_camera_whose_driver_hangs_ends_the_run(capsys, monkeypatch, script):
    until = threading.Event()
    driver = FaultyCamera([*script, hangs(until)])
    monkeypatch.setattr(run_command, "open_source", lambda spec, format_of: camera_source(driver))
    for limit in ("OPEN_LIMIT", "READ_LIMIT", "CLOSE_LIMIT"):
        monkeypatch.setattr(camera_reader, limit, 0.3)
    with no_thread_left():
        started = time.monotonic()
        code, err = run(capsys, "0", "--headless")
        took = time.monotonic() - started
        assert driver.inside == 1, "the driver still hangs"
        assert not driver.released
        until.set()
    assert code == 1
    assert took < 5
    assert ("stopped answering" if script else "did not open in time") in err
    assert "plug it in again" in err.lower()


def test_a_camera_is_asked_for_pixels_and_turned(capsys, monkeypatch, tmp_path):
    asked = []

    def open_camera(spec, format_of):
        asked.append(format_of("Fake Cam"))
        source = camera_source(FaultyCamera([noisy(64, 48)]))
        source.ask(asked[-1])
        return source

    monkeypatch.setattr(run_command, "open_source", open_camera)
    shot = tmp_path / "shot.png"
    options = ("--rotate", 90, "--camera-format", "yuyv", "--frames", 2, "--picture", shot)
    assert run(capsys, "0", "--headless", *options)[0] == 0
    assert (asked[0].turn, asked[0].pixels) == (90, "YUYV")
    assert cv2.imread(str(shot)).shape == (64, 48, 3)


@pytest.mark.parametrize("option", [("--rotate", "90"), ("--camera-format", "YUYV")])
def test_what_is_no_camera_is_not_turned(capsys, tmp_path, option):
    for source in ("sample", tmp_path):
        code, err = run(capsys, source, "--headless", *option)
        assert code == 1
        assert f"{option[0]} needs a camera" in err


@pytest.mark.parametrize("words", [("--rotate", "45"), ("--camera-format", "JPEGS"), ("--camera-format", "ab d")])
def test_other_turns_and_formats_are_refused(capsys, words):
    with pytest.raises(SystemExit) as refused:
        run(capsys, "0", "--headless", *words)
    assert refused.value.code == 2


def test_numbered_pictures_are_recorded_as_a_video(capsys, tmp_path):
    for number in range(3):
        write_picture(tmp_path / f"shot_{number:03d}.png", np.full((48, 64, 3), 90, np.uint8))
    clip = tmp_path / "out.avi"
    code, err = run(capsys, tmp_path / "shot_%03d.png", "--headless", "--record", clip)
    assert (code, err) == (0, "")
    assert int(cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FRAME_COUNT)) == 3


def test_a_camera_is_recorded_at_the_rate_it_delivers(capsys, monkeypatch, tmp_path):
    driver = FaultyCamera([noisy(64, 48)], period=0.1)
    monkeypatch.setattr(run_command, "open_source", lambda spec, format_of: camera_source(driver))
    clip = tmp_path / "out.avi"
    assert run(capsys, "0", "--headless", "--frames", 18, "--record", clip)[0] == 0
    recorded = cv2.VideoCapture(str(clip))
    assert int(recorded.get(cv2.CAP_PROP_FRAME_COUNT)) == 18
    assert 4 < recorded.get(cv2.CAP_PROP_FPS) < 10.5
    assert driver.released == 1


def test_options_of_a_run_without_a_window_are_named(capsys):
    _, err = run(capsys, "sample", "--record", "x.mp4", "--frames", "5")
    assert "--frames" in err
    assert "--record" in err
    assert "Add --headless." in err


@pytest.mark.parametrize(("named", "model"), [((), None), (("--model", "student-68-lite"), "student-68-lite")])
def test_a_window_without_a_named_model_is_free_to_use_the_remembered_one(monkeypatch, capsys, named, model):
    started = []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("app.app.run_window", lambda options: started.append(options.model) or 0)
    assert run(capsys, "sample", *named)[0] == 0
    assert started == [model]


def test_a_window_can_begin_with_several_models(monkeypatch, capsys):
    started = []
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("app.app.run_window", lambda options: started.append((options.model, options.models)) or 0)
    assert run(capsys, "sample", "--models", "student-68, student-68-lite,teacher-tolerant-68,")[0] == 0
    assert started == [(None, ("student-68", "student-68-lite", "teacher-tolerant-68"))]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--models", "student-68"), "--model NAME"),
        (("--models", "a,b,c,d,e"), "names 5 of 2 to 4 models"),
        (("--models", "student-68,student-86"), "There is no model “student-86”"),
        (("--models", "student-68,student-68-lite", "--model", "student-68"), "exclude each other"),
        (("--models", "student-68,student-68-lite", "--headless"), "compare-live"),
    ],
)
def test_several_models_that_cannot_be_shown_are_refused(monkeypatch, capsys, more, why):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("app.app.run_window", lambda _: pytest.fail("the window was opened"))
    code, err = run(capsys, "sample", *more)
    assert code != 0
    assert why in err


def test_a_mistyped_model_is_refused_before_there_is_a_window(monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("app.app.run_window", lambda _: pytest.fail("the window was opened"))
    assert main(["run", "sample", "--model", "student-86"]) == 1
    assert "There is no model “student-86”" in capsys.readouterr().err


def test_a_run_without_a_window_has_a_model_without_naming_one(monkeypatch, capsys):
    loaded = []

    def load(library, name):
        loaded.append(name)
        raise ModelError("No model", "this is a test", "go on")

    monkeypatch.setattr(ModelLibrary, "load_live", load)
    assert run(capsys, "sample", "--headless")[0] == 1
    assert loaded == [DEFAULT_MODEL]


def test_a_stream_that_cannot_be_sent_is_an_error_of_the_run(capsys, monkeypatch):
    def refuse(self, message):
        raise OutputError("The stream cannot be sent", "the network is down", "check the network")

    monkeypatch.setattr("engine.output.streaming.streamer.DatagramLink.send", refuse)
    code, err = run(capsys, "sample", "--headless", "--frames", 3, "--stream", "udp://127.0.0.1:5005")
    assert code == 1
    assert "The stream cannot be sent" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("verb", [("run", "sample", "--headless", "--frames", "2"), ("benchmark",)])
def test_fault_12_a_model_that_kills_is_a_sentence_of_every_verb(tmp_path, verb):
    write_killing_model(tmp_path / "seg.tflite")
    done = subprocess.run(
        [sys.executable, "-m", "app", *verb, "--model", str(tmp_path / "seg.tflite")],
        cwd=Path(__file__).resolve().parents[3], capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "The model seg.tflite brings down the program that runs it" in done.stderr
    assert "What to do: Choose another model" in done.stderr


def test_a_run_without_a_window_reports_what_it_measured_and_a_file_in_the_way_gets_a_sentence(capsys, tmp_path):
    code, err = run(capsys, "sample", "--headless", "--frames", 8, "--json", tmp_path / "a.json", "--report", tmp_path)
    assert (code, "report.html" in err) == (0, True)
    summary, made = (json.loads((tmp_path / name).read_text("utf-8")) for name in ("a.json", "report.json"))
    assert made["lanes"][0]["accuracy"]["nme"] == pytest.approx(summary["nme"], abs=1e-4)
    assert (made["frames"], made["lanes"][0]["name"]) == (8, summary["model"])
    code, err = run(capsys, "sample", "--headless", "--frames", 8, "--report", tmp_path / "a.json")
    assert (code, "cannot be written" in err) == (1, True)
