"""Networks with attention are trained, exported and evaluated like the others, for old runtimes too."""

from collections import Counter

import pytest
from ai_edge_litert import schema_py_generated as schema

from engine.models.landmarker import load_landmarker
from trainer import export as module
from trainer.bookkeeper import Schedule
from trainer.networks.star_network import StarShape
from trainer.recipes import PackChoice, Recipe
from trainer.run import run

NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
# The newest versions of operators that tflite-runtime 2.11 knows, where they are not 1.
NEWEST = {"FULLY_CONNECTED": 11, "RESIZE_BILINEAR": 4, "DEQUANTIZE": 6, "TRANSPOSE": 4, "BATCH_MATMUL": 4, "SUM": 2}


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """The published student at a small size after three steps, exported."""
    shape = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", input_size=64)
    recipe = Recipe(
        "star",
        shape=shape,
        start="random",
        packs=(PackChoice("faces", split=None, validation=True),),
        hold_out=8,
        steps=3,
        batch=4,
        ema=0.0,
    )
    folder = tmp_path_factory.mktemp("star")
    last = run(recipe, data, folder / "run", "cpu", schedule=Schedule(3, 3))
    return module.export(last, folder / "star.tflite")


@pytest.mark.timeout(300)
def test_an_exported_student_with_attention_loads_in_the_application(model):
    assert model.difference <= module.LARGEST_DIFFERENCE
    card = load_landmarker(model.model).card
    assert card.system == "MobileViT-v2 encoder, repeated cells, anisotropic attention, soft-argmax"


def test_its_operators_are_known_to_old_runtimes_and_its_tensors_stay_flat(model):
    content = model.model.read_bytes()
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    codes = [graph.operatorCodes[operator.opcodeIndex] for operator in graph.subgraphs[0].operators]
    used = Counter((NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)], code.version) for code in codes)
    newer = [(name, version) for name, version in used if version > NEWEST.get(name, 1)]
    assert not newer
    assert not {"BROADCAST_TO", "RESIZE_NEAREST_NEIGHBOR"} & {name for name, _ in used}, "nothing is really repeated"
    assert {version for name, version in used if name == "TRANSPOSE"} <= {1}
    ranks = [len(tensor.shape) for tensor in graph.subgraphs[0].tensors if tensor.shape is not None]
    assert max(ranks) == 4
