"""The state of a run: its optimiser and the running mean of its weights."""

import copy

import torch
from torch import nn

from trainer.state import update_average


def test_the_mean_moves_towards_the_weights_to_the_bit_of_a_lerp_and_counters_are_copied():
    network = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    average = copy.deepcopy(network)
    network.train()(torch.rand(4, 3, generator=torch.Generator().manual_seed(0)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3)
    before = copy.deepcopy(average.state_dict())
    update_average(average, network, 0.9)
    after, weights = average.state_dict(), network.state_dict()
    assert after["1.num_batches_tracked"] == weights["1.num_batches_tracked"] == 1
    for name, mean in before.items():
        if mean.is_floating_point():
            assert torch.equal(after[name], mean.lerp(weights[name], 1 - 0.9)), name
            assert not torch.equal(after[name], mean), name
