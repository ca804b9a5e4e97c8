"""Bending a proposal: manual points are met, what lies between follows, and differences of markups are found."""

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.core.schemes import IBUG_68
from tests.fakes.faces98 import face_98, namesakes, shapes_98
from trainer.data.contour_warp import LEAST_FACES, NAMESAKES, contour_warp
from trainer.shape_model import fit_shape_model

NO_SHIFT = np.zeros(68, complex)
BETWEEN = np.setdiff1d(np.arange(98), NAMESAKES)


@pytest.fixture(scope="module")
def warp():
    return contour_warp(fit_shape_model(shapes_98(), 0.98, aligned=True))


def mean_distance(points, truth):
    return np.linalg.norm(points - truth, axis=1).mean()


def test_manual_points_are_met(warp):
    truth = face_98(200, 0.3)
    proposal = truth + np.random.default_rng(1).normal(size=(98, 2)) * 4
    bent = warp.bend(proposal, namesakes(truth), NO_SHIFT)
    assert np.abs(bent - truth)[NAMESAKES].max() < 0.01


def test_a_proposal_elsewhere_larger_and_turned_comes_to_the_face(warp):
    truth = face_98(200, 0.3)
    bent = warp.bend(face_98(260, -0.2) + (40, -30), namesakes(truth), NO_SHIFT)
    assert np.abs(bent - truth).max() < 0.05


def test_what_lies_between_follows_its_contour_and_no_other(warp):
    truth = face_98(200)
    proposal, jaw = truth.copy(), np.arange(33)
    proposal[jaw] += (0, 6)
    bent = warp.bend(proposal, namesakes(truth), NO_SHIFT)
    aligned_only = warp.bend(truth, namesakes(truth), NO_SHIFT)
    assert np.abs(aligned_only - truth).max() < 0.01
    odd = jaw[1::2]
    assert mean_distance(bent[odd], truth[odd]) < 0.2 * 6
    eyes = np.arange(60, 76)
    assert mean_distance(bent[eyes], truth[eyes]) < 0.2 * 6


def test_pupils_go_with_their_eyes(warp):
    truth = face_98(200)
    proposal, right = truth.copy(), [*range(60, 68), 96]
    proposal[right] += (5, 0)
    bent = warp.bend(proposal, namesakes(truth), NO_SHIFT)
    assert np.linalg.norm(bent[96] - truth[96]) < 1.5
    assert np.linalg.norm(bent[97] - truth[97]) < 1.5


def test_points_beside_unlabelled_ones_stay_unlabelled(warp):
    truth = face_98(200)
    manual = namesakes(truth)
    manual[:4] = np.nan  # the jaw from 0 to 6 of 98
    bent = warp.bend(truth, manual, NO_SHIFT)
    missing = np.isnan(bent).any(1)
    assert missing[:6].all()
    assert not missing[8:].any()
    assert np.abs(bent - truth)[8:].max() < 0.05


def test_a_difference_of_the_markups_is_found_through_the_noise_of_the_proposals(warp):
    random = np.random.default_rng(2)
    truths = [face_98(random.uniform(100, 300), random.uniform(-1, 1)) for _ in range(400)]
    eyes = [np.linalg.norm(truth[72] - truth[60]) for truth in truths]
    proposals = [truth + random.normal(size=(98, 2)) * 0.04 * eye for truth, eye in zip(truths, eyes, strict=True)]
    manual = [namesakes(truth) for truth in truths]
    for points, truth, eye in zip(manual, truths, eyes, strict=True):
        points[30] += 0.06 * eye * (truth[54] - truth[51]) / np.linalg.norm(truth[54] - truth[51])  # a lower nose tip
    shifts = warp.shifts(np.stack(proposals), np.stack(manual)) / warp.eye_distance
    assert np.flatnonzero(shifts).tolist() == [30]
    assert shifts[30] == pytest.approx(0.06j, abs=0.01)
    undone = warp.bend(proposals[0], manual[0], shifts * warp.eye_distance)
    assert np.linalg.norm(undone[54] - truths[0][54]) < 0.02 * eyes[0]
    assert np.linalg.norm(undone[53] - truths[0][53]) < 0.001 * eyes[0]


def test_differences_are_the_same_on_both_sides(warp):
    random = np.random.default_rng(3)
    truth = face_98(200)
    manual = namesakes(truth)
    manual[17:22] += (8, -4)  # one brow alone
    proposals = truth + random.normal(size=(100, 98, 2))
    shifts = warp.shifts(proposals, np.repeat(manual[None], 100, 0))
    assert np.abs(shifts).max() > 0
    assert np.allclose(shifts, -shifts.conj()[list(IBUG_68.mirror)])


def test_few_faces_prove_no_difference(warp):
    truth = face_98(200)
    manual = namesakes(truth) + 5 * np.random.default_rng(4).normal(size=(68, 2))
    count = LEAST_FACES - 1
    shifts = warp.shifts(np.repeat(truth[None], count, 0), np.repeat(manual[None], count, 0))
    assert (shifts == 0).all()


def test_derived_points_of_real_faces_are_near_the_manual_ones(data_folder):
    """The truth, wrong as a network is: by slow waves along the contours. Only the 30 points between are compared."""
    random = np.random.default_rng(5)
    with np.load(data_folder / "wflw98_full" / "annotations.npz") as archive:
        truths = archive["landmarks"][:40].astype(np.float64)
    with np.load(data_folder / "shapes" / "wflw_98.npz") as archive:
        warp = contour_warp(fit_shape_model(archive["landmarks"][::4], 0.98, aligned=True))
    before, after = [], []
    for truth in truths:
        eyes = np.linalg.norm(truth[72] - truth[60])
        wave = np.sin(np.arange(98)[:, None] / 5 + random.uniform(0, 6, 2)) * 0.06 * eyes
        bent = warp.bend(truth + wave, namesakes(truth), NO_SHIFT)
        before.append(mean_distance((truth + wave)[BETWEEN], truth[BETWEEN]) / eyes * 100)
        after.append(mean_distance(bent[BETWEEN], truth[BETWEEN]) / eyes * 100)
    assert np.mean(before) > 4
    assert np.mean(after) < 0.35 * np.mean(before)


def test_shapes_of_another_markup_are_refused():
    shapes = np.stack([namesakes(shape) for shape in shapes_98()])
    with pytest.raises(UsageError, match="68 points cannot help to derive 98"):
        contour_warp(fit_shape_model(shapes))
