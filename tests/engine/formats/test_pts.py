"""Reading `.pts` files: what other programs write is read, and what is damaged is named."""

import numpy as np
import pytest

from engine.core.errors import PackError
from engine.formats.landmark_readers import read_pts
from engine.formats.landmark_writers import pts_text

POINTS = np.arange(136, dtype=np.float32).reshape(68, 2) / 4


@pytest.mark.parametrize(
    "text",
    [
        pts_text(POINTS),
        pts_text(POINTS).replace("\n", "\r\n"),
        pts_text(POINTS).replace("n_points: ", "n_points:  ").replace("version: 1", "version: 1.0") + "\n\n",
        pts_text(POINTS).replace("{\n", "{\n\n").replace(" ", "\t"),
    ],
    ids=["ours", "Windows", "official", "tabs and blank lines"],
)
def test_points_count_from_0(tmp_path, text):
    (tmp_path / "a.pts").write_bytes(text.encode())
    np.testing.assert_allclose(read_pts(tmp_path / "a.pts", 68), POINTS, atol=1e-3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pts_text(POINTS[:67]).encode(), "67 points; 68 are needed"),
        (pts_text(POINTS[:67]).replace("67", "68", 1).encode(), "67 points, though it says 68"),
        (pts_text(POINTS).encode()[:300], "is no .pts file"),
        (b"", "is no .pts file"),
        (b"\xff\xd8\xff\xe0", "cannot be read"),
        (pts_text(POINTS).replace("1.500 1.750", "left eye").encode(), "Point 2 of .* is “left eye”"),
        (pts_text(POINTS).replace("1.500 1.750", "1.500").encode(), "Point 2 of .* is “1.500”"),
        (pts_text(POINTS).replace("1.500 1.750", "1_0 1").encode(), "Point 2 of .* is “1_0 1”"),
        (pts_text(POINTS).replace("1.500 1.750", "inf 1").encode(), "Point 2 of .* is “inf 1”"),
        (pts_text(POINTS).replace("1.500 1.750", "1e300 1").encode(), "Point 2 of .* is “1e300 1”"),
        (pts_text(POINTS).replace("1.500 1.750", "٣ ٢").encode(), "Point 2 of .* is “٣ ٢”"),
        (pts_text(POINTS).replace("68", "68٣").encode(), "is no .pts file"),
        (pts_text(POINTS).encode("utf-16-le"), "save it as UTF-8"),
        (pts_text(POINTS).replace("1.500 1.750", "nan 1").encode(), "Point 2 of .* is “nan 1”"),
    ],
)
def test_fault_65_damaged_files_are_named(tmp_path, content, said):
    file = tmp_path / "a.pts"
    file.write_bytes(content)
    with pytest.raises(PackError, match=said) as caught:
        read_pts(file, 68)
    assert str(file) in caught.value.what
