"""Without a file of shapes, labels are softened by a shape model of the run's own faces for training."""

from dataclasses import replace

import numpy as np
import pytest

from engine.formats.packs import read_arrays
from tests.fakes.packs import rewrite
from tests.fakes.tiny_training import tiny_recipe, write_sample_pack
from trainer.data.crops import load_crops
from trainer.data.held_out import split_held_out
from trainer.networks.regression import RegressionShape
from trainer.recipes.overrides import trainings_by_name
from trainer.recipes.schema import SoftLandmarks
from trainer.run import SHAPE_MODEL, run
from trainer.run_recorder import Intervals
from trainer.shape_model import fit_shape_model, load_shape_model


def soft_recipe(points=68):
    network = RegressionShape(points, encoder="mobilenetv2_050", input_size=64)
    return replace(tiny_recipe(), network=network, soft=SoftLandmarks(), steps=1)


def test_the_shape_model_is_that_of_the_faces_with_all_labels_that_are_not_held_out(tmp_path):
    write_sample_pack(tmp_path / "data" / "faces", 12)
    landmarks = read_arrays(tmp_path / "data" / "faces")["landmarks"]
    landmarks[2, 5] = np.nan
    rewrite(tmp_path / "data" / "faces", landmarks=landmarks)
    recipe = soft_recipe()
    run(recipe, tmp_path / "data", tmp_path / "run", "cpu", False, Intervals(1, 1))
    found = load_shape_model(tmp_path / "run" / SHAPE_MODEL)
    training, *_ = split_held_out(load_crops(tmp_path / "data", recipe.packs), tmp_path / "data", 8, (), 192)
    points = training.faces.points.numpy()
    assert len(points) == 11
    expected = fit_shape_model(points[np.isfinite(points).all((1, 2))])
    assert np.allclose(found.mean, expected.mean)
    assert found.modes.shape == expected.modes.shape


@pytest.mark.parametrize("points", [29, 98])
def test_it_has_the_points_of_the_run_whatever_their_number(tmp_path, points):
    write_sample_pack(tmp_path / "data" / "faces", 8)
    landmarks = read_arrays(tmp_path / "data" / "faces")["landmarks"]
    wide = np.concatenate([landmarks, landmarks[:, :30] + 0.5], 1)[:, :points]
    rewrite(tmp_path / "data" / "faces", landmarks=wide, visibility=np.full((8, points), 2, np.uint8))
    run(soft_recipe(points), tmp_path / "data", tmp_path / "run", "cpu", False, Intervals(1, 1))
    assert load_shape_model(tmp_path / "run" / SHAPE_MODEL).points == points


def test_a_file_of_shapes_can_be_named_and_left_out_again():
    (named,) = trainings_by_name("fard-mahoor/tolerant", ["soft.shapes=shapes/mine.npz"])
    assert named.soft.shapes == "shapes/mine.npz"
    (own,) = trainings_by_name("fard-mahoor/tolerant", ["soft.shapes=null"])
    assert own.soft.shapes is None
