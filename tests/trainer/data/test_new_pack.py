"""A new pack appears whole or not at all, and never in the place of something else."""

import json
import subprocess
import sys

import numpy as np
import pytest

from engine.core.errors import PackError
from trainer.data.new_pack import new_pack, write_annotations


def test_it_appears_at_the_end_and_holds_what_was_written(tmp_path):
    out = tmp_path / "new" / "päck"
    with new_pack(out) as folder:
        write_annotations(folder, {"image": np.array(["a.png"]), "x": np.ones(1)}, {"labels": "größe"})
        assert not out.exists()
    with np.load(out / "annotations.npz", allow_pickle=False) as arrays:
        assert set(arrays.files) == {"image", "x"}
    assert json.loads((out / "meta.json").read_text(encoding="utf-8")) == {"labels": "größe"}
    assert [path.name for path in out.parent.iterdir()] == ["päck"]


def test_a_failure_leaves_nothing_behind(tmp_path):
    def begin():
        with new_pack(tmp_path / "pack") as folder:
            (folder / "a.png").write_bytes(b"x")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        begin()
    assert not any(tmp_path.iterdir())


def test_what_a_killed_run_left_is_cleared_and_an_empty_folder_is_taken(tmp_path):
    subprocess.run(
        [sys.executable, "-c", "import sys; from pathlib import Path\nfrom engine.core.files import partial_path\n"
         "(partial_path(Path(sys.argv[1])) / 'images').mkdir(parents=True)", tmp_path / "pack"],
        check=True,
    )  # fmt: skip
    assert len(list(tmp_path.iterdir())) == 1
    (tmp_path / "pack").mkdir()
    with new_pack(tmp_path / "pack") as folder:
        (folder / "a.png").write_bytes(b"x")
    assert [path.name for path in (tmp_path / "pack").iterdir()] == ["a.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_of_two_that_make_a_pack_at_the_same_time_the_first_one_counts(tmp_path):
    def begin_both():
        with new_pack(tmp_path / "pack") as slow:
            (slow / "a.png").write_bytes(b"slow")
            with new_pack(tmp_path / "pack") as quick:
                (quick / "a.png").write_bytes(b"quick")
            assert (slow / "a.png").read_bytes() == b"slow"

    with pytest.raises(PackError, match="pack already exists"):
        begin_both()
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]
    assert (tmp_path / "pack" / "a.png").read_bytes() == b"quick"


def test_files_and_packs_in_the_place_are_kept(tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "annotations.npz").write_bytes(b"precious")
    (tmp_path / "file").write_bytes(b"precious")
    for name in ("pack", "file"):
        with pytest.raises(PackError, match=f"{name} already exists"), new_pack(tmp_path / name):
            pass
    assert (tmp_path / "pack" / "annotations.npz").read_bytes() == (tmp_path / "file").read_bytes() == b"precious"


def test_python_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_annotations(tmp_path, {"image": np.array([{}, None], object)}, {})
