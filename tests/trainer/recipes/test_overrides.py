"""`--set key=value`: typed, with a sentence for every mistake."""

from dataclasses import replace

import pytest

from engine.core.errors import UsageError
from trainer.recipes import RECIPES
from trainer.recipes.overrides import changed, stages_by_name, trainings_by_name
from trainer.recipes.packs import FACES5, HELEN_MORE, WFLW_FULL
from trainer.recipes.schema import PackChoice


def test_fields_and_parts_of_fields_change_and_keep_their_type():
    changes = ["steps=10", "learning_rate=1", "init=random", "loss.wing_width=0.1", "augmentation.scale=[0.9, 1.1]"]
    (recipe,) = trainings_by_name("student-68", changes, "last")
    assert recipe.steps == 10
    assert isinstance(recipe.learning_rate, float)
    assert recipe.init == "random"
    assert recipe.loss.wing_width == 0.1
    assert recipe.augmentation.scale == (0.9, 1.1)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("steps", "is no change"),
        ("stpes=3", "names no field"),
        ("loss.nothing=3", "names no field"),
        ("steps.foo=5", "names no field"),
        ("soft.aligned=true", "names no field"),
        ("name=other", "names no field"),
        ("network.kind=star", "names no field"),
        ("steps=many", "wrong type"),
        ("steps=1.5", "wrong type"),
        ("steps=true", "wrong type"),
        ("augmentation.scale=1", "wrong type"),
        ("augmentation.scale=[0.9]", "wrong type"),
        ("augmentation.scale=[0.9, true]", "wrong type"),
        ("steps=1e999", "wrong type"),
        ("teachers=[1]", "wrong type"),
        ("packs=lfpw68", "does not name packs"),
        ("packs=[1]", "does not name packs"),
        ("packs=[]", "does not name packs"),
        ("packs=[[]]", "does not name packs"),
        ('packs=[{"weight": 2}]', "does not describe a pack.*t lacks the name"),
        (
            'packs=[{"name": "mine", "shift": 2}]',
            "does not describe a pack.*here is no key “shift” in “packs”.*label_shift",
        ),
        ('packs=[{"name": "mine", "weight": "much"}]', "does not describe a pack.*“weight” is “much”"),
        ("packs=nowhere.json", "The list of packs nowhere.json cannot be read"),
        ("loss=3", "cannot be set as a whole"),
        ("soft=3", "cannot be set as a whole"),
        ("steps=0", "The field steps cannot be 0"),
        ("seed=20261130120000000000", "The field seed cannot be"),
        ("seed=20000000000000", "The field seed cannot be 20000000000000. It has to be a number from 0 to 1000000"),
        ("seed=-1", "The field seed cannot be -1"),
        ("crop_scale=0.001", "The field crop_scale cannot be 0.001"),
        ("crop_scale=1e9", "The field crop_scale cannot be"),
        ("network.input_size=120", "so their side has to be a multiple of 16. Choose network.input_size=128"),
        ("network.input_size=1000000", "No network here reads pictures of 1000000 pixels"),
        ('packs=[{"name": "mine", "weight": 0}]', "does not describe a pack.*“weight” is 0"),
        ('packs=[{"name": "mine", "label_shift": 1e9}]', "does not describe a pack.*“label_shift” is 1000000000"),
        ("augmentation.scale=[0, 0]", "Windows cannot have sizes from 0 to 0"),
        ("augmentation.scale=[2, 1]", "Windows cannot have sizes from 2 to 1"),
        ("augmentation.shift=1e30", "The field shift cannot be"),
        ("warmup=1", "The field warmup cannot be 1"),
        ("learning_rate=NaN", "wrong type"),
        ("learning_rate=Infinity", "The field learning_rate cannot be inf"),
        ("weight_decay=-1", "The field weight_decay cannot be -1"),
        ("ema=1", "The field ema cannot be 1"),
        ("loss.wing_epsilon=0", "The field wing_epsilon cannot be 0"),
        ("loss.heatmap_sigma=0", "The field heatmap_sigma cannot be 0"),
        ("loss.star.scale=0", "The field scale cannot be 0"),
        ("loss.attention.sigma=0", "The field sigma cannot be 0"),
        ("loss.kd.point_distillation_weight=-4", "The field point_distillation_weight cannot be -4"),
        ("loss.kd.tough.weight=-1", "The field weight cannot be -1"),
        ("network.points=-1", "The field points cannot be -1"),
        ("network.decoder_width=0", "The field decoder_width cannot be 0"),
        ("network.encoder_width=0", "cannot be 0.0 times as wide"),
        ("network.expansions=[1, 6, 6]", "fit no MobileNetV2"),
        ("network.expansions=[1, 6, 6, 6, 6, 0]", "fit no MobileNetV2"),
    ],
)
def test_mistakes_are_named(change, match):
    with pytest.raises(UsageError, match=match):
        trainings_by_name("student-68", [change], "last")


def test_the_stage_of_a_recipe_of_one_is_named_like_others():
    (recipe,) = trainings_by_name("own-68", ["own.steps=9", "own-68.batch=4"])
    assert (recipe.name, recipe.steps, recipe.batch) == ("own-68", 9, 4)
    (again,) = changed(stages_by_name([recipe]), ["own.batch=5"])
    assert (again.steps, again.batch) == (9, 5)


def test_what_can_stand_in_front_of_a_field_is_said():
    with pytest.raises(UsageError, match="“middle.steps=3” names no field.*can stand, with a dot: base, "):
        trainings_by_name("student-68", ["middle.steps=3"])


def test_a_share_of_the_variance_that_there_cannot_be_is_refused_before_any_pack_is_read():
    name = next(name for name, recipe in RECIPES.items() if any(stage.soft for stage in recipe.stages))
    with pytest.raises(UsageError, match="The field variance_share cannot be 5.*a number above 0 and up to 1"):
        trainings_by_name(name, ["soft.variance_share=5"])


def test_packs_are_named_and_those_of_the_recipe_stay_as_they_are_there():
    (recipe,) = trainings_by_name("student-68:base", ['packs=["helen68", "mine"]'])
    helen, mine = recipe.packs
    assert helen in RECIPES["student-68"].stages[0].packs
    assert mine == PackChoice("mine", validation=True)


def test_packs_are_records_too_also_out_of_a_file(tmp_path):
    text = """["helen68", {"name": "mine", "split": null, "label_shift": 0.7}, {"name": "afw68", "weight": 3}]"""
    (tmp_path / "packs.json").write_text(text, encoding="utf-8")
    known = {pack.name: pack for pack in RECIPES["student-68"].stages[0].packs}
    mine = PackChoice("mine", split=None, validation=True, label_shift=0.7)
    for value in (text, str(tmp_path / "packs.json")):
        (recipe,) = trainings_by_name("student-68:base", [f"packs={value}"])
        assert recipe.packs == (known["helen68"], mine, replace(known["afw68"], weight=3.0))


def test_validation_packs_are_named_like_those_for_training():
    (recipe,) = trainings_by_name("student-68:base", ['validation=["mine"]', "hold_out=0"])
    assert recipe.validation == (PackChoice("mine", validation=True),)
    assert recipe.hold_out == 0


def test_packs_of_other_recipes_are_taken_as_these_have_them():
    (recipe,) = trainings_by_name("student-68:last", ['packs=["helen68_more", "aflw2000_3d", "wflw98_full", "ytf68"]'])
    more, aflw2000, wflw, ytf = recipe.packs
    assert (more, wflw) == (replace(HELEN_MORE, weight=0.3), WFLW_FULL)
    assert not more.validation
    assert aflw2000.labels == "landmarks_2d"
    assert ytf == RECIPES["student-68"].stages[2].packs[-1], "the recipe's own choice comes first"
    (plain,) = trainings_by_name("student-kd-68-plain", ['packs=["faces5_tough68", "lfpw68"]'])
    assert plain.packs[0] == FACES5, "as it is where no teacher labels it again"


def test_a_mistake_is_named_also_where_stages_differ():
    with pytest.raises(UsageError, match="names no field"):
        trainings_by_name("student-68", ["name=other"])


def test_a_network_of_timm_is_one_whose_export_is_known():
    with pytest.raises(UsageError, match="There is no encoder “resnet18”"):
        trainings_by_name("a-tough", ["network.encoder=resnet18"])


def test_an_unknown_recipe_lists_those_there_are():
    with pytest.raises(UsageError, match="student-68-lite"):
        trainings_by_name("nothing")


def test_a_change_counts_for_every_stage_and_with_a_stage_before_it_for_that_one():
    base, nearer, last, *_ = trainings_by_name(
        "student-68", ["seed=3", "last.steps=7", "nearer.batch=5", "init=random"]
    )
    assert (base.seed, nearer.seed, last.seed) == (3, 3, 3)
    assert (base.steps, nearer.steps, last.steps) == (5000, 1800, 7)
    assert (base.batch, nearer.batch, last.batch) == (64, 5, 64)
    assert (base.init, nearer.init, last.init) == ("random", "student-68:base", "student-68:nearer")
    for training in trainings_by_name("student-68", ['packs=["lfpw68"]']):
        assert [pack.name for pack in training.packs] == ["lfpw68"]


@pytest.mark.parametrize("change", ["steps=100", "learning_rate=0.1", "augmentation.shift=0.1"])
def test_a_change_of_what_stages_differ_in_has_to_name_one(change):
    with pytest.raises(UsageError, match="could mean several stages.*--set retaught.") as refusal:
        trainings_by_name("student-68", [change])
    assert "base, nearer, last, fine, whole" in refusal.value.why


@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("student-68:nearer", "student-68:nearer"),
        ("student-68-second", "student-68:nearer"),
        ("teacher-dense-68-last", "teacher-dense-68:last"),
        ("b-student-plain-98", "hong-lin/ours/reference-98"),
        ("a-student-kd", "fard-mahoor/ours/student-kd"),
        ("faithful-mvit2-68-base", "reference-mvit2-68:base"),
    ],
)
def test_a_stage_and_a_former_name_mean_one_run(name, run):
    assert [training.name for training in trainings_by_name(name)] == [run]


def test_a_stage_that_is_none_lists_those_there_are():
    with pytest.raises(UsageError, match="no stage “second”. Its stages are: base, nearer, last"):
        trainings_by_name("student-68", stage="second")


def test_fields_are_understood_by_their_former_names():
    (training,) = trainings_by_name("student-68", ["shape.input_size=64", "start=random"], "base")
    assert (training.network.input_size, training.init) == (64, "random")
