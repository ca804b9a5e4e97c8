"""Markups of models from elsewhere: any number of points, with a table to the 68 of iBUG where there is one."""

from __future__ import annotations

from functools import lru_cache

from engine.core.schemes import IBUG_68, SCHEMES, Contour, Scheme

# For each of the 68 iBUG points the index of the same point, or those whose mean marks the same place.
Table = tuple[tuple[int, ...], ...]

# MediaPipe's face mesh has no jaw line of the 68 and no ridge of the nose; the means of two lie nearest to these.
_MESH: Table = (
    (127,), (234,), (93,), (132, 58), (58, 172), (136,), (150,), (176,), (152,),
    (400,), (379,), (365,), (397, 288), (361,), (323,), (454,), (356,),
    (70,), (63,), (105,), (66,), (107,), (336,), (296,), (334,), (293,), (300,),
    (168, 6), (197, 195), (5,), (4,), (75,), (97,), (2,), (326,), (305,),
    (33,), (160,), (158,), (133,), (153,), (144,), (362,), (385,), (387,), (263,), (373,), (380,),
    (61,), (39,), (37,), (0,), (267,), (269,), (291,), (321,), (314,), (17,), (84,), (91,),
    (78,), (82,), (13,), (312,), (308,), (317,), (14,), (87,),
)  # fmt: skip
# As iBUG-68 without the two inner corners of the mouth, for which the outer ones stand.
_OPENSEEFACE: Table = tuple(
    (index,) for index in (*range(48), 58, *range(48, 53), 62, *range(53, 66))
)  # fmt: skip
# Name: number of points, table.
KNOWN: dict[str, tuple[int, Table]] = {
    "OpenSeeFace-66": (66, _OPENSEEFACE),
    "MediaPipe-468": (468, _MESH),
    "MediaPipe-478": (478, _MESH),
}


def known_markup(points: int) -> str:
    """Return the name of the known markup of so many points that is none of our own; "" where there is none."""
    return next((name for name, (count, _) in KNOWN.items() if count == points), "")


@lru_cache(maxsize=64)
def foreign_scheme(name: str, points: int, table: Table = ()) -> Scheme:
    """Return the scheme of a model from elsewhere; always the same object for the same arguments.

    Args:
        name: of its markup; "" for one of our own where the number of points is that of one.
        points: number of points K.
        table: for each of the 68 iBUG points the indices of the points whose mean marks its place; where it is empty
            that of the known name is taken, and without one only points are drawn.
    """
    if not name and not table and points in SCHEMES:
        return SCHEMES[points]
    if not table and name in KNOWN and KNOWN[name][0] == points:
        table = KNOWN[name][1]
    if not table:
        return Scheme(points, (), (), (), (), (), ())
    nearest = [group[0] for group in table]
    single = all(len(group) == 1 for group in table)

    def here(indices: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(nearest[index] for index in indices)

    right, left = (nearest[corner] for corner in IBUG_68.outer_eye_corners)
    return Scheme(
        points=points,
        mirror=(),
        contours=tuple(Contour(each.part, here(each.points), each.closed) for each in IBUG_68.contours),
        outer_eye_corners=(right, left),
        right_eye=here(IBUG_68.right_eye),
        left_eye=here(IBUG_68.left_eye),
        as_68=tuple(nearest) if single else (),
        means_68=() if single else table,
    )
