"""From a checkpoint to an int8 model, if it finds the points of held-out faces nearly as well as the float one.

Encoder and decoder compute in integers, the head in float32: a soft-argmax cannot live in int8, because the mean over
thousands of cells needs weights far finer than 1/256.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from ai_edge_litert.interpreter import Interpreter

from engine.core.errors import UsageError
from engine.core.schemes import SCHEMES
from engine.inference.runtime import Runtime
from trainer.augment import Batch, central_window
from trainer.checkpoint import Checkpoint, damage_named, read_checkpoint
from trainer.data.crops import CROP_SCALE, CROP_SIZE, CropSet, load_crops
from trainer.data.held_out import split_held_out
from trainer.init.initialise import load_network
from trainer.networks import LandmarkNetwork
from trainer.recipes.schema import PackChoice
from trainer.tflite.export import Export, ExportError, card_of, compare, to_tflite, write_model
from trainer.tflite.flatbuffer import BODY, halve_weights, read_tflite, write_tflite
from trainer.validate import face_errors

BITS = 8
CALIBRATION_FACES = 128
LARGEST_DIFFERENCE = 0.02  # of the crop side
LARGEST_RISE = 0.03  # of the NME


@dataclass(frozen=True)
class Int8Export(Export):
    """A finished export, and what int8 costs.

    Attributes:
        nme_float16, nme_int8: on the run's validation faces, in percent of the distance of the outer eye corners.
        faces: how many these are.
    """

    nme_float16: float
    nme_int8: float
    faces: int


def export_int8(checkpoint: Path, data: Path, target: Path, role: str = "student") -> Int8Export:
    """Write `target` (a `.tflite` path) and the card beside it.

    `data` is the folder with the packs that the run learned from. Calibration sees training faces only; the faces that
    the run held out for validation say what int8 costs. The role goes into the card.

    Raises:
        UsageError: the checkpoint cannot be read, or no face is left to measure on.
        PackError, SourceError: the data is incomplete.
        ExportError: a point is further than `LARGEST_DIFFERENCE` from PyTorch's, or the NME rises by `LARGEST_RISE`
            or more; nothing is written.
    """
    state = read_checkpoint(checkpoint)
    network = load_network(checkpoint)
    with damage_named(checkpoint):
        training, validation = _faces(state, data)
    content = to_tflite(network)
    chosen = torch.linspace(0, len(training) - 1, min(CALIBRATION_FACES, len(training))).long()
    int8 = quantise(content, _window(training.subset(chosen), state, network).images)
    difference = compare(network, int8)
    held_out = _window(validation, state, network)
    before, after = (_nme(model, held_out, network) for model in (halve_weights(content), int8))
    rise = after / before - 1
    if not (difference <= LARGEST_DIFFERENCE and rise < LARGEST_RISE):
        raise ExportError(
            f"The int8 model is too far from the trained one: its points by up to {difference:.2%} of the crop side, "
            f"and its NME on {len(validation)} validation faces is {after:.3f} % instead of {before:.3f} % "
            f"({rise:+.1%})",
            f"at most {LARGEST_DIFFERENCE:.0%} and less than {LARGEST_RISE:+.0%} are accepted; some networks lose too "
            "much in int8",
            "keep the model with float16 weights: export without --int8",
        )
    card = replace(card_of(checkpoint, network, int8, target.stem, role), precision="int8, float head")
    return Int8Export(target, write_model(target, int8, card), difference, before, after, len(validation))


def quantise(content: bytes, faces: torch.Tensor) -> bytes:
    """Return a model whose body computes in int8: weights by channel, activations in the ranges seen on `faces`.

    The content is of a `.tflite` file with float32 weights, as `trainer.tflite.export.to_tflite` makes it; the faces
    are `[N, 3, S, S]` RGB, 0..255.
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


def _faces(state: Checkpoint, data: Path) -> tuple[CropSet, CropSet]:
    """Return faces for calibration and for validation, out of the packs that lend faces to validation."""
    packs, own = (tuple(PackChoice(**pack) for pack in state.recipe.get(key, ())) for key in ("packs", "validation"))
    # Where packs are held out whole, every pack may serve to calibrate.
    packs = packs if own else tuple(pack for pack in packs if pack.validation)
    if packs:
        size = state.notes.get("crop_size", CROP_SIZE)
        crops = load_crops(data, packs, progress=True, size=size)
        training, validation, _ = split_held_out(crops, data, state.recipe["hold_out"], own, size)
        if len(validation) and len(training):
            return training, validation
    raise UsageError(
        "No face is left to measure the int8 model on",
        f"the run held out every {state.recipe['hold_out']}th face of packs with validation, and there are fewer"
        if state.recipe["hold_out"]
        else "the run held out no face of its packs",
        "give the packs that the run learned from",
    )


def _window(crops: CropSet, state: Checkpoint, network: LandmarkNetwork) -> Batch:
    return central_window(crops.faces, state.recipe["crop_scale"] / CROP_SCALE, network.shape.input_size)


def _nme(content: bytes, batch: Batch, network: LandmarkNetwork) -> float:
    runtime = Runtime(content, "The exported model")
    points = []
    for image in batch.images:
        runtime.input_buffer()[0] = image.permute(1, 2, 0).numpy()
        points.append(torch.from_numpy(runtime.run()[0]))
    return float(face_errors(torch.cat(points), batch, SCHEMES[network.shape.points]).mean())
