"""Turned heads and closed eyes are seen from labels, also from some of them."""

import math

import numpy as np
import pytest
import torch

from engine.core.schemes import COFW_29, IBUG_68
from engine.inference.head_pose import FACE_MODEL, RIGID_POINTS
from trainer.augment import Faces
from trainer.data.hard_faces import are_closed, draw_weights, yaw_of


def head(yaw, pitch=0.0, roll=0.0):
    """The rigid points `[11, 2]` of a head seen from far away."""
    rows = np.eye(3)
    for first, second, degrees in ((0, 1, -roll), (1, 2, -pitch), (0, 2, -yaw)):
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = np.eye(3)
        turn[[first, second], [first, second]] = cosine
        turn[first, second], turn[second, first] = sine, -sine
        rows = turn @ rows
    return (FACE_MODEL @ rows.T)[:, :2] * 0.004 + 0.5


def faces(points, eyes_open=None):
    count = len(points)
    nothing = torch.zeros(count, 68)
    states = torch.full((count,), math.nan) if eyes_open is None else torch.tensor(eyes_open)
    images = torch.zeros(count, 3, 8, 8, dtype=torch.uint8)
    teachers = torch.empty(count, 0, 68, 2)
    return Faces(images, points, nothing, nothing, torch.zeros(count), teachers, torch.empty(count, 0, 68), states)


def with_eyes(ratio, yaw=0.0):
    """A face of 68 points: a head's rigid points, and eyes of an aspect ratio."""
    points = torch.full((68, 2), math.nan)
    points[list(RIGID_POINTS)] = torch.tensor(head(yaw), dtype=torch.float32)
    for corner, other, lids in ((36, 39, (37, 38, 41, 40)), (42, 45, (43, 44, 47, 46))):
        across = points[other] - points[corner]
        down = torch.stack([-across[1], across[0]]) * ratio / 2
        for lid, share, side in zip(lids, (1 / 3, 2 / 3, 1 / 3, 2 / 3), (-1, -1, 1, 1), strict=True):
            points[lid] = points[corner] + share * across + side * down
    return points


@pytest.mark.parametrize("yaw", [-75, -50, -30, 0, 20, 60])
@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (15, 30)])
def test_the_yaw_is_that_of_the_head(yaw, pitch, roll):
    assert abs(yaw_of(head(yaw, pitch, roll))) == pytest.approx(abs(yaw), abs=0.1)


def test_half_a_head_is_enough_and_a_few_points_are_none():
    points = head(70)
    points[[RIGID_POINTS.index(hidden) for hidden in (31, 36, 39)]] = math.nan
    assert abs(yaw_of(points)) == pytest.approx(70, abs=1)
    points[4:] = math.nan
    assert yaw_of(points) == 0


def test_faces_are_drawn_by_what_they_show():
    points = torch.stack([with_eyes(0.3), with_eyes(0.05), with_eyes(0.3, 60.0), with_eyes(0.05, 60.0)])
    points = torch.cat([points, torch.full((2, 68, 2), math.nan)])
    some = faces(points, [math.nan] * 4 + [0.0, 1.0])
    assert draw_weights(some, IBUG_68, 3, 2).tolist() == [1, 2, 3, 6, 2, 1]


def test_a_markup_without_lids_has_neither():
    some = faces(torch.rand(2, 29, 2))
    assert draw_weights(some, COFW_29, 3, 2).tolist() == [1, 1]
    assert not are_closed(some, COFW_29).any()
