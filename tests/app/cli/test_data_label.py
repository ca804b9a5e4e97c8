"""`understudy data label` on pictures, as a user types it: whole parts, killed starts, processes, mistakes."""

import json
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from engine.formats.images import read_picture, write_picture
from engine.formats.packs import read_arrays, read_pack
from tests.app.cli import commands
from tests.conftest import ROOT

PATIENCE = 200


def run(capsys, *arguments):
    """Run `understudy data`; return its exit code, its output and its errors."""
    return commands.run(capsys, "data", *arguments)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Six small portraits in a tree, a picture without a face and one that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    portrait = read_picture(ROOT / "tests" / "data" / "portrait.jpg")
    for index in range(6):
        side = 200 + 8 * index
        small = cv2.resize(portrait, (side, round(side * portrait.shape[0] / portrait.shape[1])))
        write_picture(folder / "people" / f"{index}" / "face.png", small)
    write_picture(folder / "wall.png", np.full((120, 120, 3), 100, np.uint8))
    (folder / "broken.jpg").write_bytes(b"nothing")
    return folder


def test_a_tree_of_pictures_becomes_a_pack_whatever_the_processes(capsys, pictures, tmp_path):
    code, text, err = run(
        capsys, "label", pictures, "--out", tmp_path / "one", "--part", 3, "--json", tmp_path / "r.json"
    )
    assert code == 0, err
    assert "holds 6 of 6 faces in 8 pictures, landmarks by student-68" in text
    assert "Pictures without a face: 1. 3 of 3 parts were made now." in text
    assert "Pictures that cannot be read: 1; " in text
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (report["kept"], report["unreadable"], report["without_face"]) == (6, 1, 1)
    assert len(read_pack(tmp_path / "one", split="train").faces) == 6
    assert run(capsys, "label", pictures, "--out", tmp_path / "two", "--part", 3, "--workers", 2)[0] == 0
    one, two = read_arrays(tmp_path / "one"), read_arrays(tmp_path / "two")
    assert one.keys() == two.keys()
    assert all((one[name] == two[name]).all() for name in one)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.timeout(300)
def test_fault_66_a_killed_start_loses_no_part_and_the_next_one_makes_the_rest(capsys, pictures, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "app", "data", "label", str(pictures), "--out", str(out), "--part", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while not list(out.glob("part-*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    made = {part: (part / "annotations.npz").stat().st_mtime_ns for part in out.glob("part-*")}
    assert made
    code, text, _ = run(capsys, "label", pictures, "--out", out, "--part", 4)
    assert code == 0
    assert "holds 6 of 6 faces in 8 pictures" in text
    assert all((part / "annotations.npz").stat().st_mtime_ns == before for part, before in made.items())
    assert not list(out.glob(".part*"))


def test_another_model_is_refused_and_the_labels_stay(capsys, pictures, tmp_path):
    out = tmp_path / "out"
    assert run(capsys, "label", pictures / "people" / "1", "--out", out)[0] == 0
    before = read_arrays(out)
    code, _, err = run(capsys, "label", pictures / "people" / "1", "--out", out, "--model", "student-68-lite")
    assert code == 1
    assert "model student-68, now student-68-lite" in err
    assert all((read_arrays(out)[name] == before[name]).all() for name in before)


def test_options_of_pictures_mean_nothing_for_five_points_and_the_other_way_round(capsys, pictures, tmp_path):
    pack = tmp_path / "pack"
    pack.mkdir()
    np.savez(pack / "annotations.npz", image=np.array(["a.png"]), landmarks=np.zeros((1, 5, 2), np.float32))
    code, _, err = run(capsys, "label", pack, "--out", tmp_path / "out", "--workers", 2)
    assert (code, "--workers does not apply here" in err) == (1, True)
    code, _, err = run(capsys, "label", pictures, "--out", tmp_path / "out", "--largest-disagreement", 5)
    assert (code, "--largest-disagreement does not apply here" in err) == (1, True)
    assert f"It is for packs; {pictures} is no pack." in err
    assert not (tmp_path / "out").exists()


def test_fault_65_a_folder_without_pictures_gets_a_sentence(capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = run(capsys, "label", tmp_path / "empty", "--out", tmp_path / "out")
    assert code == 1
    assert "There is no picture in" in err
    assert "What to do:" in err
    assert not (tmp_path / "out").exists()
