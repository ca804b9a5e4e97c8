"""ONNX models: what they give, what they are refused for, and that nothing is sent."""

import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

from engine.core.errors import ModelError
from engine.inference import onnx_runtime
from engine.inference.landmarker import model_file
from engine.inference.onnx_runtime import OnnxRuntime
from engine.inference.runtimes import load_runtime
from tests.fakes.foreign_models import REAL, constant_network, means_network


def test_the_outputs_are_those_of_the_network():
    runtime = OnnxRuntime(means_network([1, 3, 8, 8], outputs=2), "The model")
    picture = np.random.default_rng(0).uniform(0, 1, (3, 8, 8)).astype(np.float32)
    runtime.input_buffer()[0] = picture
    first, second = runtime.run()
    assert np.allclose(first[0], picture.mean((1, 2)), atol=1e-6)
    assert np.array_equal(first, second)
    assert (runtime.inputs, runtime.output_names, runtime.output_shapes) == (1, ["mean0", "mean1"], [(1, 3)] * 2)


def test_a_size_without_a_number_counts_as_one():
    runtime = OnnxRuntime(means_network(["batch", 3, 8, -1]), "The model")
    assert runtime.input_shape == (1, 3, 8, 1)
    assert runtime.declared_shape == (None, 3, 8, None)


def test_other_types_of_input_are_reported_as_they_are():
    runtime = OnnxRuntime(means_network([1, 3, 8, 8], kind=TensorProto.DOUBLE), "The model")
    assert runtime.input_type == np.float64


def test_the_runtime_follows_from_the_bytes():
    assert isinstance(load_runtime(constant_network(np.zeros((5, 2))), "The model"), OnnxRuntime)
    assert not isinstance(load_runtime(REAL.read_bytes(), "The model"), OnnxRuntime)


def test_damaged_bytes_are_refused():
    with pytest.raises(ModelError, match="cannot be loaded"):
        OnnxRuntime(constant_network(np.zeros((5, 2)))[:60], "The model")
    with pytest.raises(ModelError, match="nor an ONNX model"):
        load_runtime(b"rubbish" * 9, "The model")


@pytest.mark.parametrize(
    ("node", "output", "opset", "words"),
    [
        (
            helper.make_node("SplitToSequence", ["x"], ["y"], axis=1),
            helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None),
            18,
            r"its output y is seq\(tensor\(float\)\), not a table of numbers",
        ),
        (
            helper.make_node("Identity", ["x"], ["y"]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 8, 8]),
            99,
            r"cannot be loaded \(ONNX Runtime only",
        ),
    ],
    ids=["a list", "a newer version"],
)
def test_fault_89_what_is_refused_is_said_without_places_in_the_runtimes_source(node, output, opset, words):
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    graph = helper.make_graph([node], "small", [given], [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    with pytest.raises(ModelError, match=words):
        OnnxRuntime(model.SerializeToString(), "The model")


def test_without_the_package_the_way_to_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"not installed.*an extra.*\[onnx\]"):
        OnnxRuntime(b"\x08", "The model x.onnx")
    monkeypatch.setattr(onnx_runtime, "is_bundled", lambda: True)
    with pytest.raises(ModelError, match="not part of the bundle"):
        OnnxRuntime(b"\x08", "The model x.onnx")


def test_usage_figures_are_off_before_the_package_is_loaded():
    code = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'onnxruntime': print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from engine.inference.onnx_runtime import onnx_runtime_name\n"
        "onnx_runtime_name()\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"


def test_a_card_belongs_to_the_file_that_is_there(tmp_path):
    (tmp_path / "a.onnx").touch()
    assert model_file(tmp_path / "a.json").name == "a.onnx"
    assert model_file(tmp_path / "b.json").name == "b.tflite"


def test_fault_89_a_network_that_fails_on_the_way_is_said_in_few_words():
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["largest"], keepdims=0),
        helper.make_node("Cast", ["largest"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["numbers", "place"], ["y"]),
    ]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    found = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    numbers = helper.make_tensor("numbers", TensorProto.FLOAT, [1, 2], [0.5, 0.5])
    graph = helper.make_graph(nodes, "small", [given], [found], [numbers])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    runtime = OnnxRuntime(model.SerializeToString(), "The model")
    runtime.input_buffer()[...] = 5
    with pytest.raises(
        ModelError, match=r"^The model failed while it ran \(Gather: indices element out of data bounds"
    ):
        runtime.run()
