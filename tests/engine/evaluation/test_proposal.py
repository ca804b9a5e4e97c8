"""Cards of models from elsewhere, found by trying them on faces whose landmarks are known."""

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from engine.core.errors import ModelError, PackError
from engine.core.geometry import landmark_box
from engine.evaluation import proposal
from engine.evaluation.proposal import WORST, KnownFace, measured, pack_faces, proposed, sample_faces
from engine.formats.packs import read_pack
from engine.inference.card import read_card
from engine.inference.conventions import ForeignInput, ForeignOutput
from engine.inference.onnx_runtime import OnnxRuntime
from engine.inference.runtime import Runtime
from tests.fakes.foreign_models import REAL, constant_network, foreign_card, means_network
from tests.fakes.packs import sample_pack

FACES = sample_faces(3)
OWN = read_card(REAL.with_suffix(".json"))


class OtherConventions:
    """A shipped model behind the conventions of another program: planes of BGR, all x in pixels, then all y."""

    label, inputs, input_type = "The model", 1, np.dtype("float32")
    output_names, output_types = ["score", "landmarks"], [np.dtype("float32")] * 2

    def __init__(self) -> None:
        self._inner = Runtime(REAL.read_bytes(), "The model")
        side = OWN.input_size
        self.input_shape, self.output_shapes = (1, 3, side, side), [(1, 1), (1, 136)]
        self._buffer = np.zeros(self.input_shape, np.float32)

    def input_buffer(self) -> np.ndarray:
        return self._buffer

    def run(self) -> list[np.ndarray]:
        np.copyto(self._inner.input_buffer()[0], self._buffer[0, ::-1].transpose(1, 2, 0))
        points = self._inner.run()[0][0] * OWN.input_size
        return [np.ones((1, 1), np.float32), points.T.reshape(1, 136)]


def test_the_conventions_of_a_model_are_found_by_its_error():
    found = proposed(OtherConventions(), foreign_card(name="other"), FACES)
    card = found.card
    assert (card.input.layout, card.input.range) == ("NCHW", (0, 255))
    # The better a network, the less it cares.
    assert card.input.colour == "BGR" or any(each.startswith("colour: ") for each in found.uncertain)
    assert (card.output.index, card.output.unit, card.output.by_axis) == (1, "pixels", True)
    assert card.name == "other"
    assert card.scheme == 68
    assert card.input_size == OWN.input_size
    assert abs(card.crop.scale - OWN.crop.scale) <= 0.3
    own = measured(Runtime(REAL.read_bytes(), "The model"), replace(OWN, label_shift=0.0), FACES)
    assert found.error <= own.error + 0.2
    assert found.faces == len(FACES)
    assert found.ways > 100


def test_what_is_as_good_is_said_to_be_uncertain():
    greys = (cv2.cvtColor(face.picture, cv2.COLOR_RGB2GRAY) for face in FACES)
    grey = [KnownFace(np.repeat(each[:, :, None], 3, 2), face.points) for each, face in zip(greys, FACES, strict=True)]
    found = proposed(OtherConventions(), foreign_card(), grey[:2])
    assert any(each.startswith("colour: ") for each in found.uncertain)


def test_when_the_time_is_over_the_best_until_then_is_returned(monkeypatch):
    ticks = count()
    # Two faces are left, and the time is over while crops are tried.
    clock = SimpleNamespace(thread_time=lambda: 0.4 * next(ticks), perf_counter=lambda: 0.0)
    monkeypatch.setattr(proposal, "time", clock)
    found = proposed(OtherConventions(), foreign_card(), FACES)
    assert found.faces == 2
    assert "the time was over before all was tried" in found.uncertain
    assert found.ways < 200


def test_a_search_reports_what_it_found_so_far_and_plausible_points_come_early():
    seen = []
    found = proposed(OtherConventions(), foreign_card(), FACES, lambda progress: seen.append(progress) is None)
    assert [each.ways for each in seen] == sorted(each.ways for each in seen)
    assert [each.share for each in seen] == sorted(each.share for each in seen)
    assert 0.8 < seen[-1].share <= 1
    assert seen[-1].card == found.card
    first = next(each for each in seen if each.error < WORST)
    assert first.share < 0.15


def test_a_search_that_is_stopped_returns_the_best_until_then():
    good = []

    def watch(progress) -> bool:
        good.extend([progress] * (progress.error < WORST))
        return not good

    found = proposed(OtherConventions(), foreign_card(), FACES, watch)
    assert found.card == good[0].card
    assert len(good) == 1, "nothing is tried any more"
    assert "the search was stopped before all was tried" in found.uncertain
    with pytest.raises(ModelError, match="finds no landmarks: of 2 ways.* stopped before all was tried"):
        proposed(OnnxRuntime(constant_network(np.zeros((68, 2)), 32), "The model"), foreign_card(), FACES, lambda _: 0)


def test_a_network_that_sees_nothing_is_refused():
    with pytest.raises(ModelError, match="finds no landmarks: of .* the best errs by"):
        proposed(OnnxRuntime(constant_network(np.zeros((68, 2)), 32), "The model"), foreign_card(), FACES)


def test_fault_89_a_network_whose_numbers_are_none_is_refused_as_such():
    with pytest.raises(ModelError, match="The model foreign gave numbers that are not finite"):
        proposed(OnnxRuntime(constant_network(np.full((68, 2), np.nan), 32), "The model"), foreign_card(), FACES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (constant_network(np.zeros(1000), 32), "outputs have the shapes 1 x 1000.*66, 68, 98"),
        (constant_network(np.zeros(62), 32), r"is no landmark model that is known"),
        (means_network([1, 3, 32, 32], inputs=2), "has 2 inputs"),
        (means_network([1, 3, 32, 48]), "1 x 3 x 32 x 48. One input of float32, 1 x S x S x 3"),
        (means_network([1, 1, 32, 32]), "One input of float32"),
        (means_network(["batch", 3, "height", "width"]), "any x 3 x any x any"),
        (means_network([1, 3, 32, 32], kind=11), "one input of float64"),
    ],
)
def test_what_is_no_landmark_model_is_refused_with_what_was_found_and_expected(content, words):
    with pytest.raises(ModelError, match=words):
        proposed(OnnxRuntime(content, "The model"), foreign_card(), FACES)


def test_a_card_of_ones_own_is_measured_and_not_changed():
    face = FACES[0]
    box = landmark_box(face.points)
    side = 1.2 * max(box.width, box.height)
    places = (face.points - np.array(box.centre)) / side + 0.5
    card = foreign_card(input_size=32, input=ForeignInput("NCHW"), output=ForeignOutput(grid="half_pixel"))
    found = measured(OnnxRuntime(constant_network(places, 32), "The model"), card, [face])
    assert found.card is card
    assert found.error == pytest.approx(0, abs=0.01)
    five = replace(card, scheme=5)
    assert measured(OnnxRuntime(constant_network(places[:5], 32), "The model"), five, [face]).error is None


def test_no_card_is_made_of_labels_outside_their_pictures(tmp_path):
    folder = sample_pack(tmp_path / "pack")
    assert len(pack_faces(read_pack(folder))) == 3
    arrays = dict(np.load(folder / "annotations.npz"))
    arrays["landmarks"][1] += 5000
    np.savez(folder / "annotations.npz", **arrays)
    with pytest.raises(PackError, match="lie outside the picture"):
        pack_faces(read_pack(folder))
