"""Every shipped model computes the same in runtimes of 2022 as in the application's."""

import os
import subprocess
from pathlib import Path

import pytest
from ai_edge_litert.interpreter import Interpreter

from engine.inference.card import read_card
from tests.old_runtimes.install import find_python
from tests.old_runtimes.operators import known_operators, measure_operators, model_of, unknown_operators
from tests.old_runtimes.runtimes import (
    INSTALL,
    LAST,
    OLDEST,
    VARIABLE,
    old_runtime,
    own_runtime,
    trial_python,
    try_models,
)
from tests.old_runtimes.shipped import difference, faces_for, shipped_models

LARGEST_DIFFERENCE = 5e-4  # of the crop side
LARGEST_DIFFERENCE_IN_INT8 = 0.01
ROOT = Path(__file__).resolve().parents[3]
MODELS = shipped_models()
# Runs a model by the engine, with tflite-runtime.
ENGINE = """
import sys
from engine.inference.runtime import Runtime, runtime_name
runtime = Runtime(open(sys.argv[1], "rb").read(), "The model")
runtime.input_buffer()[:] = 0
print(runtime_name(), runtime.run()[0].shape)
"""


@pytest.fixture(scope="module")
def folder():
    """Where the old runtimes are installed."""
    if VARIABLE not in os.environ:
        pytest.skip(f"needs old runtimes: run “{INSTALL}” and set {VARIABLE}=DIR; operator versions are checked anyway")
    return Path(os.environ[VARIABLE])


def installed(folder, number):
    if not trial_python(folder, number).exists():
        pytest.skip(f"there is no tflite-runtime {number} in {folder}: its wheel needs another Python ({INSTALL})")
    return old_runtime(folder, number)


@pytest.fixture(scope="module")
def inputs():
    return {name: faces_for(path) for name, path in MODELS.items()}


@pytest.fixture(scope="module")
def expected(inputs):
    """What the application's runtime says."""
    return try_models(own_runtime(), {name: path.read_bytes() for name, path in MODELS.items()}, inputs)


# The gathers of SwinV2's biases, its slices with steps and transposed convolutions.
LEFT_OUT = {"teacher-swinv2-68": {"GATHER_ND", "STRIDED_SLICE", "TRANSPOSE_CONV"}}
WITH_CARD = [name for name, path in MODELS.items() if path.with_suffix(".json").is_file()]


@pytest.mark.parametrize("name", MODELS)
def test_operators_of_every_shipped_model_are_known_to_the_oldest_runtime(name):
    assert unknown_operators(MODELS[name].read_bytes()) == set()


@pytest.mark.parametrize("name", WITH_CARD)
def test_xnnpack_computes_the_whole_of_every_shipped_network(name):
    """What it leaves out would be computed by slower kernels, and be copied to and fro."""
    interpreter = Interpreter(model_path=str(MODELS[name]), num_threads=1)
    interpreter.allocate_tensors()
    operators = interpreter._get_ops_details()
    parts = [part for part in operators if part["op_name"] == "DELEGATE"]
    assert left_out(operators, parts) == LEFT_OUT.get(name, set())
    if name not in LEFT_OUT:
        outputs = {output["index"] for output in interpreter.get_output_details()}
        assert [set(map(int, part["outputs"])) for part in parts] == [outputs]


def left_out(operators, parts):
    """The operators between XNNPACK's parts, but for the widening of weights, which happens once."""
    read = {int(index) for part in parts for index in part["inputs"]}
    computed = {int(index) for part in parts for index in part["outputs"]}
    between = [operator for operator in operators if set(map(int, operator["outputs"])) & (read - computed)]
    return {operator["op_name"] for operator in between} - {"DEQUANTIZE"}


def test_an_operator_that_is_too_new_is_noticed():
    assert unknown_operators(model_of("TRANSPOSE", 6)) == {("TRANSPOSE", 6)}
    assert unknown_operators(model_of("STABLEHLO_ADD", 1)) == {("STABLEHLO_ADD", 1)}


@pytest.mark.parametrize("number", [OLDEST, LAST])
def test_every_shipped_model_gives_the_same_points_in_an_old_runtime(number, folder, inputs, expected):
    runtime = installed(folder, number)
    found = try_models(runtime, {name: path.read_bytes() for name, path in MODELS.items()}, inputs)
    assert {key: str(text) for key, text in found.items() if key.endswith(".error")} == {}
    apart = {name: difference(name, found, expected) for name in MODELS}
    # Integers are rounded otherwise by their kernels, which are slow too: there the program runs no int8 twins.
    integers = {name for name in WITH_CARD if read_card(MODELS[name].with_suffix(".json")).precision.startswith("int8")}
    assert {"student-68-int8", "teacher-swinv2-68"} <= integers
    assert max(apart[name] for name in integers) <= LARGEST_DIFFERENCE_IN_INT8, apart
    assert max(apart[name] for name in MODELS if name not in integers) <= LARGEST_DIFFERENCE, apart


@pytest.mark.parametrize("number", [OLDEST, LAST])
def test_the_engine_runs_a_model_where_only_an_old_runtime_is_installed(number, folder):
    python = installed(folder, number).python
    command = [python, "-c", ENGINE, MODELS["student-68"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "tflite_runtime (1, 68, 2)\n"


def test_the_table_of_operators_is_what_the_oldest_runtime_loads(folder):
    assert measure_operators(installed(folder, OLDEST)) == known_operators()


def test_a_difference_would_be_noticed(inputs, expected):
    name = "student-68"
    moved = dict(expected) | {f"{name}.0": expected[f"{name}.0"] + 0.001}
    assert difference(name, moved, expected) == pytest.approx(0.001 * 2**0.5, rel=1e-3)


def test_a_model_that_the_runtime_refuses_is_distinguished(inputs):
    found = try_models(own_runtime(), {"broken": b"no model"}, {})
    assert list(found) == ["broken.error"]


def test_the_installer_finds_no_python_where_there_is_none(tmp_path):
    assert find_python(("2.4",), tmp_path) is None
