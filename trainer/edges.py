"""The edges of a face: lines through landmarks, whose maps the anisotropic attention module learns beside the points'.

They are the contours that are drawn. Of 68 and 98 points there are nine, as in ADNet (Huang et al., ICCV 2021): jaw,
brows, nose ridge, nostrils, eyes, outer lip, inner lip.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.schemes import SCHEMES, Scheme


@dataclass(frozen=True)
class Edge:
    """A line through landmarks.

    Attributes:
        points: indices of the landmarks along the line.
        closed: whether the last point joins the first.
    """

    points: tuple[int, ...]
    closed: bool


def _edges(scheme: Scheme) -> tuple[Edge, ...]:
    """Return the contours that have a length."""
    return tuple(Edge(contour.points, contour.closed) for contour in scheme.contours if len(contour.points) > 1)


EDGES: dict[int, tuple[Edge, ...]] = {points: _edges(scheme) for points, scheme in SCHEMES.items()}
