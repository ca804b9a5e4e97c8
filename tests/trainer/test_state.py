"""The state of a run: the running mean of its weights, and what may resume."""

import copy
import json
from dataclasses import asdict, replace

import pytest
import torch
from torch import nn

from engine.core.errors import UsageError
from trainer.checkpoint import Checkpoint
from trainer.state import differences, refuse_other_data, update_average


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


def test_fields_younger_than_a_checkpoint_had_their_defaults(recipe):
    saved = json.loads(json.dumps(asdict(recipe)))
    del saved["soft"], saved["loss"]["kd"], saved["packs"][0]["label_shift"]
    assert list(differences(recipe, saved)) == []
    shifted = replace(recipe, packs=(replace(recipe.packs[0], label_shift=1.0),))
    assert list(differences(shifted, saved)) == ["packs[0].label_shift: 0.0 -> 1.0"]
    assert list(differences(recipe, {**saved, "gone": 3})) == ["gone: 3 -> nothing"]


def test_another_teacher_does_not_resume(tmp_path):
    notes = {"data": "x", "held_out": "y", "files": {"teacher.safetensors": "old"}}
    state = Checkpoint(1, {}, {}, {}, {}, notes)
    refuse_other_data(notes, state, tmp_path)
    with pytest.raises(UsageError, match="changed: teacher.safetensors"):
        refuse_other_data({**notes, "files": {"teacher.safetensors": "new"}}, state, tmp_path)


def test_other_packs_do_not_resume_and_what_an_old_run_did_not_note_is_as_it_was(tmp_path):
    notes = {"data": "x", "held_out": "y", "files": {}}
    state = Checkpoint(1, {}, {}, {}, {}, notes)
    with pytest.raises(UsageError, match="changed: the packs for validation. Give"):
        refuse_other_data({**notes, "held_out": "other"}, state, tmp_path)
    with pytest.raises(UsageError, match="changed: the packs. Give"):
        refuse_other_data({**notes, "data": "other", "held_out": "other"}, state, tmp_path)
    refuse_other_data(notes, replace(state, notes={"data": "x"}), tmp_path)
