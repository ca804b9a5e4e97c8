"""Checkpoints that somebody made to do harm: nothing in them is run, and what cannot be is refused."""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from engine.core.errors import UsageError
from trainer.checkpoint import Checkpoint, read_checkpoint, read_header, write_checkpoint


def make():
    return Checkpoint(7, {"name": "x"}, {"w": torch.ones(2)}, {"w": torch.zeros(2)}, {"0.step": torch.tensor(3.0)}, {})


def rewritten(path, change, length=None):
    """Rewrite a checkpoint with another header, and perhaps another length of it."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", length or len(text)) + text + content[8 + size :])


@pytest.mark.parametrize("length", [2**63, 2**40, 200_000_000, 3])
def test_fault_75_a_header_that_claims_another_length_is_refused(tmp_path, length):
    write_checkpoint(tmp_path / "a.safetensors", make())
    rewritten(tmp_path / "a.safetensors", lambda header: None, length)
    with pytest.raises(UsageError, match="cannot be read"):
        read_checkpoint(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["ema/w"].update(data_offsets=header["model/w"]["data_offsets"]),
        lambda header: header["ema/w"].update(data_offsets=[0, 2**62]),
        lambda header: header["ema/w"].update(data_offsets=[8, 0]),
        lambda header: header["ema/w"].update(shape=[2**40]),
        lambda header: header["ema/w"].update(dtype="OBJECT"),
        lambda header: header.pop("ema/w"),
    ],
    ids=["overlap", "beyond", "backwards", "huge", "type", "hole"],
)
def test_fault_75_tensors_that_overlap_or_lie_outside_are_refused(tmp_path, change):
    write_checkpoint(tmp_path / "a.safetensors", make())
    rewritten(tmp_path / "a.safetensors", change)
    with pytest.raises(UsageError, match="cannot be read"):
        read_checkpoint(tmp_path / "a.safetensors")


class Code:
    """Unpickled, it writes a file."""

    def __init__(self, canary) -> None:
        self.canary = canary

    def __reduce__(self):
        return (write_canary, (str(self.canary),))


def write_canary(path):
    Path(path).write_text("the code has run")


def as_pickle(path, canary):
    path.write_bytes(pickle.dumps(Code(canary)))


def as_torch_file(path, canary):
    torch.save({"state": Code(canary)}, path)


def as_polyglot(path, canary):
    """A pickle in front, a checkpoint behind, an archive at the end: each reader finds its own kind."""
    write_checkpoint(path, make())
    whole = pickle.dumps(Code(canary)) + path.read_bytes()
    path.write_bytes(whole)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Code(canary)))


def as_code_behind_a_checkpoint(path, canary):
    write_checkpoint(path, make())
    with path.open("ab") as file:
        file.write(pickle.dumps(Code(canary)))


@pytest.mark.parametrize("attack", [as_pickle, as_torch_file, as_polyglot, as_code_behind_a_checkpoint])
def test_fault_74_code_in_place_of_a_checkpoint_is_not_run(tmp_path, attack):
    canary, path = tmp_path / "canary", tmp_path / "a.safetensors"
    pickle.loads(pickle.dumps(Code(canary)))
    assert canary.exists(), "the code would run if it were let"
    canary.unlink()
    attack(path, canary)
    with pytest.raises(UsageError):
        read_checkpoint(path)
    assert read_header(path) is None
    assert not canary.exists()
