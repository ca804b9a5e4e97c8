"""Finding filters, making new ones, and those that are shipped."""

import os
import shutil

import numpy as np
import pytest

from engine.core.errors import FilterError, UsageError
from engine.filters import images, library
from engine.filters.library import SHIPPED, TEMPLATE, FilterLibrary, create_filter, load_filter
from engine.filters.points import NAMED_POINTS
from tests.fakes.filters import SQUARE, face_of, fixed_signals, grey, make_filter, portrait_points

LARGEST_SHIPPED = 400_000  # bytes of a folder


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's folder of filters."""
    monkeypatch.setattr(library, "user_data_path", lambda name, **_: tmp_path / name)
    return library.user_filters()


def test_shipped_and_own_filters_are_listed_by_name(own):
    make_filter(own / "hat")
    (make_filter(own / "broken") / "square.png").unlink()
    (own / "no filter").mkdir()
    entries = {entry.name: entry for entry in FilterLibrary().entries()}
    assert set(entries) == {"glasses", "moustache", "mask", "cartoon-eyes", "hat", "broken"}
    assert [name for name, entry in entries.items() if entry.own] == ["broken", "hat"]
    assert [name for name, entry in entries.items() if entry.error] == ["broken"]
    assert entries["mask"].title == "Tiger mask"


def test_own_filters_come_before_shipped_ones_of_the_same_name(own):
    make_filter(own / "glasses")
    assert FilterLibrary().find("glasses") == own / "glasses"


def test_a_filter_is_found_by_its_folder(own, tmp_path):
    folder = make_filter(tmp_path / "elsewhere" / "hat")
    assert FilterLibrary().find(str(folder)) == folder
    assert not library.is_own(folder)
    assert library.is_own(own / "hat")


def test_a_name_that_is_none(own):
    with pytest.raises(UsageError, match="Did you mean “glasses”") as caught:
        FilterLibrary().find("glases")
    assert "cartoon-eyes, glasses, mask, moustache" in caught.value.why
    with pytest.raises(UsageError):
        FilterLibrary().find("../filters/glasses")


@pytest.mark.parametrize("name", ["glasses", "moustache", "mask", "cartoon-eyes", "_template"])
def test_shipped_filters_say_who_drew_them_and_are_small(name):
    folder = SHIPPED / name
    loaded = load_filter(folder)
    assert loaded.spec.licence
    assert loaded.spec.author
    assert loaded.spec.hook == ""
    assert sum(file.stat().st_size for file in folder.iterdir()) < LARGEST_SHIPPED


@pytest.mark.parametrize(
    ("name", "near", "far"),
    [
        ("glasses", "eye_left", "mouth"),
        ("moustache", "lip_upper", "eye_left"),
        ("mask", "nose_tip", "crown"),
        ("cartoon-eyes", "eye_right", "mouth"),
        ("_template", "crown", "mouth"),
    ],
)
def test_shipped_filters_cover_what_they_should(name, near, far):
    picture = grey()
    load_filter(SHIPPED / name).paint(picture, [face_of(portrait_points())])
    for place, covered in ((near, True), (far, False)):
        x, y = np.rint(NAMED_POINTS[place] @ portrait_points()).astype(int)
        assert (picture[y, x, :3] != 100).any() == covered


@pytest.mark.parametrize("name", ["glasses", "moustache", "mask", "cartoon-eyes", "_template"])
def test_shipped_filters_are_hidden_when_the_head_turns_away(name):
    picture = grey()
    load_filter(SHIPPED / name).paint(picture, [face_of(portrait_points())], [fixed_signals(yaw=-75)])
    assert np.array_equal(picture, grey())


def test_a_new_filter_works_at_once(tmp_path):
    folder = create_filter("Été 1", tmp_path / "not yet" / "there")
    loaded = load_filter(folder)
    assert loaded.spec.title == "Été 1"
    assert {file.name for file in folder.iterdir()} == {file.name for file in TEMPLATE.iterdir()}
    picture = grey()
    loaded.paint(picture, [face_of(portrait_points())])
    assert (picture != grey()).any()
    assert [path.name for path in folder.parent.iterdir()] == ["Été 1"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", ".hidden", "_x", "x.", 'say "x"', "a\nb", " "])
def test_names_that_no_folder_can_have(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be called"):
        create_filter(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_filter_never_writes_over_an_old_one(tmp_path):
    folder = make_filter(tmp_path / "hat")
    before = (folder / "filter.toml").read_text()
    with pytest.raises(UsageError, match="is there already"):
        create_filter("hat", tmp_path)
    assert (folder / "filter.toml").read_text() == before


DEEP = "a = " + "[" * 1000
POINTS = """[[layer]]
image = "square.png"
mesh = { landmarks = "square.pts" }
"""


def spoil_text(folder):
    (folder / "filter.toml").write_text(DEEP, encoding="utf-8")


def spoil_number(folder):
    (folder / "filter.toml").write_text(SQUARE + f"opacity = {'9' * 5000}", encoding="utf-8")


def spoil_points(folder):
    (folder / "filter.toml").write_text(POINTS, encoding="utf-8")
    (folder / "square.pts").write_bytes(b"9" * 2_000_000)


def spoil_image(folder):
    content = (folder / "square.png").read_bytes()
    (folder / "square.png").write_bytes(content[:60] + b"\xff" * 20 + content[80:])


def spoil_with_pipe(folder):
    (folder / "filter.toml").unlink()
    os.mkfifo(folder / "filter.toml")


def spoil_image_with_device(folder):
    (folder / "square.png").unlink()
    (folder / "square.png").symlink_to("/dev/zero")


def spoil_hook_with_pipe(folder):
    (folder / "filter.toml").write_text(f'hook = "hook.py"\n{SQUARE}', encoding="utf-8")
    os.mkfifo(folder / "hook.py")


def spoil_hook(folder):
    (folder / "filter.toml").write_text(f'hook = "hook.py"\n{SQUARE}', encoding="utf-8")
    (folder / "hook.py").write_text("a = " + "(" * 5000 + ")" * 5000, encoding="utf-8")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="such files are Unix's")
@pytest.mark.parametrize(
    "spoil",
    [
        spoil_text,
        spoil_number,
        spoil_points,
        spoil_image,
        spoil_with_pipe,
        spoil_image_with_device,
        spoil_hook_with_pipe,
        spoil_hook,
    ],
)
def test_a_broken_filter_is_a_sentence_and_its_neighbours_stay(own, spoil):
    make_filter(own / "good")
    spoil(make_filter(own / "bad"))
    entries = {entry.name: entry for entry in FilterLibrary().entries()}
    assert [name for name, entry in entries.items() if entry.error] == ["bad"]
    assert "good" in entries
    assert len(str(entries["bad"].error)) < 1000


def test_the_images_of_a_filter_are_limited_together(own, monkeypatch):
    layers = "".join(SQUARE.replace("square", name) for name in ("square", "other", "square"))
    folder = make_filter(own / "hat", layers)
    shutil.copy(folder / "square.png", folder / "other.png")
    monkeypatch.setattr(images, "MOST_PIXELS", 2 * 40 * 40)
    assert len(load_filter(folder).layers) == 3
    monkeypatch.setattr(images, "MOST_PIXELS", 2 * 40 * 40 - 1)
    with pytest.raises(FilterError, match=r"other.png: the images have more than 0 megapixels together"):
        load_filter(folder)
