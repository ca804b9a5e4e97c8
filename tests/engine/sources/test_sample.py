"""The sample: deterministic, endless, never out of the picture, and still where jitter is measured."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.core.errors import SourceError
from engine.core.schemes import IBUG_68
from engine.sources import sample
from engine.sources.base import SourceKind
from engine.sources.sample import HEIGHT, RATE, WIDTH, SampleClip, SampleSource
from engine.sources.sample_portrait import LOOP_SECONDS

LOOP = round(LOOP_SECONDS * RATE)
STILL = range(round(3 * RATE), round(5.5 * RATE) + 1)  # frames in which only the noise of the sensor changes


@pytest.fixture(scope="module")
def clip():
    return SampleClip()


@pytest.fixture(scope="module")
def truths(clip):
    """Landmarks of every frame of the loop, `[LOOP, 68, 2]`."""
    return np.stack([clip.frame(number)[1].points for number in range(LOOP)])


def opening(points, upper, lower):
    return float(np.linalg.norm(points[list(upper)] - points[list(lower)], axis=1).mean())


def test_a_frame_depends_on_its_number_alone(clip):
    other = SampleClip()
    for number in (500, 3, 41, 500):
        image, truth = clip.frame(number)
        again, same = other.frame(number)
        np.testing.assert_array_equal(image, again)
        np.testing.assert_array_equal(truth.points, same.points)


def test_frames_are_pictures_of_their_own(clip):
    image, truth = clip.frame(7)
    kept = image.copy()
    clip.frame(510)
    np.testing.assert_array_equal(image, kept)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    assert truth.scheme is IBUG_68
    assert truth.points.dtype == np.float32


def test_every_landmark_stays_well_inside_the_picture(truths):
    assert truths.min() > 40
    assert truths[..., 0].max() < WIDTH - 40
    assert truths[..., 1].max() < HEIGHT - 40


def test_motion_is_smooth_over_the_whole_loop_and_its_seam(truths):
    steps = np.linalg.norm(np.roll(truths, -1, axis=0) - truths, axis=-1)
    assert steps.max() < 12
    assert steps[:, 30].max() < 8  # the tip of the nose neither blinks nor talks


def test_still_stretch_is_still_but_noisy(clip, truths):
    assert len(STILL) >= 2 * RATE
    assert np.ptp(truths[STILL], axis=0).max() == 0
    pictures = [clip.frame(number)[0].astype(float) for number in STILL[:3]]
    for before, after in pairwise(pictures):
        difference = after - before
        assert 1 < difference.std() < 5
        assert abs(difference.mean()) < 0.05


def test_something_moves_everywhere_else(truths):
    steps = np.linalg.norm(np.roll(truths, -1, axis=0) - truths, axis=-1).mean(-1)
    outside = np.setdiff1d(np.arange(LOOP), [STILL.start - 3, STILL.start - 2, STILL.start - 1, *STILL])
    assert (steps[outside] > 0).mean() > 0.97


def test_loop_shows_blinks_open_mouth_roll_yaw_and_zoom(truths):
    eyes = np.array([np.linalg.norm(points[36] - points[45]) for points in truths])
    lids = np.array([opening(points, (37, 38, 43, 44), (41, 40, 47, 46)) for points in truths]) / eyes
    lips = np.array([opening(points, (61, 62, 63), (67, 66, 65)) for points in truths]) / eyes
    roll = np.degrees(np.arctan2(*(truths[:, 45] - truths[:, 36]).T[::-1]))
    right, left = (np.linalg.norm(truths[:, 30] - truths[:, jaw], axis=1) for jaw in (2, 14))
    assert lids.max() > 0.08
    assert lids.min() < 0.01
    closed = lids < 0.03
    assert np.count_nonzero(closed & ~np.roll(closed, 1)) >= 6
    assert lips.min() < 0.12
    assert lips.max() > 0.2
    assert roll.min() < -15
    assert roll.max() > 15
    assert (left / right).max() > 1.3
    assert (right / left).max() > 1.3
    assert eyes.max() / eyes.min() > 1.5


def test_light_changes_without_moving_a_point(clip):
    dim, bright = (clip.frame(number)[0].mean() for number in (315, 240))
    assert dim < 0.75 * bright


def test_clip_never_ends(clip):
    image, truth = clip.frame(10_000)
    _, same = clip.frame(10_000 % LOOP)
    np.testing.assert_allclose(truth.points, same.points, atol=1e-3)
    assert image.std() > 20


def test_source_counts_frames_and_gives_truth():
    source = SampleSource()
    assert (source.name, source.kind, source.rate, source.frame_count) == ("Sample", SourceKind.SAMPLE, 30.0, None)
    first, second = source.read(), source.read()
    assert (first.id, second.id) == (0, 1)
    assert (first.time, second.time) == (0.0, pytest.approx(1 / 30))
    assert second.captured >= first.captured
    image, truth = SampleClip().frame(1)
    np.testing.assert_array_equal(second.image, image)
    np.testing.assert_array_equal(second.truth.points, truth.points)
    source.close()
    source.close()


@pytest.mark.parametrize("content", [None, "{", '{"scheme": 68}', '{"landmarks": [[1, 2]]}', '{"landmarks": "none"}'])
def test_missing_or_damaged_landmarks_are_said_in_a_sentence(content, tmp_path, monkeypatch):
    folder = sample.asset_path("sample")
    (tmp_path / "portrait.png").write_bytes((folder / "portrait.png").read_bytes())
    if content is not None:
        (tmp_path / "portrait.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr(sample, "asset_path", lambda _, name: tmp_path / name)
    with pytest.raises(SourceError, match=r"The sample cannot be shown.*Install the program again\."):
        SampleSource()


def test_missing_portrait_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "asset_path", lambda _, name: tmp_path / name)
    with pytest.raises(SourceError, match=r"portrait\.png cannot be opened"):
        SampleSource()


def test_a_frame_is_shown_until_the_next_one():
    assert [SampleSource().place_at(seconds) for seconds in (-1, 0.06, 0.067, 0.099)] == [0, 1, 2, 2]
