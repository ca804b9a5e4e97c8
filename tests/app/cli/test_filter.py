"""`understudy filter` as a user types it."""

import json

import cv2
import numpy as np
import pytest

from app.cli.main import build_parser, main
from engine.filters import library
from engine.formats.images import read_picture, write_picture
from engine.sources.sample import SampleClip
from tests.fakes.filters import SQUARE, make_filter


def run(capsys, *arguments):
    """Run the command; return its exit code, its output and its errors."""
    code = main([str(argument) for argument in ("filter", *arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """The user's folder of filters."""
    monkeypatch.setattr(library, "user_data_path", lambda name, **_: tmp_path / "data" / name)
    return library.user_filters()


@pytest.fixture(scope="module")
def frames():
    clip = SampleClip()
    return [clip.frame(number)[0] for number in (90, 205)]


@pytest.fixture
def pictures(tmp_path, frames):
    folder = tmp_path / "Öß pictures"
    for index, image in enumerate(frames):
        write_picture(folder / f"face {index}.png", image)
    return folder


def test_filter_stands_among_the_verbs():
    assert "\n    filter " in build_parser().format_help()


def test_new_makes_a_filter_that_list_and_check_know(capsys, own):
    code, out, _ = run(capsys, "new", "hat")
    assert code == 0
    assert str(own / "hat") in out
    code, out, _ = run(capsys, "list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "you" in lines["hat"]
    assert "the program" in lines["glasses"]
    code, out, _ = run(capsys, "check", "hat")
    assert code == 0
    assert "hat.png  300 x 380  anchor" in out


def test_new_elsewhere(capsys, tmp_path):
    code, out, _ = run(capsys, "new", "hat", "--to", tmp_path / "there", "--json", "-")
    assert code == 0
    assert json.loads(out) == {"folder": str(tmp_path / "there" / "hat")}
    assert run(capsys, "check", tmp_path / "there" / "hat")[0] == 0
    code, _, err = run(capsys, "new", "hat", "--to", tmp_path / "there")
    assert code == 1
    assert "is there already" in err


def test_check_shows_file_line_and_what_was_expected(capsys, own):
    make_filter(own / "mine", SQUARE + "opacity = 3\n")
    code, _, err = run(capsys, "check", "mine")
    assert code == 1
    assert "mine/filter.toml, line 4: “opacity” is 3." in err
    assert "A number from 0 to 1 was expected." in err
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert "mine cannot be used. mine/filter.toml, line 4" in out


def test_list_as_json(capsys, own):
    (make_filter(own / "broken") / "square.png").unlink()
    filters = {entry["name"]: entry for entry in json.loads(run(capsys, "list", "--json", "-")[1])["filters"]}
    assert "is missing" in filters["broken"]["error"]
    assert filters["mask"]["error"] is None
    assert filters["broken"]["own"]
    assert not filters["mask"]["own"]


def test_a_filter_that_is_not_there(capsys):
    code, _, err = run(capsys, "check", "glases")
    assert code == 1
    assert "Did you mean “glasses”?" in err


def test_apply_to_a_folder_of_pictures(capsys, pictures, frames, tmp_path):
    code, out, err = run(capsys, "apply", "mask", pictures, "--out", tmp_path / "out", "--json", "-")
    assert code == 0, err
    assert json.loads(out[out.index("{") :])["with_faces"] == 2
    for index, image in enumerate(frames):
        drawn = read_picture(tmp_path / "out" / f"face {index}.png")
        changed = np.abs(drawn.astype(int) - image).max(2) > 30
        assert 0.04 < changed.mean() < 0.5
        assert not changed[-40:].any()  # the space suit stays as it was
        assert np.array_equal(read_picture(pictures / f"face {index}.png"), image)


def test_a_filter_with_the_name_of_an_included_one_takes_its_place_and_says_so(capsys, caplog, own, pictures, tmp_path):
    make_filter(own / "mask", SQUARE)
    shipped = library.SHIPPED / "mask"
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert [line.split()[-3:] for line in out.splitlines() if line.startswith("mask ")] == [["you", "*", f"{own}/mask"]]
    assert f"* mask is yours; {shipped} is not used." in out
    assert "glasses is yours" not in out
    said = f"The filter in {own / 'mask'} is used, and not that in {shipped}, which has the same name"
    assert [record.getMessage() for record in caplog.records] == [said]
    code, out, _ = run(capsys, "list", "--json", "-")
    hidden = {entry["name"]: entry["hides"] for entry in json.loads(out)["filters"]}
    assert (hidden["mask"], hidden["glasses"]) == (str(shipped), None)
    caplog.clear()
    assert run(capsys, "apply", "mask", pictures / "face 0.png", "--out", tmp_path / "one.png")[0] == 0
    assert said in [record.getMessage() for record in caplog.records]


def test_apply_to_one_picture(capsys, pictures, frames, tmp_path):
    code, _, err = run(capsys, "apply", "glasses", pictures / "face 0.png", "--out", tmp_path / "glasses.jpg")
    assert code == 0, err
    assert read_picture(tmp_path / "glasses.jpg").shape == frames[0].shape


def test_apply_to_a_video(capsys, tmp_path, frames):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (640, 480))
    for _ in range(6):
        writer.write(cv2.cvtColor(frames[0], cv2.COLOR_RGB2BGR))
    writer.release()
    code, out, err = run(capsys, "apply", "cartoon-eyes", path, "--out", tmp_path / "eyes.avi")
    assert code == 0, err
    assert "6 pictures or frames" in out
    video = cv2.VideoCapture(str(tmp_path / "eyes.avi"))
    assert (video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)) == (25, 6)
    _, first = video.read()
    video.release()
    assert (np.abs(first[..., ::-1].astype(int) - frames[0]).max(2) > 60).mean() > 0.01


@pytest.mark.parametrize("out", ["Öß pictures", "Öß pictures/face 0.png"])
def test_apply_never_writes_over_the_original(capsys, pictures, tmp_path, frames, out):
    source = pictures if out == "Öß pictures" else pictures / "face 0.png"
    code, _, err = run(capsys, "apply", "mask", source, "--out", tmp_path / out)
    assert code == 1
    assert "is the original itself" in err
    assert np.array_equal(read_picture(pictures / "face 0.png"), frames[0])


def test_apply_to_what_never_ends(capsys, tmp_path):
    code, _, err = run(capsys, "apply", "mask", "sample", "--out", tmp_path / "out.mp4")
    assert code == 1
    assert "never ends" in err


def test_a_hook_runs_only_where_the_user_put_it_or_said_so(capsys, own, pictures, tmp_path):
    marker = tmp_path / "was-run"
    hook = f"def draw(picture, points, signals, seconds):\n    open({str(marker)!r}, 'w').close()\n"
    for parent in (tmp_path, own):
        (make_filter(parent / "hooked", 'hook = "hook.py"\n' + SQUARE) / "hook.py").write_text(hook)
    arguments = (pictures / "face 0.png", "--out", tmp_path / "out.png")
    code, _, err = run(capsys, "apply", tmp_path / "hooked", *arguments)
    assert (code, marker.exists()) == (0, False)
    assert "hook.py is not run" in err
    assert "was read, but not run" in run(capsys, "check", "hooked")[1]
    assert not marker.exists()
    assert run(capsys, "apply", tmp_path / "hooked", *arguments, "--run-hook", "--overwrite")[0] == 0
    assert marker.exists()
    marker.unlink()
    assert run(capsys, "apply", "hooked", *arguments, "--overwrite")[0] == 0
    assert marker.exists()
