"""The command line as a user types it: reports, files, and a sentence for every mistake."""

import errno
import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from app.cli.main import VERBS, build_parser, main
from engine.core.paths import asset_path
from engine.formats.images import write_picture
from engine.sources.sample import SampleClip
from tests.app.cli.commands import run
from tests.conftest import ROOT
from tests.fakes.clips import cut


@pytest.fixture(scope="module")
def frames():
    """Three frames of the sample, RGB, with their truth."""
    clip = SampleClip()
    return [clip.frame(number) for number in (0, 60, 200)]


@pytest.fixture
def folder(tmp_path, frames):
    """A folder of pictures with spaces and other letters in its name."""
    place = tmp_path / "Öß pictures"
    for index, (image, _) in enumerate(frames):
        write_picture(place / f"face {index}.png", image)
    return place


@pytest.fixture
def pack(tmp_path, frames):
    place = tmp_path / "pack"
    for index, (image, _) in enumerate(frames):
        write_picture(place / "images" / f"{index}.png", image)
    names = [f"images/{index}.png" for index in range(len(frames))]
    points = np.stack([truth.points for _, truth in frames])
    np.savez(place / "annotations.npz", image=np.array(names), landmarks=points, split=np.array(["test"] * 3))
    return place


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "clip 1.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    clip = SampleClip()
    for number in range(12):
        writer.write(cv2.cvtColor(clip.frame(number)[0], cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_help_reads_like_a_table_of_contents():
    text = build_parser().format_help()
    verbs = [
        "run",
        "predict",
        "evaluate",
        "compare",
        "benchmark",
        "data",
        "train",
        "export",
        "models",
        "cameras",
        "doctor",
    ]
    places = [text.index(f"\n    {verb} ") for verb in verbs]
    assert places == sorted(places)
    assert "exit codes: 0 done" in text


HEAVY = ("torch", "matplotlib", "PySide6", "trainer")
PRINT_IMPORTS = """
import sys
from app.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
sys.stderr.write(" ".join(sys.modules))
"""


@pytest.mark.parametrize(
    ("arguments", "verbs"), [(["--help"], set()), (["run", "--help"], {"run"}), (["data", "--help"], {"data"})]
)
def test_a_call_imports_the_module_of_its_verb_alone_and_nothing_heavy(arguments, verbs):
    done = subprocess.run(
        [sys.executable, "-c", PRINT_IMPORTS, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    imported = set(done.stderr.split())
    assert {verb for verb in VERBS if f"app.cli.{verb}" in imported} == verbs
    assert imported.isdisjoint(HEAVY)


def test_run_headless_reports_what_it_promises(capsys, tmp_path):
    clip, picture = tmp_path / "out.mp4", tmp_path / "out.png"
    code, out, _ = run(
        capsys, "run", "sample", "--headless", "--frames", 20, "--record", clip, "--picture", picture, "--json", "-"
    )
    assert code == 0
    report = json.loads(out)
    promised = ("frames", "faces_found", "fps", "latency_ms", "nme", "jitter", "blinks", "model", "source")
    assert all(name in report for name in promised)
    assert (report["frames"], report["faces_found"], report["model"]) == (20, 1.0, "student-68-int8")
    assert set(report["latency_ms"]) == {"capture", "detect", "landmark", "smooth", "draw", "total"}
    assert set(report["latency_ms"]["landmark"]) == {"p50", "p95"}
    assert 0 < report["nme"] <= 4.0
    recorded = cv2.VideoCapture(str(clip))
    assert int(recorded.get(cv2.CAP_PROP_FRAME_COUNT)) == 20
    assert picture.stat().st_size > 10_000


def test_run_headless_on_a_video_has_no_accuracy(capsys, video, tmp_path):
    report_file = tmp_path / "new" / "report.json"
    code, out, _ = run(capsys, "run", video, "--headless", "--json", report_file)
    assert code == 0
    report = json.loads(report_file.read_text(encoding="utf-8"))
    assert (report["frames"], report["nme"]) == (12, None)
    assert "a face in 100.0% of them" in out


def test_fault_41_a_cut_video_is_run_to_its_end_and_reported(capsys, video, tmp_path):
    clip, picture, report_file = tmp_path / "out.avi", tmp_path / "out.png", tmp_path / "report.json"
    files = ("--record", clip, "--picture", picture, "--json", report_file)
    code, _, err = run(capsys, "run", cut(video, 0.6), "--headless", *files)
    assert code == 1
    assert "seconds. It is cut off or damaged" in err
    assert err.count("cut off") == 1
    frames = json.loads(report_file.read_text(encoding="utf-8"))["frames"]
    assert 3 <= frames < 12
    assert int(cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FRAME_COUNT)) == frames
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("refused", "cause"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "runs/toy/train.csv"), "removed or renamed"),
        (PermissionError(errno.EACCES, "Permission denied", "runs/toy/train.csv"), "forbids writing"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/toy/train.csv"), "The disk is full"),
        (OSError(errno.ENOSPC, "No space left", "a.jpg", None, "runs/toy/train.csv"), "The disk is full"),
    ],
)
def test_what_the_system_refuses_has_a_likely_cause(capsys, monkeypatch, refused, cause):
    def refuse(*_, **__):
        raise refused

    monkeypatch.setattr("app.cli.doctor.main", refuse)
    code, _, errors = run(capsys, "doctor")
    assert code == 1
    assert f"The system refused: {refused.strerror} (runs/toy/train.csv).\n  Likely cause: " in errors
    assert cause in errors


def test_fault_45_a_video_whose_name_leaves_no_room_for_labels_is_refused_before_any_work(capsys, video, tmp_path):
    clip = video.rename(tmp_path / f"{'x' * 245}.avi")
    code, _, err = run(capsys, "predict", clip, "--out", tmp_path / "points")
    assert code == 1
    assert "256 bytes where 255 are allowed" in err
    assert not (tmp_path / "points").exists()
    assert run(capsys, "predict", clip, "--out", tmp_path / "points.csv")[0] == 0


def test_fault_41_a_cut_video_is_predicted_to_its_end_and_reported(capsys, video, tmp_path):
    code, _, err = run(capsys, "predict", cut(video, 0.6), "--out", tmp_path / "points.jsonl")
    assert code == 1
    count = len(lines_of(tmp_path / "points.jsonl"))
    assert 3 <= count < 12
    assert f"ended after {count / 30:.2f} of 0.40 seconds" in err


@pytest.mark.parametrize("verb", ["run", "predict"])
def test_an_unreadable_picture_is_left_out_and_reported(capsys, folder, tmp_path, verb):
    (folder / "face 1.png").write_bytes(b"nothing")
    out = tmp_path / "out.jsonl"
    code, _, err = run(capsys, verb, folder, *(("--headless", "--json", out) if verb == "run" else ("--out", out)))
    assert code == 1
    assert err.strip() == f"1 picture(s) of {folder.name} could not be read and were skipped: face 1.png."
    frames = lines_of(out) if verb == "predict" else range(json.loads(out.read_text(encoding="utf-8"))["frames"])
    assert len(frames) == 2


def test_predict_pictures_to_json_lines(capsys, folder, tmp_path, frames):
    out = tmp_path / "points.jsonl"
    assert run(capsys, "predict", folder, "--out", out)[0] == 0
    records = lines_of(out)
    assert [record["image"] for record in records] == ["face 0.png", "face 1.png", "face 2.png"]
    for record, (_, truth) in zip(records, frames, strict=True):
        assert (record["width"], record["height"], record["model"]) == (640, 480, "student-68")
        face = record["faces"][0]
        assert face["scheme"] == 68
        assert len(face["confidence"]) == 68
        assert abs(face["signals"]["yaw"]) < 20
        assert 0 <= face["signals"]["mouth"] <= 1
        eyes = np.linalg.norm(truth.points[36] - truth.points[45])
        assert np.linalg.norm(np.array(face["landmarks"]) - truth.points, axis=1).mean() < 0.06 * eyes


def test_predict_a_video_to_csv_and_points(capsys, video, tmp_path):
    assert run(capsys, "predict", video, "--out", tmp_path / "points.csv")[0] == 0
    rows = (tmp_path / "points.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 13
    assert rows[1].startswith("clip 1.avi,")
    assert run(capsys, "predict", video, "--out", tmp_path / "points")[0] == 0
    assert len(list((tmp_path / "points").glob("*.pts"))) == 12


@pytest.mark.parametrize("box", ["truth", "detector"])
def test_predict_a_pack_gives_one_line_a_face(capsys, pack, tmp_path, box):
    out = tmp_path / "points.jsonl"
    assert run(capsys, "predict", pack, "--out", out, "--box", box)[0] == 0
    assert [record["image"] for record in lines_of(out)] == ["images/0.png", "images/1.png", "images/2.png"]
    assert all(len(record["faces"]) == 1 for record in lines_of(out))


def test_predict_refuses_options_that_would_be_ignored(capsys, pack, video, tmp_path):
    for source, option, sentence in (
        (video, ("--box", "truth"), "--box truth needs a pack"),
        (pack, ("--max-faces", "1"), "--max-faces cannot be used with a pack"),
    ):
        code, _, err = run(capsys, "predict", source, *option, "--out", tmp_path / "points.csv")
        assert code == 1
        assert sentence in err
    assert not (tmp_path / "points.csv").exists()


@pytest.mark.parametrize("box", ["truth", "detector"])
def test_evaluate_reports_what_it_promises(capsys, pack, box):
    code, out, _ = run(capsys, "evaluate", "--data", pack, "--box", box, "--json", "-")
    assert code == 0
    report = json.loads(out)
    promised = (
        "model", "data", "split", "n", "points", "nme", "nme_box", "fr10", "auc10", "missed", "box"
    )  # fmt: skip
    assert all(name in report for name in promised)
    assert (report["n"], report["points"], report["missed"], report["box"]) == (3, 68, 0, box)
    assert (report["split"], report["fr10"]) == ("all", 0)
    assert 0 < report["nme"] < 5


def test_a_result_is_noted_on_the_card_once(capsys, pack, tmp_path):
    for ending in (".tflite", ".json"):
        shipped = asset_path("models", f"student-68{ending}")
        (tmp_path / f"own{ending}").write_bytes(shipped.read_bytes())
    card_path = tmp_path / "own.json"
    before = len(json.loads(card_path.read_text(encoding="utf-8"))["metrics"])
    for _ in range(2):
        command = ("evaluate", "--model", tmp_path / "own.tflite", "--data", pack, "--split", "test", "--save-to-card")
        assert run(capsys, *command)[0] == 0
    metrics = json.loads(card_path.read_text(encoding="utf-8"))["metrics"]
    assert len(metrics) == before + 1
    assert metrics[-1]["data"] == "pack"
    assert metrics[-1]["protocol"]
    assert (len(metrics[-1]["ced"]), metrics[-1]["ced"][0], metrics[-1]["ced"][-1]) == (41, 0, 1)


def test_benchmark_measures_every_model_with_every_number_of_threads(capsys):
    code, out, _ = run(capsys, "benchmark", "--model", "student-68", "--threads", "1,2", "--json", "-")
    assert code == 0
    measured = json.loads(out)["models"]
    assert [(entry["model"], entry["threads"]) for entry in measured] == [("student-68", 1), ("student-68", 2)]
    assert all(0 < entry["p50"] <= entry["p95"] for entry in measured)


def test_models_cameras_and_doctor_report(capsys):
    code, out, _ = run(capsys, "models", "--json", "-")
    assert code == 0
    assert "student-68" in [entry["name"] for entry in json.loads(out)["models"]]
    code, out, _ = run(capsys, "cameras", "--json", "-")
    assert code == 0
    assert isinstance(json.loads(out)["cameras"], list)
    code, out, _ = run(capsys, "doctor", "--json", "-")
    assert code == 0
    assert json.loads(out)["sound"] is True
    assert "student-68" in run(capsys, "models")[1]


def test_fault_76_the_doctor_finds_a_damaged_model(capsys, tmp_path, monkeypatch):
    from app.cli import doctor
    from engine.inference.library import ModelLibrary

    for ending in (".tflite", ".json"):
        (tmp_path / f"x{ending}").write_bytes(asset_path("models", f"student-68{ending}").read_bytes())
    (tmp_path / "x.tflite").write_bytes(b"TFL3")
    monkeypatch.setattr(doctor, "ModelLibrary", lambda: ModelLibrary((tmp_path,)))
    code, out, _ = run(capsys, "doctor")
    assert code == 1
    assert "thing(s) to mend" in out


def empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def text_as_video(tmp_path):
    (tmp_path / "text.mp4").write_text("not a video", encoding="utf-8")
    return tmp_path / "text.mp4"


def text_as_picture(tmp_path):
    (tmp_path / "text.jpg").write_text("not a picture", encoding="utf-8")
    return tmp_path / "text.jpg"


def damaged_model(damage):
    """A copy of the shipped student after `damage` changed its bytes."""

    def make(tmp_path):
        for ending in (".tflite", ".json"):
            (tmp_path / f"bad{ending}").write_bytes(asset_path("models", f"student-68{ending}").read_bytes())
        content = bytearray((tmp_path / "bad.tflite").read_bytes())
        (tmp_path / "bad.tflite").write_bytes(damage(content))
        return tmp_path / "bad.tflite"

    return make


def flipped(content):
    content[len(content) // 2] ^= 4
    return content


def damaged_pack(**changes):
    """A pack of two pictures whose arrays `changes` replaces."""

    def make(tmp_path):
        folder = tmp_path / "bad pack"
        names = np.array(["0.png", "1.png"])
        for name in names:
            write_picture(folder / name, np.zeros((20, 20, 3), np.uint8))
        arrays = {"image": names, "landmarks": np.ones((2, 68, 2), np.float32), **changes}
        np.savez(folder / "annotations.npz", **arrays)
        return folder

    return make


MISTAKES = {
    "truncated model": ("run", "sample", "--headless", "--model", damaged_model(lambda content: content[:9999])),
    "bit-flipped model": ("run", "sample", "--headless", "--model", damaged_model(flipped)),
    "pack with a missing picture": ("evaluate", "--data", damaged_pack(image=np.array(["0.png", "none.png"]))),
    "pack with a wrong number of points": ("evaluate", "--data", damaged_pack(landmarks=np.ones((2, 51, 2)))),
    "pack with infinite coordinates": ("evaluate", "--data", damaged_pack(landmarks=np.full((2, 68, 2), np.inf))),
    "pack with a face without label": (
        "predict",
        damaged_pack(landmarks=np.full((2, 68, 2), np.nan)),
        "--out",
        "x.csv",
    ),
    "sample to a file": ("predict", "sample", "--out", "x.jsonl"),
    "unknown ending of a recording": ("run", "sample", "--headless", "--record", "x.gif"),
    "unknown ending of a picture": ("run", "sample", "--headless", "--picture", "x.gif"),
    "recording with a window": ("run", "sample", "--record", "x.mp4"),
    "report with a window": ("run", "sample", "--json", "-"),
    "frames with a window": ("run", "sample", "--frames", "5"),
    "picture with a window": ("run", "sample", "--picture", "x.png"),
    "screenshot without a window": ("run", "sample", "--headless", "--screenshot", "x.png"),
    "no such path": ("run", lambda tmp_path: tmp_path / "none.mp4", "--headless"),
    "folder without pictures": ("run", empty_folder, "--headless"),
    "text named as a video": ("run", text_as_video, "--headless"),
    "text named as a picture": ("predict", text_as_picture, "--out", "x.jsonl"),
    "no such camera": ("run", "99", "--headless"),
    "no such model": ("run", "sample", "--headless", "--model", "none"),
    "missing model file": ("run", "sample", "--headless", "--model", "none.tflite"),
    "unknown format": ("predict", text_as_picture, "--out", "x.xml"),
    "no pack": ("evaluate", "--data", empty_folder),
    "no such recipe": ("train", "none"),
    "no such field": ("train", "student-68", "--set", "nothing=1"),
    "no data": ("train", "student-68", "--data", empty_folder, "--out", lambda tmp_path: tmp_path / "run"),
    "no checkpoint": ("export", lambda tmp_path: tmp_path / "none.safetensors", "--out", "x"),
    "no threads": ("benchmark", "--threads", "two"),
    "unwritable report": ("models", "--json", lambda tmp_path: text_as_picture(tmp_path) / "report.json"),
}


@pytest.mark.parametrize("arguments", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_get_a_sentence_and_exit_code_1(capsys, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    given = [argument(tmp_path) if callable(argument) else argument for argument in arguments]
    code, _, err = run(capsys, *given)
    assert code == 1
    assert "Likely cause: " in err
    assert "What to do: " in err
    assert "Traceback" not in err


COMMANDS_ON_BROKEN_NUMBERS = {
    "run": ("run", "sample", "--headless", "--frames", "3"),
    "predict": ("predict", lambda folder: folder, "--out", "x.jsonl"),
    "evaluate": ("evaluate", "--data", lambda folder: folder),
}


@pytest.mark.parametrize("arguments", COMMANDS_ON_BROKEN_NUMBERS.values(), ids=COMMANDS_ON_BROKEN_NUMBERS.keys())
def test_fault_13_a_model_that_gives_no_numbers_is_named(capsys, pack, monkeypatch, tmp_path, arguments):
    from engine.inference.landmarker import Landmarker, Landmarks

    def predict(self, picture, crop):
        return Landmarks(np.full((68, 2), np.nan, np.float32), np.full(68, np.nan, np.float32), 0.0)

    monkeypatch.setattr(Landmarker, "predict", predict)
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *(argument(pack) if callable(argument) else argument for argument in arguments))
    assert code == 1
    name = "student-68-int8" if arguments[0] in ("run", "filter") else "student-68"
    assert f"The model {name} gave numbers that are not finite" in err
    assert not (tmp_path / "x.jsonl").exists()


def test_a_pack_whose_eye_corner_is_hidden_runs_and_reports_no_error(capsys, tmp_path, frames):
    image, truth = frames[0]
    points = truth.points.copy()
    points[45] = np.nan
    write_picture(tmp_path / "pack" / "0.png", image)
    np.savez(tmp_path / "pack" / "annotations.npz", image=np.array(["0.png"]), landmarks=points[None])
    code, out, _ = run(capsys, "run", tmp_path / "pack", "--headless", "--json", "-")
    assert code == 0
    assert json.loads(out)["nme"] is None


@pytest.mark.parametrize("arguments", [["run", "--frames", "0"], ["nothing"], ["evaluate"], []])
def test_arguments_that_make_no_sense_exit_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    capsys.readouterr()


def test_ctrl_c_exits_with_130(capsys, monkeypatch):
    from app.cli import models

    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "main", interrupted)
    assert run(capsys, "models")[0] == 130


def test_a_tilde_in_any_path_is_the_home_folder(capsys, folder, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(tmp_path)
    folder.rename(home / "pictures")
    assert run(capsys, "predict", "~/pictures", "--out=~/out.jsonl")[0] == 0
    assert len(lines_of(home / "out.jsonl")) > 1
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("verb", [(), ("run",), ("predict",), ("data", "import"), ("train",)])
def test_help_is_printed_in_a_terminal_of_few_letters(verb):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "0"}
    call = [sys.executable, "-m", "app", *verb, "--help"]
    done = subprocess.run(call, capture_output=True, env=environment, timeout=100)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"usage: ")
    done.stdout.decode("ascii")


def test_what_predict_writes_is_the_truth_of_its_clip_and_of_no_other(capsys, video, tmp_path):
    table = video.with_suffix(".csv")
    assert run(capsys, "predict", video, "--out", table)[0] == 0
    heading, *rows = table.read_text(encoding="utf-8").splitlines()
    assert len(set(heading.split(","))) == len(heading.split(","))
    code, output, errors = run(capsys, "run", video, "--headless", "--json", "-")
    assert (code, errors) == (0, "")
    assert json.loads(output)["nme"] < 2, "but for the smoothing it is the same"
    cells = [row.split(",") for row in rows]
    shifted = [[name, str(int(number) + 5), *others] for name, number, *others in cells]
    for said, changed in (
        ("reaches to frame 16, but this clip has 12 frames", shifted),
        ("says that frame 5 is at 0.000 s, but in this clip it is at 0.167 s", shifted[:5]),
    ):
        table.write_text("\n".join([heading, *(",".join(row) for row in changed)]), encoding="utf-8")
        code, output, errors = run(capsys, "run", video, "--headless", "--json", "-")
        assert (code, json.loads(output)["nme"]) == (1, None)
        assert said in errors
