"""Networks whose norms do something, as after a training."""

import torch


@torch.no_grad()
def trained_looking(network):
    """Give the norms the look of a trained network; fresh ones would hide mistakes."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor, low, high in ((module.weight, 0.5, 1.5), (module.bias, -0.3, 0.3)):
                tensor.copy_(low + (high - low) * torch.rand(tensor.shape, generator=generator))
            module.running_mean.copy_(0.1 * torch.randn(module.num_features, generator=generator))
            module.running_var.copy_(0.5 + torch.rand(module.num_features, generator=generator))
    return network.eval()
