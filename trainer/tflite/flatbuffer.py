"""Reading and writing `.tflite` files as objects, and making them smaller: weights become float16, or int8 by channel.

Each gets a DEQUANTIZE in front of its use. Runtimes back to 2.11 load such files and widen the weights once, so speed
stays the same.
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
BODY = r"_encoder[/;]|_decoder(?!.*_predict)"
# Smaller tensors are not worth an operator of their own; and it is they that carry most of the rounding error.
FEWEST_VALUES = 2048
# Larger ones of the head, such as the coordinates of a regression, are too much of the file.
MOST_HEAD_VALUES = 1 << 15
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


def halve_weights(
    content: bytes, fewest_values: int = FEWEST_VALUES, most_head_values: int = MOST_HEAD_VALUES
) -> bytes:
    """Return the model `content` with its constant float32 tensors of `fewest_values` and more stored as float16.

    The head's stay float32 up to `most_head_values`: the centres of the heatmaps' cells, which float16 does not hold
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
        weights = _float32_weights(model, graph.tensors[index], fewest_values)
        if weights is None or index not in used or (index in head and weights.size <= most_head_values):
            continue
        half = weights.astype(np.float16)
        if np.isfinite(half).all():  # beyond float16's range it stays as it is
            widening.append(_store_as(model, graph, index, half, schema.TensorType.FLOAT16, code))
    graph.operators = widening + list(graph.operators)
    return write_tflite(model)


def quantise_weights(content: bytes, fewest_values: int = MOST_HEAD_VALUES) -> bytes:
    """Return the model `content` with its large float weights stored as int8, each tensor with one scale.

    They may be float32 or, as `halve_weights` leaves them, float16. All is computed in float32. A scale for each
    channel would be nearer, but LiteRT takes three times as long to prepare such a model, with Python's lock held: a
    window that loads it would stand still.
    """
    model = read_tflite(content)
    graph = model.subgraphs[0]
    widen = schema.BuiltinOperator.DEQUANTIZE
    # Its version 2 reads int8.
    model.operatorCodes.append(schema.OperatorCodeT(deprecatedBuiltinCode=widen, version=2, builtinCode=widen))
    code = len(model.operatorCodes) - 1
    widened = {
        int(operator.outputs[0]): operator
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode == widen
    }
    new = []
    for operator in list(graph.operators):
        if model.operatorCodes[operator.opcodeIndex].builtinCode not in WEIGHTED:
            continue
        index = int(operator.inputs[1])
        source = int(widened[index].inputs[0]) if index in widened else index
        tensor = graph.tensors[source]
        data, kind = model.buffers[tensor.buffer].data, FLOATS.get(tensor.type)
        if data is None or kind is None or np.prod(tensor.shape) < fewest_values:
            continue
        weights = np.frombuffer(np.asarray(data, np.uint8).tobytes(), kind).astype(np.float32).reshape(tensor.shape)
        if source == index:
            new.append(_store_as(model, graph, index, np.zeros(0, np.int8), schema.TensorType.INT8, code))
            tensor = graph.tensors[-1]
        else:
            widened[index].opcodeIndex = code
        _fill_int8(model, tensor, weights)
    graph.operators = new + list(graph.operators)
    return write_tflite(model)


def _fill_int8(model: schema.ModelT, tensor: schema.TensorT, weights: NDArray[np.float32]) -> None:
    """Let a tensor hold weights in int8."""
    scale = np.maximum(np.abs(weights).max(), 1e-12) / 127
    model.buffers[tensor.buffer].data = np.frombuffer(np.rint(weights / scale).astype(np.int8).tobytes(), np.uint8)
    tensor.type = schema.TensorType.INT8
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = np.array([scale], np.float32)
    tensor.quantization.zeroPoint = np.zeros(1, np.int64)


def minimum_runtime(content: bytes) -> str:
    """Return the oldest runtime version that loads the model by its own metadata, "" if it does not say."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for entry in model.metadata or []:
        if entry.name == b"min_runtime_version":
            return bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode()
    return ""


def _float32_weights(model: schema.ModelT, tensor: schema.TensorT, fewest_values: int) -> NDArray[np.float32] | None:
    data = model.buffers[tensor.buffer].data
    if tensor.type != schema.TensorType.FLOAT32 or data is None or len(data) < 4 * fewest_values:
        return None
    return np.frombuffer(np.asarray(data, np.uint8).tobytes(), np.float32)


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
