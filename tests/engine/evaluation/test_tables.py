"""Tables of an evaluation: the rows of a pack's subsets, and figures that agree with the faces."""

import csv
import io

import numpy as np
import pytest

from engine.evaluation.tables import as_csv, as_markdown, table_rows
from tests.fakes.evaluations import evaluation, write_pack


def test_without_subsets_there_is_one_row(tmp_path):
    rows = table_rows(evaluation(write_pack(tmp_path), [1, 2, 3, 4]))
    assert [(row.name, row.accuracy.faces) for row in rows] == [("full", 4)]


def test_subsets_of_300w_stand_in_the_order_of_its_tables(tmp_path):
    pack = write_pack(tmp_path, subset=np.array(["challenging", "common", "common", ""]))
    rows = {row.name: row.accuracy for row in table_rows(evaluation(pack, [12, 2, 3, None]))}
    assert list(rows) == ["full", "common", "challenging"]
    assert [rows[name].faces for name in rows] == [4, 2, 1]
    assert rows["common"].nme == pytest.approx(2.5, abs=1e-4)
    assert (rows["challenging"].fr10, rows["full"].fr10) == (100, 50)


def test_attributes_of_wflw_give_its_six_subsets(tmp_path):
    attributes = np.zeros((4, 6), np.float32)
    attributes[1:3, 0], attributes[3, 5], attributes[3, 0] = 1, 1, 1
    rows = {
        row.name: row.accuracy
        for row in table_rows(evaluation(write_pack(tmp_path, attributes=attributes), [1, 2, 3, 7]))
    }
    assert list(rows) == ["full", "pose", "blur"], "a subset without faces has no row"
    assert rows["pose"].nme == pytest.approx(4, abs=1e-4)
    assert rows["blur"].nme == pytest.approx(7, abs=1e-4)


@pytest.mark.parametrize("attributes", [np.ones((4, 4)), np.array(["pose"] * 4)])
def test_other_attributes_are_not_taken_for_those_of_wflw(tmp_path, attributes):
    assert len(table_rows(evaluation(write_pack(tmp_path, attributes=attributes), [1, 2, 3, 4]))) == 1


def test_parts_have_columns_and_average_over_the_faces_found(tmp_path):
    row = table_rows(evaluation(write_pack(tmp_path), [1, 2, 6, None]))[0]
    assert list(row.parts) == ["jaw", "brows", "nose", "eyes", "mouth"]
    assert list(row.parts.values()) == pytest.approx([3] * 5, abs=1e-4)


def test_markdown_is_aligned_and_says_what_the_figures_rest_on(tmp_path):
    landmarks = np.load(write_pack(tmp_path) / "annotations.npz")["landmarks"]
    landmarks[0, 36] = np.nan
    text = as_markdown(evaluation(write_pack(tmp_path, landmarks=landmarks), [1, 2, 3, None]))
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    assert table[2].split("|")[2:6] == ["     3 ", " 2.50 ", " 33.33 ", " 0.5000 "]
    assert "Left out: 1 of 4 faces" in text
    assert "Missed faces: 1;" in text


def test_csv_has_the_figures_and_empty_cells_where_there_are_none(tmp_path):
    rows = list(csv.DictReader(io.StringIO(as_csv(evaluation(write_pack(tmp_path), [None] * 4)))))
    assert rows[0]["subset"] == "full"
    assert (rows[0]["faces"], rows[0]["fr10"], rows[0]["nme"], rows[0]["nme_jaw"]) == ("4", "100.0", "", "")
