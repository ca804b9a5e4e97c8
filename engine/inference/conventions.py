"""How models from elsewhere take a crop and what their output means: the fields `input` and `output` of a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from engine.core.foreign_schemes import KNOWN, Table
from engine.core.records import Choice, Finite, Form, KeyPath, Mistake, Positive, Range, Rule
from engine.core.schemes import IBUG_68

LAYOUTS = ("NHWC", "NCHW")
COLOURS = ("RGB", "BGR")
DECODERS = ("points", "argmax", "soft-argmax", "argmax and offsets", "mean shape")
HEATMAP_DECODERS = ("argmax", "soft-argmax", "argmax and offsets")
UNITS = ("crop", "pixels", "centred")
GRIDS = ("half_pixel", "integer", "align_corners", "slice")
CELLS = ("half_pixel", "align_corners")
_DIFFERENT = Rule("a pair of different numbers, those of black and white,", lambda limits: limits[0] != limits[1])
# So that pixels stay numbers that float32 can hold.
Value = Annotated[float, Range(-100_000, 100_000)]
Divisor = Annotated[float, Range(0.0001, 100_000)]


def _read_table(value: Any, path: KeyPath) -> Table:
    """Return the table to the 68, whose entries are one index or a list of them."""
    groups = tuple(tuple(entry) if isinstance(entry, list | tuple) else (entry,) for entry in value)
    for group in groups:
        if not group or not all(isinstance(index, int) and not isinstance(index, bool) for index in group):
            raise TypeError
    if len(groups) not in (0, IBUG_68.points):
        fix = "give one for each of the 68 points, or none at all"
        raise Mistake(path, f"“as_68” has {len(groups)} entries", "68 were expected", fix)
    return groups


@dataclass(frozen=True)
class ForeignInput:
    """What a model from elsewhere expects of its crop.

    A pixel value is mapped from [0, 255] to `range`, then its channel's `mean` is taken off and the rest divided by
    `deviation`.

    Attributes:
        layout: NHWC or NCHW.
        colour: order of the channels, RGB or BGR.
        range: values of black and white.
        mean, deviation: of red, green and blue, in this order in both colour orders.
        stretched: whether the crop is the landmark box itself, scaled and then stretched to the square of the input.
    """

    layout: Annotated[str, Choice(LAYOUTS)] = "NHWC"
    colour: Annotated[str, Choice(COLOURS)] = "RGB"
    range: Annotated[tuple[Value, Value], _DIFFERENT] = (0.0, 255.0)
    mean: tuple[Value, Value, Value] = (0.0, 0.0, 0.0)
    deviation: tuple[Divisor, Divisor, Divisor] = (1.0, 1.0, 1.0)
    stretched: bool = False


@dataclass(frozen=True)
class ForeignOutput:
    """What the output of a model from elsewhere means.

    Attributes:
        index, name: which output it is: its place, counted from 0, or where it is given its name.
        decoder: `points`, numbers of the points themselves; `argmax`, the highest cell of a heatmap a point, moved by
            a quarter of a cell to the higher neighbour; `soft-argmax`, the mean place by the softmax of a heatmap;
            `argmax and offsets`, the highest cell moved by two further maps a point, first all of y, then all of x;
            `mean shape`, offsets to a mean shape.
        unit: of the numbers of `points` and `mean shape`: `crop`, [0, 1] of it; `pixels` of it; `centred`, [-1, 1].
        by_axis: whether all x come first and then all y, rather than x and y of each point.
        dimensions: numbers a point, of which the first two are used; numbers after the last point are ignored.
        cells: at which place p cell i of n of heatmaps lies: `half_pixel`, (i + 0.5) / n; `align_corners`,
            i / (n - 1) (S - 1) / S, which the grid `integer` makes the centres of the first to the last pixel. The grid
            `align_corners` would shrink them a second time.
        offset_factor: by which the logits of the offset maps are divided.
        mean_shape: x and y of each point in [0, 1] of the crop, one after another.
        grid: pixel of the crop that a place p in [0, 1] means, S pixels wide: `half_pixel`, p S - 0.5; `integer`, p S;
            `align_corners`, p (S - 1); `slice`, that of a crop cut out in whole pixels of the picture and labelled by
            the distance to its first pixel: half a pixel of the picture beyond `half_pixel`.
        markup: name of the markup; "" for ours where the number of points is that of iBUG, WFLW or COFW.
        as_68: for each of the 68 iBUG points the index of the same point, or a list of those whose mean marks it.
    """

    index: Annotated[int, Range(0, 1000)] = 0
    name: str = ""
    decoder: Annotated[str, Choice(DECODERS)] = "points"
    unit: Annotated[str, Choice(UNITS)] = "crop"
    by_axis: bool = False
    dimensions: Annotated[int, Choice((2, 3))] = 2
    cells: Annotated[str, Choice(CELLS)] = "half_pixel"
    offset_factor: Positive[float] = 16.0
    mean_shape: tuple[Finite, ...] = ()
    grid: Annotated[str, Choice(GRIDS)] = "half_pixel"
    markup: str = ""
    as_68: Annotated[Table, Form("68 indices or lists of indices", "[0, 1, [2, 3], …]", read=_read_table)] = ()


def contradiction(points: int, given: ForeignInput, output: ForeignOutput, level: bool) -> Mistake | None:
    """Return what does not go together among the fields of a card of `points` landmarks; None where all does."""
    beyond = [index for group in output.as_68 for index in group if not 0 <= index < points]
    if output.decoder == "mean shape" and len(output.mean_shape) != 2 * points:
        problem = f"“mean_shape” has {len(output.mean_shape)} numbers for {points} points"
        return Mistake(("output", "mean_shape"), problem, f"{2 * points} were expected", "give x and y of each point")
    if output.mean_shape and output.decoder != "mean shape":
        problem = f"“mean_shape” is given, but the decoder is “{output.decoder}”"
        return Mistake(("output", "decoder"), problem, "only “mean shape” needs one", "remove one of the two")
    if beyond:
        problem = f"“as_68” names the point {beyond[0]} of {points}"
        return Mistake(("output", "as_68"), problem, "points are counted from 0", "look at the order of its points")
    if output.markup in KNOWN and KNOWN[output.markup][0] != points and not output.as_68:
        problem = f"“markup” is “{output.markup}”, but there are {points} points"
        expected = f"that markup has {KNOWN[output.markup][0]}"
        return Mistake(("output", "markup"), problem, expected, "correct one of the two, or add a table “as_68”")
    if given.stretched and level:
        problem = "“stretched” and “level” are both true"
        return Mistake(("crop", "level"), problem, "a stretched crop is upright", "set one of them to false")
    return None
