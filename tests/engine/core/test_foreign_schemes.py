"""Markups of models from elsewhere: which of the 68 points they have, and what works without."""

from collections import Counter

import numpy as np
import pytest

from engine.core.foreign_schemes import KNOWN, foreign_scheme, known_markup
from engine.core.geometry import roll_of_landmarks
from engine.core.metrics import interocular_distance
from engine.core.schemes import IBUG_68, WFLW_98

POINTS_68 = np.random.default_rng(3).uniform(0, 100, (68, 2)).astype(np.float32)


def test_a_number_of_points_without_a_name_is_our_own_markup():
    assert foreign_scheme("", 68) is IBUG_68
    assert foreign_scheme("", 98) is WFLW_98


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_markup_gives_the_68_points_back(name):
    count, table = KNOWN[name]
    assert known_markup(count) == name
    points = np.full((count, 2), np.nan, np.float32)
    for group, place in zip(table, POINTS_68, strict=True):
        # Points whose mean is wanted lie on both sides of it.
        for index, step in zip(group, (2, -2) if len(group) > 1 else (0,), strict=True):
            points[index] = place + step
    scheme = foreign_scheme(name, count)
    assert scheme.has_68
    uses = Counter(index for group in table for index in group)
    kept = [place for place, group in enumerate(table) if all(uses[index] == 1 for index in group)]
    found = scheme.to_68(points)
    assert found.dtype == np.float32
    # The others share a point: two means of the mesh, and the corners of the mouth among 66 points.
    assert np.allclose(found[kept], POINTS_68[kept], atol=1e-4)
    assert len(kept) >= 64
    assert scheme is foreign_scheme(name, count)


def test_means_are_means():
    table = tuple((2 * index, 2 * index + 1) for index in range(68))
    points = np.random.default_rng(4).uniform(0, 100, (136, 2)).astype(np.float32)
    assert np.allclose(foreign_scheme("pairs", 136, table).to_68(points), points.reshape(68, 2, 2).mean(1), atol=1e-4)


def test_of_an_unknown_markup_only_its_box_is_known():
    scheme = foreign_scheme("five", 5)
    points = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)
    assert not scheme.has_68
    assert scheme.contours == ()
    assert len(scheme.parts) == 5
    assert roll_of_landmarks(scheme, points) == 0
    assert interocular_distance(scheme, points) == pytest.approx(0.6 * 40)
    assert interocular_distance(scheme, points * 2) == pytest.approx(0.6 * 80)
