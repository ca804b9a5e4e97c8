"""SwinV2 without tensors of rank 6 computes what timm's does."""

import torch

from trainer.networks.timm_models import (
    FlatPatchMerging,
    create_model,
    flatten_windows,
    window_partition,
    window_reverse,
)


def maps(channels=3):
    return torch.rand(2, 8, 12, channels, generator=torch.Generator().manual_seed(1))


def test_windows_are_those_of_the_view_of_rank_6_and_go_back_to_where_they_were():
    windows = window_partition(maps(), (4, 6))
    assert torch.equal(windows, maps().view(2, 2, 4, 2, 6, 3).permute(0, 1, 3, 2, 4, 5).reshape(8, 4, 6, 3))
    assert torch.equal(window_reverse(windows, (4, 6), (8, 12)), maps())


@torch.no_grad()
def test_four_pixels_are_merged_in_timms_order_by_its_weights():
    network = create_model("swinv2_tiny_window8_256", num_classes=0, img_size=128)
    names, merging = list(network.state_dict()), network.layers[1].downsample
    torch.nn.init.normal_(merging.norm.weight, generator=torch.Generator().manual_seed(2))
    expected = merging(maps(channels=96))
    flatten_windows(network)
    assert isinstance(network.layers[1].downsample, FlatPatchMerging)
    assert torch.equal(network.layers[1].downsample(maps(channels=96)), expected)
    assert sorted(network.state_dict()) == sorted(names), "checkpoints of the one fit the other"
