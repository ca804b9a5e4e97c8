"""The live stage: a saved change is shown within half a second, and no mistake removes the picture."""

import threading
import time

import pytest

from engine.filters import stage as stage_module
from engine.filters.stage import FilterStage
from tests.fakes import threads
from tests.fakes.filters import BLUE, GREEN, SQUARE, face_of, grey, make_filter, portrait_points, write_png

pytestmark = pytest.mark.alone

SOON = 0.5  # seconds, which the issue promises
LATE = 5.0  # seconds after which a condition is given up
FACE = face_of(portrait_points())
COLOURS = {(0, 0, 255): "red", (0, 255, 0): "green", (255, 0, 0): "blue", (100, 100, 100): "nothing"}


@pytest.fixture
def folder(tmp_path):
    return make_filter(tmp_path / "mine")


@pytest.fixture
def stage(folder):
    with threads.no_thread_left():
        made = FilterStage(folder)
        yield made
        made.close()


def colour(stage):
    picture = grey()
    if stage.version is not None:
        stage.version.paint(picture, [FACE])
    x, y = FACE.landmarks[30].round().astype(int)
    return COLOURS[tuple(picture[y, x, :3].tolist())]


def seconds_until(condition):
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < LATE, "it never came true"
        time.sleep(0.005)
    return time.monotonic() - start


def wait(seconds, condition):
    """Let time pass and see that the condition holds throughout."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition()
        time.sleep(0.02)


def test_a_saved_image_is_shown_soon(stage, folder):
    assert colour(stage) == "red"
    write_png(folder / "square.png", GREEN)
    assert seconds_until(lambda: colour(stage) == "green") < SOON
    assert stage.error is None


def test_a_saved_toml_is_followed_soon(stage, folder):
    write_png(folder / "other.png", BLUE)
    (folder / "filter.toml").write_text(SQUARE.replace("square.png", "other.png"))
    assert seconds_until(lambda: colour(stage) == "blue") < SOON


def test_editors_that_write_beside_and_rename_are_followed(stage, folder):
    write_png(folder / "new.png", BLUE)
    (folder / "new.png").replace(folder / "square.png")
    assert seconds_until(lambda: colour(stage) == "blue") < SOON


def test_a_mistake_is_reported_soon_and_the_last_good_version_stays(stage, folder):
    (folder / "filter.toml").write_text(SQUARE + "opacity = 7\n")
    assert seconds_until(lambda: stage.error is not None) < 2 * SOON
    assert (stage.error.line, stage.error.file) == (4, folder / "filter.toml")
    assert "A number from 0 to 1 was expected" in str(stage.error)
    assert colour(stage) == "red"
    (folder / "filter.toml").write_text(SQUARE)
    assert seconds_until(lambda: stage.error is None) < SOON
    assert colour(stage) == "red"


def test_an_image_that_is_being_written_is_no_mistake(stage, folder):
    write_png(folder / "whole.png", GREEN, (600, 600))
    whole = (folder / "whole.png").read_bytes()
    with (folder / "square.png").open("wb") as file:
        file.write(whole[: len(whole) // 2])
        file.flush()
        wait(0.2, lambda: stage.error is None and colour(stage) == "red")
        file.write(whole[len(whole) // 2 :])
    assert seconds_until(lambda: colour(stage) == "green") < SOON
    assert stage.error is None


def test_an_image_that_stays_half_is_a_mistake(stage, folder):
    half = (folder / "square.png").read_bytes()[:50]
    (folder / "square.png").write_bytes(half)
    seconds_until(lambda: stage.error is not None)
    assert "square.png" in str(stage.error)
    assert colour(stage) == "red"


def test_a_version_that_fails_unexpectedly_is_tried_twice_and_not_for_ever(stage, folder, monkeypatch):
    tried = []

    def fail(*_):
        tried.append(time.monotonic())
        raise MemoryError

    monkeypatch.setattr(stage_module, "load_filter", fail)
    write_png(folder / "square.png", GREEN)
    seconds_until(lambda: len(tried) == 2)
    wait(SOON, lambda: len(tried) == 2)


def test_a_folder_that_goes_away_keeps_its_last_picture(stage, folder):
    folder.rename(folder.with_name("elsewhere"))
    seconds_until(lambda: stage.error is not None)
    assert colour(stage) == "red"
    folder.with_name("elsewhere").rename(folder)
    seconds_until(lambda: stage.error is None)


def test_a_folder_may_be_broken_from_the_beginning(folder):
    (folder / "filter.toml").write_text("[[layer]\n")
    stage = FilterStage(folder)
    assert stage.error.line == 1
    assert stage.title == "mine"
    assert colour(stage) == "nothing"
    (folder / "filter.toml").write_text('name = "Square"\n' + SQUARE)
    assert seconds_until(lambda: colour(stage) == "red") < SOON
    assert stage.title == "Square"
    stage.close()


def test_the_window_is_notified_of_changes_and_mistakes(folder):
    reported = threading.Event()
    stage = FilterStage(folder, notify=reported.set)
    write_png(folder / "square.png", GREEN)
    assert reported.wait(LATE)
    reported.clear()
    (folder / "filter.toml").write_text("?")
    assert reported.wait(LATE)
    assert stage.error is not None
    stage.close()


def test_a_failing_hook_is_reported_and_a_mended_one_runs_again(folder):
    hook = folder / "hook.py"
    (folder / "filter.toml").write_text('hook = "hook.py"\n' + SQUARE)
    hook.write_text("def draw(picture, points, signals, seconds):\n    raise ValueError('so')\n")
    reported = threading.Event()
    stage = FilterStage(folder, hooks=True, notify=reported.set)
    assert stage.error is None
    assert colour(stage) == "red"
    assert reported.wait(LATE)
    assert (stage.error.file, stage.error.line) == (hook, 2)
    hook.write_text("def draw(picture, points, signals, seconds):\n    picture[:, :, :3] = (255, 0, 0)\n")
    assert seconds_until(lambda: colour(stage) == "blue") < SOON
    assert stage.error is None
    stage.close()


def test_what_was_loaded_is_still_drawn_after_the_end(folder):
    with threads.no_thread_left():
        stage = FilterStage(folder)
        stage.close()
        stage.close()
    assert colour(stage) == "red"


def test_a_hook_that_hangs_is_reported_soon_and_the_picture_goes_on_without_it(folder):
    spec = folder / "filter.toml"
    spec.write_text('hook = "hook.py"\n' + spec.read_text())
    (folder / "hook.py").write_text("def draw(picture, points, signals, seconds):\n    while True: pass\n")
    reported = threading.Event()
    with threads.no_thread_left():
        stage = FilterStage(folder, hooks=True, notify=reported.set)
        assert colour(stage) == "red", "this picture waits for the hook, and is painted without it"
        assert reported.wait(LATE)
        assert "mine/hook.py, line 2: the hook gave no answer within 1 s" in str(stage.error)
        assert seconds_until(lambda: colour(stage) == "red") < SOON
        stage.close()
