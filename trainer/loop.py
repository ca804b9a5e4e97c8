"""The training loop: deterministic, resumable, the same on a CPU, a GPU and several of them.

Which faces a step sees and how they are changed is a pure function of the seed and the step, so a resumed run
needs no random state: only weights, their mean, the optimiser and the number of the step. Several processes divide
each batch; their losses add up to the loss of the whole one, and so do their gradients.

A GPU computes what was asked of it while the CPU prepares the next steps. Each number that the CPU reads makes it wait
for all of that, so on a GPU the loss is looked at only every few steps; nothing is learned from a broken one meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import torch
from lightning_fabric import Fabric

from engine.core.errors import UsageError
from engine.core.interruption import interruption_watch
from engine.core.schemes import SCHEMES
from trainer.augment import Augmenter, Batch, BatchShard
from trainer.checkpoint import LAST, Checkpoint
from trainer.data.crops import CROP_SCALE, CropSet
from trainer.devices import end_together, reduced, resident
from trainer.losses.total import LossTerms, landmark_loss
from trainer.networks import LandmarkNetwork
from trainer.networks.heatmap import FEATURE_STRIDES
from trainer.networks.output import LandmarkOutput
from trainer.recipes.schema import Training
from trainer.run_recorder import RunContext, RunRecorder, Throughput
from trainer.state import TrainingInterrupted, begin, frozen_parts, restore, update_average

INVERSE_DECAY = 1e-4  # a step; Fard & Mahoor's
NAMED_FACES = 5  # that an error lists
GPU_STEPS_UNREAD = 20  # at most; what is logged, saved or validated is looked at too
NO_STEP = -1
# Keep apart the random numbers of neighbouring seeds, and those of dropout from those of the batches, whose seeds stay
# below for every seed that a recipe may have.
SEED_STRIDE, DROPOUT_SEED, RANK_STRIDE = 1_000_003, 1 << 40, 1 << 41


def train(
    context: RunContext, network: LandmarkNetwork, training: CropSet, checkpoint: Checkpoint | None = None
) -> LandmarkNetwork:
    """Train a network and return the one of its averaged weights; checkpoints and logs go to the run's folder.

    Several processes end with the weights of one, but for rounding and for dropout, whose masks they draw for
    themselves. A checkpoint of this run is gone on from.

    Raises:
        UsageError: the checkpoint is of another network, the batch is smaller than the number of processes, or the
            loss is no longer a number.
        TrainingInterrupted: by Ctrl-C, SIGTERM or SIGHUP; a checkpoint was written.
        RecordingError: a checkpoint cannot be written.
    """
    recipe, fabric = context.recipe, context.fabric
    check_shares(recipe, fabric.world_size)
    shard = BatchShard(fabric.global_rank, fabric.world_size)
    run = begin(recipe, network, fabric.device, fabric.world_size)
    if checkpoint is not None:
        restore(run, checkpoint, context.folder)
    model, optimizer = fabric.setup(run.network, run.optimizer)
    training = resident(training, fabric.device)
    augment = _augmenter(recipe)
    throughput = Throughput(recipe.batch, len(training), fabric.device)
    recorder = RunRecorder(context, throughput, run.step)
    guard = FiniteGuard(run.optimizer, fabric.device)

    def look(step: int) -> tuple[Batch, LandmarkOutput]:
        """Return the batch of a step and what the network sees in it."""
        with throughput.drawing():
            batch = draw_batch(training, augment, recipe, step, fabric.device, shard)
        if context.teachers is not None:
            with fabric.autocast():
                batch = context.teachers.look(batch)
        torch.manual_seed(DROPOUT_SEED + RANK_STRIDE * shard.rank + batch_seed(recipe, step))
        return batch, model(batch.images.contiguous(memory_format=torch.channels_last))

    with interruption_watch() as interrupted, closing(recorder):
        while run.step < recipe.steps:
            _set_modes(model, recipe)
            terms = landmark_loss(*look(run.step)[::-1], recipe.loss)
            agreed = _gradients(model, optimizer, terms, recipe, fabric, interrupted.is_set())
            guard.look(run.step, agreed["total"] + agreed["gradient_norm"])
            rate = learning_rate(recipe, run.step)
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            update_average(run.average, run.network, min(recipe.ema, (run.step + 1) / (run.step + 10)))
            run.step += 1
            stopped = interrupted.is_set() and fabric.world_size == 1
            if not (stopped or recorder.is_due(run) or run.step % reading_interval(fabric.device) == 0):
                continue
            values, broken = guard.read(agreed)
            if broken is not None:
                error = _divergence(*look(broken), recipe, broken, training, shard, fabric)
                end_together(fabric, error)
            recorder.after_step(run, values, rate)
            if values["interrupted"] and run.step < recipe.steps:
                recorder.save(run)
                end_together(fabric, _interruption(context, run.step, interrupted.exit_code))
        # Also in the last step, or while it was recorded: other trainings may be waiting for this one to end.
        late = reduced(fabric, torch.tensor(float(interrupted.is_set()), device=fabric.device), "mean")
        end_together(fabric, _interruption(context, run.step, interrupted.exit_code) if late else None)
    return run.average


def check_shares(recipe: Training, processes: int) -> None:
    """Raise `UsageError` unless a batch can be divided among processes, and a batch norm finds a variance in it."""
    if recipe.batch == 1 and recipe.network.input_size <= FEATURE_STRIDES[-1]:
        raise UsageError(
            f"A batch of one face cannot be learned from at {recipe.network.input_size} pixels",
            "the network's deepest map is a single cell, in which batch norm finds no variance",
            f"set batch=2 or more, or network.input_size={2 * FEATURE_STRIDES[-1]} or more",
        )
    if recipe.batch < processes:
        raise UsageError(
            f"A batch of {recipe.batch} cannot be divided among {processes} processes",
            "each needs one face at least",
            "start fewer processes, or raise --set batch",
        )
    if recipe.loss.views > 1 and recipe.batch % (recipe.loss.views * processes):
        raise UsageError(
            f"A batch of {recipe.batch} cannot be divided among {processes} processes",
            "each needs both views of its faces",
            f"choose --set batch as a multiple of {recipe.loss.views * processes}, or set loss.views_weight=0",
        )


def _interruption(context: RunContext, step: int, exit_code: int) -> TrainingInterrupted:
    """Return the error of a run that was interrupted after a step, by a signal here or, if the code is 0, elsewhere."""
    return TrainingInterrupted(
        f"The run was interrupted after step {step} of {context.recipe.steps}",
        f"Ctrl-C or another signal to end; {context.folder / LAST} holds all of it",
        f"go on with “understudy train --resume {context.folder}”",
        exit_code or 130,
    )


def reading_interval(device: torch.device) -> int:
    """Return every how many steps the loss is looked at: a CPU has nothing to wait for."""
    return GPU_STEPS_UNREAD if device.type == "cuda" else 1


class FiniteGuard:
    """Lets nothing be learned from the first step on whose loss or gradient is no number; asks the device nothing."""

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device) -> None:
        self._optimizer: Any = optimizer
        self._broken = torch.full((), NO_STEP, dtype=torch.int64, device=device)

    def look(self, step: int, number: torch.Tensor) -> None:
        """Note a step whose `number`, a scalar, is none."""
        first = (self._broken == NO_STEP) & ~number.isfinite()
        self._broken = torch.where(first, step, self._broken)
        # PyTorch's fused AdamW does nothing where this is 1; its mixed precision uses it alike.
        self._optimizer.found_inf = (self._broken != NO_STEP).float()

    def read(self, values: Mapping[str, torch.Tensor]) -> tuple[dict[str, float], int | None]:
        """Return scalars as numbers, and the first step that was noted; on a GPU this waits for all that was asked."""
        *numbers, broken = torch.stack([value.double() for value in (*values.values(), self._broken)]).tolist()
        return dict(zip(values, numbers, strict=True)), None if broken == NO_STEP else int(broken)


def _set_modes(model: torch.nn.Module, recipe: Training) -> None:
    model.train()
    for part in frozen_parts(model, recipe.frozen):
        part.eval()


def _gradients(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    terms: LossTerms,
    recipe: Training,
    fabric: Fabric,
    interrupted: bool,
) -> dict[str, torch.Tensor]:
    """Let the optimiser's parameters have the clipped gradient of the loss of the whole batch.

    Returns:
        The means over all processes of the loss's terms, of the gradient's norm before it was clipped, and of whether
        they were interrupted, each a scalar on the device.
    """
    optimizer.zero_grad()
    fabric.backward(terms.total)
    norm = fabric.clip_gradients(model, optimizer, max_norm=recipe.clip, error_if_nonfinite=False)
    # One exchange for all that the processes have to agree on.
    own = {**vars(terms), "gradient_norm": norm, "interrupted": terms.total.new_full((), float(interrupted))}
    agreed = reduced(fabric, torch.stack([value.detach() for value in own.values()]), "mean")
    return dict(zip(own, agreed.unbind(), strict=True))


def _divergence(
    batch: Batch,
    output: LandmarkOutput,
    recipe: Training,
    step: int,
    training: CropSet,
    shard: BatchShard,
    fabric: Fabric,
) -> UsageError:
    """Return the error of a step whose loss or gradient is no number; every process has to ask for it."""
    suspicious = torch.zeros(recipe.batch, device=fabric.device)
    suspicious[shard.rows(recipe.batch)] = _suspicious_rows(batch, output).float()
    rows = reduced(fabric, suspicious, "sum").nonzero()[:, 0].cpu()
    fix = "begin again in another --out, with a lower --set learning_rate"
    what = f"The loss of step {step} is not a number"
    if not 0 < len(rows) < recipe.batch:
        return UsageError(f"{what}, for no face more than for the others", "the learning rate is too high", fix)
    faces = draw_faces(training, recipe, step)[1][rows].tolist()
    named = ", ".join(training.names[face] for face in faces[:NAMED_FACES])
    more = len(faces) - NAMED_FACES
    return UsageError(
        f"{what}, because of {len(faces)} of the {recipe.batch} faces in its batch: {named}"
        f"{f' and {more} more' * (more > 0)}",
        "their labels or a teacher's predictions are damaged, or the learning rate is too high",
        f"look at these faces; or {fix}",
    )


def _suspicious_rows(batch: Batch, output: LandmarkOutput) -> torch.Tensor:
    """Return which rows `[B]` spoil the loss: those with numbers that are none in the batch, else in the output.

    In training, batch norm carries one spoilt row into all others, so the output is asked only if the batch is clean.
    """
    points = torch.where(batch.labelled[..., None] > 0, batch.points, 0)
    suspicious = _not_finite([batch.images, points, batch.visible, batch.visible_weight, batch.teacher_confidence])
    if not suspicious.any():
        parts = [output.points, output.confidence_logits, output.heatmap_logits, *(output.attention or ())]
        suspicious = _not_finite([part for part in parts if part is not None])
    return suspicious


def _not_finite(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([~tensor.detach().flatten(1).isfinite().all(1) for tensor in tensors]).any(0)


def _augmenter(recipe: Training) -> Augmenter:
    return Augmenter(
        recipe.augmentation,
        SCHEMES[recipe.network.points].mirror,
        recipe.crop_scale / CROP_SCALE,
        recipe.network.input_size,
        recipe.loss.views,
    )


def training_images(crops: CropSet, recipe: Training, count: int) -> Iterator[torch.Tensor]:
    """Yield the images `[B, 3, S, S]`, RGB, 0..255, of the run's first batches, until they are `count` at least."""
    augment = _augmenter(recipe)
    for step in range(math.ceil(count / recipe.batch)):
        yield draw_batch(crops, augment, recipe, step, crops.faces.images.device, BatchShard()).images


def draw_batch(
    crops: CropSet, augment: Augmenter, recipe: Training, step: int, device: torch.device, shard: BatchShard
) -> Batch:
    """Return a shard of the augmented batch of a step, which is a pure function of the recipe's seed and the step."""
    generator, faces = draw_faces(crops, recipe, step)
    chosen = crops.faces.select(faces[shard.rows_with_neighbours(recipe.batch, recipe.loss.views)]).to(device)
    return augment.shard(chosen, recipe.batch, shard, generator)


def draw_faces(crops: CropSet, recipe: Training, step: int) -> tuple[torch.Generator, torch.Tensor]:
    """Return the source of all random numbers of a step's batch, and the numbers `[B]` of its faces, drawn from it."""
    generator = torch.Generator().manual_seed(batch_seed(recipe, step))
    count = recipe.batch // recipe.loss.views
    faces = torch.multinomial(crops.sampling_weight, count, replacement=True, generator=generator)
    return generator, faces.repeat_interleave(recipe.loss.views)


def batch_seed(recipe: Training, step: int) -> int:
    """Return the seed of a step."""
    return recipe.seed * SEED_STRIDE + step


def learning_rate(recipe: Training, step: int) -> float:
    """Return the rate of a step: a linear rise over the warm-up, then a cosine down to 0; or the inverse schedule."""
    if recipe.schedule == "inverse":
        return recipe.learning_rate / (1 + INVERSE_DECAY * step)
    progress = (step + 1) / recipe.steps
    if progress < recipe.warmup:
        return recipe.learning_rate * progress / recipe.warmup
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup)))
