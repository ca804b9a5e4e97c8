"""Packs of 98 points out of packs of 68: the manual points are kept, what lies between comes from a proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.core.errors import PackError, UsageError
from engine.core.geometry import landmark_box
from engine.core.metrics import nme_box
from engine.core.schemes import IBUG_68, WFLW_98
from engine.formats.images import read_picture
from engine.formats.landmark_readers import Predictions, assigned
from engine.formats.packs import Pack, PackFace, read_pack
from engine.inference.landmarker import Landmarker, not_finite_error
from trainer.data.contour_warp import NAMESAKES, contour_warp
from trainer.data.new_pack import new_pack, write_relabelled
from trainer.shape_model import Complex, ShapeModel, fit_shape_model, load_shapes

# What the shape model explains of the variance of real shapes, and how many of these are plausible by definition.
VARIANCE_SHARE, PLAUSIBLE_SHARE = 0.98, 0.99
# With fewer manual points, position, size and turn of the proposal are guesswork.
LEAST_POINTS = 24
# Where a label is from: the array `origin`.
MANUAL, MOVED, DERIVED = 0, 1, 2


@dataclass(frozen=True)
class Derivation:
    """What deriving a pack came to.

    Attributes:
        pack: folder of the new pack.
        proposal: name of the model or file that the proposals are from.
        faces: faces of the pack it was made from, of the chosen split and with labels.
        kept: faces of the new pack.
        without_proposal: faces left out because there is no proposal.
        sparse: faces left out because fewer than `LEAST_POINTS` manual points are labelled.
        implausible: faces left out because their shape is none that real faces have.
        coinciding: of the 68 manual points, those that were kept as they are; the others were moved to where the
            98-point markup has them.
        shift: mean length of all 68 moves, in percent of the eye distance.
        disagreement: median over the faces with enough manual points of how far the proposal lies beside these, in
            percent of the root of the area of the landmark box.
    """

    pack: Path
    proposal: str
    faces: int
    kept: int
    without_proposal: int
    sparse: int
    implausible: int
    coinciding: int
    shift: float
    disagreement: float


def derive_pack(
    folder: Path,
    proposal: Predictions | Landmarker,
    shapes: Path,
    out: Path,
    split: str | None = "train",
    labels: str = "landmarks",
    progress: bool = False,
) -> Derivation:
    """Write a pack of 98 points for a pack of 68.

    Of the pack with 68 points `folder` the faces of `split` are taken (None: all), by the points in its array `labels`.
    The proposal is 98 points of its faces, by another tool or by a model; `shapes` is the file with the real 98-point
    shapes that say what is plausible, see `load_shapes`.

    The new pack `out` gets the pictures, `landmarks` (N, 98, 2), `origin` (N, 98): 0 manual, 1 manual but moved,
    2 derived; `bbox`, `split`, `use`, `source`, `same_picture_as_test`, and `visibility` (N, 98) where the pack has it:
    a derived point is as visible as the nearest manual one.

    Raises:
        UsageError: the proposals have not 98 points.
        PackError: a pack, the shapes or the proposals do not fit or are damaged, `out` is taken, or no face is left.
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
        OSError: the pack cannot be written.
    """
    name = _checked_name(proposal)
    pack = read_pack(folder, split, labels, skip_unlabelled=True)
    if pack.scheme is not IBUG_68:
        raise PackError(
            f"The pack {folder} has faces of {pack.scheme.points} points",
            f"{WFLW_98.points} points are derived from the {IBUG_68.points} of iBUG",
            "choose another pack",
        )
    real = _shapes_of_98(shapes)
    model = fit_shape_model(real, VARIANCE_SHARE, aligned=True)
    warp = contour_warp(model)
    with new_pack(out) as place:
        proposals = _proposals(pack, proposal, progress)
        usable = [
            (face, points)
            for face, points in zip(pack.faces, proposals, strict=True)
            if points is not None and int(np.isfinite(face.landmarks).all(1).sum()) >= LEAST_POINTS
        ]
        shifts = np.zeros(IBUG_68.points, np.complex128)
        derived = np.empty((0, WFLW_98.points, 2), np.float32)
        if usable:
            manual = np.stack([face.landmarks for face, _ in usable])
            shifts = warp.shifts(np.stack([points for _, points in usable]), manual)
            derived = np.stack([warp.bend(points, face.landmarks, shifts) for face, points in usable])
        plausible = _unlikeness(model, derived) <= np.quantile(_unlikeness(model, real), PLAUSIBLE_SHARE)
        if not plausible.any():
            raise PackError(
                f"No face of the pack {folder} is left",
                f"{len(usable)} of its {len(pack.faces)} faces have a proposal and enough manual points, and "
                "none of these gets a shape that real faces have",
                "check that the proposals are of this pack, in its pixels, and in the order of WFLW",
            )
        kept, missing = int(plausible.sum()), sum(points is None for points in proposals)
        shifts = shifts / warp.eye_distance
        derivation = Derivation(
            pack=out,
            proposal=name,
            faces=len(pack.faces),
            kept=kept,
            without_proposal=missing,
            sparse=len(pack.faces) - missing - len(usable),
            implausible=len(usable) - kept,
            coinciding=int((shifts == 0).sum()),
            shift=float(np.abs(shifts).mean() * 100),
            disagreement=float(np.median([nme_box(points[NAMESAKES], face.landmarks) for face, points in usable])),
        )
        faces = [face for (face, _), good in zip(usable, plausible, strict=True) if good]
        arrays = _arrays(folder, faces, derived[plausible], shifts, warp.nearest)
        write_relabelled(place, folder, arrays, _meta(derivation, shifts), array=labels)
    return derivation


def _unlikeness(model: ShapeModel, faces: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how far faces `[N, K, 2]` are from what a shape model can say: `[N]` NME box of their soft landmarks."""
    return np.array([nme_box(to, points) for to, points in zip(model.soften(faces), faces, strict=True)])


def _checked_name(proposal: Predictions | Landmarker) -> str:
    """Return the name of who proposes 98 points."""
    if isinstance(proposal, Predictions):
        name, scheme = proposal.name, proposal.scheme
    else:
        name, scheme = proposal.card.name, proposal.card.markup
    if scheme is not WFLW_98:
        raise UsageError(
            f"The proposals of {name} have {scheme.points} points",
            f"what is derived are the {WFLW_98.points} points of WFLW",
            f"give a model or landmarks of {WFLW_98.points} points with --proposal",
        )
    return name


def _shapes_of_98(path: Path) -> NDArray[np.float32]:
    shapes = load_shapes(path)
    if shapes.shape[1] != WFLW_98.points:
        raise PackError(
            f"The shapes {path} have {shapes.shape[1]} points",
            f"what is derived are the {WFLW_98.points} points of WFLW",
            f"give shapes of {WFLW_98.points} points with --shapes",
        )
    return shapes


def _proposals(pack: Pack, proposal: Predictions | Landmarker, progress: bool) -> Sequence[NDArray[np.float32] | None]:
    """Return the proposed points `[98, 2]` of each face; None where there are none."""
    if isinstance(proposal, Predictions):
        return assigned(proposal, pack)
    quiet = not progress or None  # None: quiet unless a person is watching
    proposed = []
    for face in tqdm(pack.faces, desc=f"proposing {pack.name}", unit="face", disable=quiet):
        found = proposal.locate(read_picture(face.image), landmark_box(face.landmarks))
        if not found.finite:
            raise not_finite_error(proposal.card.name)
        proposed.append(found.points)
    return proposed


def _arrays(
    folder: Path,
    faces: Sequence[PackFace],
    points: NDArray[np.float32],
    shifts: Complex,
    nearest: NDArray[np.intp],
) -> dict[str, NDArray]:
    images = np.array([face.image.relative_to(folder).as_posix() for face in faces])
    origin = np.full(WFLW_98.points, DERIVED, np.uint8)
    origin[NAMESAKES] = np.where(shifts == 0, MANUAL, MOVED)
    arrays = {
        "image": images,
        "landmarks": points,
        "origin": np.tile(origin, (len(faces), 1)),
        "split": np.array([face.split for face in faces]),
        "same_picture_as_test": np.array([face.same_picture_as_test for face in faces]),
        "source": np.array([f"{folder.resolve().name}/{image}" for image in images]),
        "use": np.full(len(faces), "derived labels"),
    }
    flags = [face.visibility for face in faces]
    if all(flag is not None for flag in flags):
        arrays["visibility"] = np.stack([flag[nearest] for flag in flags if flag is not None])
    return arrays


def _meta(derivation: Derivation, shifts: Complex) -> dict[str, object]:
    return {
        "name": derivation.pack.name,
        "markup": "WFLW-98",
        "labels": f"derived: the manual iBUG-68 points are kept where the two markups coincide "
        f"({derivation.coinciding} of 68) and moved by the median difference of the markups elsewhere; the other 30 "
        f"are proposed by {derivation.proposal} and bent along each contour to meet them, the pupils with their eyes",
        "origin": "of each label: 0 manual, 1 manual but moved, 2 derived",
        "proposal": derivation.proposal,
        "shifts": {
            "what": "by how much each of the 68 was moved, x and y of an upright face, percent of the eye distance",
            "values": [[round(float(-100 * shift.real), 2), round(float(-100 * shift.imag), 2)] for shift in shifts],
        },
        "left_out": {
            "without_proposal": derivation.without_proposal,
            "sparse": derivation.sparse,
            "implausible": derivation.implausible,
        },
    }
