"""Models from elsewhere: what their cards say of input and output is what is done."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import ModelError
from engine.core.geometry import Crop, landmark_box
from engine.inference.card import CropRule, read_card, write_card
from engine.inference.conventions import ForeignInput, ForeignOutput
from engine.inference.foreign import ForeignModel, InputWriter, decode
from engine.inference.landmarker import Landmarker, load_landmarker
from engine.inference.library import ModelLibrary
from engine.inference.onnx_runtime import OnnxRuntime
from engine.sources.sample import SampleClip
from tests.fakes.foreign_models import (
    REAL,
    SIDE,
    constant_network,
    foreign_card,
    install,
    means_network,
    real_model,
)

PLACES = np.random.default_rng(1).uniform(0.1, 0.9, (68, 2)).astype(np.float32)
GREY = np.full((SIDE, SIDE, 3), 127, np.uint8)


def decoded(numbers, **output):
    points, confidence = decode(np.asarray(numbers, np.float32), foreign_card(output=ForeignOutput(**output)))
    assert points.dtype == confidence.dtype == np.float32
    return points, confidence


@pytest.mark.parametrize(
    ("numbers", "output"),
    [
        (PLACES, {}),
        (PLACES * SIDE, {"unit": "pixels"}),
        (PLACES * 2 - 1, {"unit": "centred"}),
        (PLACES.T, {"by_axis": True}),
        (np.concatenate([PLACES, PLACES[:, :1]], 1), {"dimensions": 3}),
        (np.append(PLACES, np.ones(7)), {}),
        (PLACES - 0.5 / SIDE, {"grid": "integer"}),
        ((PLACES * SIDE - 0.5) / (SIDE - 1), {"grid": "align_corners"}),
        (PLACES - 0.5, {"decoder": "mean shape", "mean_shape": (0.5,) * 136}),
        ((PLACES - 0.5) * SIDE, {"decoder": "mean shape", "mean_shape": (0.5,) * 136, "unit": "pixels"}),
    ],
)
def test_numbers_in_every_form_are_the_same_points(numbers, output):
    assert np.allclose(decoded(np.asarray(numbers)[None], **output)[0], PLACES, atol=1e-5)


def gaussian_maps(size=32):
    """Maps `[68, size, size]` with a peak at each place, which lies between the centres of cells."""
    centres = (np.arange(size) + 0.5) / size
    x, y = (np.exp(-(((centres - place[:, None]) * size) ** 2) / 4) for place in PLACES.T)
    return y[:, :, None] * x[:, None, :]


def test_the_highest_cell_moves_towards_its_higher_neighbour():
    points, confidence = decoded(gaussian_maps()[None], decoder="argmax")
    assert np.abs(points - PLACES).max() <= 0.25 / 32 + 1e-6
    assert (confidence > 0.8).all()


def test_the_mean_place_of_a_map_is_between_its_cells():
    maps = np.log(np.maximum(gaussian_maps(), 1e-9))[None]
    assert np.allclose(decoded(maps, decoder="soft-argmax")[0], PLACES, atol=0.02 / 32 + 1e-3)


def test_maps_that_come_last_are_read_too():
    maps = gaussian_maps().transpose(1, 2, 0)[None]
    card = foreign_card(input=ForeignInput(), output=ForeignOutput(decoder="argmax"))
    assert np.abs(decode(maps, card)[0] - PLACES).max() <= 0.25 / 32 + 1e-6


def test_offset_maps_move_the_highest_cell():
    cells = np.floor(PLACES * 28).astype(int)
    maps = np.zeros((1, 204, 28, 28))
    every = np.arange(68)
    maps[0, every, cells[:, 1], cells[:, 0]] = 0.9
    offsets = PLACES * SIDE / (SIDE - 1) - cells / 27
    for block, axis in ((68, 1), (136, 0)):
        maps[0, block + every, cells[:, 1], cells[:, 0]] = 1 / (1 + np.exp(-16 * offsets[:, axis]))
    points, confidence = decoded(maps, decoder="argmax and offsets", cells="align_corners")
    assert np.allclose(points, PLACES, atol=1e-4)
    assert np.allclose(confidence, 0.9)


def test_points_beyond_the_crop_are_not_seen():
    confidence = decoded(PLACES - 3)[1]
    assert not confidence.any()
    assert decoded(PLACES)[1].all()


@pytest.mark.parametrize("decoder", ["points", "argmax", "soft-argmax"])
def test_numbers_that_are_none_stay_none(decoder):
    shape = (1, 136) if decoder == "points" else (1, 68, 4, 4)
    points, confidence = decoded(np.full(shape, np.nan), decoder=decoder)
    assert np.isnan(points).any(1).all()
    assert not confidence.any()


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_the_input_has_the_layout_colours_and_values_of_the_card(layout, colour):
    pixels = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    shape = [1, 3, SIDE, SIDE] if layout == "NCHW" else [1, SIDE, SIDE, 3]
    runtime = OnnxRuntime(means_network(shape), "The model")
    mean, deviation = np.array((0.5, 0.4, 0.3)), np.array((0.2, 0.25, 0.5))
    given = ForeignInput(layout, colour, (0.0, 1.0), tuple(mean), tuple(deviation))
    InputWriter(runtime, given)(pixels)
    expected = ((pixels / 255 - mean) / deviation)[:, :, :: -1 if colour == "BGR" else 1]
    written = runtime.input_buffer()[0].transpose(1, 2, 0) if layout == "NCHW" else runtime.input_buffer()[0]
    assert np.allclose(written, expected, atol=1e-5)


def test_a_model_described_as_foreign_finds_the_same_points(tmp_path):
    picture, truth = SampleClip().frame(30)
    own, foreign = load_landmarker(REAL), load_landmarker(real_model(tmp_path))
    own.as_labelled = True
    box = landmark_box(truth.points)
    assert np.abs(foreign.locate(picture, box).points - own.locate(picture, box).points).max() < 0.5


@pytest.mark.parametrize(("grid", "shift"), [("slice", 0.5), ("integer", 0.5 * 160 / 112), ("half_pixel", 0.0)])
def test_a_grid_moves_points_by_half_a_pixel_of_the_picture_or_of_the_input(tmp_path, grid, shift):
    crop, picture = Crop(320, 240, 160), SampleClip().frame(0)[0]
    plain = load_landmarker(real_model(tmp_path, "plain.tflite")).predict(picture, crop).points
    side = read_card(REAL.with_suffix(".json")).input_size
    moved = load_landmarker(real_model(tmp_path, "moved.tflite", grid=grid)).predict(picture, crop).points
    wanted = 0.5 * 160 / side if grid == "integer" else shift
    assert np.allclose(moved - plain, wanted, atol=1e-3)


def test_with_the_mirror_image_a_shift_along_x_cancels_and_one_along_y_stays(tmp_path):
    crop, picture, found = Crop(320, 240, 160), SampleClip().frame(0)[0], []
    for grid in ("half_pixel", "slice"):
        landmarker = load_landmarker(real_model(tmp_path, f"{grid}.tflite", grid=grid))
        landmarker.flip = True
        found.append(landmarker.predict(picture, crop).points)
    assert np.allclose(found[1] - found[0], (0, 0.5), atol=1e-3)


def test_a_stretched_crop_is_the_box(tmp_path):
    path = install(tmp_path, "wide.onnx", constant_network(PLACES), input=ForeignInput("NCHW", stretched=True))
    landmarker = load_landmarker(path)
    truth = np.array([[100, 100], [200, 150]], np.float32)
    found = landmarker.locate(np.zeros((300, 300, 3), np.uint8), landmark_box(truth)).points
    wanted = (PLACES - 0.5) * (1.2 * 100, 1.2 * 50) + (150, 125)
    assert np.allclose(found, wanted, atol=1e-3)


def test_the_mirror_image_of_an_unknown_markup_is_refused(tmp_path):
    path = install(tmp_path, "five.onnx", constant_network(PLACES[:5]), scheme=5)
    landmarker = load_landmarker(path)
    crop = Crop(50, 50, 80)
    assert landmarker.predict(np.zeros((99, 99, 3), np.uint8), crop).roll == 0
    landmarker.flip = True
    with pytest.raises(ModelError, match="mirror image cannot help"):
        landmarker.predict(np.zeros((99, 99, 3), np.uint8), crop)


def test_the_library_finds_onnx_models_by_name_and_by_path(tmp_path):
    path = install(tmp_path, "small.onnx", constant_network(PLACES))
    library = ModelLibrary((tmp_path,))
    assert [(entry.name, entry.error) for entry in library.entries()] == [("small", None)]
    assert library.find("small") == library.find(str(path)) == path
    assert np.allclose(library.load("small").read(GREY)[0], PLACES)
    assert library.load_live("small").card.name == "small"


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (means_network([1, 3, 8, 8], inputs=2), {}, "2 inputs"),
        (means_network([1, 3, 9, 9]), {}, "1 x 3 x 9 x 9; one input of float32, 1 x 3 x 8 x 8, was expected"),
        (means_network([1, 3, 8, 8]), {}, "136 numbers were expected"),
        (constant_network(PLACES), {"output": ForeignOutput(name="points")}, "no output points"),
        (constant_network(PLACES), {"output": ForeignOutput(index=3)}, "no output 3"),
        (constant_network(PLACES), {"output": ForeignOutput(decoder="argmax")}, "68 heatmaps were expected"),
        (constant_network(PLACES), {"input": ForeignInput()}, "float32, 1 x 8 x 8 x 3, was expected"),
    ],
)
def test_fault_89_a_network_that_its_card_does_not_describe_is_refused(content, fields, words):
    with pytest.raises(ModelError, match=words):
        Landmarker(OnnxRuntime(content, "The model"), foreign_card(**fields))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"output": {"mean_shape": [0.5, 0.5]}}, "only “mean shape” needs one"),
        ({"output": {"decoder": "mean shape", "mean_shape": [0.5]}}, "136 were expected"),
        ({"output": {"as_68": [70] * 68}}, "names the point 70 of 68"),
        ({"output": {"as_68": [0, 1]}}, "68 were expected"),
        ({"output": {"markup": "MediaPipe-468"}}, "that markup has 468"),
        ({"output": {"decoder": "magic"}}, "one of points, argmax"),
        ({"input": {"range": [1, 1]}}, "a pair of different numbers, those of black and white, was expected"),
        ({"input": {"deviation": [0, 1, 1]}}, r"a list of 3 \(a number from 0.0001 to 100000 each\) was expected"),
        ({"input": {"deviation": [1, 1, 1e300]}}, "a number from 0.0001 to 100000"),
        ({"input": {"range": [-1e300, 1e300]}}, r"a list of 2 \(a number from -100000 to 100000 each\)"),
        ({"input": {"mean": [1e38, 0, 0]}}, "a number from -100000 to 100000"),
        ({"crop": {"scale": 1e300}}, "a number from 0.1 to 10 was expected"),
        ({"crop": {"scale": 1e-9}}, "a number from 0.1 to 10 was expected"),
        ({"crop": {"scale": 1.2, "dy": 1e30}}, "a number from -10 to 10 was expected"),
        ({"output": {"mean_shape": [math.nan] * 136}}, r"a list \(a finite number each\) was expected"),
        ({"input": {"stretched": True}, "crop": {"scale": 1.2}}, "a stretched crop is upright"),
        ({"input": None, "output": None, "scheme": 5}, "one of 29, 68, 98"),
    ],
)
def test_fault_89_cards_that_contradict_themselves_are_refused(tmp_path, change, words):
    write_card(tmp_path / "a.json", foreign_card())
    values = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    (tmp_path / "a.json").write_text(json.dumps({**values, **change}), encoding="utf-8")
    with pytest.raises(ModelError, match=words):
        read_card(tmp_path / "a.json")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [math.nan, math.inf, 3e38])
def test_fault_13_numbers_that_are_no_points_are_noticed_without_a_warning(tmp_path, number):
    content = constant_network(np.full((68, 2), number), 8)
    landmarker = load_landmarker(install(tmp_path, "broken.onnx", content))
    picture, truth = SampleClip().frame(0)
    assert not np.isfinite(landmarker.locate(picture, landmark_box(truth.points)).points).any()


def test_a_foreign_card_is_read_as_it_was_written(tmp_path):
    table = tuple((index, index + 1) if index % 9 == 0 else (index,) for index in range(68))
    card = foreign_card(
        scheme=70,
        crop=CropRule(1.5, -0.1, level=False),
        input=ForeignInput("NCHW", "BGR", (0.0, 1.0), (0.5, 0.5, 0.5)),
        output=ForeignOutput(name="points", unit="pixels", grid="slice", markup="mine", as_68=table),
    )
    write_card(tmp_path / "a.json", card)
    assert read_card(tmp_path / "a.json") == card
    assert card.markup is replace(card, name="other").markup


def test_a_level_model_is_asked_upright_and_then_level(tmp_path):
    crops = []
    landmarker = load_landmarker(real_model(tmp_path))
    predict = landmarker.predict
    landmarker.predict = lambda picture, crop: crops.append(crop) or predict(picture, crop)
    picture, truth = SampleClip().frame(0)
    landmarker.locate(picture, landmark_box(truth.points))
    assert crops[0].roll == 0
    assert len(crops) == 2
    assert math.isfinite(crops[1].roll)
    assert crops[1] == replace(crops[0], roll=crops[1].roll)


def test_foreign_model_runs_what_its_card_says():
    card = foreign_card(output=ForeignOutput(name="landmarks"))
    points, confidence = ForeignModel(OnnxRuntime(constant_network(PLACES), "The model"), card).run(GREY)
    assert np.allclose(points, PLACES)
    assert confidence.shape == (68,)
