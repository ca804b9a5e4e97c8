"""Soft landmarks of shapes whose variation is known."""

from dataclasses import fields

import numpy as np
import pytest

from engine.core.errors import ModelError, PackError, RecordingError, UsageError
from engine.sources.sample import SampleClip
from trainer.shape_model import fit_shape_model, load_shape_model, load_shapes

SHARES = (1.0, 0.97, 0.9, 0.85, 0.5)


@pytest.fixture(scope="module")
def face():
    """The sample's 68 points, about 180 pixels large."""
    return SampleClip().frame(0)[1].points.astype(np.float64)


@pytest.fixture(scope="module")
def shapes(face):
    """200 faces that vary in 12 ways, each weaker than the one before, in place, size and a little in roll."""
    random = np.random.default_rng(3)
    ways = random.normal(size=(12, 68, 2)) * (0.7 ** np.arange(12))[:, None, None]
    varied = face + 4 * np.einsum("ni,ikd->nkd", random.normal(size=(200, 12)), ways)
    moved = [
        turned(points, random.normal(0, 0.1), random.uniform(0.5, 2), random.uniform(-90, 90, 2)) for points in varied
    ]
    return np.stack(moved)


def turned(points, angle, scale, shift):
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ rotation.T + shift


def distance(one, other):
    """Mean distance of the points, in larger sides of the box of `other`."""
    side = np.ptp(other, axis=1).max(1)[:, None]
    return float(np.nanmean(np.linalg.norm(one - other, axis=-1) / side))


@pytest.mark.parametrize("aligned", [False, True])
def test_all_of_the_variance_gives_the_shapes_back(shapes, aligned):
    # Of 10 shapes none can be 3 standard deviations from the mean, so that nothing is clipped.
    few = shapes[:10]
    assert distance(fit_shape_model(few, 1.0, aligned).soften(few), few) < 1e-5


@pytest.mark.parametrize("aligned", [False, True])
def test_the_smaller_the_share_the_farther_from_the_hard_landmarks(shapes, aligned):
    models = [fit_shape_model(shapes, share, aligned) for share in SHARES]
    modes = [model.modes.shape[1] for model in models]
    distances = [distance(model.soften(shapes), shapes) for model in models]
    assert modes == sorted(modes, reverse=True)
    assert distances == sorted(distances)
    assert distances[-1] > 3 * distances[1] > 0


def test_the_fewest_modes_that_explain_the_share_are_taken(face):
    # Two ways at right angles to one another and to every change of pose, with 80 % and 20 % of the variance.
    ways = np.linalg.qr(np.random.default_rng(0).normal(size=(136, 2)))[0].T.reshape(2, 68, 2) * 4
    corners = [[4, 0], [-4, 0], [0, 2], [0, -2]]
    shapes = np.stack([face + np.tensordot(corner, ways, 1) for corner in corners])
    shares = (0.5, 0.75, 0.9, 1.0)
    # The box adds a little of its own to the shares.
    assert [fit_shape_model(shapes, share).modes.shape[1] for share in shares] == [1, 1, 2, 3]
    variances = fit_shape_model(shapes, 1.0).variances
    assert variances[0] / variances.sum() == pytest.approx(0.8, abs=0.05)


def test_a_coefficient_is_clipped_at_three_standard_deviations(shapes):
    model = fit_shape_model(shapes, 0.9, aligned=True)
    way = model.modes[:, 0] * np.sqrt(model.variances[0])

    def soften(deviations):
        return model.soften((model.mean + deviations * way).reshape(1, 68, 2)).ravel()

    for within in (0.0, 2.9, -2.9):
        assert soften(within) == pytest.approx(model.mean + within * way, abs=1e-6)
    assert soften(5.0) == pytest.approx(model.mean + 3 * way, abs=1e-6)
    assert soften(-7.0) == pytest.approx(model.mean - 3 * way, abs=1e-6)


def test_softening_aligned_faces_twice_changes_nothing_more(shapes):
    model = fit_shape_model(shapes, 0.85, aligned=True)
    once = model.soften(shapes)
    assert distance(once, shapes) > 0.005
    assert distance(model.soften(once), once) < 1e-6


def test_softening_raw_faces_twice_changes_nothing_more_where_the_box_stays(face):
    random = np.random.default_rng(5)
    ways = random.normal(size=(8, 68, 2)) * (0.8 ** np.arange(8))[:, None, None]
    ways[:, :27] = 0  # jaw and brows make the box
    shapes = face + np.einsum("ni,ikd->nkd", random.normal(size=(100, 8)), ways)
    model = fit_shape_model(shapes, 0.7)
    once = model.soften(shapes)
    assert distance(once, shapes) > 0.002
    assert distance(model.soften(once), once) < 1e-6


def test_place_and_size_do_not_matter_and_roll_only_to_raw_models(shapes):
    some, angle, scale, shift = shapes[:20], 0.7, 3.0, np.array([500, -40])
    moved = turned(some, 0, scale, shift)
    rolled = turned(some, angle, scale, shift)
    raw, aligned = (fit_shape_model(shapes, 0.85, aligned=aligned) for aligned in (False, True))
    assert distance(raw.soften(moved), turned(raw.soften(some), 0, scale, shift)) < 1e-5
    assert distance(aligned.soften(rolled), turned(aligned.soften(some), angle, scale, shift)) < 1e-5
    assert distance(raw.soften(rolled), turned(raw.soften(some), angle, scale, shift)) > 0.05


@pytest.mark.parametrize("aligned", [False, True])
def test_missing_labels_stay_missing_and_the_others_soften_as_in_the_whole_face(shapes, aligned):
    model = fit_shape_model(shapes, 0.9, aligned)
    partial = shapes.astype(np.float32)
    partial[:, 9:17] = np.nan
    partial[:, 30, 1] = np.nan
    soft, whole = model.soften(partial), model.soften(shapes)
    assert soft.dtype == np.float32
    missing = np.isnan(partial).any(-1)
    assert np.isnan(soft[missing]).all()
    assert np.isfinite(soft[~missing]).all()
    assert distance(soft, whole) < distance(whole, shapes) / 2


def test_faces_with_too_few_labels_stay_as_they_are(shapes):
    partial = shapes[:3].copy()
    partial[0] = np.nan
    partial[1, 1:] = np.nan
    soft = fit_shape_model(shapes).soften(partial)
    assert np.isnan(soft[0]).all()
    assert soft[1, 0] == pytest.approx(partial[1, 0])
    assert np.isfinite(soft[2]).all()
    assert fit_shape_model(shapes).soften(partial[:0]).shape == (0, 68, 2)


def test_a_saved_model_is_the_same_model(shapes, tmp_path):
    model = fit_shape_model(shapes, 0.9, aligned=True)
    model.save(tmp_path / "run" / "shapes.npz")
    loaded = load_shape_model(tmp_path / "run" / "shapes.npz")
    for field in fields(model):
        assert np.array_equal(getattr(loaded, field.name), getattr(model, field.name)), field.name
    assert np.array_equal(loaded.soften(shapes), model.soften(shapes))
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["shapes.npz"]


def test_a_model_that_cannot_be_saved_says_so(shapes, tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(RecordingError, match="cannot be written"):
        fit_shape_model(shapes).save(tmp_path / "taken" / "shapes.npz")


def write_nothing(path):
    pass


def write_text(path):
    path.write_text("no archive")


def write_other_arrays(path):
    np.savez(path, other=np.zeros(3))


def write_ill_fitting(path):
    np.savez(
        path, mean=np.zeros(136), modes=np.zeros((98, 2)), variances=np.ones(2), noise=1, variance_share=1, aligned=0
    )


@pytest.mark.parametrize("write", [write_nothing, write_text, write_other_arrays, write_ill_fitting])
def test_a_damaged_model_says_so(write, tmp_path):
    path = tmp_path / "shapes.npz"
    write(path)
    with pytest.raises(ModelError, match="shape model .* cannot be read"):
        load_shape_model(path)


@pytest.mark.parametrize("write", [write_nothing, write_text, write_other_arrays])
def test_a_damaged_file_of_shapes_says_so(write, tmp_path):
    path = tmp_path / "shapes.npz"
    write(path)
    with pytest.raises(PackError, match="shapes .* cannot be read"):
        load_shapes(path)


def test_shapes_of_an_unknown_markup_say_so(tmp_path):
    np.savez(tmp_path / "shapes.npz", landmarks=np.zeros((5, 67, 2)))
    with pytest.raises(PackError, match=r"\[5, 67, 2\]"):
        load_shapes(tmp_path / "shapes.npz")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda shapes: shapes[:1], "only 1"),
        (lambda shapes: shapes[0], "shape \\[68, 2\\]"),
        (lambda shapes: np.where(np.arange(200)[:, None, None] == 7, np.nan, shapes), "1 of them lack"),
        (lambda shapes: np.where(np.arange(200)[:, None, None] == 7, 5.0, shapes), "the same place"),
        (lambda shapes: np.repeat(shapes[:1], 5, 0), "the same"),
    ],
)
def test_shapes_that_cannot_be_learned_from_are_refused(shapes, spoil, reason):
    with pytest.raises(PackError, match=reason):
        fit_shape_model(spoil(shapes))


@pytest.mark.parametrize("share", [0.0, -1.0, 1.01, float("nan")])
def test_an_impossible_share_is_refused(shapes, share):
    with pytest.raises(UsageError, match="of the variance"):
        fit_shape_model(shapes, share)


def test_faces_of_another_markup_are_refused(shapes):
    with pytest.raises(UsageError, match="68 points cannot soften"):
        fit_shape_model(shapes).soften(np.zeros((4, 98, 2)))


def test_the_shapes_of_300w_vary_in_few_ways(data_folder):
    shapes = load_shapes(data_folder / "shapes" / "300w_train_68.npz")
    models = {share: fit_shape_model(shapes, share) for share in (0.85, 0.9, 0.97)}
    assert {share: model.modes.shape[1] for share, model in models.items()} == {0.85: 3, 0.9: 4, 0.97: 11}
    some = shapes[::20]
    assert distance(models[0.9].soften(some), some) == pytest.approx(0.029, abs=0.003)
