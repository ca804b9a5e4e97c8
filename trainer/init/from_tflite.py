"""A heatmap network back out of the `.tflite` model that `trainer.tflite.export` made of it.

An exported model has no batch norms: each is folded into the convolution before it, and the scaling of pixels into the
first. Here the convolution gets filters of the size that PyTorch starts with, and its batch norm the rest, with mean 0
and variance 1. So the network computes the same in evaluation mode; before it is trained, `restate_norms` has to
give the norms the statistics of real pictures. Until then the scale of a norm is the length of its folded filter, which
is a measure of the channel's importance too (Li et al., "Pruning filters for efficient convnets", ICLR 2017).

Of MobileViT-v2 two things more are folded into the layers behind them: the scale and shift of the attention's norms,
which here stay 1 and 0, and the projections that only linear layers read. A projection from few channels to many gets
orthonormal columns, and its readers their own filters times its transpose, which together are what was folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from torch import nn

from engine.core.errors import UsageError
from trainer.networks import mobilevit
from trainer.networks.encoders import INPUT_MULTIPLES
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.mobilenetv2 import STAGES

CONVOLUTION = schema.BuiltinOperator.CONV_2D
DEPTHWISE = schema.BuiltinOperator.DEPTHWISE_CONV_2D
LINEAR = schema.BuiltinOperator.FULLY_CONNECTED
# To PyTorch's order of axes: outputs, inputs, height, width.
AXES = {CONVOLUTION: (0, 3, 1, 2), DEPTHWISE: (3, 0, 1, 2), LINEAR: (0, 1)}
FILTER_NORM = 3**-0.5  # expected length of a filter that PyTorch draws, whatever its size


@dataclass(frozen=True)
class _Layer:
    """A convolution or linear layer with its batch norm folded in: weight in PyTorch's order, bias `[outputs]`."""

    weight: torch.Tensor
    bias: torch.Tensor


def network_of_model(content: bytes, name: str) -> HeatmapNetwork:
    """Return the network of an exported model, in evaluation mode; its sizes are read off the model's tensors.

    Args:
        content: bytes of a `.tflite` file that `trainer.tflite.export` made of a `HeatmapNetwork`.
        name: what to call the model in errors.

    Raises:
        UsageError: the model is of another architecture.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    constants = _constants(model, graph)
    layers = list(_layers(model, graph, constants))
    network = HeatmapNetwork(_shape(model, graph, layers, name)).eval()
    modules = _in_order_of_use(network)
    # The batch norm that follows each convolution; they stand one after the other in their parent.
    norms = {module: norm for module, norm in pairwise(network.modules()) if isinstance(norm, nn.BatchNorm2d)}
    with torch.no_grad():
        layers = _unfold_projections(network, modules, layers)
        _refuse_other_layers(layers, modules, name)
        for layer, module in zip(layers, modules, strict=True):
            _fill(module, norms.get(module), layer)
        _unfold_pixel_scaling(network.encoder.stem)
        # The weight [K] of each heatmap's peak in the confidence is the one product with a constant.
        products = _operators(model, graph, schema.BuiltinOperator.MUL)
        factors = [constants[place] for operator in products for place in operator.inputs if place in constants]
        if len(factors) != 1 or factors[0].size != network.shape.points:
            raise _other_architecture(name, "its confidence does not read the peaks of heatmaps")
        network.peak_weight.copy_(torch.from_numpy(factors[0].reshape(network.shape.points).copy()))
    return network


@torch.no_grad()
def restate_norms(network: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Let every batch norm hold the mean and variance of what it reads, and change scale and shift to make up for it.

    So in training mode, where a batch's own statistics count, the network computes about what it does in evaluation
    mode; there no number changes but for rounding. There is at least one batch, of images as the network reads them, of
    any floating type.
    """
    norms: list[Any] = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    read: dict[nn.Module, list[tuple[torch.Tensor, torch.Tensor]]] = {norm: [] for norm in norms}

    def measure(norm: nn.Module, inputs: tuple[Any, ...]) -> None:
        read[norm].append(torch.var_mean(inputs[0].double(), (0, 2, 3)))

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    was_training = network.training
    network.eval()
    for images in batches:
        network(images.to(norms[0].weight.dtype))
    for hook in hooks:
        hook.remove()
    for norm in norms:
        variance, mean = (torch.stack(values).mean(0) for values in zip(*read[norm], strict=True))
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        norm.bias.copy_(norm.bias + (mean - norm.running_mean) * scale)
        norm.weight.copy_(scale * (variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
    network.train(was_training)


def _constants(model: schema.ModelT, graph: schema.SubGraphT) -> dict[int, NDArray[np.float32]]:
    """Return the weights by the number of their tensor; float16 ones stand where they are widened to."""
    types = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.FLOAT16: np.float16}
    found = {}
    for index, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and tensor.type in types:
            values = np.frombuffer(np.asarray(data, np.uint8).tobytes(), types[tensor.type])
            found[index] = values.astype(np.float32).reshape(tensor.shape)
    for operator in _operators(model, graph, schema.BuiltinOperator.DEQUANTIZE):
        if operator.inputs[0] in found:
            found[operator.outputs[0]] = found[operator.inputs[0]]
    return found


def _operators(model: schema.ModelT, graph: schema.SubGraphT, *codes: int) -> Iterator[Any]:
    return (entry for entry in graph.operators if model.operatorCodes[entry.opcodeIndex].builtinCode in codes)


def _layers(
    model: schema.ModelT, graph: schema.SubGraphT, constants: dict[int, NDArray[np.float32]]
) -> Iterator[_Layer]:
    """Yield the layers in their order of use. The soft-argmax is a linear layer too, but one without a bias."""
    for operator in _operators(model, graph, *AXES):
        places = [place for place in operator.inputs[1:] if place in constants]
        if len(places) == 2:
            weight, bias = (torch.from_numpy(constants[place].copy()) for place in places)
            yield _Layer(weight.permute(AXES[model.operatorCodes[operator.opcodeIndex].builtinCode]), bias)


def _shape(model: schema.ModelT, graph: schema.SubGraphT, layers: list[_Layer], name: str) -> HeatmapShape:
    """Read the sizes off the encoder's layers and the last two, the heatmaps and the confidence."""
    try:
        shape = HeatmapShape(
            points=len(layers[-1].weight),
            decoder_width=layers[-2].weight.shape[1],
            input_size=int(graph.tensors[graph.inputs[0]].shape[1]),
        )
        # The heatmaps are one softmax; attention has its own.
        if len(list(_operators(model, graph, schema.BuiltinOperator.SOFTMAX))) > 1:
            width = len(layers[0].weight) / mobilevit.STEM_CHANNELS
            return replace(shape, encoder="mobilevitv2", encoder_width=width, activation=activation_of(model, graph))
        return _with_mobilenet(shape, layers, name)
    except IndexError as error:
        raise _other_architecture(name, f"it has only {len(layers)} layers with weights") from error


def _with_mobilenet(shape: HeatmapShape, layers: list[_Layer], name: str) -> HeatmapShape:
    channels, place, expansions = len(layers[0].weight), 1, []
    for _, repetitions, _ in STAGES:
        first = layers[place].weight
        # A block without expansion starts with its depthwise layer, whose filters read one channel each.
        expansions.append(1 if first.shape[1] == 1 else len(first) // channels)
        place += repetitions * (2 if expansions[-1] == 1 else 3)
        channels = len(layers[place - 1].weight)
    if 0 in expansions:
        raise _other_architecture(name, "its blocks narrow what they read")
    return replace(shape, encoder_width=channels / STAGES[-1][0], expansions=tuple(expansions))


def activation_of(model: schema.ModelT, graph: schema.SubGraphT) -> str:
    """Return the activation of a MobileViT-v2: SiLU is written as a product with a sigmoid, as the confidence is."""
    if any(_operators(model, graph, schema.BuiltinOperator.HARD_SWISH)):
        return "hardswish"
    return "silu" if len(list(_operators(model, graph, schema.BuiltinOperator.LOGISTIC))) > 1 else "relu6"


def _in_order_of_use(network: HeatmapNetwork) -> list[Any]:
    """Return the convolutions and linear layers in the order in which the network runs them."""
    used: list[nn.Module] = []
    modules = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    hooks = [module.register_forward_hook(lambda module, *_: used.append(module)) for module in modules]
    # The order is that of any size; at the smallest it costs least.
    side = INPUT_MULTIPLES[network.shape.encoder]
    with torch.no_grad():
        features = network.encoder(torch.zeros(1, 3, side, side))
        network.decoder(features[network.first :])
    for hook in hooks:
        hook.remove()
    return [*used, network.visibility]


def _unfold_projections(network: HeatmapNetwork, modules: list[Any], layers: list[_Layer]) -> list[_Layer]:
    """Return the layers with the projections that the export folded into their readers, in their order of use."""
    if not isinstance(network.encoder, mobilevit.MobileViTV2):
        return layers
    columns: dict[Any, torch.Tensor] = {}
    projections: dict[Any, torch.Tensor] = {}
    for parent, name, readers in network.encoder.projections(network.laterals):
        projection: Any = parent.get_submodule(name).get_submodule("0")
        drawn = torch.randn(projection.weight.shape[:2], generator=torch.Generator().manual_seed(0))
        projections[projection] = torch.linalg.qr(drawn)[0]
        columns |= dict.fromkeys(readers, projections[projection])
    unfolded, given = [], iter(layers)
    for module in modules:
        if module in projections:
            matrix = projections[module]
            unfolded.append(_Layer(matrix[:, :, None, None], torch.zeros(len(matrix))))
        elif (layer := next(given, None)) is None:
            break
        elif module in columns and layer.weight.shape[1] == columns[module].shape[1]:
            weight = layer.weight.flatten(1) @ columns[module].T
            unfolded.append(_Layer(weight[:, :, None, None], layer.bias))
        else:
            unfolded.append(layer)
    return [*unfolded, *given]


def _refuse_other_layers(layers: list[_Layer], modules: list[Any], name: str) -> None:
    if len(layers) != len(modules):
        raise _other_architecture(
            name, f"it has {len(layers)} layers with weights, a heatmap network of its sizes {len(modules)}"
        )
    for place, (layer, module) in enumerate(zip(layers, modules, strict=True), 1):
        if layer.weight.shape != module.weight.shape:
            found, expected = ("x".join(map(str, tensor.shape)) for tensor in (layer.weight, module.weight))
            raise _other_architecture(
                name, f"the weights of its layer {place} are {found}, those of a heatmap network {expected}"
            )


def _fill(module: Any, norm: Any, layer: _Layer) -> None:
    if norm is None:
        module.weight.copy_(layer.weight)
        if module.bias is not None:  # else it is one of zeros, which TFLite's convolutions always have
            module.bias.copy_(layer.bias)
        return
    length = layer.weight.flatten(1).norm(dim=1).clamp(min=1e-12) / FILTER_NORM
    module.weight.copy_(layer.weight / length.reshape(-1, 1, 1, 1))
    norm.weight.copy_(length)
    norm.bias.copy_(layer.bias)
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


def _unfold_pixel_scaling(stem: Any) -> None:
    """Let the first convolution read normalised pixels again: what `Stem.folded` did to it, undone."""
    raw = stem.convolution.weight * stem.norm.weight.reshape(-1, 1, 1, 1)
    normalised = _Layer(raw * stem.deviation, stem.norm.bias + (raw * stem.mean).sum((1, 2, 3)))
    _fill(stem.convolution, stem.norm, normalised)


def _other_architecture(name: str, found: str) -> UsageError:
    return UsageError(
        f"No network can be made of the model {name}: it is of another architecture",
        found,
        "give a model that “understudy export” made of a heatmap network with MobileNetV2 or MobileViT-v2, such as "
        "student-68.tflite",
    )
