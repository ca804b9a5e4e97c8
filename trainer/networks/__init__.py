"""The networks by their kind: the record of their sizes and the class that is built from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.core.records import read_record
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.regression import RegressionNetwork, RegressionShape
from trainer.networks.star import StarNetwork, StarShape

LandmarkNetwork = HeatmapNetwork | RegressionNetwork | StarNetwork
NetworkShape = HeatmapShape | RegressionShape | StarShape

# The record of a network's sizes, and the class that is built from it.
NETWORKS: dict[str, tuple[Any, Any]] = {
    "heatmap": (HeatmapShape, HeatmapNetwork),
    "regression": (RegressionShape, RegressionNetwork),
    "star": (StarShape, StarNetwork),
}


def network_of(shape: NetworkShape) -> LandmarkNetwork:
    """Return the network of a shape with random weights."""
    network: LandmarkNetwork = NETWORKS[shape.kind][1](shape)
    return network


def shape_of(sizes: Mapping[str, Any]) -> NetworkShape:
    """Return the shape that a recipe holds as plain values.

    Raises:
        LookupError, ValueError: there is no such kind of network, or the values are not those of its shape.
        UsageError: a number is out of its range.
    """
    shape: NetworkShape = read_record(NETWORKS[sizes["kind"]][0], sizes)
    return shape
