"""MobileNetV2's parts where they differ from PyTorch's."""

import torch
from torch import nn

from trainer.networks.mobilenetv2 import StridedDepthwise, convolution


def gradient(layer, images):
    """Return the gradient of the images, in the type they have, of a sum that weighs cells differently."""
    images = images.clone().requires_grad_()
    output = layer(images)
    (output.float() * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
    return output, images.grad


def test_a_strided_depthwise_convolution_rounds_only_its_result_under_autocast():
    torch.manual_seed(0)
    layer = StridedDepthwise(8, 8, 3, 2, 1, groups=8, bias=False)
    images = torch.randn(2, 8, 12, 12).bfloat16()
    exact, exact_gradient = gradient(layer, images.float())
    with torch.autocast("cpu", torch.bfloat16):
        output, image_gradient = gradient(layer, images)
    assert output.dtype == image_gradient.dtype == torch.bfloat16
    assert torch.equal(output, exact.bfloat16())
    assert torch.allclose(image_gradient.float(), exact_gradient, rtol=2e-2, atol=2e-2)


def test_only_depthwise_convolutions_with_a_stride_are_of_this_kind():
    assert type(convolution(8, 8, 3, 2, groups=8)[0]) is StridedDepthwise
    assert type(convolution(8, 8, 3, 1, groups=8)[0]) is nn.Conv2d
    assert type(convolution(3, 8, 3, 2)[0]) is nn.Conv2d
