"""Understudy for programs: landmarks of pictures, cameras and videos, and the error of anybody's landmarks on a pack.

    import understudy

    model = understudy.load("student-68")
    for face in model.landmarks("portrait.jpg"):
        print(face.score, face.points[30])

Pictures are `[H, W, 3]` uint8 in the order RGB. Those of OpenCV are BGR: give it `picture[..., ::-1]`. Points are
(x, y) in pixels of the picture, origin top left, pixel centres at integers. Left and right are the person's own.

Whatever cannot be done raises an `UnderstudyError`, which says what happened, the likely cause and what to do. Neither
Qt nor torch is loaded, and no network is used unless the address of a camera is given. No file is written but a note
that a model of your own passed its trial, in the cache folder.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.core.face_signals import FaceSignals
    from engine.core.faces import Result as EngineResult
    from engine.inference.detector import FaceDetector
    from engine.inference.landmarker import Landmarker
    from engine.sources.base import Source

__all__ = ["Evaluation", "Face", "Figures", "LabelledFace", "Model", "Result", "UnderstudyError", "load"]


def _stranger(package: str) -> str:
    """Return where a package is found that is not the one next to this file; "" if it is that one."""
    try:
        spec = find_spec(package)
    except ValueError:  # somebody made a module of that name by hand
        return f"the module “{package}” of this program"
    places = [] if spec is None else list(spec.submodule_search_locations or filter(None, [spec.origin]))
    ours = Path(__file__).resolve().with_name(package)
    return "" if any(Path(place).resolve() == ours for place in places) else (places or ["no place at all"])[0]


def _check_surroundings() -> None:
    """Look whether Python finds the packages of Understudy, or others of the same names before them.

    Raises:
        ImportError: “engine” is somebody else's, so nothing here would work.
    """
    if place := _stranger("engine"):
        raise ImportError(
            f"Understudy needs its package “engine”, but Python finds another one first: {place}. Something of that "
            "name is in the folder of your program, or is installed beside Understudy. Rename it, or give Understudy "
            "an environment of its own."
        )
    if place := _stranger("app"):
        warnings.warn(
            f"Python finds another “app” before that of Understudy: {place}. This module does not need it, but "
            "“python -m app”, Understudy's command line, is not started by that name here.",
            stacklevel=3,
        )


_check_surroundings()

from engine.core.errors import UnderstudyError, UsageError  # noqa: E402  only now is it known whose it is


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
        id: the same as long as the face is tracked.
        points: `[K, 2]` float32, (x, y) in pixels; K is `Model.points`.
        confidence: `[K]` float32 in [0, 1], that each point can be seen.
        score: in [0, 1], that this is a face.
        box: tight around the points: x0, y0, x1, y1 in pixels.
        signals: by name, NaN where it cannot be measured: `yaw`, `pitch` and `roll` in degrees; `eye_left`, `eye_right`
            and `mouth` in [0, 1], 0 closed; `blinks` since tracking began. Empty for markups without the 68 points.
    """

    id: int
    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    score: float
    box: tuple[float, float, float, float]
    signals: Mapping[str, float]


@dataclass(frozen=True)
class Result:
    """What was found on one frame of a source.

    Attributes:
        number: of the frame: its place in its file, counted from 0; of cameras a count.
        seconds: its time in the file, or in your series of pictures; of cameras, `time.monotonic()` when it was taken.
        image: `[H, W, 3]` uint8 RGB; not to be written to.
        faces: largest first.
    """

    number: int
    seconds: float
    image: NDArray[np.uint8]
    faces: tuple[Face, ...]


class Model:
    """A landmark model with a face detector, made by `load`. Belongs to one thread.

    Attributes:
        name: of the model.
        points: number K of landmarks: 68 (iBUG), 98 (WFLW) or 29 (COFW); of a model from elsewhere any.
    """

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self.name, self.points = landmarker.name, landmarker.card.scheme

    def landmarks(self, image: NDArray[np.uint8] | str | Path, max_faces: int | None = None) -> tuple[Face, ...]:
        """Return the faces of a picture, largest first.

        Args:
            image: `[H, W, 3]` uint8 in the order RGB, or the path of a picture, which is turned as its EXIF flag says.
            max_faces: how many are looked for; None for any number.

        Raises:
            UnderstudyError: it is no picture, or the model is faulty.
        """
        from engine.formats.images import read_picture

        picture = read_picture(Path(image).expanduser()) if isinstance(image, str | Path) else image
        with closing(self.track([picture], max_faces=max_faces, smoothing=0.0, thorough=True)) as found:
            return next(found).faces

    def track(
        self,
        source: str | int | Path | Iterable[NDArray[np.uint8]],
        *,
        max_faces: int | None = None,
        smoothing: float = 0.5,
        thorough: bool = False,
        limit: int | None = None,
        rotate: int = 0,
        rate: float = 30.0,
    ) -> Generator[Result]:
        """Yield what is found on each frame, one after the other; of a camera always on the newest.

        The source is opened at the first step, and closed at the end, by `close()` of the generator, or when nothing
        refers to it any more.

        Args:
            source: a camera by number, name or address, a video, a picture, a folder, a pack, or “sample”, as
                `understudy run` takes it; or pictures of your own, `[H, W, 3]` uint8 in the order RGB.
            max_faces: how many are looked for; None for any number in pictures and four in videos and cameras.
            smoothing: strength of the smoothing of landmarks, 0 for none to 1. Pictures of a folder are not smoothed.
            thorough: whether each frame is searched as a picture is: for any number of faces, and for small ones.
            limit: stop after so many frames; None goes on until the source ends, which cameras never do.
            rotate: by how many degrees a camera is turned clockwise: 90, 180 or 270; 0 leaves it as it is.
            rate: how many pictures of your own make a second, however fast you give them; other sources know theirs.

        Raises:
            UnderstudyError: the source cannot be opened, was lost, or is no camera that can be turned; or the model is
                faulty, or the rate none.
        """
        from engine.batch.frames import process_frames
        from engine.inference.pipeline import Pipeline

        pipeline = Pipeline(self._detector, self._landmarker, smoothing, max_faces=max_faces, thorough=thorough)
        # Sources without an end have a limit of their own there unless one is given.
        with closing(_opened(source, rotate, rate)) as opened:
            for result, signals in process_frames(opened, pipeline, sys.maxsize if limit is None else limit):
                yield _result(result, signals)

    @cached_property
    def _detector(self) -> FaceDetector:
        from engine.inference.detector import make_detector

        return make_detector()


@dataclass(frozen=True)
class LabelledFace:
    """A face of a pack.

    Attributes:
        image: path of its picture, in which there may be several labelled faces.
        points: `[K, 2]` float32, where its landmarks really are; NaN without a label.
        box: tight around them: x0, y0, x1, y1 in pixels.
    """

    image: Path
    points: NDArray[np.float32]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Figures:
    """The accuracy of landmarks on a pack, as `understudy evaluate` reports it.

    Attributes:
        nme: mean distance of the points from their labels in percent of the normaliser; without missed faces. None
            if there is no other.
        nme_box: the same in percent of the square root of the true box's area.
        fr10: percent of faces with an error above 10 %; missed ones count.
        auc10: area under the cumulative error distribution up to 10 %, in [0, 1].
        n: faces measured, missed ones included.
        missed: faces that were not found.
        errors: `[n]` float64, NME of each face; infinite if it was missed, NaN if its normaliser is not known.
    """

    nme: float | None
    nme_box: float | None
    fr10: float | None
    auc10: float | None
    n: int
    missed: int
    errors: NDArray[np.float64]


class Evaluation:
    """A pack of labelled faces on which landmarks are measured: those of a model, or your own.

    Args:
        pack: folder with `annotations.npz`.
        split: part of the pack, such as test; None for all.
        labels: the array that is the truth, `landmarks` or `landmarks_2d`.
        normaliser: what errors are percent of: `eyes`, the distance of the outer eye corners, `pupils`, or `box`.

    Attributes:
        faces: in the order of the pack.

    Raises:
        UnderstudyError: the folder is no pack or a damaged one, or there is no such normaliser.
    """

    def __init__(
        self, pack: str | Path, split: str | None = None, labels: str = "landmarks", normaliser: str = "eyes"
    ) -> None:
        from engine.core.geometry import landmark_box
        from engine.core.metrics import NORMALISERS
        from engine.formats.packs import read_pack

        if normaliser not in NORMALISERS:
            there_are = f"there are: {', '.join(NORMALISERS)}"
            raise UsageError(f"There is no normaliser “{normaliser}”", there_are, "choose one of these")
        self._pack = read_pack(Path(pack), split, labels)
        self._task = {"split": split or "all", "labels": labels, "normaliser": normaliser}
        self.faces = tuple(
            LabelledFace(face.image, face.landmarks, _edges(landmark_box(face.landmarks))) for face in self._pack.faces
        )

    def of(self, model: Model, detected: bool = False) -> Figures:
        """Measure a model, in the true boxes or on the faces that the detector finds.

        Raises:
            UnderstudyError: a picture cannot be read, or the model is faulty.
        """
        from engine.evaluation.evaluate import Task, evaluate

        task = Task(model.name, box="detector" if detected else "truth", **self._task)
        return _figures(evaluate(model._landmarker, self._pack, task, model._detector if detected else None))

    def of_points(self, points: Sequence[NDArray[Any] | None]) -> Figures:
        """Measure landmarks `[K, 2]` in pixels, one array for each of `faces`; None where the face was not found.

        K is that of the pack, or one of 68 and 98 on a pack of the other: then the 68 shared points are compared. Use
        `of` for models: it leaves their points where labels lie, a little beside what they mark (docs/ARCHITECTURE.md).

        Raises:
            UnderstudyError: there are not as many as faces, or they are no landmarks.
        """
        from engine.core.geometry import FRACTIONS, are_fractions
        from engine.core.schemes import SCHEMES
        from engine.evaluation.evaluate import FROM_FILE, Task, evaluate_points

        found = [None if each is None else np.asarray(each, np.float32) for each in points]
        given = [each for each in found if each is not None]
        sizes = {each.shape for each in given} or {(self._pack.scheme.points, 2)}
        scheme = SCHEMES.get(next(iter(sizes))[0] if len(next(iter(sizes))) else 0)
        if len(found) != len(self.faces):
            what, fix = f"There are landmarks for {len(found)} of {len(self.faces)} faces", "give one array for each"
            raise UsageError(what, "each face of the pack needs its own, in the order of `faces`", f"{fix}, or None")
        if scheme is None or sizes != {(scheme.points, 2)}:
            what = f"The landmarks have the shapes {', '.join(map(str, sorted(sizes)))}"
            raise UsageError(
                what, "(68, 2), (98, 2) or (29, 2) was expected, of all faces the same", "give such arrays"
            )
        if not all(np.isfinite(each).all() for each in given):
            raise UsageError("Some landmarks are no numbers", "there is NaN or infinity", "give None for such a face")
        if given and are_fractions(np.stack(given)):
            raise UsageError("The landmarks are fractions, not pixels", *FRACTIONS)
        return _figures(evaluate_points(found, scheme, self._pack, Task("points", box=FROM_FILE, **self._task)))


def load(model: str | Path = "student-68", *, threads: int = 1, flip: bool = False) -> Model:
    """Load a landmark model.

    Args:
        model: by name, as `understudy models` lists it, or the path of its file, which has its card beside it.
        threads: that it computes with; more than one helps large models only.
        flip: whether each face is looked at twice, as it is and in the mirror, and both are averaged.

    Raises:
        UnderstudyError: there is no such model, or it is damaged.
    """
    from engine.inference.library import ModelLibrary

    landmarker = ModelLibrary().load(str(model), threads)
    landmarker.flip = flip
    return Model(landmarker)


class _Pictures:
    """Pictures of the caller as a source, so many a second: what is found does not depend on the caller's pace."""

    def __init__(self, pictures: Iterable[NDArray[np.uint8]], rate: float) -> None:
        from engine.sources.base import SourceKind

        self.name, self.kind, self.remark = "pictures", SourceKind.CAMERA, ""
        self.rate: float | None = rate
        self.frame_count: int | None = None
        self._pictures, self._rate = enumerate(pictures), rate

    def read(self) -> Any:
        import time

        from engine.core.frame import Frame

        for number, picture in self._pictures:
            return Frame(number, time.monotonic(), _checked(picture), self.name, time=number / self._rate)
        return None

    def close(self) -> None:
        """Nothing is held here."""


def _checked(picture: Any) -> NDArray[np.uint8]:
    """Return a picture in one piece of memory, as the engine needs it.

    Raises:
        UsageError: it is not `[H, W, 3]` uint8.
    """
    is_array = isinstance(picture, np.ndarray)
    if is_array and picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 and picture.size:
        return np.ascontiguousarray(picture)
    kind = f"{picture.dtype} {picture.shape}" if is_array else type(picture).__name__
    raise UsageError(
        f"This is no picture: {kind}",
        "an array [H, W, 3] of uint8 in the order RGB was expected",
        "convert grey with np.stack([grey] * 3, -1), shares of white with (255 * picture).astype(np.uint8)",
    )


def _opened(source: str | int | Path | Iterable[NDArray[np.uint8]], rotate: int, rate: float) -> Source:
    import math
    from dataclasses import replace

    from engine.live.camera_reader import open_guarded
    from engine.sources.base import TURNS, SourceKind
    from engine.sources.camera import DEFAULT_FORMAT
    from engine.sources.opening import open_source

    if rotate not in TURNS:
        raise UsageError(
            f"A camera cannot be turned by {rotate} degrees",
            "only quarters keep its picture whole",
            f"choose one of {', '.join(map(str, TURNS))}",
        )
    if not (math.isfinite(rate) and rate > 0):
        raise UsageError(f"The rate of pictures is {rate}", "a number above 0 was expected", "give pictures a second")
    wanted = replace(DEFAULT_FORMAT, turn=rotate)
    if isinstance(source, str | int | Path):
        opened, words = open_guarded(lambda: open_source(str(source), format_of=lambda _: wanted)), f"“{source}”"
    else:
        opened, words = _Pictures(source, rate), "a series of your own pictures"
    if rotate and (isinstance(opened, _Pictures) or opened.kind is not SourceKind.CAMERA):
        opened.close()
        raise UsageError(
            f"`rotate` needs a camera, and {words} is none",
            "pictures and videos are read as they are",
            "leave it out, or turn pictures of your own with np.rot90",
        )
    return opened


def _result(result: EngineResult, signals: Sequence[FaceSignals | None]) -> Result:
    faces = tuple(
        Face(face.id, face.landmarks, face.confidence, face.score, _edges(face.box), its.numbers() if its else {})
        for face, its in zip(result.faces, signals, strict=True)
    )
    return Result(result.frame.number, result.frame.moment, result.frame.image, faces)


def _edges(box: Any) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


def _figures(measured: Any) -> Figures:
    errors = np.array([face.nme for face in measured.faces])
    return Figures(measured.nme, measured.nme_box, measured.fr10, measured.auc10, measured.n, measured.missed, errors)
