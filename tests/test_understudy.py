"""The module for programs: it finds what the command line finds, and says in a sentence what it cannot do."""

from __future__ import annotations

import csv
import inspect
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import understudy
from app.cli.main import main
from engine.batch.frames import ENDLESS_FRAMES
from engine.core.paths import asset_path
from engine.formats.images import read_picture
from engine.sources.sample import SampleClip
from tests.fakes.clips import write_clip
from tests.fakes.mjpeg_server import MjpegServer
from tests.fakes.models import face_points
from tests.fakes.packs import sample_pack
from tests.fakes.threads import no_thread_left

ROOT = Path(__file__).resolve().parents[1]
PORTRAIT = asset_path("sample", "portrait.png")


@pytest.fixture(scope="module")
def model():
    return understudy.load("student-68-lite")


@pytest.fixture
def pack(tmp_path):
    """Three frames of the sample with their truth."""
    return sample_pack(tmp_path / "pack")


def python(code: str, folder: Path, *first: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, with further places where modules are looked for before the repository."""
    path = [str(place) for place in (*first, ROOT)]
    program = f"import sys\nsys.path[:0] = {path!r}\n{code}"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=120)


# Pictures


def test_a_picture_has_the_landmarks_that_predict_writes(model, tmp_path, capsys):
    found = model.landmarks(PORTRAIT)
    command = ["predict", str(PORTRAIT), "--model", model.name, "--out", str(tmp_path / "points.jsonl")]
    assert main(command) == 0
    face = json.loads((tmp_path / "points.jsonl").read_text(encoding="utf-8"))["faces"][0]
    assert len(found) == 1
    assert found[0].points == pytest.approx(np.array(face["landmarks"]), abs=0.01)
    assert found[0].score == pytest.approx(face["score"], abs=1e-4)
    assert found[0].box == pytest.approx(face["box"], abs=0.01)
    assert found[0].confidence.shape == (model.points,) == (68,)


def test_an_array_is_rgb_in_any_layout_of_memory_and_stays_as_it_is(model):
    picture = read_picture(PORTRAIT)
    bgr = np.ascontiguousarray(picture[..., ::-1])
    before = bgr.copy()
    seen = model.landmarks(bgr[..., ::-1])
    assert np.array_equal(seen[0].points, model.landmarks(picture)[0].points)
    assert not np.array_equal(seen[0].points, model.landmarks(bgr)[0].points), "the order of the colours matters"
    assert np.array_equal(bgr, before)


def test_a_picture_without_a_face_has_none(model):
    assert model.landmarks(np.zeros((50, 60, 3), np.uint8)) == ()


def test_signals_are_measured(model):
    face = model.landmarks(PORTRAIT)[0]
    assert set(face.signals) == {"yaw", "pitch", "roll", "eye_left", "eye_right", "blinks", "mouth"}
    assert abs(face.signals["yaw"]) < 45


def test_with_the_mirror_image_points_differ_a_little(model):
    both = understudy.load("student-68-lite", flip=True).landmarks(PORTRAIT)[0].points
    assert 0 < np.abs(both - model.landmarks(PORTRAIT)[0].points).max() < 5


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (np.zeros((50, 60), np.uint8), r"uint8 \(50, 60\)"),
        (np.zeros((50, 60, 3)), r"float64 \(50, 60, 3\)"),
        (np.zeros((50, 60, 4), np.uint8), r"uint8 \(50, 60, 4\)"),
        (np.zeros((0, 60, 3), np.uint8), r"uint8 \(0, 60, 3\)"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_picture_is_named(model, image, kind):
    with pytest.raises(understudy.UnderstudyError, match=f"This is no picture: {kind}.*order RGB"):
        model.landmarks(image)


def test_a_missing_picture_and_a_missing_model_get_a_sentence(model):
    with pytest.raises(understudy.UnderstudyError, match="cannot be opened"):
        model.landmarks("nowhere.png")
    with pytest.raises(understudy.UnderstudyError, match=r"(?i)did you mean “student-68”\?"):
        understudy.load("studnet-68")


# Sources


def test_a_source_without_an_end_goes_on_until_it_is_left(model):
    with no_thread_left():
        results = model.track("sample")
        numbers = [next(results).number for _ in range(ENDLESS_FRAMES + 5)]
        results.close()
    assert numbers == list(range(ENDLESS_FRAMES + 5))
    assert list(results) == []


def test_ids_stay_and_points_are_smoothed(model):
    calm, raw = ([next(iter(r.faces)) for r in model.track("sample", smoothing=s, limit=20)] for s in (1.0, 0.0))
    assert {face.id for face in calm} == {face.id for face in raw} == {1}
    assert not np.array_equal(calm[-1].points, raw[-1].points)


def test_a_video_is_read_to_its_end_and_closed(model, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=5)
    results = list(model.track(clip))
    assert [result.number for result in results] == [0, 1, 2, 3, 4]
    assert results[1].seconds > results[0].seconds
    assert results[0].image.dtype == np.uint8
    clip.unlink()


def test_pictures_of_the_caller_are_followed(model):
    clip = SampleClip()
    results = list(model.track(clip.frame(number)[0] for number in range(4)))
    assert [result.number for result in results] == [0, 1, 2, 3]
    assert {face.id for result in results for face in result.faces} == {1}


def test_what_is_found_on_pictures_of_the_caller_hangs_on_their_rate_and_not_on_the_caller_s_pace(model):
    clip = SampleClip()

    def found(rate, pause=0.0):
        pictures = (time.sleep(pause) or clip.frame(5 * number)[0] for number in range(4))
        results = list(model.track(pictures, rate=rate))
        return [result.seconds for result in results], results[-1].faces[0].points

    seconds, at_once = found(25)
    assert seconds == [0, 0.04, 0.08, 0.12]
    assert np.array_equal(found(25, pause=0.05)[1], at_once)
    assert not np.array_equal(found(5)[1], at_once), "further apart, they are smoothed less"


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(model, rate):
    with pytest.raises(understudy.UnderstudyError, match="The rate of pictures is .* a second"):
        next(model.track([], rate=rate))


def test_a_source_that_fails_says_so_at_the_first_step(model):
    results = model.track("nowhere.mp4")
    with pytest.raises(understudy.UnderstudyError, match="There is no file"):
        next(results)
    with pytest.raises(understudy.UnderstudyError, match="This is no picture: str"):
        next(model.track(["a.png"]))


@pytest.mark.parametrize(
    ("rotate", "red"),
    [(0, np.s_[:, :30]), (90, np.s_[:30]), (180, np.s_[:, -30:]), (270, np.s_[-30:])],
    ids=["as it is", "90", "180", "270"],
)
def test_a_camera_is_turned_clockwise(model, rotate, red):
    server = MjpegServer()  # its pictures, 64 x 48, are red on the left
    try:
        image = next(model.track(server.address(), rotate=rotate)).image
    finally:
        server.cut()
    assert image.shape == ((48, 64, 3) if rotate % 180 == 0 else (64, 48, 3))
    assert image[red][..., 0].mean() > 180
    assert image[..., 0].mean() < 120, "the other half is dark"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("sample", "“sample” is none"),
        (PORTRAIT, r"portrait\.png” is none"),
        ([np.zeros((50, 60, 3), np.uint8)], "a series of your own pictures is none"),
    ],
    ids=["sample", "file", "pictures"],
)
def test_only_a_camera_is_turned(model, source, words):
    with no_thread_left(), pytest.raises(understudy.UnderstudyError, match=f"`rotate` needs a camera, and .*{words}"):
        next(model.track(source, rotate=90))


def test_a_camera_is_turned_by_quarters_alone(model):
    with pytest.raises(understudy.UnderstudyError, match="turned by 45 degrees.* Choose one of 0, 90, 180, 270"):
        next(model.track("sample", rotate=45))


# Evaluation


def test_a_model_has_the_figures_of_understudy_evaluate(model, pack, capsys):
    for detected, box in ((False, "truth"), (True, "detector")):
        measured = understudy.Evaluation(pack).of(model, detected)
        assert main(["evaluate", "--data", str(pack), "--model", model.name, "--box", box, "--json", "-"]) == 0
        report = json.loads(capsys.readouterr().out)
        for figure in ("nme", "nme_box", "fr10", "auc10", "n", "missed"):
            assert round(getattr(measured, figure), 4) == report[figure]
        assert measured.errors.mean() == pytest.approx(measured.nme)


@pytest.mark.parametrize("normaliser", ["eyes", "box"])
def test_own_points_have_the_figures_of_understudy_evaluate(pack, tmp_path, capsys, normaliser):
    evaluation = understudy.Evaluation(pack, normaliser=normaliser)
    rng = np.random.default_rng(0)
    own = [face.points + rng.normal(0, 3, face.points.shape) for face in evaluation.faces]
    own[1] = None
    with (tmp_path / "own.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", *(f"{axis}{index}" for index in range(68) for axis in "xy")])
        for face, points in zip(evaluation.faces, own, strict=True):
            if points is not None:
                name = face.image.relative_to(pack).as_posix()
                writer.writerow([name, *(repr(value) for value in points.ravel().tolist())])
    command = ["evaluate", "--data", str(pack), "--predictions", str(tmp_path / "own.csv"), "--json", "-"]
    assert main([*command, "--normaliser", normaliser]) == 0
    report, measured = json.loads(capsys.readouterr().out), evaluation.of_points(own)
    for figure in ("nme", "nme_box", "fr10", "auc10", "n", "missed"):
        assert round(getattr(measured, figure), 4) == report[figure]
    assert np.isinf(measured.errors).tolist() == [False, True, False]


def test_faces_of_a_pack_have_their_pictures_and_boxes(pack):
    evaluation = understudy.Evaluation(pack)
    face = evaluation.faces[0]
    assert face.image.is_file()
    assert face.box == pytest.approx([*face.points.min(0), *face.points.max(0)])
    assert evaluation.of_points([face.points for face in evaluation.faces]).nme == 0


def bad_points(points, many=3):
    return [points] * many


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (bad_points(np.zeros((68, 2)), 2), "landmarks for 2 of 3 faces"),
        (bad_points(np.zeros((68, 3))), r"shapes \(68, 3\)"),
        (bad_points(np.zeros(136)), r"shapes \(136,\)"),
        (bad_points(np.float32(1)), r"shapes \(\)"),
        (bad_points(np.zeros((67, 2))), r"shapes \(67, 2\)"),
        ([np.zeros((68, 2)), np.zeros((98, 2)), None], r"shapes \(68, 2\), \(98, 2\)"),
        (bad_points(np.full((68, 2), np.nan)), "no numbers"),
        (bad_points(np.zeros((29, 2))), "cannot be compared"),
        (bad_points(face_points(0.5, 0.5, 0.3), 3), "fractions, not pixels"),
    ],
)
def test_what_are_no_landmarks_is_named(pack, points, sentence):
    with pytest.raises(understudy.UnderstudyError, match=sentence):
        understudy.Evaluation(pack).of_points(points)


def test_a_pack_that_is_none_and_an_unknown_normaliser_get_a_sentence(pack, tmp_path):
    with pytest.raises(understudy.UnderstudyError, match="nowhere"):
        understudy.Evaluation(tmp_path / "nowhere")
    with pytest.raises(understudy.UnderstudyError, match="There is no normaliser “nose”"):
        understudy.Evaluation(pack, normaliser="nose")


# The import


def test_the_import_is_quick_and_loads_neither_qt_nor_torch(tmp_path):
    code = (
        "import numpy\nimport understudy\nearly = set(sys.modules)\n"
        f"understudy.load('student-68-lite').landmarks({str(PORTRAIT)!r})\n"
        "heads = lambda names: {name.partition('.')[0] for name in names}\n"
        "print('early', sorted(heads(early) & {'cv2', 'PIL', 'ai_edge_litert'}))\n"
        "print('ever', sorted(heads(sys.modules) & {'PySide6', 'shiboken6', 'torch', 'app', 'trainer', 'matplotlib'}))"
    )
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["early []", "ever []"]


def test_an_engine_of_somebody_else_is_named(tmp_path):
    (tmp_path / "engine.py").write_text("speed = 3\n")
    done = python("import understudy", tmp_path, tmp_path)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: Understudy needs its package “engine”, but Python finds another one first: ")
    assert "engine.py" in last


def test_an_engine_that_was_made_by_hand_is_named(tmp_path):
    done = python("import types\nsys.modules['engine'] = types.ModuleType('engine')\nimport understudy", tmp_path)
    assert "ImportError: Understudy needs its package “engine”" in done.stderr


def test_an_app_of_somebody_else_is_only_a_warning(tmp_path):
    (tmp_path / "app.py").write_text("served = True\n")
    done = python("import understudy\nimport app\nprint(app.served)", tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"
    assert "Python finds another “app” before that of Understudy: " in done.stderr
    assert "app.py" in done.stderr


def test_every_public_name_is_documented_and_annotated():
    for name in understudy.__all__:
        entry = getattr(understudy, name)
        assert entry.__doc__, name
        assert inspect.getmodule(entry) is understudy or name == "UnderstudyError"
