"""Clips of two people whose faces cross, made from two portraits that are moved over a background."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from engine.core.geometry import Box
from engine.core.paths import asset_path
from engine.formats.images import read_picture

WIDTH, HEIGHT = 960, 540
OTHER_PORTRAIT = Path(__file__).resolve().parents[1] / "data" / "portrait.jpg"
# Tight boxes around the landmarks of the portraits.
BOXES = (Box(179.6, 172.3, 271.6, 262.6), Box(179.9, 160.0, 357.1, 333.6))
Place = tuple[float, float, float]  # centre of a face and its width, pixels


class Cutout:
    """A head cut out of a portrait, with soft edges, to be put on pictures in any size."""

    def __init__(self, picture: np.ndarray, box: Box) -> None:
        self.box = box
        alpha = np.zeros(picture.shape[:2], np.float32)
        x, y = box.centre
        centre, axes = (round(x), round(y - 0.12 * box.height)), (round(0.78 * box.width), round(0.98 * box.height))
        cv2.ellipse(alpha, centre, axes, 0, 0, 360, 1.0, -1)
        shoulders = np.array([[x - 0.35 * box.width, y], [x + 0.35 * box.width, y]])
        foot = np.array([[x + 1.3 * box.width, y + 1.6 * box.height], [x - 1.3 * box.width, y + 1.6 * box.height]])
        cv2.fillPoly(alpha, [np.concatenate([shoulders, foot]).astype(np.int32)], 1.0)
        alpha = cv2.GaussianBlur(alpha, (0, 0), 0.03 * box.width)
        # What is around the head, but for the pixels beside it, is never seen and costs most of the time.
        rows, columns = (np.flatnonzero(alpha.any(axis)) for axis in (1, 0))
        top, left = max(0, rows[0] - 2), max(0, columns[0] - 2)
        head = np.s_[top : rows[-1] + 3, left : columns[-1] + 3]
        self.picture, self.alpha = np.ascontiguousarray(picture[head]), np.ascontiguousarray(alpha[head])
        self.middle = x - left, y - top

    def put(self, image: np.ndarray, place: Place) -> np.ndarray:
        """Put the head on an image, in place; return how far it covers each pixel, in [0, 1]."""
        x, y, width = place
        scale = width / self.box.width
        middle = self.middle
        left, top = (max(0, int(at - scale * its)) for at, its in zip((x, y), middle, strict=True))
        height, width = (math.ceil(scale * side) + 1 for side in self.alpha.shape)
        part = image[top : top + height, left : left + width]
        whole = np.zeros(image.shape[:2], np.float32)
        if part.size:
            matrix = np.array([[scale, 0, x - scale * middle[0] - left], [0, scale, y - scale * middle[1] - top]])
            cover, head = (cv2.warpAffine(its, matrix, part.shape[1::-1]) for its in (self.alpha, self.picture))
            whole[top : top + height, left : left + width] = cover
            part[:] = (part + cover[..., None] * (head.astype(np.float32) - part)).round()
        return whole

    def box_at(self, place: Place) -> Box:
        """Return the tight box around the landmarks."""
        x, y, width = place
        height = width * self.box.height / self.box.width
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


@dataclass(frozen=True)
class Shown:
    """One frame: the picture, the box of each person's landmarks, and the share of it that can be seen."""

    image: np.ndarray
    boxes: tuple[Box, ...]
    visible: tuple[float, ...]


def cutouts() -> tuple[Cutout, ...]:
    """Return both people: the sample's, and that of the tests."""
    pictures = read_picture(asset_path("sample", "portrait.png")), read_picture(OTHER_PORTRAIT)
    return tuple(Cutout(picture, box) for picture, box in zip(pictures, BOXES, strict=True))


def background(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> np.ndarray:
    """Return a room out of focus: soft patches of colour, with some noise."""
    random = np.random.default_rng(seed)
    patches = cv2.resize(
        random.integers(60, 200, (6, 9, 3)).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return np.clip(patches + random.normal(0, 2, patches.shape), 0, 255).astype(np.uint8)


@cache
def _noise(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return that of four frames."""
    return [np.random.default_rng(seed).normal(0, 2, shape).round().astype(np.int16) for seed in range(4)]


def frames(
    people: tuple[Cutout, ...], room: np.ndarray, places: list[tuple[Place, ...]], front: int
) -> Iterator[Shown]:
    """Render people at their places in each frame, `front` nearest."""
    noise = _noise(room.shape)
    order = [number for number in range(len(people)) if number != front] + [front]
    for count, each in enumerate(places):
        image = room.copy()
        covers = {}
        for number in order:
            covers[number] = people[number].put(image, each[number])
        image = np.clip(image + noise[count % len(noise)], 0, 255).astype(np.uint8)
        boxes = tuple(person.box_at(place) for person, place in zip(people, each, strict=True))
        visible = tuple(
            1.0 if number == front else 1 - _mean(covers[front], boxes[number]) for number in range(len(people))
        )
        yield Shown(image, boxes, visible)


def _mean(cover: np.ndarray, box: Box) -> float:
    inside = cover[max(0, round(box.y0)) : round(box.y1), max(0, round(box.x0)) : round(box.x1)]
    return float(inside.mean()) if inside.size else 0.0


Stop = tuple[float, float, float, float]  # frame, and the place there


def place_at(stops: Sequence[Stop], number: int) -> Place:
    """Return the place in a frame, on straight lines between stops."""
    frames, *values = np.array(stops, np.float64).T
    x, y, width = (float(np.interp(number, frames, each)) for each in values)
    return x, y, width


@dataclass(frozen=True)
class Crossing:
    """A clip: the stops of both people, who is in front, and how many frames there are."""

    name: str
    front: int
    count: int
    first: Sequence[Stop]
    second: Sequence[Stop]

    def shown(self, people: tuple[Cutout, ...], room: np.ndarray) -> Iterator[Shown]:
        """Render the frames."""
        numbers = range(self.count)
        places = [(place_at(self.first, number), place_at(self.second, number)) for number in numbers]
        return frames(people, room, places, self.front)


def _crossing(name: str, front: int, count: int, first: str, second: str) -> Crossing:
    """Stops are written as `frame x y width`, with a comma between two."""
    ways = [[tuple(map(float, stop.split())) for stop in way.split(",")] for way in (first, second)]
    return Crossing(name, front, count, *ways)


CROSSINGS = (
    _crossing("slow", 0, 150, "0 200 260 130, 150 760 260 130", "0 760 260 130, 150 200 260 130"),
    _crossing("slow, the other in front", 1, 150, "0 200 260 130, 150 760 270 130", "0 760 250 130, 150 200 260 130"),
    _crossing("fast", 0, 50, "8 200 260 120, 32 760 260 120", "8 760 260 120, 32 200 260 120"),
    _crossing("fast, the other in front", 1, 50, "8 160 240 120, 30 800 280 120", "8 800 260 120, 30 160 260 120"),
    _crossing(
        "a pause behind",
        0,
        180,
        "0 480 260 150, 180 500 260 150",
        "0 800 260 130, 50 490 260 130, 110 495 260 130, 160 160 260 130",
    ),
    _crossing(
        "a pause behind, and back",
        0,
        180,
        "0 480 260 150, 180 470 260 150",
        "0 800 260 130, 50 490 260 130, 110 490 260 130, 160 800 260 130",
    ),
    _crossing("small behind large", 0, 120, "0 480 270 210, 120 440 270 210", "0 120 240 110, 120 840 240 110"),
    _crossing("small before large", 1, 120, "0 480 270 180, 120 500 270 180", "0 840 280 110, 120 120 280 110"),
    _crossing(
        "to and fro",
        0,
        130,
        "0 240 260 120, 50 720 260 120, 70 720 260 120, 120 240 260 120",
        "0 720 250 125, 50 240 250 125, 70 240 250 125, 120 720 250 125",
    ),
    _crossing("past somebody, growing", 1, 130, "0 460 250 120, 130 460 250 120", "0 140 220 90, 130 820 300 170"),
)
