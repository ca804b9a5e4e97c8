"""Files of tensors have the mode that the user's settings give to any other file."""

import stat
import sys

import pytest
import torch
from safetensors.torch import load_file

from trainer.tensor_files import save_tensors


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_others_may_read_what_they_may_read_of_any_file(tmp_path):
    file, plain = tmp_path / "a.safetensors", tmp_path / "plain"
    save_tensors({"w": torch.ones(2)}, file, {"format": "x"})
    plain.touch()
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert torch.equal(load_file(file)["w"], torch.ones(2))
