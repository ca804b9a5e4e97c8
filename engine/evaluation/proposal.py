"""Finding out how a model from elsewhere wants its input and what its output means: its card, proposed by trying.

What the shapes of the network leave open is searched by the error on faces whose landmarks are known, from coarse to
fine: first colours, values and crop together, then the crop, then the input again, then the grid.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ModelError, PackError
from engine.core.foreign_schemes import KNOWN, known_markup
from engine.core.geometry import Crop, crop_of_box, landmark_box, roll_of_landmarks
from engine.core.metrics import nme
from engine.core.schemes import IBUG_68, SCHEMES, Scheme
from engine.evaluation.evaluate import lies_outside
from engine.formats.images import read_picture
from engine.formats.packs import Pack, PackFace
from engine.inference.card import Card, CropRule
from engine.inference.conventions import COLOURS, GRIDS, UNITS, ForeignInput, ForeignOutput
from engine.inference.foreign import CHANNELS, InputWriter, decode, input_words, output_index, shift_of_grid
from engine.inference.landmarker import Landmarker, not_finite_error
from engine.inference.runtimes import ModelRuntime, shape_words
from engine.sources.sample import RATE, SampleClip
from engine.sources.sample_portrait import LOOP_SECONDS

SAMPLE_FACES, PACK_FACES = 16, 48
FEW_FACES = 8  # for the first, coarse step
# Seconds of processor time of the thread that searches, so that what is found does not depend on what else the machine
# and the program do. A slow model is tried on fewer faces, and what is left then is not tried.
LONGEST_SEARCH = 60.0
WORST = 15.0  # percent of the eye distance: a model whose best error is larger finds no landmarks
NEAR = 1.05  # what errs by at most so much of the best is uncertain
HOPELESS = 50.0  # percent: beyond it after the first step, no crop can help
FURTHEST = 100.0  # percent: errors are cut here, so that one face cannot decide
SMALLEST_INPUT, SMALLEST_MAP = 16, 8  # pixels and cells a side
MOST_MORE = 16  # numbers after the last point, such as a pose
# The number of points: that of a markup whose error can be measured on the 68.
COUNTS = tuple(sorted({count for count, scheme in SCHEMES.items() if scheme.has_68} | {k for k, _ in KNOWN.values()}))
OWN_CARD = "write its card and add it with “understudy models add --card”"
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
VALUES = (
    ForeignInput(range=(0.0, 1.0)),
    ForeignInput(range=(-1.0, 1.0)),
    ForeignInput(range=(0.0, 255.0)),
    ForeignInput(range=(0.0, 1.0), mean=IMAGENET[0], deviation=IMAGENET[1]),
)
# Scales of the crop and how far it is moved down, coarse; then by how much both are changed, fine and finer.
FIRST_SCALES, FIRST_DOWN = (1.1, 1.4, 1.8), -0.05
SCALES, DOWNS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0), (-0.2, -0.1, 0.0, 0.1)
STEPS = ((0.1, 0.05), (0.05, 0.025))
KINDS = ((False, False), (True, False), (False, True))  # of crops: level, stretched
# Runs of the model for each face in the whole search, about.
RUNS = len(KINDS) * len(SCALES) * len(DOWNS) + len(COLOURS) * len(VALUES) * 2 + 9 * len(STEPS)


@dataclass(frozen=True)
class KnownFace:
    """A face whose landmarks are known: its picture `[H, W, 3]` uint8 RGB and its 68 points `[68, 2]` in pixels."""

    picture: NDArray[np.uint8]
    points: NDArray[np.float32]


@dataclass(frozen=True)
class Proposal:
    """A card and how well it does.

    Attributes:
        card: what was found out.
        error: NME of the 68 points in percent on these faces; None where the points have no table to the 68.
        faces: on how many faces.
        ways: how many ways were tried.
        seconds: how long that took.
        uncertain: what could be otherwise, in words, with the error it would have.
    """

    card: Card
    error: float | None
    faces: int
    ways: int
    seconds: float
    uncertain: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        card: the best so far.
        error: of it, mean NME in percent on the faces on which it was tried.
        ways: how many ways were tried.
        share: how much of the search is done, about, in [0, 1].
    """

    card: Card
    error: float
    ways: int
    share: float


# Called after each way that was tried; returns whether to go on.
Watch = Callable[[Progress], bool]


def sample_faces(count: int = SAMPLE_FACES) -> list[KnownFace]:
    """Return faces of the sample, evenly spaced over its clip."""
    clip = SampleClip()
    found = (clip.frame(round(index * LOOP_SECONDS * RATE / count)) for index in range(count))
    return [KnownFace(picture, truth.points) for picture, truth in found]


def pack_faces(pack: Pack, count: int = PACK_FACES) -> list[KnownFace]:
    """Return faces of a pack, evenly spaced over it, whose 68 points are known; empty where it has none.

    Raises:
        SourceError: a picture cannot be read.
        PackError: the labels of a face lie outside its picture.
    """
    if not pack.scheme.has_68:
        return []
    faces = [face for face in pack.faces if np.isfinite(face.landmarks).all()]
    chosen = np.unique(np.linspace(0, len(faces) - 1, min(count, len(faces))).round().astype(int))
    return [_known(faces[index], pack.scheme) for index in chosen]


def _known(face: PackFace, scheme: Scheme) -> KnownFace:
    picture = read_picture(face.image)
    if lies_outside(face, picture):
        raise PackError(
            f"The labels of a face in {face.image} lie outside the picture",
            "they are of another picture, or it was scaled or cropped afterwards; a card would be made of them",
            "look at the pack with “understudy data check”, and mend or remove what it names",
        )
    return KnownFace(picture, scheme.to_68(face.landmarks))


def blank_card(name: str, sha256: str, size: int) -> Card:
    """Return a card with only the name of a model and the checksum and size of its file."""
    return Card(name=name, scheme=IBUG_68.points, input_size=1, crop=CropRule(1.2), sha256=sha256, bytes=size)


def measured(runtime: ModelRuntime, card: Card, faces: Sequence[KnownFace]) -> Proposal:
    """Return a card that somebody wrote, with its error.

    Raises:
        ModelError: the card does not fit the network.
    """
    begun = time.perf_counter()
    landmarker = Landmarker(runtime, card)
    error = error_of(landmarker, faces) if card.markup.has_68 else None
    return Proposal(card, error, len(faces), 1, time.perf_counter() - begun, ())


def proposed(runtime: ModelRuntime, card: Card, faces: Sequence[KnownFace], watch: Watch = lambda _: True) -> Proposal:
    """Return the card that fits best, with the name, size and checksum of `card`.

    Where `watch` ends the search, the best card until then is returned.

    Raises:
        ModelError: the network takes no picture, or its output cannot be landmarks, or is none on these faces, or no
            finite numbers.
    """
    begun = time.perf_counter()
    search = _Search(runtime, faces, watch)
    guesses = possible_cards(runtime, card)
    search.limit()
    best = search.best(_first(guesses), FEW_FACES)
    if search.error(best) < HOPELESS:
        # The best so far comes first: when the time is over, it stays.
        best = search.best([best, *_crops(best)])
        best = search.best([best, *(replace(best, input=given) for given in _inputs(best.foreign_input))])
        for scale, down in STEPS:
            best = search.best([best, *_nearby_crops(best, scale, down)])
        best = search.best([best, *_grids(best)])
    error = search.error(best)
    if not error <= WORST:
        if not search.gave_numbers:
            raise not_finite_error(card.name)
        raise ModelError(
            f"{runtime.label} finds no landmarks: of {search.ways} ways to use it the best errs by {error:.0f} % of "
            f"the eye distance",
            search.end
            or f"a model that finds them errs by less than {WORST:g} %; this one does something else, or wants its "
            "crop in a way that is not tried",
            f"choose another model, or {OWN_CARD}",
        )
    final = error_of(Landmarker(runtime, best), search.faces)
    uncertain = tuple(filter(None, (*search.alternatives(best, error), search.end)))
    return Proposal(best, final, len(search.faces), search.ways, time.perf_counter() - begun, uncertain)


def error_of(landmarker: Landmarker, faces: Sequence[KnownFace]) -> float:
    """Return the mean NME of the 68 points in percent, on the crops of the true boxes as “understudy evaluate” has."""
    scheme = landmarker.card.markup
    found = (landmarker.locate(face.picture, landmark_box(face.points)).points for face in faces)
    return float(np.mean([nme(IBUG_68, scheme.to_68(at), face.points) for at, face in zip(found, faces, strict=True)]))


class _Search:
    """Tries cards on known faces; what a network gave last is kept, and read in several ways for nothing."""

    def __init__(self, runtime: ModelRuntime, faces: Sequence[KnownFace], watch: Watch) -> None:
        self.faces = list(faces)
        self._runtime, self._watch = runtime, watch
        self.gave_numbers = False  # whether the model gave a face finite points, whatever they mean
        self._end, self._stopped, self._runs = time.thread_time() + LONGEST_SEARCH, False, 0
        self._kept: tuple[CropRule, ForeignInput] | None = None  # what the kept outputs, by face, were given
        self._outputs: dict[int, tuple[Crop, list[NDArray[np.float32]]]] = {}
        self._errors: dict[tuple[object, ...], float] = {}

    @property
    def end(self) -> str:
        """Why the search is over before all was tried, in words; "" if it is not."""
        if self._stopped:
            return "the search was stopped before all was tried"
        return "the time was over before all was tried" if time.thread_time() > self._end else ""

    @property
    def ways(self) -> int:
        """How many ways to use the model were tried."""
        return len(self._errors)

    def limit(self) -> None:
        """Leave faces out, so that the whole search ends in time."""
        times = []
        for _ in range(5):
            begun = time.thread_time()
            self._runtime.run()
            times.append(time.thread_time() - begun)
        count = int(LONGEST_SEARCH / max(float(np.median(times)) * RUNS, 1e-9))
        step = max(1, math.ceil(len(self.faces) / max(count, 2)))
        self.faces = self.faces[::step]

    def best(self, cards: Iterable[Card], faces: int | None = None) -> Card:
        """Return the card of the smallest error, of those for which there was time and at least the first."""
        best: tuple[float, Card] | None = None
        for card in cards:
            if best is not None and self.end:
                break
            error = self.error(card, faces)
            if best is None or error < best[0]:
                best = error, card
            if not self._stopped:
                share = min(self._runs / (RUNS * len(self.faces)), 1.0)
                self._stopped = not self._watch(Progress(best[1], best[0], self.ways, share))
        assert best is not None  # there is always a card to try
        return best[1]

    def error(self, card: Card, faces: int | None = None) -> float:
        """Return the mean error in percent on the faces, or on some of them, evenly spaced."""
        count = len(self.faces)
        chosen = range(0, count, max(1, count // faces)) if faces else range(count)
        key = _key(card, faces)
        if key not in self._errors:
            self._errors[key] = float(np.mean([self._error(card, index) for index in chosen]))
        return self._errors[key]

    def _error(self, card: Card, index: int) -> float:
        face, model = self.faces[index], card.foreign_output
        crop, outputs = self._run(card, index)
        points, _ = decode(outputs[output_index(self._runtime, model)], card)
        self.gave_numbers = self.gave_numbers or bool(np.isfinite(points).all())
        placed = crop.to_picture(points + shift_of_grid(model, crop))
        error = nme(IBUG_68, card.markup.to_68(placed), face.points)
        return min(error, FURTHEST) if math.isfinite(error) else FURTHEST

    def _run(self, card: Card, index: int) -> tuple[Crop, list[NDArray[np.float32]]]:
        face, rule, given = self.faces[index], card.crop, card.foreign_input
        if self._kept != (rule, given):
            self._kept = rule, given
            self._outputs.clear()  # heatmaps are large
        if index not in self._outputs:
            roll = roll_of_landmarks(IBUG_68, face.points) if rule.level else 0.0
            box = landmark_box(face.points)
            crop = replace(crop_of_box(box, rule.scale, rule.dy, given.stretched), roll=roll)
            InputWriter(self._runtime, given)(crop.sample(face.picture, card.input_size))
            self._outputs[index] = crop, self._runtime.run()
            self._runs += 1
        return self._outputs[index]

    def alternatives(self, best: Card, error: float) -> Iterable[str]:
        """Return in words what errs hardly more than the best card; once the search is over, of what was tried."""
        given, rule = best.foreign_input, best.crop
        others = {
            "colour": [replace(best, input=replace(given, colour=colour)) for colour in COLOURS],
            "values": [replace(best, input=with_values(given, values)) for values in VALUES],
            "grid": list(_grids(best)),
        }
        if not given.stretched:
            others["level"] = [replace(best, crop=replace(rule, level=not rule.level))]
        for what, cards in others.items():
            for card in cards:
                if card == best or (self.end and _key(card) not in self._errors):
                    continue
                if (found := self.error(card)) <= NEAR * error:
                    yield f"{what}: {_words(what, card)} would err by {found:.2f} %"


def _key(card: Card, faces: int | None = None) -> tuple[object, ...]:
    return card.crop, card.input, card.output, card.scheme, faces


def _words(what: str, card: Card) -> str:
    given = card.foreign_input
    if what == "values":
        low, high = given.range
        return f"[{low:g}, {high:g}]" + (", mean and deviation of ImageNet," if any(given.mean) else "")
    if what == "level":
        return "a level crop" if card.crop.level else "an upright crop"
    return given.colour if what == "colour" else card.foreign_output.grid


def possible_cards(runtime: ModelRuntime, card: Card) -> list[Card]:
    """Return a card, with the name, size and checksum of `card`, for each thing that the shapes of a network can mean.

    Raises:
        ModelError: they can mean no landmarks.
    """
    shape = runtime.input_shape
    side = shape[2] if len(shape) == 4 else 0
    layouts: dict[tuple[int, ...], str] = {(1, CHANNELS, side, side): "NCHW", (1, side, side, CHANNELS): "NHWC"}
    layout = layouts.get(shape)
    if runtime.inputs != 1 or layout is None or side < SMALLEST_INPUT or runtime.input_type.name != "float32":
        raise ModelError(
            f"{runtime.label} has {input_words(runtime)}",
            "one input of float32, 1 x S x S x 3 or 1 x 3 x S x S, was expected: a square picture of fixed size",
            "export it again in this form",
        )
    given = ForeignInput(layout=layout)
    found = []
    for index, output in enumerate(runtime.output_shapes):
        for count, meaning in _meanings(output, index):
            named = replace(meaning, markup=known_markup(count))
            found.append(replace(card, scheme=count, input_size=side, input=given, output=named))
    if not found:
        shapes = ", ".join(map(shape_words, runtime.output_shapes))
        raise ModelError(
            f"{runtime.label} is no landmark model that is known: its outputs have the shapes {shapes}",
            f"numbers or heatmaps of {', '.join(map(str, COUNTS))} points were expected",
            f"choose another model, or if its points are others {OWN_CARD}",
        )
    return found


def _meanings(shape: tuple[int, ...], index: int) -> Iterable[tuple[int, ForeignOutput]]:
    """Return the number of points and the decoder for each thing that the shape of an output can mean."""
    if len(shape) == 4 and sorted(shape[1:])[1] >= SMALLEST_MAP:
        maps = shape[1] if shape[2] == shape[3] else shape[3]
        for count in COUNTS:
            if maps == count:
                yield count, ForeignOutput(index, decoder="argmax")
                yield count, ForeignOutput(index, decoder="soft-argmax")
            elif maps == 3 * count:
                for cells in ("half_pixel", "align_corners"):
                    yield count, ForeignOutput(index, decoder="argmax and offsets", cells=cells)
        return
    numbers = math.prod(shape)
    exact = [(count, size) for count in COUNTS for size in (2, 3) if numbers == count * size]
    more = [(count, 2) for count in COUNTS if 0 < numbers - count * 2 <= MOST_MORE]
    for count, size in exact or more[-1:]:
        for unit, by_axis in product(UNITS, (False, True)):
            yield count, ForeignOutput(index, unit=unit, by_axis=by_axis, dimensions=size)


def _inputs(given: ForeignInput) -> Iterable[ForeignInput]:
    for colour, values in product(COLOURS, VALUES):
        yield replace(with_values(given, values), colour=colour)


def with_values(given: ForeignInput, values: ForeignInput) -> ForeignInput:
    """Return an input with the range, mean and deviation of another one."""
    return replace(given, range=values.range, mean=values.mean, deviation=values.deviation)


def _first(guesses: Sequence[Card]) -> Iterable[Card]:
    for scale, given in product(FIRST_SCALES, _inputs(guesses[0].foreign_input)):
        for card in guesses:
            yield replace(card, input=given, crop=CropRule(scale, FIRST_DOWN, level=False))


def _crops(best: Card) -> Iterable[Card]:
    for level, stretched in KINDS:
        given = replace(best.foreign_input, stretched=stretched)
        for scale, down in product(SCALES, DOWNS):
            yield replace(best, input=given, crop=CropRule(scale, down, level))


def _nearby_crops(best: Card, by_scale: float, by_down: float) -> Iterable[Card]:
    rule = best.crop
    for scale, down in product((-by_scale, 0.0, by_scale), (-by_down, 0.0, by_down)):
        yield replace(best, crop=replace(rule, scale=round(rule.scale + scale, 3), dy=round(rule.dy + down, 3)))


def _grids(best: Card) -> Iterable[Card]:
    for grid in GRIDS:
        yield replace(best, output=replace(best.foreign_output, grid=grid))
