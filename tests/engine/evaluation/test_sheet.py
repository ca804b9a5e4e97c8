"""The sheet of the worst faces."""

import numpy as np

from engine.evaluation.sheet import CAPTION, GAP, HEADER, TILE, worst_faces, write_sheet
from engine.formats.images import read_picture
from engine.render.palette import TRUTH
from tests.fakes.evaluations import evaluation, write_pack

ORANGE = np.array(TRUTH[::-1], np.int16)


def test_worst_faces_come_first_and_missed_ones_before_them(tmp_path):
    landmarks = np.load(write_pack(tmp_path) / "annotations.npz")["landmarks"]
    landmarks[3, 36] = np.nan
    done = evaluation(write_pack(tmp_path, landmarks=landmarks), [3, None, 8, 50])
    assert [scored.image for scored in worst_faces(done)] == ["images/1.png", "images/2.png", "images/0.png"]
    assert len(worst_faces(done, 2)) == 2


def test_each_face_has_a_tile_with_its_truth(tmp_path):
    done = evaluation(write_pack(tmp_path), [3, None, 8, 50])
    assert write_sheet(tmp_path / "worst.png", done) is None
    sheet = read_picture(tmp_path / "worst.png")
    assert sheet.shape == (HEADER + TILE + CAPTION, 4 * (TILE + GAP) + GAP, 3)
    for column in range(4):
        x = GAP + column * (TILE + GAP)
        tile = sheet[HEADER : HEADER + TILE, x : x + TILE].astype(np.int16)
        assert (np.abs(tile - ORANGE).sum(-1) < 60).sum() > 50, f"no ring on tile {column}"
        caption = sheet[HEADER + TILE : HEADER + TILE + 20, x : x + TILE]
        assert caption.max() > 200, f"no error under tile {column}"


def test_without_the_pictures_a_sentence_says_so(tmp_path):
    done = evaluation(write_pack(tmp_path, pictures=False), [1, 2, 3, 4])
    assert "pictures are missing, the first is images/3.png" in write_sheet(tmp_path / "worst.jpg", done)
    assert not (tmp_path / "worst.jpg").exists()
