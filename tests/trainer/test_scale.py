"""Runs that scale: several processes do together what one does alone, and the network's body may be coarse."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.core.errors import UsageError
from engine.core.interruption import SIGNALS
from engine.core.schemes import IBUG_68
from tests.conftest import ROOT
from tests.fakes.tiny_training import write_sample_pack
from trainer import devices
from trainer.augment import Augmentation, Augmenter, BatchShard
from trainer.checkpoint import LAST, read_checkpoint
from trainer.data.crops import CROP_SCALE, load_crops
from trainer.devices import face_bytes, fits, launch, resident
from trainer.init.initialise import make_network
from trainer.loop import draw_batch
from trainer.losses.total import LandmarkLoss
from trainer.networks.regression import RegressionShape
from trainer.recipes.overrides import trainings_by_name
from trainer.run import run
from trainer.run_recorder import Intervals
from trainer.stored_images import StoredImages

# Each process loads PyTorch first, which on a busy machine takes its time.
PATIENCE = 280
RECIPE = "student-68:base"
SMALL = ("network.encoder_width=0.25", "network.input_size=64", "init=random", "batch=6", "hold_out=8", "ema=0.9")
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
# What a batch job of SLURM finds; torchrun's own variables come before these.
SLURM = {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_NNODES": "2", "SLURM_NTASKS_PER_NODE": "1"}
SLURM |= {"SLURM_JOB_NAME": "train", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODELIST": "one,two"}


def start(*command, **variables):
    """Start a module as a process of its own, with one thread for each."""
    arguments = [sys.executable, "-m", *map(str, command)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    pipe = subprocess.PIPE
    return subprocess.Popen(arguments, cwd=ROOT, env=environment, text=True, stdout=pipe, stderr=pipe)


def outcome(process):
    """Wait for a process and return its exit code and what it wrote to both streams."""
    try:
        return process.communicate(timeout=PATIENCE), process.returncode
    finally:
        process.kill()


def start_two(launcher, command):
    """Start a training in two processes; return those that say how it ended."""
    if launcher == "--devices":
        return [start(*command, "--devices", 2)]
    if launcher == "torchrun":
        return [start(*TORCHRUN, *command)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"127.0.0.1:{free.getsockname()[1]}"
    nodes = ("--nnodes", 2, "--nproc-per-node", 1, "--rdzv-backend", "c10d", "--rdzv-endpoint", endpoint)
    node = ("torch.distributed.run", *nodes, "--rdzv-id", 7, "-m", *command)
    return [start(*node, **SLURM), start(*node, **{**SLURM, "SLURM_PROCID": "1"})]


def log_of(run, kind):
    return np.genfromtxt(run / f"{kind}.csv", delimiter=",", names=True)


def train_command(packs, out, steps):
    changes = [part for change in (*SMALL, f"steps={steps}") for part in ("--set", change)]
    return ("app", "train", RECIPE, "--data", packs, "--out", out, "--device", "cpu", "--json", "-", *changes)


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    """The packs of the recipe."""
    folder = tmp_path_factory.mktemp("packs")
    for choice in trainings_by_name(RECIPE)[0].packs:
        write_sample_pack(folder / choice.name, frames=6, split=np.full(6, "train"))
        with np.load(folder / choice.name / "annotations.npz") as arrays:
            np.savez(folder / choice.name / "annotations.npz", **{**arrays, choice.labels: arrays["landmarks"]})
    return folder


@pytest.fixture(scope="module")
def alone(packs, tmp_path_factory):
    """The recipe, and the folder of what one process made of it in double precision."""
    (recipe,) = trainings_by_name(RECIPE, [*SMALL, "steps=6"])
    return recipe, run(recipe, packs, tmp_path_factory.mktemp("alone") / "one", "cpu", precision="64-true").parent


@pytest.mark.timeout(300)
@pytest.mark.parametrize("launcher", ["--devices", "torchrun", "two nodes of SLURM"])
def test_two_processes_end_with_the_weights_of_one(packs, alone, tmp_path, launcher):
    """Tolerance: a millionth of how far the weights have come.

    In double precision, because in single precision the batch norms of an untrained network magnify rounding, and
    Adam, which divides by the gradient's size, makes whole steps of it.
    """
    command = (*train_command(packs, tmp_path / "two", 6), "--precision", "64-true")
    processes = start_two(launcher, command)
    outcomes = [outcome(process) for process in processes]
    out, errors = ("".join(texts) for texts in zip(*(texts for texts, _ in outcomes), strict=True))
    assert not any(code for _, code in outcomes), errors
    assert json.loads(out)["step"] == 6, "only the first process speaks"
    assert errors.count("images/s") == 1
    recipe, folder = alone
    two, one = (log_of(its, "validation") for its in (tmp_path / "two", folder))
    assert two.dtype.names == one.dtype.names
    assert np.allclose(two.tolist(), one.tolist(), rtol=1e-5)

    begun = make_network(recipe.network, "random", recipe.seed).state_dict()
    together, by_one = (read_checkpoint(its / LAST) for its in (tmp_path / "two", folder))
    assert together.notes["best_nme"] == pytest.approx(by_one.notes["best_nme"], rel=1e-6)
    # A number added to a whole heatmap changes nothing: the gradient of that bias is rounding and nothing else.
    for name in by_one.model.keys() - {"decoder.predict.bias"}:
        weights = by_one.model[name]
        moved, apart = (weights - begun[name]).double().norm(), (together.model[name] - weights).double().norm()
        assert apart <= 1e-6 * moved + 1e-9, name


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", SIGNALS)
def test_fault_64_a_signal_keeps_the_step_and_says_how_to_go_on(packs, tmp_path, number):
    former = signal.signal(number, signal.SIG_DFL)  # children of nohup would ignore it
    process = start(*train_command(packs, tmp_path / "run", 100_000))
    signal.signal(number, former)
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "run" / "train.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    (_, errors), code = outcome(process)
    assert code == 128 + number, errors
    step = read_checkpoint(tmp_path / "run" / LAST).step
    assert step >= 20
    assert f"interrupted after step {step} of 100000" in errors
    assert f"understudy train --resume {tmp_path / 'run'}" in errors


@pytest.mark.parametrize(("processes", "views_weight"), [(2, 0.0), (3, 0.0), (4, 0.0), (2, 0.1), (4, 0.1)])
def test_the_shares_of_a_batch_are_the_batch(data, recipe, processes, views_weight):
    changes = Augmentation(cover_share=1.0, noise_share=1.0, blur_share=0.5)
    recipe = replace(recipe, batch=8, augmentation=changes, loss=LandmarkLoss(views_weight=views_weight))
    crops = load_crops(data, recipe.packs)
    ratio, size = recipe.crop_scale / CROP_SCALE, recipe.network.input_size
    augment = Augmenter(recipe.augmentation, IBUG_68.mirror, ratio, size, recipe.loss.views)

    def share_of_batch(rank, of):
        return draw_batch(crops, augment, recipe, 3, torch.device("cpu"), BatchShard(rank, of))

    whole, shares = share_of_batch(0, 1), [share_of_batch(rank, processes) for rank in range(processes)]
    assert whole.teacher_maps == (), "live teachers look at a share, after it was cut"
    for name, expected in vars(whole).items():
        if name == "teacher_maps":
            continue
        together = torch.cat([vars(share)[name] for share in shares])
        assert torch.equal(together.nan_to_num(-9), expected.nan_to_num(-9)), name


def test_each_process_reads_its_share_of_a_batch_and_one_face_more(data, recipe, monkeypatch):
    """The one more is the neighbour whose picture may cover a part of the first one's; see `BatchShard`."""
    crops = load_crops(data, recipe.packs)
    augment = Augmenter(recipe.augmentation, IBUG_68.mirror, recipe.crop_scale / CROP_SCALE, recipe.network.input_size)
    read = []
    take = StoredImages.__getitem__
    monkeypatch.setattr(StoredImages, "__getitem__", lambda images, rows: read.append(rows) or take(images, rows))
    for rank in (0, 1):
        draw_batch(crops, augment, recipe, 3, torch.device("cpu"), BatchShard(rank, 2))
    draw_batch(crops, augment, recipe, 3, torch.device("cpu"), BatchShard())
    first, second, whole = (rows.tolist() for rows in read)
    assert first[1:] + second[1:] == whole
    assert (first[0], second[0]) == (whole[-1], whole[1])


def test_more_processes_than_faces_in_a_batch_are_refused(data, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("lightning_fabric.Fabric.world_size", property(lambda self: 5))
    monkeypatch.setattr(devices.distributed, "broadcast", lambda tensor, source: None)
    with pytest.raises(UsageError, match="batch of 4 cannot be divided among 5"):
        run(recipe, data, tmp_path / "run", "cpu")


def test_torchrun_says_how_many_processes_there_are(monkeypatch):
    monkeypatch.setattr(devices.distributed, "is_torchelastic_launched", lambda: True)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(UsageError, match="torchrun started 4 processes on this machine, not 2"):
        launch("cpu", 2, "auto")


def test_more_gpus_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UsageError, match="There are not 3 GPUs"):
        launch("cuda", 3, "auto")


def test_faces_move_to_a_gpu_only_if_they_leave_room_there(data, recipe):
    crops = load_crops(data, recipe.packs)
    assert face_bytes(crops) > 24 * 3 * 192 * 192
    assert fits(face_bytes(crops), 2 * face_bytes(crops))
    assert not fits(face_bytes(crops), 2 * face_bytes(crops) - 1)
    assert resident(crops, torch.device("cpu")) is crops


@pytest.mark.parametrize("network", ["heatmap", "regression"])
def test_points_and_confidence_stay_float32_in_a_coarse_network(recipe, network):
    shape = recipe.network if network == "heatmap" else RegressionShape(input_size=64)
    plain = make_network(shape, "random", 0).eval()
    images = torch.rand(4, 3, 64, 64) * 255
    with torch.no_grad():
        exact = plain(images)
        with torch.autocast("cpu", torch.bfloat16):
            coarse = plain(images)
    assert {part.dtype for part in coarse if part is not None} == {torch.float32}
    assert not torch.equal(coarse.points, coarse.points.bfloat16().float()), "the points are no rounded numbers"
    assert (coarse.points - exact.points).abs().max() < 0.05 * exact.points.abs().max()
    assert (coarse.points - exact.points).abs().max() > 0, "the body is coarse indeed"


def test_a_run_in_bfloat16_keeps_its_weights_in_float32(data, recipe, tmp_path):
    last = run(recipe, data, tmp_path / "run", "cpu", False, Intervals(6, 6), precision="bf16-mixed")
    state = read_checkpoint(last)
    kinds = {tensor.dtype for tensor in state.model.values() if tensor.is_floating_point()}
    assert kinds == {torch.float32}
    assert state.step == 6


def test_speed_and_epoch_time_are_reported(data, recipe, tmp_path, capsys):
    run(recipe, data, tmp_path / "run", "cpu", False, Intervals(3, 6))
    reported = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in reported] == ["step 3", "step 6"]
    assert all("steps/s" in line and "images/s" in line and "epoch in" in line for line in reported)
    rows = np.genfromtxt(tmp_path / "run" / "speed.csv", delimiter=",", names=True)
    assert rows["images_per_second"] == pytest.approx(4 * rows["steps_per_second"], rel=1e-3)
    assert rows["epoch_seconds"] * rows["images_per_second"] == pytest.approx([21, 21], rel=1e-3), (
        "24 faces, 3 held out"
    )
