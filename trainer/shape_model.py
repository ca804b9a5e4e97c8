"""Soft landmarks: the annotation projected on an active shape model.

A point distribution model (Cootes et al., "Active shape models", CVIU 61(1), 1995) is the mean of normalised shapes and
the modes of their variance. Keeping few modes keeps what faces have in common; KD-Loss's Tolerant teacher learns that.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ModelError, PackError, RecordingError, UsageError
from engine.core.files import replaced
from engine.core.schemes import SCHEMES
from engine.core.texts import reason
from engine.formats.arrays import read_npz

# Coefficients are clipped to this many standard deviations, as the authors of KD-Loss do.
LARGEST_DEVIATION = 3.0
# Least variance of what the modes leave over, in squared sizes of the face: far below that of any annotation.
LEAST_NOISE = 1e-9
ROUNDING = 1e-15  # in the same unit; what varies less does so by rounding alone
# By then, soft landmarks of faces without a fifth of their labels are as near those of the whole face as they get.
COMPLETION_ROUNDS = 6
ALIGNMENT_ROUNDS = 100

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]


@dataclass(frozen=True)
class ShapeModel:
    """Mean and modes of face shapes; vectors of length 2K hold x0, y0, x1, y1, ...

    Attributes:
        mean: `[2K]`, the mean of the normalised training shapes.
        modes: `[2K, k]`, orthonormal directions of largest variance, largest first.
        variances: `[k]`, the variance along each.
        noise: mean variance in the directions left out.
        variance_share: share in (0, 1] of the variance that the modes were to explain.
        aligned: whether position, size and roll were removed by Procrustes alignment. Otherwise shapes are as they
            stand in their tight landmark box: centre at 0, larger side 1.
    """

    mean: Real
    modes: Real
    variances: Real
    noise: float
    variance_share: float
    aligned: bool

    @property
    def points(self) -> int:
        """Number of landmarks K."""
        return len(self.mean) // 2

    def soften(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the soft landmarks of hard ones.

        Points without a label have none afterwards either. A face of which some are missing gets the most probable
        coefficients given the others; one whose labels all lie in one place stays as it is.

        Args:
            points: `[N, K, 2]` in any unit; NaN = no label.

        Raises:
            UsageError: the faces have another number of points than the model.
        """
        if points.ndim != 3 or points.shape[1:] != (self.points, 2):
            raise UsageError(
                f"A shape model of {self.points} points cannot soften landmarks of shape {list(points.shape)}",
                "it was fitted on another markup",
                "fit a shape model on faces of the same markup",
            )
        soft = as_complex(points)
        complete = np.isfinite(soft).all(-1)
        extended = _side(soft) > 0
        whole = complete & extended
        soft[whole] = self._fitted(soft[whole], np.ones(self.points, bool))
        for index in np.flatnonzero(extended & ~complete):
            known, face = np.isfinite(soft[index]), soft[index]
            fitted = completed = face
            for _ in range(COMPLETION_ROUNDS):  # the pose is that of the completed face
                fitted = self._fitted(completed[None], known)[0]
                completed = np.where(known, face, fitted)
            soft[index] = np.where(known, fitted, complex(np.nan, np.nan))
        return as_points(soft).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write the model as `.npz`.

        Raises:
            RecordingError: the file cannot be written.
        """
        try:
            with replaced(path) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **dataclasses.asdict(self))
        except OSError as error:
            raise RecordingError(
                f"The shape model {path} cannot be written ({error.strerror})",
                "the folder forbids writing, or the disk is full",
                "choose another place",
            ) from error

    def _fitted(self, faces: Complex, known: NDArray[np.bool_]) -> Complex:
        """Return m + V clip(b) at the pose of each face `[N, K]`; b fits those of its points that are known, `[K]`."""
        turn, shift = _pose(faces, _as_face(self.mean) if self.aligned else None)
        coordinates = np.repeat(known, 2)
        modes, offsets = self.modes[coordinates], (_as_vector((faces - shift) / turn) - self.mean)[:, coordinates]
        coefficients = offsets @ modes
        if not known.all():
            # The most probable ones of a Gaussian model of which only some coordinates are seen.
            prior = np.diag(self.noise / self.variances)
            coefficients = np.asarray(np.linalg.solve(modes.T @ modes + prior, coefficients.T).T, np.float64)
        limit = LARGEST_DEVIATION * np.sqrt(self.variances)
        return turn * _as_face(self.mean + np.clip(coefficients, -limit, limit) @ self.modes.T) + shift


def fit_shape_model(shapes: NDArray[np.floating], variance_share: float = 0.9, aligned: bool = False) -> ShapeModel:
    """Fit a shape model with the fewest modes that explain a share of the variance.

    Args:
        shapes: `[N, K, 2]`, fully labelled, in any unit and place.
        variance_share: in (0, 1]; KD-Loss's Tolerant teacher most likely learned 0.9.
        aligned: whether to remove position, size and roll by generalised Procrustes analysis. Otherwise only the
            landmark box is normalised, as KD-Loss does, and roll is one of the modes.

    Raises:
        UsageError: the share is out of range.
        PackError: there are fewer than two different shapes, a label is missing, or a shape has no extent.
    """
    if not 0 < variance_share <= 1:
        raise UsageError(
            f"A shape model cannot explain {variance_share:g} of the variance",
            "the share is a number above 0 and up to 1",
            "take 0.9, for instance",
        )
    vectors = _as_vector(_normalised(_checked(shapes), aligned))
    mean = vectors.mean(0)
    # The decomposition of the covariance is many times cheaper than that of the shapes, and as good to 1e-8.
    variances, directions = np.linalg.eigh(np.cov(vectors, rowvar=False))
    variances, modes = variances[::-1], directions[:, ::-1]
    variances = variances[variances > ROUNDING]
    if not len(variances):
        raise PackError("All training shapes are the same", "they have no variance to explain", "give different faces")
    explained = variances.cumsum() / variances.sum()
    count = min(int(np.searchsorted(explained, variance_share)) + 1, len(variances))
    left_over = variances[count:].sum() / max(len(mean) - count, 1)
    return ShapeModel(
        mean=mean,
        modes=modes[:, :count],
        variances=variances[:count],
        noise=max(float(left_over), LEAST_NOISE),
        variance_share=variance_share,
        aligned=aligned,
    )


def load_shape_model(path: Path) -> ShapeModel:
    """Read a shape model that `ShapeModel.save` wrote.

    Raises:
        ModelError: the file is missing, damaged, or no shape model.
    """
    try:
        arrays = read_npz(path, ("mean", "modes", "variances", "noise", "variance_share", "aligned"))
        noise, share, aligned = (arrays.pop(name).item() for name in ("noise", "variance_share", "aligned"))
        model = ShapeModel(**arrays, noise=float(noise), variance_share=float(share), aligned=bool(aligned))
        if model.mean.ndim != 1 or model.modes.shape != (len(model.mean), *model.variances.shape):
            raise ValueError("its arrays do not fit together")
    except Exception as error:  # numpy raises many kinds for a damaged archive
        raise ModelError(
            f"The shape model {path} cannot be read ({reason(error)})",
            "it does not exist, was cut off, or is another file",
            "give the shape model of a run's folder, or fit it again",
        ) from error
    return model


def load_shapes(path: Path) -> NDArray[np.float32]:
    """Read the array `landmarks` `[N, K, 2]` of a file of shapes without pictures.

    Raises:
        PackError: the file is missing, damaged, or holds other arrays.
    """
    try:
        shapes = read_npz(path, ("landmarks",))["landmarks"].astype(np.float32)
        if shapes.ndim != 3 or shapes.shape[1] not in SCHEMES or shapes.shape[2] != 2:
            raise ValueError(f"landmarks have the shape {list(shapes.shape)}")
    except Exception as error:  # numpy raises many kinds for a damaged archive
        raise PackError(
            f"The shapes {path} cannot be read ({reason(error)})",
            "the file does not exist, was cut off, or holds something else",
            f"give a .npz file with an array landmarks [N, K, 2], K one of {', '.join(map(str, SCHEMES))}",
        ) from error
    return shapes


def _checked(shapes: NDArray[np.floating]) -> Complex:
    """Return the training shapes `[N, K]` as complex numbers, or say what is wrong with them."""
    if shapes.ndim != 3 or shapes.shape[2] != 2:
        problem = f"they have the shape {list(shapes.shape)}, not [N, K, 2]"
    elif len(shapes) < 2:
        problem = f"there are only {len(shapes)}"
    elif not np.isfinite(shapes).all():
        problem = f"{int((~np.isfinite(shapes)).any((1, 2)).sum())} of them lack labels"
    elif not (_side(as_complex(shapes)) > 0).all():
        problem = "in one of them all points lie in the same place"
    else:
        return as_complex(shapes)
    raise PackError(
        "A shape model cannot be fitted on these shapes", problem, "give at least two fully labelled, real faces"
    )


def _normalised(faces: Complex, aligned: bool) -> Complex:
    turn, shift = _pose(faces, None)
    shapes = (faces - shift) / turn
    if not aligned:
        return shapes
    reference = shapes.mean(0)
    size = np.linalg.norm(reference)
    for _ in range(ALIGNMENT_ROUNDS):
        turn, shift = _pose(faces, reference)
        shapes = (faces - shift) / turn
        before, reference = reference, shapes.mean(0)
        # Nothing else says how large the mean is.
        reference = reference * (size / np.linalg.norm(reference))
        if np.abs(reference - before).max() < np.sqrt(np.finfo(np.float64).eps):
            break
    return shapes


def similarity(shape: Complex, faces: Complex) -> tuple[Complex, Complex]:
    """Return the similarities that carry a shape to faces: `face = turn * shape + shift`, each `[..., 1]`.

    They have the least squared distance of the points that both have: `shape` `[K]` or `[..., K]` and `faces`
    `[..., K]`, as x + iy (see `as_complex`), NaN without a label.
    """
    seen = np.where(np.isfinite(faces), shape, complex(np.nan, np.nan))
    centre, seen_centre = np.nanmean(faces, -1, keepdims=True), np.nanmean(seen, -1, keepdims=True)
    spread = seen - seen_centre
    turn = np.nansum(spread.conj() * (faces - centre), -1, keepdims=True)
    turn = turn / np.nansum(np.abs(spread) ** 2, -1, keepdims=True)
    return turn, centre - turn * seen_centre


def as_complex(points: NDArray[np.floating]) -> Complex:
    """Return points `[..., 2]` as x + iy, in which a similarity is one product and one sum; NaN without a label."""
    labelled = np.isfinite(points).all(-1)
    return np.where(labelled, points[..., 0] + 1j * points[..., 1].astype(np.float64), complex(np.nan, np.nan))


def as_points(faces: Complex) -> Real:
    """Return points x + iy `[...]` as `[..., 2]`."""
    return np.stack((faces.real, faces.imag), -1)


def _pose(faces: Complex, mean: Complex | None) -> tuple[Complex, Complex]:
    """Return the similarities from normalised shapes to faces `[..., K]`: `face = turn * shape + shift`, `[..., 1]`.

    They carry the mean to the face with the least squared distance of the labelled points, or without a mean the unit
    square to the face's box. What the first leaves to the modes stands at right angles to every change of pose.
    """
    if mean is not None:
        return similarity(mean, faces)
    low, high = _corners(faces)
    return _side(faces)[..., None].astype(np.complex128), (low + high)[..., None] / 2


def _corners(faces: Complex) -> tuple[Complex, Complex]:
    """Return the upper left and the lower right corner `[...]` of the labelled points' boxes."""
    low = np.fmin.reduce(faces.real, -1) + 1j * np.fmin.reduce(faces.imag, -1)
    return low, np.fmax.reduce(faces.real, -1) + 1j * np.fmax.reduce(faces.imag, -1)


def _side(faces: Complex) -> Real:
    """Return the larger sides `[...]` of the boxes; NaN without labels."""
    low, high = _corners(faces)
    return np.fmax((high - low).real, (high - low).imag)


def _as_vector(faces: Complex) -> Real:
    return as_points(faces).reshape(*faces.shape[:-1], 2 * faces.shape[-1])


def _as_face(vectors: Real) -> Complex:
    return vectors[..., 0::2] + 1j * vectors[..., 1::2]
