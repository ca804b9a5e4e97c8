"""Starting a network from another kind of network, or from one of another markup, part by part."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from engine.core.errors import UsageError
from engine.core.schemes import IBUG_68, WFLW_98, Scheme
from trainer.networks import LandmarkNetwork, network_of

# At least one of these parts has to be shared, or the two networks have nothing to do with each other.
BODIES = ("encoder", "decoder", "head")
# Tensors with a row per point, by what their names begin with.
PER_POINT = ("decoder.predict.", "head.heatmaps.", "head.points.", "visibility.", "peak_weight")
# Tensors with two rows per point, x and y.
COORDINATES = "offsets."
# Where the logits of our heatmap networks peak on a face (13 +- 1 in the Tough teacher). Point maps then peak at 1/2.
LOGIT_PEAK = 13.0
# The lower edges of the brows, which 68 points lack, and the points of the upper edges above them.
ABOVE = {38: 37, 39: 36, 40: 35, 41: 34, 47: 45, 48: 44, 49: 43, 50: 42}


@torch.no_grad()
def copy_parts(given: nn.Module, network: nn.Module) -> list[str]:
    """Copy each part (encoder, decoder, head, …) of a network all of whose tensors another of the same markup has too.

    Returns:
        The names of the parts that were copied; none unless one of them does the work of the network.
    """
    source = _without_large_maps(given.state_dict(), _levels(given) - _levels(network))
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in network.state_dict().items():
        parts.setdefault(name.partition(".")[0], {})[name] = tensor
    copied = []
    for part, target in parts.items():
        if all(name in source and source[name].shape == tensor.shape for name, tensor in target.items()):
            copied.append(part)
            for name, tensor in target.items():
                tensor.copy_(source[name])
    if "decoder" in copied:
        _copy_heatmap_layer(source, network.state_dict())
    return copied if set(copied) & set(BODIES) else []


def _levels(network: nn.Module) -> int:
    """Return how many features a network's pyramid reads; 0 of one that has none."""
    return len({name.split(".")[2] for name in network.state_dict() if name.startswith("decoder.laterals.")})


def _without_large_maps(source: dict[str, torch.Tensor], count: int) -> dict[str, torch.Tensor]:
    """Return a network's tensors, its pyramid's as those of one that does not read its `count` largest features."""
    found = {}
    for name, tensor in source.items():
        if count > 0 and name.startswith(("decoder.laterals.", "decoder.smooth.")):
            decoder, kind, level, rest = name.split(".", 3)
            found[f"{decoder}.{kind}.{int(level) - count}.{rest}"] = tensor
        else:
            found[name] = tensor
    return found


def _copy_heatmap_layer(source: dict[str, torch.Tensor], target: dict[str, torch.Tensor]) -> None:
    """Let heads begin as the last layer of a softmax's logits, if there is one and they are of its size.

    Far below its middle a sigmoid is an exponential. So point maps from logits moved down are a softmax before its
    division, and attention maps begin with the points of the network that was given.
    """
    weight, bias = source.get("decoder.predict.weight"), source.get("decoder.predict.bias")
    heatmaps = target.get("head.heatmaps.weight")
    if weight is None or bias is None or heatmaps is None or heatmaps.shape != weight.shape:
        return
    heatmaps.copy_(weight)
    if "head.points.weight" in target:
        target["head.points.weight"].copy_(weight)
        target["head.points.bias"].copy_(bias - LOGIT_PEAK)
        target["head.edges.weight"].zero_()
        target["head.edges.bias"].zero_()
    else:
        target["head.heatmaps.bias"].copy_(bias)


@torch.no_grad()
def with_points(given: LandmarkNetwork, points: int) -> LandmarkNetwork:
    """Return a network as one of a markup of `points`; `UsageError` if it is not known which points are the same.

    What it knows of a point goes to the same point; points that are new begin as their neighbours.
    """
    if given.shape.points == points:
        return given
    network = network_of(replace(given.shape, points=points))
    tensors = given.state_dict().items()
    network.load_state_dict({name: _mapped(tensor, name, given.shape.points, points) for name, tensor in tensors})
    return network


def _mapped(tensor: torch.Tensor, name: str, given: int, wanted: int) -> torch.Tensor:
    """Return a network's tensor with rows for the points of another markup, if it has a row per point."""
    if not name.startswith((*PER_POINT, COORDINATES)):
        return tensor
    weights = point_weights(given, wanted).to(tensor)
    if name.startswith(COORDINATES):
        weights = torch.kron(weights, torch.eye(2).to(tensor))
    return (weights @ tensor.flatten(1) if tensor.ndim > 1 else weights @ tensor).reshape(-1, *tensor.shape[1:])


def point_weights(given: int, wanted: int) -> torch.Tensor:
    """Return `[wanted, given]`: for each point of one markup the weights of the points of another, with sum 1.

    Of 68 and 98 points those that both markups have are taken as they are. Each other one of 98 is the mean of its
    neighbours on its contour; but a pupil is the mean of its eye, and the lower edge of a brow is as the upper one.

    Raises:
        UsageError: there is no such map between these markups.
    """
    if (given, wanted) == (98, 68):
        return torch.eye(98)[list(WFLW_98.as_68)]
    if (given, wanted) != (68, 98):
        raise UsageError(
            f"A network of {given} points cannot start one of {wanted}",
            "it is only known of 68 and 98 points which are the same",
            "start from a network of the same markup, or with --set init=random",
        )
    of_68 = {point: index for index, point in enumerate(WFLW_98.as_68)}
    weights = torch.zeros(98, IBUG_68.points)
    for point in range(98):
        sources = [of_68[known] for known in _known_neighbours(WFLW_98, point, set(of_68))]
        weights[point, sources] = 1 / len(sources)
    return weights


def _known_neighbours(scheme: Scheme, point: int, known: set[int]) -> list[int]:
    if point in known:
        return [point]
    if point in ABOVE:
        return [ABOVE[point]]
    for contour in scheme.contours:
        if point in contour.points:
            place = contour.points.index(point)
            around = (contour.points[place - 1], contour.points[(place + 1) % len(contour.points)])
            return [neighbour for neighbour in around if neighbour in known]
    # Pupils come last, the right one first.
    eye = scheme.right_eye if point == scheme.points - 2 else scheme.left_eye
    return [other for other in eye if other in known]
