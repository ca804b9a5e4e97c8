"""The three files of a report: whole, consistent with one another, and safe whatever the names in them are."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from engine.core.errors import RecordingError
from engine.evaluation.session_report.files import FILES, ensure_writable, write_report
from engine.evaluation.session_report.page import as_html
from engine.evaluation.session_report.report import LaneModel, Setting, make_report
from engine.evaluation.session_report.style import FIRST_PAIR
from engine.render.palette import LANES, LANES_ON_LIGHT, code_of
from tests.fakes.sessions import measured, random_session, without_faces

SETTING = Setting("clip.mp4", "video", datetime(2026, 1, 2, 3, 4), "blazeface", 0.5, False)
MODELS = [LaneModel(f"model-{index}", f"{index}" * 64, 1_980_000, "float16", 68, "research only") for index in range(3)]


@pytest.fixture
def report():
    session = random_session()
    frame, results = session[7]
    session[7] = frame, [results[0], without_faces(results[1]), results[2]]
    return make_report(measured(session), MODELS, SETTING)


class Reader(HTMLParser):
    """Notes tags, attributes and texts, and whether every tag is closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "path", "line", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


def test_csv_json_and_page_say_the_same(report, tmp_path):
    write_report(report, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "frames.csv").read_text(encoding="utf-8"))))
    document = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (document["kind"], document["source_kind"]) == ("understudy session report", "video")
    texts = Reader((tmp_path / "report.html").read_text(encoding="utf-8")).texts
    assert len(rows) == 40 * 3
    for index, lane in enumerate(document["lanes"]):
        own = [row for row in rows if row["lane"] == lane["name"]]
        nme, jitter, latency = (
            np.mean([float(row[name]) for row in own if row[name]]) for name in ("nme", "jitter", "latency_ms")
        )
        assert lane["accuracy"]["nme"] == pytest.approx(nme, abs=1e-4)
        assert lane["jitter"] == pytest.approx(jitter, abs=1e-4)
        assert lane["frames_per_second"] == pytest.approx(1e3 / latency, rel=1e-3)
        assert {f"{nme:.2f}", f"{jitter:.3f}", f"{lane['frames_per_second']:.1f}"} <= set(texts)
        other = (index + 1) % 3
        apart = np.mean([float(row[cell]) for row in own if row[cell := f"distance from model-{other}"]])
        assert document["distances"][index][other]["mean"] == pytest.approx(apart, abs=1e-4)
        assert f"{apart:.2f} %" in texts
    assert document["lanes"][1]["accuracy"]["fr10"] == 2.5
    missed = [row for row in rows if row["frame"] == "7" and row["lane"] == "model-1"]
    assert (missed[0]["faces"], missed[0]["nme"], missed[0]["lost"]) == ("0", "", "1")


def test_the_page_stands_alone(report):
    page = Reader(as_html(report))
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    addresses = [value for name, value in page.attributes if name in ("src", "href", "srcset", "data")]
    assert addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)
    assert not re.search(r"url\(|@import|https?:", as_html(report))
    assert "prefers-color-scheme: dark" in as_html(report)


def test_names_are_text_and_no_markup(report):
    name = '<script>alert("x")</script>'
    odd = replace(
        report,
        setting=replace(report.setting, source=name, remark="<b>cut off</b>"),
        models=tuple(replace(model, name=f"{name} & {index}") for index, model in enumerate(report.models)),
    )
    page = Reader(as_html(odd))
    assert not {"script", "b"} & set(page.tags)
    assert name in page.texts
    assert "<b>cut off</b>" in page.texts


def test_a_lane_that_failed_says_so(report):
    models = (MODELS[0], replace(MODELS[1], failure="The model broke. Its file is damaged."), MODELS[2])
    assert "The model broke. Its file is damaged." in Reader(as_html(replace(report, models=models))).texts


def test_a_frame_that_a_lane_left_out_is_no_failure():
    session = [(frame, [*results[:2], None if frame.number else results[2]]) for frame, results in random_session()]
    report = make_report(measured(session), MODELS, SETTING)
    said = as_html(report)
    assert "left this frame out" in said
    assert "had failed" not in said
    broken = (*MODELS[:2], replace(MODELS[2], failure="The model broke."))
    said = as_html(replace(report, models=broken))
    assert "had failed" in said
    assert "left this frame out" not in said


def test_a_lane_without_any_result_is_in_none_of_the_files(tmp_path):
    session = [(frame, [results[0], None, results[2]]) for frame, results in random_session()]
    models = (MODELS[0], replace(MODELS[1], failure="The model broke."), MODELS[2])
    report = make_report(measured(session), models, SETTING)
    write_report(report, tmp_path)
    values = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [lane["name"] for lane in values["lanes"]] == ["model-0", "model-2"]
    assert values["left_out"] == [{"name": "model-1", "why": "The model broke."}]
    assert [len(row) for row in values["distances"]] == [2, 2]
    assert values["distances"][0][1]["frames"] == 40
    assert all(len(worst["lanes"]) == 2 for worst in values["furthest_apart"] + values["most_wrong"])
    page = Reader(as_html(report))
    assert "The model broke." in page.texts
    assert "model-1" not in page.texts
    assert "model-1" not in (tmp_path / "frames.csv").read_text(encoding="utf-8")


def test_lanes_keep_the_colours_that_they_had_on_screen_when_others_are_left_out():
    session = [(frame, [None, results[1], None, results[3]]) for frame, results in random_session(lanes=4)]
    models = [*MODELS, replace(MODELS[0], name="model-3")]
    page = as_html(make_report(measured(session), models, SETTING))
    assert set(re.findall(r'class="mark (mark\d+)"></span>([\w-]+)', page)) == {
        ("mark1", "model-1"),
        ("mark3", "model-3"),
    }
    lines = set(re.findall(r'class="line (line\d+)" d="M0 4H28"/></svg>([\w -]+)', page))
    assert lines == {("line1", "model-1"), ("line3", "model-3"), (f"line{FIRST_PAIR}", "model-1 and model-3")}
    for colours in (LANES, LANES_ON_LIGHT):
        assert "".join(f"--lane{lane}:{code_of(colour)};" for lane, colour in enumerate(colours)) in page


def test_where_no_lane_gave_a_result_all_are_listed():
    session = [(frame, [None] * 3) for frame, _ in random_session(frames=1)]
    models = [replace(model, failure="It broke.") for model in MODELS]
    report = make_report(measured(session), models, SETTING)
    assert (len(report.models), report.left_out) == (3, ())
    assert Reader(as_html(report)).texts.count("It broke.") == 3


def test_four_lanes_have_as_many_styles_as_lines():
    models = [*MODELS, replace(MODELS[0], name="model-3")]
    page = as_html(make_report(measured(random_session(lanes=4)), models, SETTING))
    used = set(re.findall(r'class="line (line\d+)"', page))
    assert used == {f"line{number}" for number in range(10)}, "four lanes and six pairs"
    assert all(f".{style}{{" in page for style in used)


def test_pictures_are_called_pictures():
    report = make_report(measured(random_session(), continuous=False), MODELS, replace(SETTING, kind="pictures"))
    texts = Reader(as_html(report)).texts
    assert "40 pictures · 3 models, each on every picture · with ground truth · 2026-01-02 03:04" in texts
    assert not [text for text in texts if "Jitter" in text or "frames" in text]


def test_a_folder_that_cannot_be_written_is_refused_before_the_session(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be written"):
        ensure_writable(tmp_path / "file")
    ensure_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
