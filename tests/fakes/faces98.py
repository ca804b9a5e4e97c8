"""Drawn faces of 98 points: contours where a face has them, one face as good as another."""

import numpy as np

from engine.core.schemes import WFLW_98


def face_98(size: float, roll: float = 0.0, centre: tuple[float, float] = (150.0, 150.0)) -> np.ndarray:
    """Return a symmetric face `[98, 2]` whose jaw is `size` pixels wide, turned clockwise by `roll` radians."""
    points = np.zeros((98, 2))
    side = np.linspace(np.pi, 0, 33)  # from the right ear, on the left of the picture, by the chin to the left one
    points[:33] = np.stack([0.5 * np.cos(side), 0.6 * np.sin(side)], 1)
    brow = [(-0.4, -0.2), (-0.33, -0.26), (-0.25, -0.28), (-0.17, -0.27), (-0.1, -0.24)]
    points[33:38] = brow
    points[38:42] = np.array(brow[:0:-1]) + (0, 0.04)
    points[51:55] = [(0, -0.12), (0, -0.03), (0, 0.06), (0, 0.14)]
    points[55:60] = [(-0.09, 0.18), (-0.045, 0.2), (0, 0.21), (0.045, 0.2), (0.09, 0.18)]
    points[60:68] = np.array((-0.25, -0.13)) + _ring(8, 0.09, 0.035)
    points[76:88] = np.array((0, 0.33)) + _ring(12, 0.17, 0.07)
    points[88:96] = np.array((0, 0.33)) + _ring(8, 0.13, 0.03)
    points[96] = (-0.25, -0.13)
    mirrored = points[list(WFLW_98.mirror)] * (-1, 1)
    left = [*range(42, 51), *range(68, 76), 97]
    points[left] = mirrored[left]
    cosine, sine = np.cos(roll), np.sin(roll)
    return points @ np.array([[cosine, sine], [-sine, cosine]]) * size + centre


def namesakes(points: np.ndarray) -> np.ndarray:
    """Return the 68 of 98 points `[..., 98, 2]` that have a namesake in iBUG-68."""
    return points[..., list(WFLW_98.as_68), :].copy()


def shapes_98(count: int = 250, seed: int = 0) -> np.ndarray:
    """Return shapes `[count, 98, 2]` that differ in a few smooth ways, and a little in every point."""
    random = np.random.default_rng(seed)
    ways = [np.sin(np.arange(98)[:, None] / period + (0, 1)) for period in (4, 7, 11, 17)]
    smooth = sum(random.normal(size=(count, 1, 1)) * 3 * way for way in ways)
    return face_98(200) + smooth + random.normal(size=(count, 98, 2)) * 0.3


def _ring(count: int, across: float, down: float) -> np.ndarray:
    """Points from the right corner over the upper edge to the left corner and back."""
    angle = np.pi + np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([across * np.cos(angle), down * np.sin(angle)], 1)
