"""What a run computes on: on a CPU, memory that is freed stays where the next step finds it; processes are patient."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest

from tests.conftest import ROOT
from trainer import devices
from trainer.devices import MALLOC_SETTINGS, launch

# New pages that twenty tensors of 20 MB need, each after the one before was freed.
CHILD = """
import resource
import torch
from trainer.devices import launch

launch("cpu", None, "32-true")
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.zeros(5_000_000).add_(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has these settings")
@pytest.mark.parametrize("chosen", [{}, {"MALLOC_MMAP_THRESHOLD_": "131072"}], ids=["ours", "those from outside"])
def test_freed_memory_stays_with_a_training_unless_settings_come_from_outside(chosen):
    outside = {name: value for name, value in os.environ.items() if name not in MALLOC_SETTINGS}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], cwd=ROOT, env={**outside, **chosen}, capture_output=True, text=True, check=True
    )
    pages = 5_000_000 * 4 // os.sysconf("SC_PAGE_SIZE")
    assert (int(done.stdout) > 10 * pages) == bool(chosen), done.stdout


@pytest.mark.parametrize(("processes", "waits"), [(None, "auto"), (2, timedelta(days=7))])
def test_processes_wait_for_days_for_what_the_first_does_alone(monkeypatch, processes, waits):
    """A first process that labels a pack takes hours; PyTorch would give up after half of one."""
    asked = {}

    def fabric(**options):
        asked.update(options)
        return SimpleNamespace(launch=lambda: None, global_rank=0)

    monkeypatch.setattr(devices, "Fabric", fabric)
    monkeypatch.setattr(devices, "DDPStrategy", lambda timeout: timeout)
    launch("cpu", processes, "32-true")
    assert asked["strategy"] == waits


# A process that starts another one, which waits for it, and is killed.
PARENT = """
import os, signal, subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=sys.stdout)
sys.stdin.read(1)
os.kill(os.getpid(), signal.SIGKILL)
"""
WAITING = """
import time
from trainer import devices
devices.PARENT_LOOKED_AT = 0.05
devices.end_with_parent()
print("waiting", flush=True)
time.sleep(100)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows does not learn that its parent is gone")
def test_a_process_ends_with_a_first_one_that_was_killed():
    pipe = subprocess.PIPE
    parent = subprocess.Popen([sys.executable, "-c", PARENT, WAITING], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert parent.stdout.readline() == "waiting\n"
    rest, _ = parent.communicate("x", timeout=60)  # the pipe is open for as long as one of the two lives
    assert rest == ""
    assert parent.returncode == -signal.SIGKILL
