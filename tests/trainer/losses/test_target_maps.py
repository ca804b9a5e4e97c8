"""What point maps and edge maps are to look like."""

import math
from typing import NamedTuple

import pytest
import torch

from trainer.losses.attention_maps import PIECES, AttentionLoss, edge_maps, known_edges, point_maps, spline
from trainer.losses.basic import BRIGHT
from trainer.losses.star import moments_of

SIGMA = 0.375


class Line(NamedTuple):
    points: tuple[int, ...]
    closed: bool


def test_a_point_map_is_a_gaussian_at_the_exact_place():
    points = torch.tensor([[[0.31, 0.62], [0.5, 0.25]]])
    maps = point_maps(points, 64, 32, 1.5)
    assert maps.shape == (1, 2, 64, 32)
    assert torch.allclose((moments_of(maps).mean + 1) / 2, points, atol=1e-4)
    assert maps.max() <= 1


def test_a_point_map_is_what_bilinear_shrinking_makes_of_a_gaussian_on_the_picture():
    # The point at pixel (100.5, 77.5) of 256, whose centres are at whole numbers plus one half.
    pixels = torch.arange(256) + 0.5
    across, down = (torch.exp(-((pixels - place) ** 2) / (2 * 1.5**2)) for place in (100.5, 77.5))
    painted = (down[:, None] * across)[None, None]
    shrunk = torch.nn.functional.interpolate(painted, size=64, mode="bilinear", align_corners=False)
    found = point_maps(torch.tensor([[[100.5 / 256, 77.5 / 256]]]), 64, 64, SIGMA)
    assert torch.allclose(found, shrunk, atol=1e-6)


def test_every_point_has_a_bright_cell_wherever_it_lies_in_it():
    places = torch.rand(1, 500, 2, generator=torch.Generator().manual_seed(0)) * 0.9 + 0.05
    places[:, 0] = 0.5  # the corner of four cells
    assert point_maps(places, 64, 64, AttentionLoss().sigma).amax((2, 3)).min() >= BRIGHT


def test_the_spline_goes_through_its_points_and_is_straight_on_a_straight_line():
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [3.0, 2.0], [4.0, 4.0]]])
    line = spline(points, closed=False)
    assert torch.allclose(line[:, ::PIECES], points)
    round_line = spline(points, closed=True)
    assert torch.allclose(round_line[:, ::PIECES], points[:, [0, 1, 2, 3, 0]])
    straight = spline(torch.tensor([[[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]]), closed=False)
    assert torch.allclose(straight[..., 1], 2 * straight[..., 0])
    assert (straight.diff(dim=1) > 0).all()


def test_a_closed_spline_through_a_square_bulges_alike_on_all_sides():
    corners = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]])
    middles = spline(corners, closed=True)[0, PIECES // 2 :: PIECES]
    assert torch.allclose(middles, torch.tensor([[0.5, -0.125], [1.125, 0.5], [0.5, 1.125], [-0.125, 0.5]]))


def test_an_edge_map_is_a_ridge_along_the_line_whose_section_is_a_gaussian():
    # A line in the middle between the rows 31 and 32 of 64, from column 16 to column 48.
    points = torch.tensor([[[0.25, 0.5], [0.4, 0.5], [0.75, 0.5]]])
    ridge = edge_maps(points, [Line((0, 1, 2), False)], 64, 64, 1.0)[0, 0]

    def section(offset):
        return sum(math.exp(-((offset + reading) ** 2) / 2) for reading in (-0.125, 0.125)) / 2

    for row, offset in ((31, 0.5), (32, 0.5), (34, 2.5)):
        assert torch.allclose(ridge[row, 20:44], torch.tensor(section(offset)), atol=0.004)
    assert ridge[31, 15].item() == pytest.approx(0.31 * section(0.5), abs=0.01), "it fades at its end"
    assert ridge[31, 10].item() < 1e-4


def test_edges_are_nowhere_broken_and_never_above_one():
    angle = torch.arange(17) / 16 * math.pi
    jaw = torch.stack([0.5 + 0.4 * angle.cos(), 0.3 + 0.6 * angle.sin()], -1)[None]
    ridge = edge_maps(jaw, [Line(tuple(range(17)), False)], 64, 64, SIGMA)[0, 0]
    line = (spline(jaw, closed=False)[0] * 64).long().clamp(0, 63)
    assert ridge[line[PIECES:-PIECES, 1], line[PIECES:-PIECES, 0]].min() > BRIGHT
    shut_eye = torch.tensor([[[0.4, 0.508], [0.5, 0.508], [0.6, 0.508], [0.5, 0.508]]])  # in the middle of a row
    assert edge_maps(shut_eye, [Line((0, 1, 2, 3), True)], 64, 64, SIGMA).max() == 1


def test_an_edge_is_known_where_all_its_points_are():
    labelled = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0]])
    known = known_edges(labelled, [Line((0, 1), False), Line((2, 3), True)])
    assert known.tolist() == [[1, 1], [0, 1]]
