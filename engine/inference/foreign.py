"""Running a model from elsewhere: the crop becomes its input, and its output becomes points and confidences."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ModelError
from engine.core.geometry import Crop
from engine.inference.card import Card
from engine.inference.conventions import HEATMAP_DECODERS, ForeignInput, ForeignOutput
from engine.inference.runtimes import ModelRuntime, shape_words

CHANNELS = 3
FIX = "correct its card, or make a new one with “understudy models add”"
# How far beyond the crop, in its sides, a point may lie that counts as seen.
MARGIN = 0.1
_SURE = 1e-7  # how near to 0 and 1 a probability may be whose logit is taken

Points = tuple[NDArray[np.float32], NDArray[np.float32]]


class ForeignModel:
    """A model from elsewhere with what its card says of its input and output. Belongs to one thread.

    Raises:
        ModelError: the network and the card do not fit.
    """

    def __init__(self, runtime: ModelRuntime, card: Card) -> None:
        self._runtime, self._card = runtime, card
        self.input, self.output = card.foreign_input, card.foreign_output
        check_input(runtime, card.input_size, self.input)
        self._index = output_index(runtime, self.output)
        needed, found = numbers_needed(card), runtime.output_shapes[self._index]
        if self.output.decoder in HEATMAP_DECODERS:
            maps_come_first(found, self.input, needed, runtime.label)
        elif int(np.prod(found)) < needed:
            raise ModelError(
                f"{runtime.label} gives {shape_words(found)} as its output {self._index}; {needed} numbers were "
                f"expected for {card.scheme} points",
                "the card names another output or number of points",
                FIX,
            )
        self.write = InputWriter(runtime, self.input)

    def run(self, pixels: NDArray[np.uint8]) -> Points:
        """Return points `[K, 2]` in [0, 1] of a crop `[S, S, 3]` uint8 RGB, and their confidence `[K]` in [0, 1]."""
        self.write(pixels)
        return decode(self._runtime.run()[self._index], self._card)


class InputWriter:
    """Writes a crop into the input of a model, in its layout, colour order and range of values."""

    def __init__(self, runtime: ModelRuntime, given: ForeignInput) -> None:
        self._runtime = runtime
        self._order = slice(None, None, -1 if given.colour == "BGR" else 1)
        low, high = given.range
        deviation = np.array(given.deviation)[self._order]
        self._gain = ((high - low) / 255 / deviation).astype(np.float32)
        self._offset = ((low - np.array(given.mean)[self._order]) / deviation).astype(np.float32)
        self._planes = given.layout == "NCHW"

    def __call__(self, pixels: NDArray[np.uint8]) -> None:
        """Write a crop `[S, S, 3]` uint8 RGB."""
        target = self._runtime.input_buffer()[0]
        written = target if self._planes else target.transpose(2, 0, 1)
        read = pixels[:, :, self._order].transpose(2, 0, 1)
        # Channel by channel: NumPy runs along the last axis, and takes several times as long where that has only three.
        for source, channel, gain, offset in zip(read, written, self._gain, self._offset, strict=True):
            np.multiply(source, gain, out=channel)
            np.add(channel, offset, out=channel)


def check_input(runtime: ModelRuntime, side: int, given: ForeignInput) -> None:
    """Raise `ModelError` unless a model has one float32 input that takes one picture of `side` pixels."""
    wanted = (1, CHANNELS, side, side) if given.layout == "NCHW" else (1, side, side, CHANNELS)
    if (runtime.inputs, runtime.input_shape, runtime.input_type.name) != (1, wanted, "float32"):
        raise ModelError(
            f"{runtime.label} has {input_words(runtime)}; one input of float32, {shape_words(wanted)}, was expected",
            "the card belongs to another model, or describes it wrongly",
            FIX,
        )


def input_words(runtime: ModelRuntime) -> str:
    """Return what inputs a model has, in words."""
    count = "one input" if runtime.inputs == 1 else f"{runtime.inputs} inputs, the first"
    return f"{count} of {runtime.input_type.name}, {shape_words(runtime.declared_shape)}"


def output_index(runtime: ModelRuntime, output: ForeignOutput) -> int:
    """Return which output of a model has the points.

    Raises:
        ModelError: there is no such output.
    """
    names = runtime.output_names
    index = names.index(output.name) if output.name in names else output.index
    if (output.name and output.name not in names) or index >= len(names):
        raise ModelError(
            f"{runtime.label} has no output {output.name or output.index}",
            f"its outputs are: {', '.join(f'{place} {name}' for place, name in enumerate(names))}",
            FIX,
        )
    return index


def numbers_needed(card: Card) -> int:
    """Return how many numbers its output must have at least, or of heatmaps how many maps."""
    output = card.foreign_output
    if output.decoder in HEATMAP_DECODERS:
        return card.scheme * (3 if output.decoder == "argmax and offsets" else 1)
    return card.scheme * output.dimensions


def maps_come_first(shape: tuple[int, ...], given: ForeignInput, needed: int, label: str) -> bool:
    """Return whether the maps come first in the shape of an output, rather than last.

    Raises:
        ModelError: there are fewer maps than needed, or they are no maps.
    """
    first = len(shape) == 4 and shape[1] >= needed and min(shape[2:]) > 1
    last = len(shape) == 4 and shape[3] >= needed and min(shape[1:3]) > 1
    if not (first or last):
        raise ModelError(
            f"{label} has an output of the shape {shape_words(shape)}; {needed} heatmaps were expected",
            "the card names another output, decoder or number of points",
            FIX,
        )
    return first and (given.layout == "NCHW" or not last)


def decode(raw: NDArray[Any], card: Card) -> Points:
    """Return the points `[K, 2]` in [0, 1] of the crop, and their confidence `[K]`, that one output means.

    A model from elsewhere has no confidence of its own. Of heatmaps it is the height of the peak; of numbers it is 1
    for a point inside the crop or hardly beyond it, and 0 for others.
    """
    output, count, side = card.foreign_output, card.scheme, card.input_size
    raw = np.asarray(raw, np.float32)
    if output.decoder in HEATMAP_DECODERS:
        needed = numbers_needed(card)
        maps = (
            raw[0] if maps_come_first(raw.shape, card.foreign_input, needed, "The model") else raw[0].transpose(2, 0, 1)
        )
        points, confidence = _from_maps(maps[:needed], count, output, side)
    else:
        points = _from_numbers(raw.ravel(), count, output, side)
        confidence = (np.abs(points - 0.5) < 0.5 + MARGIN).all(1).astype(np.float32)
    if output.grid == "integer":
        points += np.float32(0.5 / side)
    elif output.grid == "align_corners":
        points *= np.float32((side - 1) / side)
        points += np.float32(0.5 / side)
    return points, confidence


def shift_of_grid(output: ForeignOutput, crop: Crop) -> NDArray[np.float64] | float:
    """Return what is added to points in [0, 1] of a crop because its grid depends on its size in the picture."""
    return 0.5 / np.asarray(crop.size) if output.grid == "slice" else 0.0


def _from_numbers(numbers: NDArray[np.float32], count: int, output: ForeignOutput, side: int) -> NDArray[np.float32]:
    numbers = numbers[: count * output.dimensions]
    points = numbers.reshape(output.dimensions, count).T if output.by_axis else numbers.reshape(count, -1)
    points = points[:, :2]
    if output.decoder == "mean shape":
        scale = {"crop": 1.0, "pixels": 1 / side, "centred": 0.5}[output.unit]
        return np.asarray(scale * points + np.reshape(output.mean_shape, (count, 2)), np.float32)
    if output.unit == "pixels":
        return points / np.float32(side)
    if output.unit == "centred":
        return np.asarray((points + 1) / 2, np.float32)
    return points.copy()


def _from_maps(maps: NDArray[np.float32], count: int, output: ForeignOutput, side: int) -> Points:
    """Decode maps `[K, h, w]`, or `[3 K, h, w]` with those of the offsets in y and in x after the heatmaps."""
    heat = maps[:count]
    height, width = heat.shape[1:]
    flat = heat.reshape(count, -1)
    every, best = np.arange(count), flat.argmax(1)
    peak = flat[every, best]
    confidence = np.clip(np.nan_to_num(peak, nan=0.0), 0, 1)
    y, x = (part.astype(np.float32) for part in np.divmod(best, width))
    offset = np.zeros((count, 2), np.float32)
    if output.decoder == "soft-argmax":
        weights = np.exp(flat - peak[:, None])
        weights /= weights.sum(1, keepdims=True)
        grid = weights.reshape(heat.shape)
        x, y = grid.sum(1) @ np.arange(width, dtype=np.float32), grid.sum(2) @ np.arange(height, dtype=np.float32)
    elif output.decoder == "argmax":
        x, y = (place + _to_neighbour(heat, best, axis) for axis, place in ((2, x), (1, y)))
    else:
        moved = maps[count:].reshape(2, count, -1)[:, every, best].clip(_SURE, 1 - _SURE)
        offset = (np.log(moved / (1 - moved)) / np.float32(output.offset_factor))[::-1].T
    x = np.where(np.isfinite(peak), x, np.float32(np.nan))  # argmax finds a place even among values that are not finite
    cells, sizes = np.stack([x, y], 1).astype(np.float32), np.array((width, height), np.float32)
    if output.cells == "align_corners":
        return (cells / (sizes - 1) + offset) * np.float32((side - 1) / side), confidence
    return (cells + np.float32(0.5)) / sizes + offset, confidence


def _to_neighbour(heat: NDArray[np.float32], best: NDArray[np.intp], axis: int) -> NDArray[np.float32]:
    """Return a quarter of a cell, `[K]`, along an axis of maps `[K, h, w]` towards the higher neighbour of the peak."""
    every = np.arange(len(heat))
    place = list(np.divmod(best, heat.shape[2]))
    size, at = heat.shape[axis], place[axis - 1]
    heights = []
    for step in (-1, 1):
        place[axis - 1] = np.clip(at + step, 0, size - 1)
        heights.append(heat[every, place[0], place[1]])
    inside = (at > 0) & (at < size - 1)
    return (np.sign(heights[1] - heights[0]) * inside * 0.25).astype(np.float32)
