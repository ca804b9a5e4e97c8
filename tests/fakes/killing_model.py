"""A model that ends any process that loads it, with a card that vouches for it."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from engine.core.paths import asset_path
from tests.fakes.mutated_models import write_vouched

SHIPPED = asset_path("models", "student-68-lite.tflite")
LARGE = 1000  # bytes; smaller buffers hold shapes


def write_killing_model(path: Path) -> None:
    """Write a model whose first weights lie at 2^63, where no memory is; the runtime does not check that."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(SHIPPED.read_bytes(), 0))
    data = (model.buffers[tensor.buffer] for tensor in model.subgraphs[0].tensors)
    buffer = next(buffer for buffer in data if buffer.data is not None and len(buffer.data) > LARGE)
    buffer.data, buffer.offset, buffer.size = None, 2**63, 2**63
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    write_vouched(path, bytes(builder.Output()), SHIPPED.with_suffix(".json"))
