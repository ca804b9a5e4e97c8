"""From a checkpoint or a model to an int8 one, if it finds the points of held-out faces nearly as well.

Encoder and decoder compute in integers where their maps are small, and nearly all else in float32: large maps have few
channels, with which int8 is slower, and most of the loss comes from their rounding. The decoder's last convolutions
alone read many channels of large maps: they multiply by int8 weights what the runtime rounds for them, and write
float32. The soft-argmax could not live in int8 at all: it is a mean over thousands of cells, which needs weights far
finer than 1/256.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from engine.core.errors import UsageError
from engine.formats.packs import is_pack
from engine.inference.card import Card, read_card
from engine.inference.landmarker import read_model
from engine.inference.runtime import Runtime
from trainer.augment import Batch, central_window
from trainer.checkpoint import damage_named, read_checkpoint
from trainer.data.crop_cache import cached_sizes
from trainer.data.crops import CROP_SCALE, CROP_SIZE, CropSet, load_crops
from trainer.data.held_out import split_held_out
from trainer.init.initialise import load_network
from trainer.init.origin import is_model
from trainer.networks import LandmarkNetwork
from trainer.recipes.schema import PackChoice, Training
from trainer.tflite.export import OF_300W, Export, ExportError, card_of, largest_distance, to_tflite, write_model
from trainer.tflite.flatbuffer import BODY, DECODER, halve_weights, quantise_weights, read_tflite, write_tflite
from trainer.validate import face_errors

BITS = 8
INTEGER_STRIDE = 16  # what computes in int8 writes maps of this stride or a larger one
PADDING = 2  # rows around a map that some of these operators write
CALIBRATION_FACES = 128
LARGEST_DIFFERENCE = 0.02  # of the crop side
LARGEST_RISE = 0.01  # of the NME
POINTS_OF_300W = 68


@dataclass(frozen=True)
class Int8Export(Export):
    """A finished export, and what int8 costs.

    Attributes:
        difference: largest distance of a point from the float model's on the sample's face, in crop sides.
        nme_float16, nme_int8: on the run's validation faces, in percent of the distance of the outer eye corners.
        faces: how many these are.
    """

    nme_float16: float
    nme_int8: float
    faces: int


def export_int8(
    origin: Path, data: Path, target: Path, role: str = "student", *, weights_only: bool = False
) -> Int8Export:
    """Write `target` (a `.tflite` path) and the card beside it.

    `origin` is a checkpoint or an exported model: of a heatmap network with MobileNetV2, or, if only its weights become
    int8, of any. `data` is the folder with the packs that the run learned from; of a model with 68 points those of
    300-W. Calibration sees training faces only; the faces that the run held out for validation say what
    int8 costs. The role goes into the card, unless there is one already.

    Raises:
        UsageError: the origin cannot be read, is a model of other points than 68, or no face is left to measure on.
        PackError, SourceError: the data is incomplete.
        ModelError: the model or its card is missing or damaged.
        ExportError: a point is further than `LARGEST_DIFFERENCE` from the float model's, or the NME rises by
            `LARGEST_RISE` or more; nothing is written.
    """
    source = _source(origin, weights_only)
    with damage_named(origin):
        training, validation = _faces(origin, data)  # what is missing is to be said before the slow conversion
    card, content = _float_model(origin, source, target.stem, role)
    held_out = _window(validation, card)
    before = content if weights_only else halve_weights(content)
    if weights_only:
        int8 = quantise_weights(content)
    else:
        chosen = torch.linspace(0, len(training) - 1, min(CALIBRATION_FACES, len(training))).long()
        int8 = quantise(content, _window(training.subset(chosen), card).images)
    points = [points_by(model, held_out.images) for model in (before, int8)]
    nme, nme_int8 = (float(face_errors(found, held_out, card.markup).mean()) for found in points)
    difference = largest_distance(
        lambda face: points_by(before, torch.from_numpy(face).permute(2, 0, 1)[None]), int8, card.input_size
    )
    rise = nme_int8 / nme - 1
    if not (difference <= LARGEST_DIFFERENCE and rise < LARGEST_RISE):
        raise ExportError(
            f"The int8 model is too far from the float one: its points by up to {difference:.2%} of the crop side, "
            f"and its NME on {len(validation)} validation faces is {nme_int8:.3f} % instead of {nme:.3f} % "
            f"({rise:+.1%})",
            f"at most {LARGEST_DIFFERENCE:.0%} and less than {LARGEST_RISE:+.0%} are accepted; some networks lose too "
            "much in int8",
            "keep the model with float16 weights: export without --int8 and --int8-weights",
        )
    by_map = f"int8 from stride {INTEGER_STRIDE} on and int8 weights where heatmaps are made, else float32"
    precision = "int8 weights, float32 between the layers" if weights_only else by_map
    card = replace(card, precision=precision, sha256=hashlib.sha256(int8).hexdigest(), bytes=len(int8))
    return Int8Export(target, write_model(target, int8, card), difference, nme, nme_int8, len(validation))


def _source(origin: Path, weights_only: bool) -> bytes | LandmarkNetwork:
    """Return what becomes a float model, or a model whose weights alone become int8, which is one."""
    if weights_only and is_model(origin):
        return read_model(origin, read_card(origin.with_suffix(".json")))
    return load_network(origin)


def _float_model(origin: Path, source: bytes | LandmarkNetwork, name: str, role: str) -> tuple[Card, bytes]:
    """Return the card of the model to be, and a float model; one that is made here has the names of its operators."""
    content = source if isinstance(source, bytes) else to_tflite(source)
    if isinstance(source, bytes) or is_model(origin):
        return replace(read_card(origin.with_suffix(".json")), name=name, metrics=()), content
    with damage_named(origin):
        return card_of(origin, source, content, name, role), content


def quantise(content: bytes, faces: torch.Tensor) -> bytes:
    """Return a model whose small maps are int8: weights by channel, activations in the ranges seen on `faces`.

    The last convolutions of the decoder have int8 weights alone; each picture's own range rounds what they read.

    The content is of a `.tflite` file with float32 weights, as `trainer.tflite.export.to_tflite` makes it; the faces
    are `[N, 3, S, S]` RGB, 0..255.
    """
    # Pulls in what only a quantisation should cost.
    from ai_edge_quantizer.qtyping import TFLOperationName
    from ai_edge_quantizer.quantizer import Quantizer

    model = read_tflite(content)
    signature, names = next(iter(Interpreter(model_content=content).get_signature_list().items()))
    samples = [{names["inputs"][0]: face.permute(1, 2, 0)[None].contiguous().numpy()} for face in faces]
    quantizer = Quantizer(bytearray(content))
    everything = TFLOperationName.ALL_SUPPORTED
    quantizer.add_static_config(_integers(model), everything, activation_num_bits=BITS, weight_num_bits=BITS)
    quantizer.add_dynamic_config(_readers_of_last_maps(model), TFLOperationName.CONV_2D, num_bits=BITS)
    ranges = quantizer.calibrate({signature: samples}, num_threads=1)
    result = quantizer.quantize(ranges, enable_progress_report=False)
    return write_tflite(read_tflite(bytes(result.quantized_model)))


def _integers(model: schema.ModelT) -> str:
    """Return a pattern of the names of those operators that compute in int8."""
    graph = model.subgraphs[0]
    rows = graph.tensors[graph.inputs[0]].shape[1] // INTEGER_STRIDE + PADDING

    def is_small(operator: schema.OperatorT) -> bool:
        written = graph.tensors[operator.outputs[0]].shape
        return len(written) == 4 and written[1] <= rows and bool(re.search(BODY, _name(graph, operator)))

    read = {number for operator in filter(is_small, graph.operators) for number in operator.inputs}

    def pads_for_small(operator: schema.OperatorT) -> bool:
        return _kind(model, operator) == schema.BuiltinOperator.PAD and operator.outputs[0] in read

    return _pattern(graph, [each for each in graph.operators if is_small(each) or pads_for_small(each)])


def _readers_of_last_maps(model: schema.ModelT) -> str:
    """Return a pattern of the names of the decoder's convolutions of maps like those the heatmaps are made from."""
    graph = model.subgraphs[0]

    def is_of_decoder(operator: schema.OperatorT) -> bool:
        is_convolution = _kind(model, operator) == schema.BuiltinOperator.CONV_2D
        return is_convolution and bool(re.search(DECODER, _name(graph, operator)))

    def shape_read(operator: schema.OperatorT) -> list[int]:
        return list(graph.tensors[operator.inputs[0]].shape)

    convolutions = list(filter(is_of_decoder, graph.operators))
    last = shape_read(convolutions[-1])
    return _pattern(graph, [each for each in convolutions if shape_read(each) == last])


def _pattern(graph: schema.SubGraphT, operators: Sequence[schema.OperatorT]) -> str:
    """Return a pattern of the names of operators, as the quantiser joins them."""
    return "|".join(f"^{re.escape(_name(graph, operator))};$" for operator in operators)


def _name(graph: schema.SubGraphT, operator: schema.OperatorT) -> str:
    return str(graph.tensors[operator.outputs[0]].name.decode())


def _kind(model: schema.ModelT, operator: schema.OperatorT) -> int:
    return int(model.operatorCodes[operator.opcodeIndex].builtinCode)


def _faces(origin: Path, data: Path) -> tuple[CropSet, CropSet]:
    """Return faces for calibration and for validation, out of the packs that lend faces to validation."""
    packs = OF_300W
    own: tuple[PackChoice, ...] = ()
    hold_out, size = Training.hold_out, CROP_SIZE
    if is_model(origin):
        _refuse_without_300w(origin, data)
    else:
        state = read_checkpoint(origin)
        packs, own = (
            tuple(PackChoice(**pack) for pack in state.recipe.get(key, ())) for key in ("packs", "validation")
        )
        # Where packs are held out whole, every pack may serve to calibrate.
        packs = packs if own else tuple(pack for pack in packs if pack.validation)
        hold_out, size = state.recipe["hold_out"], state.notes.get("crop_size", CROP_SIZE)
    if packs:
        crops = load_crops(data, packs, progress=True, size=size)
        training, validation, _ = split_held_out(crops, data, hold_out, own, size)
        if len(validation) and len(training):
            return training, validation
    raise UsageError(
        "No face is left to measure the int8 model on",
        f"the run held out one face in {hold_out} of packs with validation, and there are fewer"
        if hold_out
        else "the run held out no face of its packs",
        "give the packs that the run learned from",
    )


def _refuse_without_300w(model: Path, data: Path) -> None:
    """Raise `UsageError` unless the faces are there that a model is measured on, which does not say its own packs."""
    points, names = read_card(model.with_suffix(".json")).scheme, ", ".join(pack.name for pack in OF_300W)
    if points != POINTS_OF_300W:
        raise UsageError(
            f"{model} has {points} points, and int8 cannot be measured on it",
            f"a model does not say which packs it learned from, and those of 300-W have {POINTS_OF_300W} points",
            "give the folder of its run instead of the model, and its packs with --data",
        )
    missing = [pack.name for pack in OF_300W if not (is_pack(data / pack.name) or cached_sizes(data, pack))]
    if missing:
        raise UsageError(
            f"In {data} there is no {' and no '.join(missing)}",
            f"a model does not say which packs it learned from, so int8 is measured on those of 300-W: {names}",
            "name their folder with --data, or give the folder of the model's run instead of the model",
        )


def _window(crops: CropSet, card: Card) -> Batch:
    return central_window(crops.faces, card.crop.scale / CROP_SCALE, card.input_size)


def points_by(content: bytes, images: torch.Tensor) -> torch.Tensor:
    """Return the points `[N, K, 2]` in [0, 1] that a model finds in images `[N, 3, S, S]`."""
    runtime = Runtime(content, "The exported model")
    points = []
    for image in images:
        runtime.input_buffer()[0] = image.permute(1, 2, 0).numpy()
        points.append(torch.from_numpy(runtime.run()[0]))
    return torch.cat(points)
