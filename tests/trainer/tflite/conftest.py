"""One tiny run and one conversion of it, which takes half a minute, for all tests of export in all processes."""

import os
import shutil
from dataclasses import replace

import pytest
from filelock import FileLock

from tests.fakes.tiny_training import few_blocks, tiny_recipe
from trainer.checkpoint import LAST
from trainer.run import run
from trainer.run_recorder import Intervals
from trainer.tflite import export as module


@pytest.fixture(autouse=True)
def _few_blocks():
    """Networks are as small as that of the checkpoint."""
    with few_blocks():
        yield


@pytest.fixture(scope="session")
def made(data, tmp_path_factory):
    """The folder of what is made once: `run/`, `tiny.tflite` with its card, `float32.tflite`, and `difference`."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "exported-once"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "difference").exists():  # it is written last
            shutil.rmtree(folder, ignore_errors=True)
            with few_blocks():
                make(folder, data)
    return folder


def make(folder, data):
    """Train for 25 steps; from a side of 96 pixels, maps have 24 cells, whose places float16 rounds."""
    recipe = tiny_recipe()
    recipe = replace(recipe, network=replace(recipe.network, input_size=96), steps=25, batch=8, ema=0.8)
    run(recipe, data, folder / "run", "cpu", intervals=Intervals(25, 25))

    def kept(network, convert=module.to_tflite):
        content = convert(network)
        (folder / "float32.tflite").write_bytes(content)
        return content

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "to_tflite", kept)
        done = module.export(folder / "run" / LAST, folder / "tiny.tflite")
    (folder / "difference").write_text(str(done.difference))


@pytest.fixture
def checkpoint(made):
    """The last checkpoint of the run."""
    return made / "run" / LAST


@pytest.fixture
def exported(made):
    """What `export` returned."""
    model = made / "tiny.tflite"
    return module.Export(model, model.with_suffix(".json"), float((made / "difference").read_text()))


@pytest.fixture
def content(made):
    """The `.tflite` form of the checkpoint with float32 weights."""
    return (made / "float32.tflite").read_bytes()
