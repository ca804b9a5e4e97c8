"""What a run computes on: one device or several processes, their precision, and where the faces lie."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Literal, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import distributed

from engine.core.errors import UsageError
from engine.core.platforms import c_library
from trainer.data.crops import CropSet

PRECISIONS = ("auto", "32-true", "bf16-mixed", "64-true")
# glibc's settings by the variables that choose them: the number of each and our value. Blocks of more bytes than the
# first, which 32 MiB is the most for, are the system's own; more than the second has to be free to go back to it.
MALLOC_SETTINGS = {"MALLOC_MMAP_THRESHOLD_": (-3, 1 << 25), "MALLOC_TRIM_THRESHOLD_": (-1, (1 << 31) - 1)}
# Of a GPU's free memory, what the faces may take; network, optimiser and activations need the rest.
SHARE_FOR_FACES = 0.5
# Processes wait for what the first does alone, such as asking a teacher about a million faces. One that is lost ends
# the others in other ways: Fabric and torchrun see to that, and `end_with_parent`.
LONGEST_WAIT = timedelta(days=7)
PARENT_LOOKED_AT = 2.0  # seconds between two looks
T = TypeVar("T")


def launch(device: str, devices: int | None, precision: str) -> Fabric:
    """Return Fabric with its processes started: this one alone, `devices` on this machine, or those of torchrun.

    Args:
        device: `auto`, `cpu` or `cuda`.
        devices: processes on this machine, each with a GPU of its own on CUDA; None: as many as torchrun started,
            otherwise one.
        precision: one of `PRECISIONS`; `auto` is bfloat16 for the body of the network where a GPU can do it,
            `64-true` separates rounding from errors.

    Raises:
        UsageError: there are not so many devices, or torchrun started another number of processes.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "No CUDA device is there", "PyTorch sees no usable GPU", "use --device cpu, or install PyTorch for CUDA"
        )
    use_cuda = device != "cpu" and torch.cuda.is_available()
    here, nodes = _processes(devices)
    if use_cuda and here > torch.cuda.device_count():
        raise UsageError(
            f"There are not {here} GPUs on this machine",
            f"PyTorch sees {torch.cuda.device_count()}",
            "give a smaller --devices, or use --device cpu",
        )
    if precision == "auto":
        fast = use_cuda and torch.cuda.is_bf16_supported(including_emulation=False)
        precision = "bf16-mixed" if fast else "32-true"
    if not use_cuda:
        keep_freed_memory()
    torch.set_float32_matmul_precision("high")
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it greets from every process
    fabric = Fabric(
        accelerator="cuda" if use_cuda else "cpu",
        devices=here,
        num_nodes=nodes,
        strategy=DDPStrategy(timeout=LONGEST_WAIT) if here * nodes > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]  # its type lists the names that PRECISIONS chooses from
    )
    fabric.launch()
    if fabric.global_rank and not distributed.is_torchelastic_launched():
        end_with_parent()
    return fabric


def end_with_parent() -> None:
    """Let this process end soon after the one that started it, even if that was killed; else it would wait for it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOKED_AT)
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def keep_freed_memory() -> None:
    """Let large tensors not go back to the system at each step, whose clearing of new pages costs up to half the time.

    Does nothing without glibc, or where its settings are chosen from outside.
    """
    library = c_library()
    if library is not None and not any(name in os.environ for name in MALLOC_SETTINGS):
        for setting, value in MALLOC_SETTINGS.values():
            library.mallopt(setting, value)


def first_alone(fabric: Fabric, work: Callable[[], T]) -> T | None:
    """Let the first process work while the others wait; if it fails, all end, and only the first says why.

    Returns:
        What the work returned in the first process; None in the others.
    """
    result: T | None = None
    error: Exception | None = None
    if fabric.is_global_zero:
        try:
            result = work()
        except Exception as caught:  # noqa: BLE001  (raised again below, once the others know that they wait in vain)
            error = caught
    end_together(fabric, error)
    return result


def end_together(fabric: Fabric, error: Exception | None) -> None:
    """Raise `error` in the first process and end the others without a word; does nothing if the first has none."""
    if fabric.world_size > 1:
        failed = torch.tensor(float(error is not None), device=fabric.device)
        distributed.broadcast(failed, 0)
        if failed and not fabric.is_global_zero:
            raise SystemExit
    if error is not None:
        raise error


def reduced(fabric: Fabric, tensor: torch.Tensor, how: Literal["sum", "mean"]) -> torch.Tensor:
    """Return the sum or the mean of a tensor over all processes."""
    result = fabric.all_reduce(tensor, reduce_op=how)
    assert isinstance(result, torch.Tensor)
    return result


def is_first_process() -> bool:
    """Return whether this process is the one that speaks and writes; true where there are no others."""
    return not (distributed.is_available() and distributed.is_initialized()) or distributed.get_rank() == 0


def resident(crops: CropSet, device: torch.device) -> CropSet:
    """Return the same faces in the memory of a GPU, if they fit there; what is not there travels batch by batch."""
    if device.type != "cuda" or not fits(face_bytes(crops), torch.cuda.mem_get_info(device)[0]):
        return crops
    return replace(crops, faces=crops.faces.to(device))


def fits(needed: int, free: int) -> bool:
    """Return whether faces of `needed` bytes leave enough of `free` bytes for the training."""
    return needed <= SHARE_FOR_FACES * free


def face_bytes(crops: CropSet) -> int:
    """Return the bytes that the faces take."""
    return sum(tensor.nbytes for tensor in vars(crops.faces).values())


def _processes(devices: int | None) -> tuple[int, int]:
    """Return the number of processes on this machine and of machines."""
    if not (distributed.is_available() and distributed.is_torchelastic_launched()):
        return devices or 1, 1
    here, everywhere = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if devices not in (None, here):
        raise UsageError(
            f"torchrun started {here} processes on this machine, not {devices}",
            "under torchrun its --nproc-per-node says how many there are",
            "leave --devices out",
        )
    return here, everywhere // here
