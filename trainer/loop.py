"""The training loop: deterministic, resumable, the same on a CPU and a GPU.

Which faces a step sees and how they are changed is a pure function of the seed and the step, so a resumed run
needs no random state: only weights, their mean, the optimiser and the number of the step.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from tqdm import tqdm

from engine.errors import UsageError
from engine.landmarks.schemes import SCHEMES
from trainer.augment import Augmenter, Batch
from trainer.checkpoint import (
    BEST,
    LAST,
    Checkpoint,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from trainer.data.crops import CROP_SCALE, CropSet
from trainer.distillation import LiveTeachers
from trainer.logs import RunLog
from trainer.losses.landmarks import LossTerms, landmark_loss
from trainer.networks.start import LandmarkNetwork, network_of
from trainer.recipes import Recipe
from trainer.validate import validate

LOG_EVERY = 20
INVERSE_DECAY = 1e-4  # a step; Fard & Mahoor's


@dataclass(frozen=True)
class Schedule:
    """How often the loop looks up from its work, in steps."""

    validate_every: int = 250
    checkpoint_every: int = 250


@dataclass
class Progress:
    """Where a run stands: what a checkpoint holds.

    Attributes:
        network: weights as they are trained.
        average: their running mean.
        optimizer: its state belongs to the weights.
        step: steps done.
        best: lowest validation NME so far.
    """

    network: LandmarkNetwork
    average: LandmarkNetwork
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = math.inf


def train(
    recipe: Recipe,
    network: LandmarkNetwork,
    training: CropSet,
    validation: CropSet,
    out: Path,
    fabric: Fabric,
    schedule: Schedule,
    notes: dict[str, object],
    resume: bool = False,
) -> LandmarkNetwork:
    """Train `network` by `recipe` and return its averaged weights' network; checkpoints and logs go to `out`.

    Raises:
        UsageError: the run in `out` cannot be resumed, or the loss is no longer a number.
    """
    run = _begin(recipe, network, fabric.device)
    if resume:
        _restore(run, out / LAST, recipe)
    model, optimizer = fabric.setup(run.network, run.optimizer)
    shape = recipe.shape
    augment = Augmenter(
        recipe.augmentation, SCHEMES[shape.points].mirror, recipe.crop_scale / CROP_SCALE, shape.input_size
    )
    teachers = LiveTeachers(recipe.distillation.teachers, fabric.device) if recipe.distillation.live else None
    bar = tqdm(total=recipe.steps, initial=run.step, desc=recipe.name, disable=None)
    with RunLog(out, run.step) as log, bar:
        while run.step < recipe.steps:
            batch = draw_batch(training, augment, recipe, run.step, fabric.device)
            if teachers is not None:
                batch = teachers.look(batch)
            terms = _optimise(model, optimizer, batch, recipe, run.step, fabric)
            update_average(run.average, run.network, min(recipe.ema, (run.step + 1) / (run.step + 10)))
            run.step += 1
            bar.update()
            finished = run.step == recipe.steps
            if run.step % LOG_EVERY == 0:
                values = {name: float(term.detach()) for name, term in vars(terms).items()}
                bar.set_postfix(loss=f"{values['total']:.4f}")
                log.write("train", run.step, {**values, "learning_rate": learning_rate(recipe, run.step - 1)})
            if finished or run.step % schedule.validate_every == 0:
                result = validate(run.average, validation, recipe)
                log.write("validation", run.step, dataclasses.asdict(result))
                if result.nme < run.best:
                    run.best = result.nme
                    _save(run, out / BEST, recipe, notes)
            if finished or run.step % schedule.checkpoint_every == 0:
                _save(run, out / LAST, recipe, notes)
    return run.average


def _begin(recipe: Recipe, network: LandmarkNetwork, device: torch.device) -> Progress:
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's stub
    average = network_of(recipe.shape).to(device).eval()
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(parameter_groups(network, recipe.weight_decay), lr=recipe.learning_rate)
    return Progress(network, average, optimizer)


def _optimise(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    recipe: Recipe,
    step: int,
    fabric: Fabric,
) -> LossTerms:
    """Take one step down the loss of a batch; refuse to if the loss is not a number."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, step)
    model.train()
    terms = landmark_loss(model(batch.images.contiguous(memory_format=torch.channels_last)), batch, recipe.loss)
    if not torch.isfinite(terms.total):
        raise UsageError(
            f"The loss of step {step} is not a number",
            "the learning rate is too high, or a label is damaged",
            "resume from the last checkpoint with a lower --set learning_rate",
        )
    optimizer.zero_grad()
    fabric.backward(terms.total)
    fabric.clip_gradients(model, optimizer, max_norm=recipe.clip)
    optimizer.step()
    return terms


def _save(run: Progress, path: Path, recipe: Recipe, notes: dict[str, object]) -> None:
    state = Checkpoint(
        step=run.step,
        recipe=dataclasses.asdict(recipe),
        model=run.network.state_dict(),
        ema=run.average.state_dict(),
        optimizer=optimizer_tensors(run.optimizer),
        notes={**notes, "best_nme": run.best},
    )
    write_checkpoint(path, state)


def _restore(run: Progress, path: Path, recipe: Recipe) -> None:
    checkpoint = _checkpoint_to_resume(path, recipe)
    run.network.load_state_dict(checkpoint.model)
    run.average.load_state_dict(checkpoint.ema)
    restore_optimizer(run.optimizer, checkpoint.optimizer)
    run.step, run.best = checkpoint.step, checkpoint.notes["best_nme"]


def _checkpoint_to_resume(path: Path, recipe: Recipe) -> Checkpoint:
    checkpoint = read_checkpoint(path)
    # Through JSON, because that turns tuples into lists as in the file.
    wanted = json.loads(json.dumps(dataclasses.asdict(recipe)))
    changed = sorted(name for name in wanted if wanted[name] != checkpoint.recipe.get(name))
    if changed:
        raise UsageError(
            f"The run {path.parent} was made with another recipe",
            f"these fields differ: {', '.join(changed)}",
            "resume with the same --set values, or start a new run in another --out",
        )
    return checkpoint


def draw_batch(crops: CropSet, augment: Augmenter, recipe: Recipe, step: int, device: torch.device) -> Batch:
    """Return the augmented batch of a step, a pure function of the recipe's seed and the step."""
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
    indices = torch.multinomial(crops.sampling_weight, recipe.batch, replacement=True, generator=generator)
    return augment(crops.faces.select(indices).to(device), generator)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Return the rate of a step: a linear rise over the warm-up, then a cosine down to 0; or the inverse schedule."""
    if recipe.schedule == "inverse":
        return recipe.learning_rate / (1 + INVERSE_DECAY * step)
    progress = (step + 1) / recipe.steps
    if progress < recipe.warmup:
        return recipe.learning_rate * progress / recipe.warmup
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup)))


def parameter_groups(network: torch.nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return the optimiser's groups: weight decay for matrices, none for biases and norms."""
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


@torch.no_grad()
def update_average(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move the running mean of the weights towards the weights; counters are copied."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)
