"""One tiny run and one conversion of it, which takes half a minute, for all tests of export."""

from dataclasses import replace

import pytest

from tests.fakes.tiny_training import tiny_recipe
from trainer.checkpoint import LAST
from trainer.run import run
from trainer.run_recorder import Schedule
from trainer.tflite import export as module


@pytest.fixture(scope="session")
def checkpoint(data, tmp_path_factory):
    """The last checkpoint of 25 steps; from a side of 96 pixels, maps have 24 cells, whose places float16 rounds."""
    recipe = tiny_recipe()
    recipe = replace(recipe, network=replace(recipe.network, input_size=96), steps=25, batch=8, ema=0.8)
    return run(recipe, data, tmp_path_factory.mktemp("run"), "cpu", schedule=Schedule(25, 25)).with_name(LAST)


@pytest.fixture(scope="session")
def exported_and_content(checkpoint, tmp_path_factory):
    """What `export` returned, and the `.tflite` form with float32 weights that it was made of."""
    contents, convert = [], module.to_tflite

    def kept(network):
        contents.append(convert(network))
        return contents[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "to_tflite", kept)
        done = module.export(checkpoint, tmp_path_factory.mktemp("exported") / "tiny.tflite")
    return done, contents[0]


@pytest.fixture
def exported(exported_and_content):
    """What `export` returned."""
    return exported_and_content[0]


@pytest.fixture
def content(exported_and_content):
    """The `.tflite` form of the checkpoint with float32 weights."""
    return exported_and_content[1]
