import time

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QWidget

from app.live import screenshot
from app.live.screenshot import Screenshots, save_screenshot, save_window_screenshot, screenshot_folder
from engine.core.errors import RecordingError
from engine.formats.images import read_picture


def test_picture_is_saved_as_seen(tmp_path):
    pixels = np.empty((20, 30, 4), np.uint8)
    pixels[:] = (10, 20, 30, 255)
    path = save_screenshot(pixels, tmp_path / "Bilder öß")
    assert path.suffix == ".png"
    assert read_picture(path).shape == (20, 30, 3)
    assert (read_picture(path) == (30, 20, 10)).all()


def test_second_of_the_same_second_does_not_overwrite(tmp_path):
    pixels = np.zeros((4, 4, 4), np.uint8)
    paths = {save_screenshot(pixels, tmp_path) for _ in range(3)}
    assert len(paths) == 3
    assert all(path.is_file() for path in paths)


def test_folder_that_is_a_file_is_reported(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(RecordingError, match="cannot be written"):
        save_screenshot(np.zeros((4, 4, 4), np.uint8), tmp_path / "taken")


def test_picture_taken_in_the_moment_of_closing_is_saved(qtbot, tmp_path, monkeypatch):
    window = QWidget()
    qtbot.addWidget(window)
    screenshots, write = Screenshots(window), screenshot.write_picture

    def write_slowly(path, pixels):
        time.sleep(0.1)
        write(path, pixels)

    monkeypatch.setattr(screenshot, "write_picture", write_slowly)
    screenshots.save(np.zeros((4, 4, 4), np.uint8), tmp_path)
    screenshots.close()
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_folder_is_named_after_the_program(qapp):
    assert screenshot_folder().name == "Understudy"


def test_window_is_saved_whole(qtbot, tmp_path):
    label = QLabel("hello")
    qtbot.addWidget(label)
    label.resize(120, 40)
    path = tmp_path / "docs" / "window.png"
    save_window_screenshot(label, path)
    assert read_picture(path).shape == (40, 120, 3)


def test_window_that_cannot_be_saved_is_reported(qtbot, tmp_path):
    label = QLabel("hello")
    qtbot.addWidget(label)
    with pytest.raises(RecordingError, match="cannot be written"):
        save_window_screenshot(label, tmp_path / "window.nonsense")
