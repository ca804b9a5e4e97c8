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
from trainer.logs import RunLog
from trainer.losses.heatmap import heatmap_loss
from trainer.networks.heatmap import HeatmapNetwork
from trainer.recipes import Recipe
from trainer.validate import validate

LOG_EVERY = 20


@dataclass(frozen=True)
class Schedule:
    """How often the loop looks up from its work, in steps."""

    validate_every: int = 250
    checkpoint_every: int = 250


def train(
    recipe: Recipe,
    network: HeatmapNetwork,
    training: CropSet,
    validation: CropSet,
    out: Path,
    fabric: Fabric,
    schedule: Schedule,
    notes: dict[str, object],
    resume: bool = False,
) -> HeatmapNetwork:
    """Train `network` by `recipe` and return its averaged weights' network; checkpoints and logs go to `out`.

    Raises:
        UsageError: the run in `out` cannot be resumed, or the loss is no longer a number.
    """
    optimizer = torch.optim.AdamW(parameter_groups(network, recipe.weight_decay), lr=recipe.learning_rate)
    average = HeatmapNetwork(recipe.shape).to(fabric.device).eval()
    average.load_state_dict(network.state_dict())
    network.to(fabric.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch's stub lacks it
    first_step = 0
    best = math.inf
    if resume:
        checkpoint = _checkpoint_to_resume(out / LAST, recipe)
        network.load_state_dict(checkpoint.model)
        average.load_state_dict(checkpoint.ema)
        restore_optimizer(optimizer, checkpoint.optimizer)
        first_step, best = checkpoint.step, checkpoint.notes.get("best_nme", math.inf)
    model, optimizer = fabric.setup(network, optimizer)
    augment = Augmenter(
        recipe.augmentation,
        SCHEMES[recipe.shape.points].mirror,
        recipe.crop_scale / CROP_SCALE,
        recipe.shape.input_size,
    )

    def save(name: str, step: int) -> None:
        state = Checkpoint(
            step=step,
            recipe=dataclasses.asdict(recipe),
            model=network.state_dict(),
            ema=average.state_dict(),
            optimizer=optimizer_tensors(optimizer),
            notes={**notes, "best_nme": best},
        )
        write_checkpoint(out / name, state)

    bar = tqdm(total=recipe.steps, initial=first_step, desc=recipe.name, disable=None)
    with RunLog(out, first_step) as log, bar as progress:
        for step in range(first_step, recipe.steps):
            batch = draw_batch(training, augment, recipe, step, fabric.device)
            rate = learning_rate(recipe, step)
            for group in optimizer.param_groups:
                group["lr"] = rate
            model.train()
            terms = heatmap_loss(model(batch.images.contiguous(memory_format=torch.channels_last)), batch, recipe.loss)
            if not torch.isfinite(terms.total):
                raise UsageError(
                    f"The loss of step {step} is not a number",
                    "the learning rate is too high, or a label is damaged",
                    f"resume from {out / LAST} with a lower --set learning_rate",
                )
            optimizer.zero_grad()
            fabric.backward(terms.total)
            fabric.clip_gradients(model, optimizer, max_norm=recipe.clip)
            optimizer.step()
            update_average(average, network, min(recipe.ema, (step + 1) / (step + 10)))

            done = step + 1
            progress.update()
            if done % LOG_EVERY == 0:
                values = {field.name: float(getattr(terms, field.name)) for field in dataclasses.fields(terms)}
                progress.set_postfix(loss=f"{values['total']:.4f}")
                log.write("train", done, {**values, "learning_rate": rate})
            if done % schedule.validate_every == 0 or done == recipe.steps:
                result = validate(average, validation, recipe)
                log.write("validation", done, dataclasses.asdict(result))
                if result.nme < best:
                    best = result.nme
                    save(BEST, done)
            if done % schedule.checkpoint_every == 0 or done == recipe.steps:
                save(LAST, done)
    return average


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
    """Return the rate of a step: a linear rise over the warm-up, then a cosine down to 0."""
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
