"""The label shift of a network that is known to be off by a certain amount."""

from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import ModelError, PackError
from engine.core.schemes import IBUG_68
from engine.evaluation.label_shift import measure_label_shift
from engine.formats.images import write_picture
from engine.formats.packs import Pack, read_pack
from engine.inference.landmarker import Landmarker
from tests.fakes.models import FAKE_CARD, face_points

SHIFT = 0.008
SIDE = FAKE_CARD.input_size


class Network:
    """Sees where the brightest column of its picture is, and puts a face around it, `SHIFT` too far to the right."""

    label, input_type, output_types = "The network", np.dtype(np.float32), [np.dtype(np.float32)] * 2
    input_shape, output_shapes = (1, SIDE, SIDE, 3), [(1, 68, 2), (1, 68)]

    def __init__(self, spoil=1.0) -> None:
        self._pixels, self._spoil = np.zeros(self.input_shape, np.float32), spoil
        face = np.random.default_rng(0).uniform(-0.3, 0.3, (68, 2))
        self._face = (face + face[list(IBUG_68.mirror)] * (-1, 1)) / 2
        self._face[[36, 45]] = (-0.25, 0), (0.25, 0)

    def input_buffer(self):
        return self._pixels

    def run(self):
        columns = self._pixels[0].sum((0, 2))
        x = (columns * (np.arange(SIDE) + 0.5)).sum() / columns.sum() / SIDE
        points = (self._face + (x + SHIFT, 0.5)).astype(np.float32)
        return [points[None] * np.float32(self._spoil), np.ones((1, 68), np.float32)]


@pytest.fixture
def pack(tmp_path):
    """Faces whose pictures are bright somewhere, and one in the same photograph as a test face."""
    names, places = [f"{number}.png" for number in range(5)], (70, 90, 95, 120, 60)
    for name, place in zip(names, places, strict=True):
        picture = np.zeros((200, 200, 3), np.uint8)
        picture[:, place] = 255
        write_picture(tmp_path / name, picture)
    truths = np.stack([face_points(95, 100, 90)] * 5)
    flags = np.array([0, 0, 0, 0, 1])
    np.savez(tmp_path / "annotations.npz", image=np.array(names), landmarks=truths, same_picture_as_test=flags)
    return read_pack(tmp_path)


@pytest.mark.parametrize("known", [0.0, SHIFT])
def test_a_known_shift_is_found_whatever_the_card_says(pack, known):
    landmarker = Landmarker(Network(), replace(FAKE_CARD, label_shift=known))
    landmarker.flip = True  # is not what is measured
    found = measure_label_shift(landmarker, [pack])
    assert (found.faces, landmarker.flip, landmarker.as_labelled) == (4, True, False)
    assert found.shift == pytest.approx(SHIFT, abs=1e-5)
    assert found.as_labelled == pytest.approx(2 * SHIFT / 0.5 * 100, rel=1e-3)
    assert found.on_picture == pytest.approx(2 * (SHIFT - known) / 0.5 * 100, abs=1e-3)
    assert measure_label_shift(landmarker, [pack, pack], most=3).faces == 3


def test_no_face_and_no_number_are_refused(pack):
    landmarker = Landmarker(Network(spoil=np.nan), FAKE_CARD)
    with pytest.raises(ModelError, match="not finite"):
        measure_label_shift(landmarker, [pack])
    with pytest.raises(PackError, match="no face to measure on"):
        measure_label_shift(landmarker, [Pack("empty", pack.folder, IBUG_68, ())])
