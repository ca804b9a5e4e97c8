"""Both papers end to end, a few steps of small networks, on small sets in the official layouts."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.cli.main import main
from engine.formats.images import write_picture
from engine.formats.landmark_writers import pts_text
from engine.sources.sample import SampleClip
from tests.conftest import ROOT
from tests.fakes.official_sets import FOLDERS_300W, LIST_WFLW, line_wflw, write_cofw_mat
from tests.fakes.packs import make_pack
from trainer.checkpoint import LAST, read_header
from trainer.recipes import RECIPES
from trainer.reproduce import chain, plan
from trainer.reproduce.differences import DIFFERENCES, differences_markdown
from trainer.reproduce.official_sets import OfficialSet
from trainer.reproduce.published import PUBLISHED
from trainer.reproduce.report import report

OF_29 = (
    17,
    26,
    21,
    22,
    19,
    18,
    24,
    25,
    36,
    45,
    39,
    42,
    37,
    41,
    43,
    47,
    38,
    44,
    31,
    35,
    30,
    33,
    48,
    54,
    51,
    62,
    66,
    57,
    8,
)


def faces(count, seed=0):
    """Frames of the sample with 68 points, the next ones for each seed."""
    clip = SampleClip()
    for index in range(count):
        image, truth = clip.frame((seed + index) * 31)
        step = 3  # a third of the size is enough
        yield np.ascontiguousarray(image[::step, ::step]), (truth.points / step).astype(np.float64)


def as_98(points):
    """98 points of a face of 68: those that both markups share, and between them their neighbours' places."""
    from engine.core.schemes import WFLW_98

    made = np.full((98, 2), np.nan)
    made[list(WFLW_98.as_68)] = points
    for index in np.flatnonzero(np.isnan(made[:, 0])):
        made[index] = made[index - 1] + (0.5, 0.25)
    return made


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """300-W, WFLW and COFW with few faces, each in a folder of its own."""
    root = tmp_path_factory.mktemp("official")
    for number, (folder, suffix) in enumerate(FOLDERS_300W.items()):
        for index, (image, points) in enumerate(faces(2, 2 * number)):
            name = root / "300W" / folder / f"image_{index}{suffix}"
            write_picture(name, image)
            name.with_suffix(".pts").write_text(pts_text(points), encoding="utf-8")
    for number, split in enumerate(("train", "test")):
        lines = []
        for index, (image, points) in enumerate(faces(4, 20 + 4 * number)):
            write_picture(root / "sets" / "WFLW" / "WFLW_images" / f"{split}{index}.png", image)
            lines.append(line_wflw(as_98(points), [index % 2, 0, 0, 0, 0, 0], f"{split}{index}.png"))
        file = root / "sets" / "WFLW" / LIST_WFLW.format(split)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for number, (half, name) in enumerate((("Tr", "COFW_train.mat"), ("T", "COFW_test.mat"))):
        shown = list(faces(4, 40 + 4 * number))
        labels = [np.concatenate([*(points[list(OF_29)] + 1).T, np.zeros(29)]) for _, points in shown]
        write_cofw_mat(root / "COFW" / name, half, [image for image, _ in shown], labels, np.ones((4, 4)))
    return root


def command(paper, official, out, *more):
    return ["reproduce", paper, "--data", str(official), "--out", str(out), "--short", "--device", "cpu", *more]


def rows(text, heading):
    """The cells of the table that begins with a heading."""
    lines = text[text.index(f"| {heading}") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_two_teachers_and_their_students_end_in_tables_beside_the_published_figures(
    official, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "out"
    assert main(command("fard-mahoor", official, out, "--json", str(tmp_path / "report.json"))) == 0
    text = (out / "report.md").read_text(encoding="utf-8")
    assert text in capsys.readouterr().out
    assert json.loads((tmp_path / "report.json").read_text())["report"] == str(out / "report.md")
    assert "**A short run**" in text
    assert {row[7] for row in rows(text, "set ")} == {"-"}, "figures of two steps are not beside those of a paper"
    order = chain.Order("fard-mahoor", official, out, ("batch=2",), short=True)
    runs, missing = chain.planned(order)
    folders = {run: out / "evaluations" / run.folder for run in runs}
    text = report("fard-mahoor", runs, folders, missing, order.changes)
    assert "WFLW has 4 train, 4 test here, the official set has 7500 train, 2500 test, so no published figure" in text
    assert {row[7] for row in rows(text, "set ")} == {"-"}
    assert "## What differs\n\n- Changed by `--set batch=2`.\n- " in text
    monkeypatch.setattr(OfficialSet, "why_not_comparable", lambda _: "")
    text = report("fard-mahoor", runs, folders, missing)
    table = {(row[0], row[1], row[2]): row for row in rows(text, "set ")}
    assert len([key for key in table if key[0] == "300-W"]) == 4 * 3  # networks, and full, common, challenging
    assert len([key for key in table if key[0] == "COFW"]) == 4
    assert table["300-W", "student-kd", "challenging"][7] == "6.13"
    assert table["WFLW", "student-kd", "pose"][3:5] == ["1", "2"]
    assert table["COFW", "tough", "full"][7] == "3.81"
    low, _, high = table["300-W", "student", "full"][6].split()
    assert float(low) <= float(table["300-W", "student", "full"][5]) <= float(high)
    gains = rows(text[text.index("with against without") - 30 :], "set ")
    assert [row[:2] for row in gains] == [[kind, "student-kd against student"] for kind in ("300-W", "WFLW", "COFW")]
    assert gains[0][6] == "-0.64"
    assert text.endswith(f"## What differs\n\n{differences_markdown('fard-mahoor')}\n")
    student = read_header(out / "runs" / "fard-mahoor" / "student-kd-29" / LAST)
    assert student.recipe["teachers"] == ["fard-mahoor/tough-29", "fard-mahoor/tolerant-29"]
    assert (out / "runs" / "fard-mahoor" / "tolerant-98" / "shape_model.npz").is_file()


def test_heatmaps_with_seeds_and_our_forms_go_on_where_they_were_killed(official, tmp_path, monkeypatch, capsys):
    out, done = tmp_path / "out", []
    small = tmp_path / "data"
    small.mkdir()
    (small / "300-W").symlink_to(official / "300W")
    measure = chain.measure

    def killed(checkpoint, dataset, name, *arguments):
        if name == "hong-lin/student-kd":
            raise KeyboardInterrupt
        done.append(name)
        measure(checkpoint, dataset, name, *arguments)

    order = command("hong-lin", small, out, "--seeds", "2", "--ours", "--set", "student.steps=1")
    with monkeypatch.context() as patch:
        patch.setattr(chain, "measure", killed)
        assert main(order) == 130
    assert done == ["hong-lin/teacher", "hong-lin/student", "hong-lin/student-seed1"]
    assert read_header(out / "runs" / "hong-lin" / "student-seed1" / LAST).recipe["seed"] == 1
    written = {name: (out / "runs" / name / LAST).stat().st_mtime_ns for name in (*done, "hong-lin/student-kd")}
    again = []
    monkeypatch.setattr(chain, "measure", lambda *arguments: (again.append(arguments[2]), measure(*arguments)))
    assert main(order) == 0
    assert not set(again) & set(done)
    assert all((out / "runs" / name / LAST).stat().st_mtime_ns == time for name, time in written.items())
    text = (out / "report.md").read_text(encoding="utf-8")
    assert "WFLW was not there; its rows are left out." in text
    assert "The paper gives no NME on these sets." in text
    ours = text[text.index("## Our improved forms") :]
    assert {row[1] for row in rows(ours, "set ")} == {"student", "student-kd"}
    assert {row[3] for row in rows(text, "set ") if row[1] != "teacher"} == {"2"}
    capsys.readouterr()
    assert main([*order, "--set", "batch=3"]) == 1
    refusal = capsys.readouterr().err
    assert "made with another recipe" in refusal
    assert "--resume" not in refusal, "this command has no such option"


def test_a_rate_without_a_dry_run_is_refused(official, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["reproduce", "fard-mahoor", "--data", str(official), "--out", str(out), "--rate", "20"]) == 1
    assert "--rate is for --dry-run alone" in capsys.readouterr().err
    assert not out.exists()


def test_a_dry_run_prints_steps_and_hours_and_writes_nothing(official, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["reproduce", "fard-mahoor", "--data", str(official / "COFW"), "--out", str(out), "--dry-run"]
    assert main([*words, "--rate", "100", "--seeds", "2", "--json", str(tmp_path / "plan.json")]) == 0
    printed = capsys.readouterr().out
    values = json.loads((tmp_path / "plan.json").read_text())
    assert [entry["training"] for entry in values["trainings"]] == [
        f"fard-mahoor/{name}"
        for name in (
            "tough-29",
            "tolerant-29",
            "student-29",
            "student-29-seed1",
            "student-kd-29",
            "student-kd-29-seed1",
        )
    ]
    entry = values["trainings"][0]
    assert (entry["faces"], entry["steps"]) == (4, 95)  # 1,650 epochs of 4 faces in batches of 70
    assert entry["hours"] == pytest.approx(95 * 70 / 100 / 3600)
    assert values["missing"] == ["300w", "wflw"]
    assert "300-W is not below" in printed
    assert not out.exists()


@pytest.mark.parametrize(("paper", "data"), [("fard-mahoor", "COFW"), ("hong-lin", "300W")])
def test_a_rate_is_measured_in_a_few_steps(official, tmp_path, paper, data):
    order = chain.Order(paper, official / data, tmp_path, ("teacher.network.input_size=96",), short=True)
    if paper == "fard-mahoor":
        order = replace(order, changes=())
    runs, _ = chain.planned(order)
    rate = plan.images_a_second(runs[-1], runs, torch.device("cpu"))
    assert rate > 0
    assert plan.hours(runs[-1], rate) == pytest.approx(runs[-1].steps * 2 / rate / 3600)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (["--data", "{empty}"], "None of the sets of the paper lies below"),
        (["--data", "{empty}/nowhere"], "There is no folder"),
        (["--set", "seed=3"], "cannot be set here"),
        (["--set", "tuogh.steps=3"], "in front of one can stand, with a dot: tough, tolerant, student, student-kd."),
        (["--set", "steps=many"], "wrong type"),
        (["--set", "student.init=nowhere.safetensors"], "weights nowhere.safetensors are not there"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(official, tmp_path, capsys, more, match):
    (tmp_path / "empty").mkdir()
    words = [word.replace("{empty}", str(tmp_path / "empty")) for word in more]
    assert main([*command("fard-mahoor", official, tmp_path / "out"), *words]) == 1
    assert match in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_published_figures_are_of_networks_that_are_trained():
    for paper, figures in PUBLISHED.items():
        for kind, network, _ in figures:
            assert kind in plan.KINDS[paper]
            assert network in plan.NETWORKS[paper]
        for network in (*plan.NETWORKS[paper], *plan.OURS[paper]):
            assert f"{paper}/{network}" in RECIPES


@pytest.mark.parametrize("paper", DIFFERENCES)
def test_the_document_holds_the_list_of_what_differs(paper):
    document = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    unwrapped = " ".join(document.split())
    for entry in DIFFERENCES[paper]:
        assert " ".join(f"- {entry}".split()) in unwrapped, "see `python -m trainer.reproduce.differences`"


def test_faces_that_changed_since_the_first_training_are_not_measured_on(official, tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "out"
    assert main(["data", "import", "wflw", str(official / "sets" / "WFLW"), "--out", str(data / "wflw")]) == 0
    order = command("hong-lin", data, out)
    assert main(order) == 0
    file = data / "wflw" / "annotations.npz"
    with np.load(file) as arrays:
        values = dict(arrays)
    values["split"][:1] = "test"
    np.savez(file, **values)
    before = (out / "report.md").read_bytes()
    capsys.readouterr()
    assert main(order) == 1
    assert "faces or labels have changed: WFLW" in capsys.readouterr().err
    assert (out / "report.md").read_bytes() == before


def test_a_pack_without_test_faces_is_refused_before_the_first_training(official, tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "out"
    make_pack(data / "wflw", 6, 98)
    assert main(command("fard-mahoor", data, out, "--dry-run")) == 1
    assert main(command("fard-mahoor", data, out)) == 1
    assert capsys.readouterr().err.count("has no split “test”") == 2
    assert not out.exists()


@pytest.mark.parametrize("split", ["train", "test"])
def test_missing_pictures_of_any_set_are_said_before_the_first_training(official, tmp_path, capsys, split):
    data, out = tmp_path / "data", tmp_path / "out"
    make_pack(data / "wflw", 6, 98, split=np.array(["train"] * 3 + ["test"] * 3))
    with np.load(data / "wflw" / "annotations.npz") as arrays:
        (data / "wflw" / arrays["image"][arrays["split"] == split][0]).unlink()
    (data / "COFW").symlink_to(official / "COFW")
    assert main(command("fard-mahoor", data, out)) == 1
    assert "1 picture(s) of the pack" in capsys.readouterr().err
    assert not out.exists()


def test_what_a_late_training_would_fail_of_is_said_before_the_first_one(official, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(command("fard-mahoor", official / "COFW", out, "--set", "student-kd.loss.points=star")) == 1
    said = capsys.readouterr().err
    assert "Nothing would be learned from fard-mahoor/tough-29" in said
    assert f"300-W is not below {official / 'COFW'}: its rows are left out." in said
    assert not (out / "runs").exists()
    assert main(command("fard-mahoor", official / "COFW", out, "--set", "student-kd.batch=3")) == 0
    assert main(command("fard-mahoor", official / "COFW", out, "--seeds", "2")) == 1
    assert "made with another recipe" in capsys.readouterr().err
    assert not (out / "runs" / "fard-mahoor" / "student-29-seed1").exists(), "that of student-kd is known at once"
