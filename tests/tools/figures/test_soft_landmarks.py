"""The picture of hard against soft landmarks, drawn from shapes that the sample gives."""

from itertools import pairwise

import numpy as np
import pytest

from engine.formats.images import read_picture
from engine.sources.sample import SampleClip
from tools.figures.soft_landmarks import FOOT, GAP, SIDE, main


@pytest.fixture
def data(tmp_path):
    """A folder with 60 shapes that vary in 20 ways, each weaker than the one before."""
    random = np.random.default_rng(0)
    face = SampleClip().frame(0)[1].points
    ways = random.normal(size=(20, 68, 2)) * (0.8 ** np.arange(20))[:, None, None]
    shapes = face + 3 * np.einsum("ni,ikd->nkd", random.normal(size=(60, 20)), ways)
    (tmp_path / "shapes").mkdir()
    np.savez(tmp_path / "shapes" / "300w_train_68.npz", landmarks=shapes)
    return tmp_path


def test_four_panels_differ_in_their_soft_landmarks_alone(data):
    main(["--data", str(data), "--out", str(data / "soft.png")])
    picture = read_picture(data / "soft.png").astype(int)
    assert picture.shape == (SIDE + 2 * GAP + FOOT, 4 * (SIDE + GAP) + GAP, 3)
    panels = [picture[GAP : GAP + SIDE - 60, GAP + index * (SIDE + GAP) :][:, :SIDE] for index in range(4)]
    for one, other in pairwise(panels):
        changed = (np.abs(one - other).max(-1) > 8).mean()
        assert 0.0005 < changed < 0.2
    corners = np.stack([panel[:20, :20] for panel in panels])
    assert (corners == corners[0]).all(), "the same face"


def test_without_shapes_it_says_so(tmp_path):
    with pytest.raises(SystemExit, match="shapes .* cannot be read"):
        main(["--data", str(tmp_path), "--out", str(tmp_path / "soft.png")])
    assert not (tmp_path / "soft.png").exists()
