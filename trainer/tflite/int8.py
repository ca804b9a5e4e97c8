"""Static int8: encoder and decoder compute in integers, the head in float32.

A soft-argmax cannot live in int8: the mean over thousands of cells needs weights far finer than 1/256.
"""

from __future__ import annotations

import torch
from ai_edge_litert.interpreter import Interpreter

from trainer.tflite.flatbuffer import BODY, read_tflite, write_tflite

BITS = 8


def quantise(content: bytes, faces: torch.Tensor) -> bytes:
    """Return a model whose body computes in int8: weights by channel, activations in the ranges seen on `faces`.

    Args:
        content: a `.tflite` file with float32 weights, as `trainer.tflite.export.to_tflite` makes it.
        faces: `[N, 3, S, S]` RGB, 0..255.
    """
    # Pulls in what only a quantisation should cost.
    from ai_edge_quantizer.qtyping import TFLOperationName
    from ai_edge_quantizer.quantizer import Quantizer

    signature, names = next(iter(Interpreter(model_content=content).get_signature_list().items()))
    samples = [{names["inputs"][0]: face.permute(1, 2, 0)[None].contiguous().numpy()} for face in faces]
    quantizer = Quantizer(bytearray(content))
    quantizer.add_static_config(BODY, TFLOperationName.ALL_SUPPORTED, activation_num_bits=BITS, weight_num_bits=BITS)
    ranges = quantizer.calibrate({signature: samples}, num_threads=1)
    result = quantizer.quantize(ranges, enable_progress_report=False)
    return write_tflite(read_tflite(bytes(result.quantized_model)))
