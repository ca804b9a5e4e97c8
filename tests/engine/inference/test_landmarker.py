"""Models: loaded only when they are what their card says; damaged ones are named, never run."""

import hashlib
import json
import random

import numpy as np
import pytest

from engine.core.errors import ModelError
from engine.core.geometry import Crop
from engine.core.paths import asset_path
from engine.core.schemes import IBUG_68
from engine.inference.landmarker import Landmarks, load_landmarker, model_of
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.runtime import Runtime

SHIPPED = asset_path("models", f"{DEFAULT_MODEL}.tflite")


@pytest.fixture
def model(tmp_path):
    """A copy of the shipped student and its card."""
    copy = tmp_path / "model.tflite"
    copy.write_bytes(SHIPPED.read_bytes())
    copy.with_suffix(".json").write_text(SHIPPED.with_suffix(".json").read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def change_card(model, **changes):
    card = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
    card.update(changes)
    model.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")


def vouch_for(model):
    """Let the card agree with a damaged file, as a malicious or careless author would."""
    content = model.read_bytes()
    change_card(model, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def test_the_shipped_student_keeps_the_contract():
    landmarker = load_landmarker(SHIPPED)
    found = landmarker.predict(np.full((200, 200, 3), 127, np.uint8), Crop(100, 100, 150))
    assert found.points.shape == (68, 2)
    assert found.points.dtype == np.float32
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    assert found.score < 0.4, "a grey square is no face"


def test_results_are_copies_that_the_next_run_does_not_change():
    landmarker = load_landmarker(SHIPPED)
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    first = landmarker.predict(noise, Crop(100, 100, 150))
    kept = first.confidence.copy()
    landmarker.predict(255 - noise, Crop(90, 80, 100))
    assert (first.confidence == kept).all()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, 5000, 0.25, 0.5, 0.9, 0.999])
def test_fault_11_a_truncated_model_is_refused_before_it_runs(model, size):
    content = model.read_bytes()
    model.write_bytes(content[: int(size if size >= 1 else size * len(content))])
    with pytest.raises(ModelError, match="not the one its card describes"):
        load_landmarker(model)


@pytest.mark.parametrize("size", [0, 4, 8])
def test_fault_11_a_stump_that_its_card_vouches_for_is_refused_too(model, size):
    model.write_bytes(model.read_bytes()[:size])
    vouch_for(model)
    with pytest.raises(ModelError):
        load_landmarker(model)


def test_fault_76_a_single_flipped_bit_is_noticed(model):
    content = bytearray(model.read_bytes())
    place = random.Random(0).randrange(len(content))
    content[place] ^= 1
    model.write_bytes(content)
    with pytest.raises(ModelError, match="another checksum"):
        load_landmarker(model)


def test_a_file_of_another_kind_is_refused(model):
    model.write_bytes(b"\x89PNG" * 100)
    vouch_for(model)
    with pytest.raises(ModelError, match="not a TFLite model"):
        load_landmarker(model)


def test_fault_58_another_network_breaks_the_contract_and_every_difference_is_listed(model):
    model.write_bytes(asset_path("models", "face_detection_short_range.tflite").read_bytes())
    vouch_for(model)
    with pytest.raises(ModelError, match=r"breaks the model contract.*points is 1 x 896 x 16, not 1 x 68 x 2"):
        load_landmarker(model)


def test_a_card_of_another_input_size_breaks_the_contract(model):
    change_card(model, input_size=64)
    with pytest.raises(ModelError, match="input is 1 x 128 x 128 x 3, not 1 x 64 x 64 x 3"):
        load_landmarker(model)


def test_fault_10_a_missing_model_or_card_is_named(model):
    model.unlink()
    with pytest.raises(ModelError, match="cannot be opened"):
        load_landmarker(model)
    model.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="card .* is missing"):
        load_landmarker(model)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"scheme": 51}, "scheme"),
        ({"role": "extra"}, "role"),
        ({"crop": None}, "crop"),
        ({"crop": {"scale": -1}}, "scale"),
        ({"crop": {}}, "scale"),
        ({"metrics": [1]}, "metrics"),
        ({"input_range": [0, 1]}, "input_range"),
        ({"name": None}, "“name” is missing"),
        ({"params": "many"}, "“params” is “many”: a whole number was expected"),
        ({"crop": {"scale": 1.3, "level": 1}}, "“level” is 1: true or false was expected"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(model, changes, match):
    change_card(model, **changes)
    with pytest.raises(ModelError, match=match):
        load_landmarker(model)


def test_keys_of_a_newer_card_are_passed_over(model):
    known = load_landmarker(model).card
    change_card(model, later={"x": 1})
    assert load_landmarker(model).card == known


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": "x"}', '"text"'])
def test_a_damaged_card_is_refused(model, text):
    model.with_suffix(".json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be used"):
        load_landmarker(model)


def test_the_library_lists_damaged_models_with_the_reason_and_keeps_the_others(model):
    good = model.with_name("good.tflite")
    good.write_bytes(model.read_bytes())
    good.with_suffix(".json").write_text(model.with_suffix(".json").read_text(encoding="utf-8"), encoding="utf-8")
    model.write_bytes(b"")
    entries = {entry.name: entry.error for entry in ModelLibrary((model.parent,)).entries()}
    assert entries["good"] is None
    assert "not the one" in str(entries["model"])


def test_the_label_shift_is_taken_off_unless_points_are_wanted_as_labelled(model):
    raw = load_landmarker(model)
    change_card(model, label_shift=0.01)
    landmarker, crop = load_landmarker(model), Crop(100, 100, 150, 0.3)
    picture = np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)
    raw.as_labelled = True
    expected = raw.predict(picture, crop).points
    moved = expected - landmarker.predict(picture, crop).points
    along = 1.5 * np.array([np.cos(0.3), np.sin(0.3)])
    assert moved == pytest.approx(np.tile(along, (68, 1)), abs=1e-3), "along the crop's own x axis"
    landmarker.as_labelled = True
    assert (landmarker.predict(picture, crop).points == expected).all(), "to the bit, as the network gives them"


def test_flipping_averages_with_the_mirror_image_and_leaves_no_side(model):
    change_card(model, label_shift=0.01)
    landmarker = load_landmarker(model)
    pixels = np.random.default_rng(1).integers(0, 255, (128, 128, 3), np.uint8)
    order = list(IBUG_68.mirror)
    landmarker.as_labelled = True
    (plain, sure), (seen, seen_sure) = landmarker.read(pixels), landmarker.read(pixels[:, ::-1])
    middle = (plain + (1, 0) + seen[order] * (-1, 1)) / 2
    landmarker.flip = True
    assert landmarker.read(pixels)[0] == pytest.approx(middle + (0.01, 0), abs=1e-6), "as the labels have it"
    landmarker.as_labelled = False
    points, confidence = landmarker.read(pixels)
    assert points == pytest.approx(middle, abs=1e-6)
    assert confidence == pytest.approx((sure + seen_sure[order]) / 2, abs=1e-6)
    mirrored = landmarker.read(pixels[:, ::-1])[0][order]
    assert points == pytest.approx(mirrored * (-1, 1) + (1, 0), abs=1e-5)


def test_results_say_whether_the_mirror_image_was_looked_at(model):
    landmarker = load_landmarker(model)
    assert landmarker.name == "student-68"
    landmarker.flip = True
    assert landmarker.name == "student-68 + mirror image"
    assert model_of(landmarker.name) == model_of("student-68") == "student-68"


def test_an_unknown_name_lists_those_there_are_and_the_nearest():
    with pytest.raises(ModelError, match="Did you mean “student-68”"):
        ModelLibrary().load("studnet-68")


def test_the_runtime_refuses_nonsense_with_the_right_mark():
    with pytest.raises(ModelError):
        Runtime(b"\x1c\x00\x00\x00TFL3" + bytes(64), "The model")


def test_score_is_the_mean_of_the_surer_half_and_zero_for_anything_not_finite():
    points = np.zeros((4, 2), np.float32)
    assert Landmarks(points, np.array([0, 0, 0.8, 1.0], np.float32), 0.0).score == pytest.approx(0.9)
    assert Landmarks(points, np.array([0, 0, np.nan, 1.0], np.float32), 0.0).score == 0
    assert not Landmarks(points + np.inf, np.ones(4, np.float32), 0.0).finite
