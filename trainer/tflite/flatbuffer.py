"""Reading and writing `.tflite` files as objects, and making them smaller: weights become float16, or int8.

Each gets a DEQUANTIZE in front of its use, but int8 ones of fully connected layers. Runtimes back to 2.11 load such
files. They widen the weights once, so speed stays the same; by int8 weights LiteRT multiplies faster, old ones slower.
"""

from __future__ import annotations

import re
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

# Names of operators say which parts of the network they come from. The last convolution of a heatmap decoder, and all
# that is in neither encoder nor decoder, is the head: there points are computed, and rounding moves them most.
DECODER = r"_decoder[/;]"
BODY = r"_encoder[/;]|_decoder(?!.*_predict)"
# Smaller tensors are not worth an operator of their own; and it is they that carry most of the rounding error.
FEWEST_VALUES = 2048
# Larger ones of the head, such as the coordinates of a regression, are too much of the file.
MOST_HEAD_VALUES = 1 << 15
# Only weights that are too much of the file become int8.
FEWEST_INT8_VALUES = MOST_HEAD_VALUES
# Operators with weights as their second input.
WEIGHTED = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
    schema.BuiltinOperator.TRANSPOSE_CONV,
)
FLOATS = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}


def read_tflite(content: bytes) -> schema.ModelT:
    """Return a model; what a quantiser stores behind the flatbuffer, old runtimes would miss: it is taken inside."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for buffer in model.buffers:
        if buffer.offset > 1:  # 0 and 1 mean that there is nothing behind
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def write_tflite(model: schema.ModelT) -> bytes:
    """Return the file of a model of one graph, without data that nothing uses and without the names of inner tensors.

    Nobody reads the names: of a network of many small layers they are 0.4 MB.
    """
    graph = model.subgraphs[0]
    live = {tensor.buffer for tensor in graph.tensors} | {entry.buffer for entry in (model.metadata or [])}
    for index, buffer in enumerate(model.buffers):
        if index and index not in live:  # buffer 0 is the empty one by convention
            buffer.data = None
    ends = {*graph.inputs, *graph.outputs}
    for index, tensor in enumerate(graph.tensors):
        if index not in ends:
            tensor.name = None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def halve_weights(content: bytes) -> bytes:
    """Return the model `content` with its constant float32 tensors of `FEWEST_VALUES` and more stored as float16.

    The head's stay float32 up to `MOST_HEAD_VALUES`: the centres of the heatmaps' cells, which float16 does not hold
    exactly unless a side has a power of two of them, and the convolutions whose maps a norm or a mean magnifies.
    """
    model = read_tflite(content)
    graph = model.subgraphs[0]
    widen = schema.BuiltinOperator.DEQUANTIZE
    # Its version 3 reads float16.
    model.operatorCodes.append(schema.OperatorCodeT(deprecatedBuiltinCode=widen, version=3, builtinCode=widen))
    code = len(model.operatorCodes) - 1
    head: set[int] = set()  # the tensors that operators of the head read
    for operator in graph.operators:
        if not re.search(BODY, (graph.tensors[operator.outputs[0]].name or b"").decode()):
            head.update(operator.inputs)
    used = {index for operator in graph.operators for index in operator.inputs}
    widening = []
    for index in range(len(graph.tensors)):
        weights = _float32_weights(model, graph.tensors[index])
        if weights is None or index not in used or (index in head and weights.size <= MOST_HEAD_VALUES):
            continue
        half = weights.astype(np.float16)
        if np.isfinite(half).all():  # beyond float16's range it stays as it is
            widening.append(_store_as(model, graph, index, half, schema.TensorType.FLOAT16, code))
    graph.operators = widening + list(graph.operators)
    return write_tflite(model)


def quantise_weights(content: bytes) -> bytes:
    """Return the model `content` with its float weights of `FEWEST_INT8_VALUES` and more stored as int8.

    Each tensor has one scale; before, they may be float32 or, as `halve_weights` leaves them, float16. Fully connected
    layers multiply by them as they are, with inputs that the runtime rounds to int8 line by line; for other layers they
    are widened once to float32.

    A scale for each channel would be nearer, but old runtimes do not multiply by such weights, and to widen them takes
    LiteRT three times as long.
    """
    model = read_tflite(content)
    graph = model.subgraphs[0]
    widen, multiply = schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOperator.FULLY_CONNECTED
    # Its version 2 reads int8; version 9 of the other rounds its inputs around a zero point of their own.
    model.operatorCodes += [
        schema.OperatorCodeT(deprecatedBuiltinCode=widen, version=2, builtinCode=widen),
        schema.OperatorCodeT(deprecatedBuiltinCode=multiply, version=9, builtinCode=multiply),
    ]
    widen_code, multiply_code = len(model.operatorCodes) - 2, len(model.operatorCodes) - 1
    kinds = [code.builtinCode for code in model.operatorCodes]
    widened = {int(each.outputs[0]): each for each in graph.operators if kinds[each.opcodeIndex] == widen}
    new = []
    for operator in list(graph.operators):
        if kinds[operator.opcodeIndex] not in WEIGHTED:
            continue
        index = int(operator.inputs[1])
        source = int(widened[index].inputs[0]) if index in widened else index
        weights = _float_weights(model, graph.tensors[source])
        if weights is None or weights.size < FEWEST_INT8_VALUES:
            continue
        if source == index:
            new.append(_store_as(model, graph, index, np.zeros(0, np.int8), schema.TensorType.INT8, widen_code))
            source = len(graph.tensors) - 1
        else:
            widened[index].opcodeIndex = widen_code
        _fill_int8(model, graph.tensors[source], weights)
        if kinds[operator.opcodeIndex] == multiply:
            operator.opcodeIndex = multiply_code
            _multiply_by_int8(operator, source)
            _keep_float32(model, graph, operator.inputs[2:], widened)
    read = {int(index) for operator in graph.operators for index in operator.inputs} | {*map(int, graph.outputs)}
    # Those that nothing has to be widened for any more are left out.
    waiting = {index for index in read if model.buffers[graph.tensors[index].buffer].data is None}
    operators = [*new, *graph.operators]
    graph.operators = [
        each for each in operators if kinds[each.opcodeIndex] != widen or int(each.outputs[0]) in waiting
    ]
    return write_tflite(model)


def _fill_int8(model: schema.ModelT, tensor: schema.TensorT, weights: NDArray[np.float32]) -> None:
    """Let a tensor hold weights in int8."""
    scale = np.maximum(np.abs(weights).max(), 1e-12) / 127
    model.buffers[tensor.buffer].data = np.frombuffer(np.rint(weights / scale).astype(np.int8).tobytes(), np.uint8)
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = np.array([scale], np.float32)
    tensor.quantization.zeroPoint = np.zeros(1, np.int64)


def _multiply_by_int8(operator: schema.OperatorT, weights: int) -> None:
    """Let a fully connected layer read the int8 tensor `weights`."""
    operator.inputs = np.array([operator.inputs[0], weights, *operator.inputs[2:]], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = operator.builtinOptions or schema.FullyConnectedOptionsT()
    operator.builtinOptions.asymmetricQuantizeInputs = True


def _keep_float32(
    model: schema.ModelT, graph: schema.SubGraphT, biases: NDArray[np.int32], widened: dict[int, schema.OperatorT]
) -> None:
    """Store biases in float32: beside weights in int8, LiteRT takes none that are widened."""
    for bias in map(int, biases):
        values = _float_weights(model, graph.tensors[int(widened[bias].inputs[0])]) if bias in widened else None
        if values is not None:
            model.buffers.append(schema.BufferT(np.frombuffer(values.tobytes(), np.uint8)))
            graph.tensors[bias].buffer = len(model.buffers) - 1


def minimum_runtime(content: bytes) -> str:
    """Return the oldest runtime version that loads the model by its own metadata, "" if it does not say."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for entry in model.metadata or []:
        if entry.name == b"min_runtime_version":
            return bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode()
    return ""


def _float32_weights(model: schema.ModelT, tensor: schema.TensorT) -> NDArray[np.float32] | None:
    weights = _float_weights(model, tensor) if tensor.type == schema.TensorType.FLOAT32 else None
    return None if weights is None or weights.size < FEWEST_VALUES else weights


def _float_weights(model: schema.ModelT, tensor: schema.TensorT) -> NDArray[np.float32] | None:
    """Return the constant values of a tensor in float16 or float32; None where it has none."""
    data, kind = model.buffers[tensor.buffer].data, FLOATS.get(tensor.type)
    if data is None or kind is None:
        return None
    return np.frombuffer(np.asarray(data, np.uint8).tobytes(), kind).astype(np.float32)


def _store_as(
    model: schema.ModelT, graph: schema.SubGraphT, index: int, values: NDArray[Any], kind: int, code: int
) -> schema.OperatorT:
    """Let a new tensor of another type hold the data of tensor `index`; return the operator `code` that widens it."""
    tensor = graph.tensors[index]
    place, name = len(model.buffers), (tensor.name or b"weights") + b"_small"
    model.buffers += [schema.BufferT(np.frombuffer(values.tobytes(), np.uint8)), schema.BufferT()]
    graph.tensors.append(schema.TensorT(tensor.shape, kind, place, name))
    tensor.buffer = place + 1
    return schema.OperatorT(
        opcodeIndex=code,
        inputs=np.array([len(graph.tensors) - 1], np.int32),
        outputs=np.array([index], np.int32),
    )
