"""Checkpoints: whole or not at all, never a pickle."""

import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import asdict, replace

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from engine.core.errors import RecordingError, UsageError
from tests.conftest import ROOT
from trainer.checkpoint import (
    BEST,
    FORMAT,
    LAST,
    Checkpoint,
    optimizer_tensors,
    read_checkpoint,
    read_header,
    restore_optimizer,
    write_checkpoint,
)
from trainer.init.initialise import load_network, make_network
from trainer.networks.heatmap import HeatmapShape


def make():
    return Checkpoint(7, {"name": "x"}, {"w": torch.ones(2)}, {"w": torch.zeros(2)}, {"0.step": torch.tensor(3.0)}, {})


def test_there_and_back(tmp_path):
    write_checkpoint(tmp_path / "a.safetensors", make())
    state = read_checkpoint(tmp_path / "a.safetensors")
    assert (state.step, state.recipe) == (7, {"name": "x"})
    assert state.model["w"].tolist() == [1, 1]
    assert state.ema["w"].tolist() == [0, 0]
    assert state.optimizer["0.step"].item() == 3


@pytest.mark.parametrize("error", [OSError("no space left"), SafetensorError("I/O error: no space left")])
def test_fault_19_a_write_that_breaks_off_keeps_the_former_file(tmp_path, monkeypatch, error):
    path = tmp_path / "a.safetensors"
    write_checkpoint(path, make())
    former = path.read_bytes()

    def broken(tensors, file, metadata):
        file.write_bytes(b"half")
        raise error

    monkeypatch.setattr("trainer.checkpoint.save_tensors", broken)
    with pytest.raises(RecordingError, match="step 7 cannot be written .*no space"):
        write_checkpoint(path, make())
    assert path.read_bytes() == former
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of the size of files")
def test_fault_19_a_file_that_the_system_refuses_to_write_is_reported_in_a_sentence(tmp_path):
    import resource

    path = tmp_path / "a.safetensors"
    write_checkpoint(path, make())
    former = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(RecordingError, match="cannot be written"):
            write_checkpoint(path, replace(make(), model={"w": torch.ones(100_000)}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == former
    assert list(tmp_path.iterdir()) == [path]


KILLED_WHILE_WRITING = """
import os, signal, sys
from dataclasses import asdict, replace
from pathlib import Path
from trainer import checkpoint

def half(tensors, file, metadata):
    file.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

path = Path(sys.argv[1])
former = checkpoint.read_checkpoint(path)
checkpoint.save_tensors = half
checkpoint.write_checkpoint(path, replace(former, step=8))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_fault_18_a_kill_while_writing_keeps_the_former_file_and_the_next_write_succeeds(tmp_path):
    path = tmp_path / "a.safetensors"
    write_checkpoint(path, make())
    former = path.read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, path], cwd=ROOT, timeout=100)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == former
    write_checkpoint(path, replace(make(), step=9))
    assert read_checkpoint(path).step == 9
    assert list(tmp_path.iterdir()) == [path], "nothing is left of the first attempt"


@pytest.mark.parametrize("damage", [{"recipe": "{"}, {"step": "x"}, {"notes": None}])
def test_a_checkpoint_with_damaged_metadata_is_refused(tmp_path, damage):
    metadata = {"format": FORMAT, "step": "1", "recipe": "{}", "notes": "{}"} | damage
    kept = {name: value for name, value in metadata.items() if value is not None}
    save_file({"model/w": torch.ones(1)}, tmp_path / "a.safetensors", kept)
    with pytest.raises(UsageError, match="is damaged"):
        read_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize("content", [b"", b"{}", pickle.dumps({"a": 1}), b"\xff" * 100])
def test_fault_74_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        read_checkpoint(path)


def test_a_safetensors_file_of_another_program_is_refused(tmp_path):
    save_file({"w": torch.ones(1)}, tmp_path / "a.safetensors")
    with pytest.raises(UsageError, match="no checkpoint of this program"):
        read_checkpoint(tmp_path / "a.safetensors")


def test_the_optimiser_goes_on_where_it_was():
    def step(parameter, optimizer):
        optimizer.zero_grad()
        (parameter**3).sum().backward()
        optimizer.step()

    one = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    first = torch.optim.AdamW([one], lr=0.1)
    step(one, first)
    two = torch.nn.Parameter(one.detach().clone())
    second = torch.optim.AdamW([two], lr=0.1)
    restore_optimizer(second, {name: tensor.clone() for name, tensor in optimizer_tensors(first).items()})
    step(one, first)
    step(two, second)
    assert torch.equal(one, two)


def test_starting_from_a_missing_checkpoint_is_refused(recipe, tmp_path):
    with pytest.raises(UsageError, match="are not there"):
        make_network(recipe.network, str(tmp_path / "none.safetensors"), 0)
    # What is advised has to work: no weights of ImageNet can be had for MobileViT-v2.
    with pytest.raises(UsageError, match="init=random"):
        make_network(HeatmapShape(encoder="mobilevitv2"), str(tmp_path / "none.safetensors"), 0)
    with pytest.raises(UsageError, match="cannot be read"):
        load_network(tmp_path / "none.safetensors")


def test_the_same_seed_makes_the_same_network(recipe):
    first, second = make_network(recipe.network, "random", 1), make_network(recipe.network, "random", 1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_fault_61_a_checkpoint_of_another_network_is_refused(tmp_path):
    write_checkpoint(tmp_path / "a.safetensors", make())
    with pytest.raises(UsageError, match="holds another network"):
        load_network(tmp_path / "a.safetensors")


def test_fields_of_an_older_checkpoint_are_read_by_their_present_names(tmp_path):
    loss = {"kd": {"pull_weight": 4.0, "slope": 1.0}, "heatmap_kd": {"reading": "paper"}}
    recipe = {"name": "old", "shape": {"dropout": 0.0}, "start": "random", "loss": loss}
    metadata = {"format": FORMAT, "step": "1", "recipe": json.dumps(recipe), "notes": "{}"}
    save_file({"model/w": torch.ones(1)}, tmp_path / "a.safetensors", metadata)
    loss = {"kd": {"point_distillation_weight": 4.0, "slope": 1.0}, "heatmap_kd": {"variant": "paper"}}
    assert read_checkpoint(tmp_path / "a.safetensors").recipe["loss"] == loss


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "3"},
        {"recipe": "[" * 100_000},
        {"recipe": '{"steps": "many"}'},
        {"recipe": '{"shape": 3}'},
        {"notes": "[]"},
        {"notes": '{"files": []}'},
        {"notes": "9" * 5000},
        {"step": "9" * 5000},
        {"step": "soon"},
    ],
    ids=lambda changes: "-".join(f"{name} {value[:12]}" for name, value in changes.items()),
)
def test_fault_75_a_header_that_was_changed_is_refused_in_a_sentence(tmp_path, changes):
    path = tmp_path / "a.safetensors"
    metadata = {"format": FORMAT, "step": "7", "recipe": "{}", "notes": "{}", **changes}
    save_file({"ema/w": torch.ones(2)}, path, metadata)
    with pytest.raises(UsageError, match="is damaged") as refused:
        read_checkpoint(path)
    assert len(str(refused.value)) < 1000
    assert read_header(path) is None


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x08" + b"\0" * 7 + b"[" * 8, b"\xff" * 7 + b"\x7f{"])
def test_fault_75_a_damaged_file_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        read_checkpoint(path)
    assert read_header(path) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="such files are Unix's")
def test_a_pipe_in_place_of_a_checkpoint_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.safetensors")
    with pytest.raises(UsageError, match="a pipe, a device or a socket"):
        read_checkpoint(tmp_path / "a.safetensors")
    assert read_header(tmp_path / "a.safetensors") is None


def test_fault_75_weights_that_are_no_numbers_are_refused(tmp_path):
    shape = HeatmapShape(points=68, input_size=32)
    weights = make_network(shape, "random", 0).state_dict()
    next(iter(weights.values())).view(-1)[0] = torch.nan
    state = replace(make(), recipe={"network": {"kind": "heatmap", **asdict(shape)}}, model={}, ema=weights)
    write_checkpoint(tmp_path / "a.safetensors", state)
    with pytest.raises(UsageError, match="not all finite numbers"):
        load_network(tmp_path / "a.safetensors")


def test_of_a_run_that_was_cut_off_it_says_what_is_left(tmp_path):
    last = tmp_path / LAST
    with pytest.raises(UsageError) as refusal:
        read_checkpoint(last)
    assert refusal.value.why == "it was moved or removed"
    last.write_bytes(b"half")
    with pytest.raises(UsageError) as refusal:
        read_checkpoint(last)
    assert refusal.value.fix.startswith("download or copy it again")
    (tmp_path / "recipe.json").touch()
    with pytest.raises(UsageError) as refusal:
        read_checkpoint(last)
    assert refusal.value.fix == f"remove {last} to begin this training again"
    write_checkpoint(tmp_path / BEST, make())
    with pytest.raises(UsageError) as refusal:
        read_checkpoint(last)
    assert refusal.value.fix.endswith(f"; its best weights until then are in {tmp_path / BEST}")
