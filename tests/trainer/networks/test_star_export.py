"""Networks with attention are trained, exported and evaluated like the others, for old runtimes too."""

import pytest
import torch
from ai_edge_litert import schema_py_generated as schema

from engine.inference.landmarker import load_landmarker
from tests.fakes.tiny_training import few_blocks
from tests.old_runtimes.operators import operators, unknown_operators
from trainer.init.initialise import load_network, make_network
from trainer.networks import mobilevit, timm_models
from trainer.networks.star import StarShape
from trainer.networks.timm_models import flatten_windows
from trainer.recipes.schema import PackChoice, Training
from trainer.run import run
from trainer.run_recorder import Intervals
from trainer.tflite import export as module
from trainer.tflite.flatbuffer import halve_weights


@pytest.fixture(scope="module", autouse=True)
def _few_layers():
    """Leave out layers that are like others: each takes a second to convert."""
    with few_blocks(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(mobilevit, "UNITS", (2, 1, 1))
        yield


@pytest.fixture(scope="module")
def checkpoint(data, tmp_path_factory):
    """The published student at a small size after three steps."""
    recipe = Training(
        "star",
        network=StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", input_size=64),
        init="random",
        packs=(PackChoice("faces", split=None, validation=True),),
        hold_out=8,
        steps=3,
        batch=4,
        ema=0.0,
    )
    return run(recipe, data, tmp_path_factory.mktemp("star"), "cpu", intervals=Intervals(3, 3))


@pytest.fixture(scope="module")
def content(checkpoint):
    """Its `.tflite` form with float32 weights."""
    return module.to_tflite(load_network(checkpoint))


@pytest.mark.timeout(600)
def test_an_exported_student_with_attention_computes_the_same_and_loads_in_the_application(
    checkpoint, content, tmp_path, monkeypatch
):
    assert module.compare(load_network(checkpoint), content) < 2e-5
    monkeypatch.setattr(module, "to_tflite", lambda network: content)
    # Maps of 2x2 cells that learned nothing are nearly flat, and their norm magnifies what float16 rounds.
    monkeypatch.setattr(module, "LARGEST_DIFFERENCE", 0.01)
    card = load_landmarker(module.export(checkpoint, tmp_path / "star.tflite").model).card
    assert card.system == "MobileViT-v2 encoder, repeated cells, anisotropic attention, soft-argmax"


@pytest.mark.timeout(600)
def test_the_teachers_neck_of_transposed_convolutions_is_known_to_old_runtimes():
    shape = StarShape(encoder="mobilenetv2", encoder_width=0.25, neck="transposed", channels=16, input_size=64)
    network = make_network(shape, "random", 0).eval()
    content = halve_weights(module.to_tflite(network))
    assert "TRANSPOSE_CONV" in {name for name, _ in operators(content)}
    assert unknown_operators(content) == set()
    assert module.compare(network, content) < 0.01


@pytest.mark.timeout(600)
def test_swinv2_is_known_to_old_runtimes():
    """A small one: a block, one whose windows are shifted, and behind the merging one of a single window.

    The norms of residuals are not 0 as they begin, or all of it would be folded away.
    """
    import litert_torch

    timm_models._declare_missing_operators()  # or timm is imported only where a network of it was made before
    from timm.models.swin_transformer_v2 import SwinTransformerV2

    torch.manual_seed(0)
    swin = SwinTransformerV2(64, embed_dim=16, depths=(2, 1), num_heads=(2, 2), window_size=8, num_classes=0).eval()
    flatten_windows(swin)
    for parameter in swin.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    content = bytes(litert_torch.convert(swin, (torch.zeros(1, 3, 64, 64),)).model_content())
    assert unknown_operators(content) == set()


def test_its_operators_are_known_to_old_runtimes_and_its_tensors_stay_flat(content):
    content = halve_weights(content)
    assert unknown_operators(content) == set()
    used = operators(content)
    assert not {"BROADCAST_TO", "RESIZE_NEAREST_NEIGHBOR"} & {name for name, _ in used}, "nothing is really repeated"
    assert {version for name, version in used if name == "TRANSPOSE"} <= {1}
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    ranks = [len(tensor.shape) for tensor in graph.subgraphs[0].tensors if tensor.shape is not None]
    assert max(ranks) == 4
