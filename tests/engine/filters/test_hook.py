"""Hooks: run only where they may be, and harmless to the picture when they fail."""

import logging
import threading

import numpy as np
import pytest

from engine.core.errors import FilterError
from engine.filters import hook
from engine.filters.library import load_filter
from tests.fakes.filters import SQUARE, face_of, fixed_signals, grey, make_filter, portrait_points
from tests.fakes.threads import no_thread_left

WITH_HOOK = 'hook = "hook.py"\n' + SQUARE
PAINTS_BLUE = """\
import cv2

def draw(picture, points, signals, seconds):
    x, y = points[8].astype(int).tolist()
    cv2.rectangle(picture, (x - 3, y - 3), (x + 3, y + 3), (255, round(signals.mouth * 100), 0, 255), -1)
"""


def hooked(tmp_path, code, hooks=True):
    folder = make_filter(tmp_path / "f", WITH_HOOK)
    (folder / "hook.py").write_text(code, encoding="utf-8")
    return load_filter(folder, hooks)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_hook_draws_on_every_face(tmp_path, mirrored, channels):
    loaded = hooked(tmp_path, PAINTS_BLUE)
    faces = [face_of(portrait_points() - (100, 0)), face_of(portrait_points() + (110, 0))]
    picture = np.ascontiguousarray(grey()[..., :channels])
    loaded.paint(picture, faces, [fixed_signals(mouth=0.5)] * 2, mirrored)
    for face in faces:
        x, y = face.landmarks[8].astype(int)
        shown = picture[y, 439 - x if mirrored else x].tolist()
        assert shown == ([255, 50, 0, 255] if channels == 4 else [0, 50, 255])


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_a_hook_draws_with_three_numbers_is_opaque(tmp_path, mirrored):
    loaded = hooked(tmp_path, PAINTS_BLUE.replace("0, 255), -1)", "0), -1)"))
    picture = grey()
    loaded.paint(picture, [face_of(portrait_points())], [fixed_signals(mouth=0.5)], mirrored)
    assert (picture[..., :3] == (255, 50, 0)).all(-1).any()
    assert (picture[..., 3] == 255).all()


def test_a_hook_is_not_run_unless_it_may(tmp_path):
    marker = tmp_path / "was-run"
    loaded = hooked(tmp_path, f"open({str(marker)!r}, 'w').close()\n" + PAINTS_BLUE, hooks=False)
    picture = grey()
    loaded.paint(picture, [face_of(portrait_points())])
    assert loaded.hook is None
    assert not marker.exists()
    assert (picture != grey()).any()


def test_an_exception_switches_the_hook_off_with_one_message(tmp_path, caplog):
    loaded = hooked(tmp_path, "def draw(picture, points, signals, seconds):\n    x = 1\n    return x / 0\n")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            picture = grey()
            loaded.paint(picture, [face_of(portrait_points())] * 2)
    assert (picture != grey()).any()  # the layers go on
    assert len(caplog.records) == 1
    assert loaded.hook.error.line == 3
    assert "ZeroDivisionError" in str(loaded.hook.error)
    assert "f/hook.py, line 3" in str(loaded.hook.error)


@pytest.mark.parametrize(
    ("code", "line", "words"),
    [
        ("def draw(:\n", 1, "SyntaxError"),
        ("import cv2\nimport there_is_no_such_thing\n", 2, "ModuleNotFoundError"),
        ("x = 1\n", None, "there is no function “draw”"),
    ],
)
def test_a_hook_that_is_none(tmp_path, code, line, words):
    with pytest.raises(FilterError, match=words) as caught:
        hooked(tmp_path, code)
    assert caught.value.line == line


def test_even_a_hook_that_is_not_run_must_be_there_and_be_python(tmp_path):
    with pytest.raises(FilterError, match="SyntaxError"):
        hooked(tmp_path, "def draw(:\n", hooks=False)
    (tmp_path / "f" / "hook.py").unlink()
    with pytest.raises(FilterError, match="hook cannot be read"):
        load_filter(tmp_path / "f")


def test_a_hook_cannot_spoil_the_landmarks_of_others(tmp_path):
    loaded = hooked(tmp_path, "def draw(picture, points, signals, seconds):\n    points[:] = 0\n")
    face = face_of(portrait_points())
    loaded.paint(grey(), [face])
    assert np.array_equal(face.landmarks, portrait_points())


def test_a_hook_draws_on_one_picture_at_a_time(tmp_path):
    code = """\
import time
inside, most = 0, 0

def draw(picture, points, signals, seconds):
    global inside, most
    inside += 1
    most = max(most, inside)
    time.sleep(0.02)
    inside -= 1
    assert most == 1
"""
    loaded = hooked(tmp_path, code)
    lanes = [threading.Thread(target=loaded.paint, args=(grey(), [face_of(portrait_points())] * 3)) for _ in range(2)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    assert loaded.hook.error is None


def draws(*lines):
    """Return a hook of these lines."""
    return (
        "\n    ".join(("import os, sys, threading, time\n\ndef draw(picture, points, signals, seconds):", *lines))
        + "\n"
    )


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        (["while True:", "    pass"], None, "gave no answer within 0.2 s"),
        (["threading.Event().wait()"], 4, "gave no answer within 0.2 s"),
        (["raise SystemExit"], 4, "SystemExit"),
        (["sys.exit(3)"], 4, "SystemExit: 3"),
        (["raise KeyboardInterrupt"], 4, "KeyboardInterrupt"),
        (["raise BaseException('all')"], 4, "BaseException: all"),
        (["draw(picture, points, signals, seconds)"], 4, "RecursionError"),
        (["raise ValueError('x' * 10_000_000)"], 4, "ValueError: xxx"),
        (["class Odd(Exception):", "    def __str__(self): raise self", "raise Odd"], 6, "Odd"),
    ],
)
def test_a_hook_that_hangs_or_ends_the_program_is_switched_off(tmp_path, monkeypatch, lines, line, words):
    monkeypatch.setattr(hook, "DRAW_SECONDS", 0.2)
    loaded = hooked(tmp_path, draws(*lines))
    picture = grey()
    loaded.paint(picture, [face_of(portrait_points())] * 2)
    assert (picture != grey()).any(), "the layers go on"
    error = loaded.hook.error
    assert words in str(error)
    assert line in (error.line, None)
    assert len(str(error)) < 600


def test_an_abandoned_hook_is_asked_to_end_and_draws_on_nothing_that_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(hook, "DRAW_SECONDS", 0.2)
    loaded = hooked(tmp_path, draws("while True:", "    picture[:] = 77"))
    with no_thread_left():
        picture = grey()
        loaded.paint(picture, [face_of(portrait_points())])
        assert not (picture == 77).all(-1).any()


@pytest.mark.parametrize("code", ["while True:\n    pass\n", "raise SystemExit\n", "import sys\nsys.exit()\n"])
def test_a_hook_that_hangs_or_ends_while_it_is_loaded_is_refused(tmp_path, monkeypatch, code):
    monkeypatch.setattr(hook, "LOAD_SECONDS", 0.2)
    with pytest.raises(FilterError, match=r"f/hook\.py.*(gave no answer within 0\.2 s|SystemExit)"):
        hooked(tmp_path, code)


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("signals['mouth']", "write a signal with a dot, as signals.mouth: there are yaw,"),
        ("signals.smile", "write a signal with a dot, as signals.mouth: there are yaw,"),
        ("np.zeros(3)", "import or define that name in the hook, as with “import numpy as np”"),
    ],
)
def test_usual_mistakes_in_a_hook_are_answered_with_the_right_words(tmp_path, line, fix):
    loaded = hooked(tmp_path, draws(line))
    loaded.paint(grey(), [face_of(portrait_points())])
    assert loaded.hook.error.fix.startswith(fix)
