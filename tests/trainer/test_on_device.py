"""The steps of a training ask a GPU nothing: what they compute with is followed from where it is sent there."""

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from trainer import augment, loop, on_device
from trainer.losses.eyes import EyesLoss
from trainer.networks.star import StarShape
from trainer.run import run
from trainer.run_recorder import Intervals

# What a GPU has to be waited for: numbers of it that the CPU wants to know, or on which the size of a result depends.
ASKING = {"_local_scalar_dense", "item", "nonzero", "masked_select", "unique_dim", "_unique2", "equal", "is_nonzero"}
NEVER = Intervals(1000, 1000, 1000)


class Followed(TorchDispatchMode):
    """Follows tensors that are sent to a device, and all that comes of them; notes what is asked of them."""

    def __init__(self, monkeypatch):
        super().__init__()
        self._here = WeakIdKeyDictionary()
        self.step, self.asked, self.operations = None, [], 0
        original = on_device.sent

        def sent(tensor, device):
            copy = original(tensor, device).clone()
            self._here[copy] = True
            return copy

        for module in (on_device, augment):
            monkeypatch.setattr(module, "sent", sent)
        on_device.constant.cache_clear()

    def follow(self, network):
        """Take the weights of a network for sent."""
        for tensor in network.state_dict(keep_vars=True).values():
            self._here[tensor] = True

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        given = [leaf for leaf in tree_leaves((arguments, options)) if isinstance(leaf, torch.Tensor)]
        if any(tensor in self._here for tensor in given):
            self.operations += 1
            if self.step is not None:
                self._look(function, arguments)
            for leaf in tree_leaves(result):
                if isinstance(leaf, torch.Tensor):
                    self._here[leaf] = True
        return result

    def _look(self, function, arguments):
        name = function.overloadpacket.__name__
        if name in ASKING:
            self.asked.append((self.step, name))
        elif name.startswith("index"):
            for rows in tree_leaves(arguments[1]):
                if isinstance(rows, torch.Tensor) and (rows.dtype == torch.bool or rows not in self._here):
                    self.asked.append((self.step, f"{name} by {rows.dtype}"))


@pytest.fixture
def followed(monkeypatch):
    """A run of which only the first step and the last are looked at; its other steps are followed."""
    mode = Followed(monkeypatch)
    network, draw = loop.begin, loop.draw_batch

    def begin(recipe, *rest):
        progress = network(recipe, *rest)
        mode.follow(progress.network)
        mode.follow(progress.average)
        return progress

    def draw_batch(crops, change, recipe, step, *rest):
        mode.step = step if 0 < step < recipe.steps - 1 else None
        return draw(crops, change, recipe, step, *rest)

    monkeypatch.setattr(loop, "begin", begin)
    monkeypatch.setattr(loop, "draw_batch", draw_batch)
    monkeypatch.setattr(loop, "reading_interval", lambda device: 1000)
    yield mode
    on_device.constant.cache_clear()


def with_everything(recipe):
    """Let a recipe have each term of the loss and each change of pictures."""
    changes = replace(recipe.augmentation, blur_share=1.0, noise_share=1.0, cover_share=1.0, no_face_share=0.3)
    loss = replace(recipe.loss, views_weight=1.0, eyes=EyesLoss(weight=1.0))
    return replace(recipe, steps=3, augmentation=changes, loss=loss)


def test_steps_of_heatmaps_two_views_and_eyes_ask_a_gpu_nothing(data, recipe, tmp_path, followed):
    with followed:
        run(with_everything(recipe), data, tmp_path / "run", "cpu", False, NEVER)
    assert followed.operations > 1000
    assert followed.asked == []


def test_steps_of_attention_maps_ask_a_gpu_nothing(data, recipe, tmp_path, followed):
    network = StarShape(encoder="mobilenetv2", encoder_width=0.25, channels=16, input_size=64)
    star = replace(with_everything(recipe), network=network, loss=replace(recipe.loss, points="star"))
    with followed:
        run(star, data, tmp_path / "run", "cpu", False, NEVER)
    assert followed.asked == []


def test_a_loss_that_asks_is_noticed(data, recipe, tmp_path, followed, monkeypatch):
    original = loop.landmark_loss

    def asking(output, batch, settings):
        assert output.points.mean().item() < 2
        assert len(output.points[batch.labelled > 0])
        assert output.points[:, [0, 1]].shape[1] == 2
        return original(output, batch, settings)

    monkeypatch.setattr(loop, "landmark_loss", asking)
    with followed:
        run(replace(recipe, steps=3), data, tmp_path / "run", "cpu", False, NEVER)
    assert followed.asked == [
        (1, "_local_scalar_dense"), (1, "index by torch.bool"), (1, "index by torch.int64")
    ]  # fmt: skip
