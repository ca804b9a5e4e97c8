"""The library of models: what is wrong with one never takes the others away, and never a traceback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import numpy as np
import pytest

from engine.core.errors import ModelError
from engine.core.paths import asset_path
from engine.inference import library, runtime
from engine.inference.card import Card, read_card
from engine.inference.library import DEFAULT_MODEL, ModelLibrary, default_teacher
from tests.fakes.foreign_models import constant_network, foreign_card

SHIPPED = asset_path("models", f"{DEFAULT_MODEL}.json")
TEXT = SHIPPED.read_text(encoding="utf-8")


def changed(**changes) -> bytes:
    return json.dumps({**json.loads(TEXT), **changes}).encode()


def test_a_card_of_any_editor_is_read(tmp_path):
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "a.json").write_text(TEXT, encoding=encoding)
        assert read_card(tmp_path / "a.json") == read_card(SHIPPED)


def test_a_file_of_the_user_s_own_without_a_card_is_listed_with_what_to_do(tmp_path):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    for folder in (shipped, own):
        folder.mkdir()
        (folder / "found.tflite").write_bytes(b"model")
    (own / "._found.tflite").write_bytes(b"what a Mac leaves")
    library = ModelLibrary((shipped, own))
    (entry,) = library.entries()
    assert (entry.name, entry.path, entry.card) == ("found", own / "found.tflite", None)
    assert "has no card" in str(entry.error)
    with pytest.raises(ModelError, match="add it from there"):
        library.find("found")
    assert ModelLibrary((shipped,)).entries() == [], "the face detector needs none"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"name": ' * 60 + b"1" + b"}" * 60, "it is nested too deeply"),
        (TEXT.replace('"params": ', '"params": ' + "9" * 5000).encode(), "thousands of digits"),
        (changed(params=10**400), "“params” is 1"),
        (changed(params=-1), "“params” is -1"),
        (changed(input_size=10**9), "“input_size” is 1000000000"),
        (changed(name="a\0b"), "“name” is"),
        (changed(name="\ud800"), "“name” is"),
        (changed(crop={"scale": 10**400, "dy": 0}), "“scale” is 1"),
        (changed(metrics=[{"nme": "good"}]), "“metrics” is"),
        (changed(metrics=[{"nme": [1]}]), "“metrics” is"),
        (changed(metrics=[{"n": float("nan")}]), "“metrics” is nan: a finite number was expected"),
        (changed(metrics=[{"nme": 10**400}]), "“metrics” is"),
        (changed(metrics=3), "a list of results was expected"),
        (changed(eyes={"closed": 0.3, "open": 0.2, "cut": 0.25}), "are not in order: closed, cut, open"),
        (changed(label_shift=3), "“label_shift” is 3"),
        (changed(metrics=["good"]), "a list of results was expected"),
        (b"\xff\xfe\x00", "it is not written in UTF-8"),
        (TEXT.replace("student", "stud\xe9nt").encode("latin-1"), "it is not written in UTF-8"),
        (TEXT.encode() + b" " * 1_000_000, "it is larger than 1 MB"),
        (b"3", "it is not a JSON object"),
    ],
)
def test_no_card_is_more_than_a_sentence_and_the_good_models_stay(tmp_path, content, said):
    shutil.copy(SHIPPED, tmp_path / "good.json")
    shutil.copy(SHIPPED.with_suffix(".tflite"), tmp_path / "good.tflite")
    (tmp_path / "bad.json").write_bytes(content)
    bad, good = ModelLibrary((tmp_path,)).entries()
    assert good.error is None
    assert said in str(bad.error)
    assert len(str(bad.error)) < 1000
    assert default_teacher([bad, good], "bad") == "good"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="such files are Unix's")
@pytest.mark.parametrize("ending", [".json", ".tflite"])
def test_pipes_and_devices_in_place_of_a_model_are_refused_at_once(tmp_path, ending):
    for name, make in (("pipe", os.mkfifo), ("zero", lambda path: path.symlink_to("/dev/zero"))):
        shutil.copy(SHIPPED, tmp_path / f"{name}.json")
        (tmp_path / f"{name}{ending}").unlink(missing_ok=True)
        make(tmp_path / f"{name}{ending}")
    for entry in ModelLibrary((tmp_path,)).entries():
        assert "a pipe, a device or a socket, not a file" in str(entry.error)


def test_an_unforeseen_failure_of_one_model_leaves_the_others(tmp_path, monkeypatch):
    for name in ("bad", "good"):
        shutil.copy(SHIPPED, tmp_path / f"{name}.json")

    def failing(path, _):
        if path.stem == "bad":
            raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(library, "read_model", failing)
    bad, good = ModelLibrary((tmp_path,)).entries()
    assert isinstance(bad.error, ModelError)
    assert "nobody thought of this" in str(bad.error)
    assert good.error is None


@pytest.fixture
def twins(tmp_path, monkeypatch):
    """A folder with a model, its twin and another model, in a runtime that is fast in int8."""
    for name in (DEFAULT_MODEL, f"{DEFAULT_MODEL}-int8", "other"):
        shutil.copy(SHIPPED.with_suffix(".tflite"), tmp_path / f"{name}.tflite")
        (tmp_path / f"{name}.json").write_bytes(changed(name=name))
    monkeypatch.setattr(runtime, "runtime_name", lambda: "ai_edge_litert")
    return ModelLibrary((tmp_path,))


def test_a_twin_in_int8_runs_live_and_is_not_listed_beside_its_model(twins):
    entries = twins.live_entries()
    assert [entry.name for entry in entries] == ["other", DEFAULT_MODEL]
    assert [entry.twin and entry.twin.name for entry in entries] == [None, f"{DEFAULT_MODEL}-int8"]
    assert twins.load_live(DEFAULT_MODEL).name == twins.load_live(f"{DEFAULT_MODEL}-int8").name == "student-68-int8"
    assert twins.load_live("other").name == "other"
    assert twins.load(DEFAULT_MODEL).name == DEFAULT_MODEL, "what is measured is what was named"
    assert twins.load_live(str(twins.find(DEFAULT_MODEL))).name == DEFAULT_MODEL, "a path names one file"
    assert len(twins.entries()) == 3


@pytest.mark.parametrize("named", ["tflite_runtime", None])
def test_runtimes_that_are_slow_in_int8_run_the_float_model(twins, monkeypatch, named):
    def runtime_name():
        if named is None:
            raise ModelError("none", "none", "none")
        return named

    monkeypatch.setattr(runtime, "runtime_name", runtime_name)
    assert [(entry.name, entry.twin) for entry in twins.live_entries()] == [("other", None), (DEFAULT_MODEL, None)]
    assert twins.load_live(DEFAULT_MODEL).name == DEFAULT_MODEL
    assert twins.load_live(f"{DEFAULT_MODEL}-int8").name == f"{DEFAULT_MODEL}-int8", "it was named"


def test_a_damaged_twin_leaves_its_model_at_work(twins):
    twins.find(f"{DEFAULT_MODEL}-int8").write_bytes(b"cut off")
    assert [(entry.name, entry.twin) for entry in twins.live_entries()] == [("other", None), (DEFAULT_MODEL, None)]
    assert twins.load_live(DEFAULT_MODEL).name == DEFAULT_MODEL


def test_a_model_in_another_folder_is_no_twin_whatever_its_name(twins, tmp_path):
    twin = twins.find(f"{DEFAULT_MODEL}-int8")
    (tmp_path / "own").mkdir()
    for file in (twin, twin.with_suffix(".json")):
        shutil.move(file, tmp_path / "own" / file.name)
    both = ModelLibrary((tmp_path, tmp_path / "own"))
    names = ["other", DEFAULT_MODEL, f"{DEFAULT_MODEL}-int8"]
    assert [(entry.name, entry.twin) for entry in both.live_entries()] == [(name, None) for name in names]
    assert [both.load_live(name).name for name in names] == names


def test_a_twin_may_be_of_another_format(twins):
    content = constant_network(np.full((68, 2), 0.5), 32)
    twins.add(content, foreign(content, "mine"), ".onnx")
    shutil.copy(SHIPPED.with_suffix(".tflite"), twins.folders[0] / "mine-int8.tflite")
    (twins.folders[0] / "mine-int8.json").write_bytes(changed(name="mine-int8"))
    assert next(entry.twin.name for entry in twins.live_entries() if entry.name == "mine") == "mine-int8"
    assert twins.load_live("mine").name == "mine-int8"


# Adding


@pytest.fixture
def own(tmp_path):
    """A library with a folder of the user's own, which is not there yet."""
    return ModelLibrary((SHIPPED.parent, tmp_path / "own"))


def foreign(content: bytes, name: str) -> Card:
    return foreign_card(name=name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), input_size=32)


def test_a_model_is_added_once_under_its_name(own):
    content = constant_network(np.full((68, 2), 0.5), 32)
    path = own.add(content, foreign(content, "mine"), ".onnx")
    assert own.find("mine") == path
    assert own.load("mine").card.name == "mine"
    with pytest.raises(ModelError, match="There is a model “mine” already. It was added before"):
        own.add(b"other", foreign(b"other", "mine"), ".onnx")
    assert path.read_bytes() == content
    assert own.free_name("mine") == "mine-2"
    assert own.free_name("another") == "another"


def test_two_files_of_one_name_never_share_a_card(own):
    content = constant_network(np.full((68, 2), 0.5), 32)
    path = own.add(content, foreign(content, "mine"), ".onnx")
    with pytest.raises(ModelError, match="the name “mine” already. A card describes one file only.*mine-tflite"):
        own.add(b"other", foreign(b"other", "mine"), ".tflite")
    other = path.with_suffix(".tflite")
    other.write_bytes(SHIPPED.read_bytes())  # by hand
    assert own.find("mine") == path, "the card describes this one"
    assert [(entry.path, entry.error) for entry in own.entries() if entry.name == "mine"] == [(path, None)]
    assert own.load("mine").card.name == own.load(str(path)).card.name == "mine"
    with pytest.raises(ModelError, match="mine.tflite has no card: mine.json describes mine.onnx"):
        own.load(str(other))
    path.write_bytes(b"changed")
    with pytest.raises(ModelError, match="has 7 bytes instead of"):
        own.load(str(path))


def test_a_file_without_a_card_has_its_name(own):
    own.folders[-1].mkdir()
    (own.folders[-1] / "mine.tflite").write_bytes(b"no card yet")
    assert own.free_name("mine") == "mine-2"
    with pytest.raises(ModelError, match="Give another name, such as mine-onnx"):
        own.place_for("mine", ".onnx")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (DEFAULT_MODEL, "part of the program"),
        ("", "is no name"),
        ("  ", "is no name"),
        ("a/b", "is no name"),
        ("..", "is no name"),
        ("mine.onnx", "is no name"),
        ("a\0b", "is no name"),
        ("n" * 300, "is no name"),
    ],
)
def test_a_name_that_no_model_can_have_is_refused(own, tmp_path, name, words):
    with pytest.raises(ModelError, match=words):
        own.add(b"model", foreign(b"model", name), ".onnx")
    assert not (tmp_path / "own").exists()


def test_a_model_that_cannot_be_saved_is_a_sentence(own, tmp_path):
    (tmp_path / "own").write_text("a file in place of the folder", encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot be saved as .*mine\.onnx"):
        own.add(b"model", foreign(b"model", "mine"), ".onnx")
