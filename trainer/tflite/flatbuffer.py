"""Reading and writing `.tflite` files as objects, and which operators in them are a network's body or head."""

from __future__ import annotations

import re

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

# Names of operators say which parts of the network they come from. The last convolution of a heatmap decoder, and all
# that is in neither encoder nor decoder, is the head: there points are computed, and rounding moves them most.
BODY = r"_encoder[/;]|_decoder(?!.*_predict)"


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


def head_constants(graph: schema.SubGraphT) -> set[int]:
    """Return the numbers of the tensors that operators of the head read; the graph still has its names."""
    found: set[int] = set()
    for operator in graph.operators:
        name = graph.tensors[operator.outputs[0]].name or b""
        if not re.search(BODY, name.decode()):
            found.update(int(index) for index in operator.inputs)
    return found
