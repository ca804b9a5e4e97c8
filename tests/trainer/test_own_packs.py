"""Trainings that make their pack by themselves: of the sample, and of pictures that a teacher labels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.errors import UsageError
from engine.core.paths import asset_path
from engine.formats.images import write_picture
from engine.formats.packs import is_pack, read_arrays
from engine.inference.card import read_card
from engine.sources.sample import SampleClip
from trainer import own_packs
from trainer.checkpoint import LAST, read_checkpoint
from trainer.data.crop_cache import cache_path
from trainer.data.picture_labels import PictureLabelling
from trainer.devices import launch
from trainer.init.initialise import load_network
from trainer.own_packs import make_packs
from trainer.recipes import RECIPES
from trainer.recipes.names import GROUPS, MADE_OF, group_of
from trainer.recipes.overrides import trainings_by_name
from trainer.recipes.packs import OWN, SAMPLE
from trainer.run import Place
from trainer.run_lock import only_training
from trainer.stages import train_stages
from trainer.tflite.export import card_of

SHORT = ("steps=2", "batch=4")


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "data", launch("cpu", None, "auto"), "auto", tmp_path / "runs")


@pytest.fixture
def pictures(tmp_path):
    clip = SampleClip()
    for number in range(0, 600, 60):
        write_picture(tmp_path / "pictures" / f"{number}.png", clip.frame(number)[0])
    return tmp_path / "pictures"


def card_of_run(checkpoint):
    """Return the card that a run's model would have; the model itself is left out, as its conversion takes long."""
    content = asset_path("models", "student-68-lite.tflite").read_bytes()
    return card_of(checkpoint, load_network(checkpoint), content, "own", "student")


@pytest.mark.timeout(600)
def test_the_toy_needs_nothing_and_its_card_says_that_it_knows_one_face(place, tmp_path):
    trainings = trainings_by_name("toy-68", SHORT)
    make_packs(trainings, tmp_path / "runs" / "toy-68", place)
    last = train_stages(trainings, tmp_path / "runs" / "toy-68", place)
    checkpoint = read_checkpoint(last)
    assert checkpoint.notes["faces"] == 300, "no frame of the test"
    assert checkpoint.notes["lineage"] == ["random weights"]
    card = card_of_run(last)
    assert "the model knows no other" in card.data
    assert "public domain" in card.licence
    assert card.training.lineage == ("random weights",)


@pytest.mark.timeout(600)
def test_ones_own_pictures_are_labelled_and_learned_from_and_the_card_says_by_whom(place, pictures, tmp_path, capsys):
    trainings = trainings_by_name("own-68", SHORT)
    folder = tmp_path / "runs" / "own-68"
    make_packs(trainings, folder, place, pictures)
    said = capsys.readouterr().err
    assert "labelled 10 of 10 pictures" in said
    assert len(read_arrays(next((place.data / OWN.name).glob("part-*")))["image"]) == 10
    last = train_stages(trainings, folder, place)
    assert read_checkpoint(last).notes["lineage"][-1].startswith("student-68-lite")
    card = card_of_run(last)
    assert "labelled by teacher-68" in card.data
    assert "research" in card.licence.lower(), "it began with weights that are for research"
    # Pictures that come later wait for another run, for which they are labelled on top.
    write_picture(pictures / "later.png", SampleClip().frame(45)[0])
    make_packs(trainings, folder, place, pictures)
    said = capsys.readouterr().err
    assert "labelled" not in said.replace("not labelled", "")
    assert f"Pictures that are not labelled and stay so: 1. The run in {folder} is finished" in said
    make_packs(trainings, tmp_path / "runs" / "another", place, pictures)
    assert "labelled 11 of 11 pictures" in capsys.readouterr().err


def test_labels_of_a_former_teacher_are_set_aside_and_all_pictures_are_labelled_again(
    place, pictures, tmp_path, capsys, monkeypatch
):
    own, asked = trainings_by_name("own-68", SHORT), []

    def label(source, model, out, *_):
        asked.append((model.stem, out.exists()))
        return PictureLabelling(out, model.stem, 10, 10, 10, 0, 0, 0, 1, 1, 1.0)

    monkeypatch.setattr(own_packs, "label_pictures", label)
    pack = place.data / OWN.name
    for expected in ("own68.teacher-tough-68", "own68.teacher-tough-68-2"):
        (pack / "part-1").mkdir(parents=True)
        (pack / "labelling.json").write_text('{"model": "teacher-tough-68", "sha256": "another"}')
        make_packs(own, tmp_path / "run", place, pictures)
        assert (pack.with_name(expected) / "part-1").is_dir()
        assert f"by teacher-tough-68 and is {expected} now; teacher-68 labels all" in capsys.readouterr().err
    digest = read_card(asset_path("models", "teacher-68.json")).sha256
    (pack / "part-1").mkdir(parents=True)
    (pack / "labelling.json").write_text(f'{{"model": "teacher-68", "sha256": "{digest}"}}')
    make_packs(own, tmp_path / "run", place, pictures)
    assert asked == [("teacher-68", False), ("teacher-68", False), ("teacher-68", True)]


def test_without_pictures_or_with_them_where_they_mean_nothing_a_sentence_says_so(place, pictures, tmp_path):
    own, toy = (trainings_by_name(name, SHORT) for name in ("own-68", "toy-68"))
    with pytest.raises(UsageError, match="The pack own68 is not in") as caught:
        make_packs(own, tmp_path / "run", place)
    assert "--pictures" in caught.value.fix
    with pytest.raises(UsageError, match="--pictures does not apply here"):
        make_packs(toy, tmp_path / "run", place, pictures)
    assert not place.data.exists()


def test_while_a_run_goes_on_or_is_trained_the_pack_that_it_began_with_stays(place, pictures, tmp_path, capsys):
    own, folder, part = trainings_by_name("own-68", SHORT), tmp_path / "run", place.data / OWN.name / "part-1"
    part.mkdir(parents=True)
    (part.parent / "parts.json").write_text('["part-1"]')
    (part / "pictures.json").write_text('{"pictures": ["images/0.png", "images/60.png"]}')
    before = sorted(place.data.rglob("*"))
    with only_training(folder), pytest.raises(UsageError, match="is being trained already"):
        make_packs(own, folder, place, pictures)
    folder.mkdir()
    (folder / LAST).touch()  # no whole checkpoint is one of a finished run
    make_packs(own, folder, place, pictures)
    said = capsys.readouterr().err
    assert "not labelled and stay so: 8. " in said
    assert "goes on with the faces that it began with; another one learns from them, once this one is finished" in said
    assert sorted(place.data.rglob("*")) == before


def test_pictures_are_not_labelled_beside_crops_that_would_be_learned_from_instead(place, pictures, tmp_path):
    place.data.mkdir()
    cache_path(place.data, OWN).touch()
    with pytest.raises(UsageError, match="has crops of own68, which a training takes instead of pictures"):
        make_packs(trainings_by_name("own-68", SHORT), tmp_path / "run", place, pictures)
    assert list(place.data.iterdir()) == [cache_path(place.data, OWN)]


def test_other_trainings_make_nothing(place, data, tmp_path):
    make_packs(trainings_by_name("student-68"), tmp_path / "run", replace(place, data=data))
    assert not is_pack(data / SAMPLE.name)


def test_what_recipes_are_made_of_is_what_their_packs_are():
    made = {OWN.name: "pictures", SAMPLE.name: "sample"}
    found = {
        name: made[pack.name]
        for name, recipe in RECIPES.items()
        for stage in recipe.stages
        for pack in stage.packs
        if pack.name in made
    }
    assert found == MADE_OF


def test_each_recipe_has_a_group():
    groups = {name: group_of(name) for name in RECIPES}
    assert set(groups.values()) == set(GROUPS)
    assert groups["student-68"] == groups["student-kd-68"] == "students"
    assert groups["teacher-tough-68"] == "teachers"
    assert groups["hong-lin/ours/student"] == groups["reference-mvit2-68"] == "papers"
    assert [name for name, group in groups.items() if group == "start"] == ["own-68", "toy-68"]
