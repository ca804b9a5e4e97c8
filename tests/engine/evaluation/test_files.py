"""The folder of an evaluation: what was written is read again, face by face."""

import json

import numpy as np
import pytest

from engine.core.errors import RecordingError, UsageError
from engine.evaluation.files import DOCUMENT, read_evaluation, write_evaluation
from tests.fakes.evaluations import evaluation, write_pack


@pytest.fixture
def landmarks(tmp_path):
    """Four faces, the last with a hidden eye corner."""
    points = np.load(write_pack(tmp_path / "pack") / "annotations.npz")["landmarks"]
    points[3, 45] = np.nan
    return points


def test_errors_come_back_and_missed_faces_differ_from_those_without_eyes(tmp_path, landmarks):
    done = evaluation(write_pack(tmp_path / "pack", landmarks=landmarks), [1.5, 12, None, None])
    write_evaluation(done, tmp_path / "out")
    saved = read_evaluation(tmp_path / "out")
    assert saved.images == ("images/0.png", "images/1.png", "images/2.png", "images/3.png")
    np.testing.assert_allclose(saved.errors, [1.5, 12, np.inf, np.nan], atol=1e-4)
    assert (saved.model, saved.data, saved.split, saved.normaliser) == ("fake", "pack", "all", "eyes")
    assert read_evaluation(tmp_path / "out" / DOCUMENT).images == saved.images


def test_the_document_holds_everything_that_was_measured(tmp_path, landmarks):
    done = evaluation(write_pack(tmp_path / "pack", landmarks=landmarks), [1.5, 12, None, None])
    write_evaluation(done, tmp_path / "out")
    document = json.loads((tmp_path / "out" / DOCUMENT).read_text(encoding="utf-8"))
    assert (document["n"], document["nme_faces"], document["missed"]) == (4, 3, 2)
    assert document["rows"][0]["fr10"] == pytest.approx(66.6667)
    assert document["faces"][0]["parts"]["jaw"] == pytest.approx(1.5, abs=1e-3)
    assert document["faces"][0]["normaliser"] == 60
    assert document["faces"][2]["nme"] is None
    assert "NME in percent of the distance of the outer eye corners" in document["protocol"]
    assert "FR10 in percent of the faces: those with an NME above 10 %" in document["protocol"]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [DOCUMENT, "table.csv", "table.md"]


def test_other_labels_have_another_checksum(tmp_path, landmarks):
    for name, moved in (("a", 0), ("b", 0), ("c", 0.5)):
        pack = write_pack(tmp_path / "pack", landmarks=landmarks + np.float32(moved))
        write_evaluation(evaluation(pack, [1, 1, 1, 1]), tmp_path / name)
    a, b, c = (read_evaluation(tmp_path / name).truth_sha256 for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("damage", ["", "[]", '{"model": "x"}', "\x00"])
def test_a_damaged_document_gets_a_sentence(tmp_path, damage):
    (tmp_path / DOCUMENT).write_text(damage, encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        read_evaluation(tmp_path)


@pytest.mark.parametrize("error", [True, "1.5"])
def test_an_error_that_is_no_number_is_not_taken_for_one(tmp_path, landmarks, error):
    write_evaluation(evaluation(write_pack(tmp_path / "pack", landmarks=landmarks), [1.5, 12, 3, 4]), tmp_path / "out")
    document = json.loads((tmp_path / "out" / DOCUMENT).read_text(encoding="utf-8"))
    document["faces"][0]["nme"] = error
    (tmp_path / "out" / DOCUMENT).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(UsageError, match=f"“{error}” is no number"):
        read_evaluation(tmp_path / "out")


def test_a_folder_without_evaluation_gets_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="There is no evaluation in"):
        read_evaluation(tmp_path)


def test_an_unwritable_place_gets_a_sentence(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RecordingError, match="cannot be written"):
        write_evaluation(evaluation(write_pack(tmp_path / "pack"), [1, 1, 1, 1]), tmp_path / "file")
