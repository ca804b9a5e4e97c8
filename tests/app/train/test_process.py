"""The processes that the page Train starts."""

from __future__ import annotations

import sys

import pytest

from app.train.process import OwnProcess


@pytest.mark.parametrize(("chosen", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_of_a_training_leave_the_cores_to_the_window_unless_the_user_says_otherwise(
    qtbot, tmp_path, monkeypatch, chosen, expected
):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if chosen is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", chosen)
    process = OwnProcess((sys.executable, "-c"))
    with qtbot.waitSignal(process.ended, timeout=20_000) as ended:
        process.start(["import os; print(os.environ['OMP_WAIT_POLICY'])"], tmp_path / "said.txt", tmp_path)
    assert ended.args == [0]
    assert (tmp_path / "said.txt").read_text().strip() == expected
