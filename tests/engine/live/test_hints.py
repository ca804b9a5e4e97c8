from __future__ import annotations

import numpy as np
import pytest

from engine.live.hints import BLACK, FROZEN, PictureHints

RNG = np.random.default_rng(0)


def scene(mean: float = 120.0, noise: float = 2.0) -> np.ndarray:
    return np.clip(RNG.normal(mean, noise, (480, 640, 3)), 0, 255).astype(np.uint8)


def observe(pictures, period: float = 0.1) -> list[str]:
    hints = PictureHints(after=2.0)
    return [hints.observe(picture, 10.0 + number * period) for number, picture in enumerate(pictures)]


def test_fault_27_black_pictures_are_told_after_two_seconds_and_no_longer_than_they_last():
    told = observe([scene(3, 1.5) for _ in range(30)] + [scene() for _ in range(3)])
    assert told[:20] == [""] * 20
    assert told[20:30] == [BLACK] * 10
    assert told[30:] == [""] * 3


def test_a_short_darkness_is_not_worth_a_word():
    assert not any(observe([scene(2, 1) for _ in range(15)] + [scene()] + [scene(2, 1) for _ in range(15)]))


@pytest.mark.parametrize("picture", [scene(12, 1), scene(5, 12)], ids=["dim", "dark with lights"])
def test_a_dark_room_is_not_a_black_picture(picture):
    noisy = [
        np.clip(picture.astype(int) + RNG.integers(-1, 2, picture.shape), 0, 255).astype(np.uint8) for _ in range(30)
    ]
    assert not any(observe(noisy))


def test_fault_28_the_same_picture_again_and_again_is_frozen():
    still = scene()
    told = observe([scene()] + [still] * 25 + [scene()] * 2)
    assert told[21] == ""
    assert told[22:26] == [FROZEN] * 4
    assert told[26] == ""


def test_a_scene_at_rest_is_not_frozen():
    assert not any(observe([scene(noise=0.8) for _ in range(40)]))


def test_a_frozen_black_picture_is_called_black():
    assert observe([np.zeros((480, 640, 3), np.uint8)] * 30)[-1] == BLACK


def test_another_size_is_not_frozen():
    grey = [np.full((48 + 16 * (number % 2), 64, 3), 90, np.uint8) for number in range(40)]
    assert not any(observe(grey))


def test_the_picture_is_not_kept():
    picture = scene()
    hints = PictureHints(after=0.0)
    hints.observe(picture, 0.0)
    picture[:] = 0
    assert hints.observe(scene(), 1.0) == ""
