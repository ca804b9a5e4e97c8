"""From a checkpoint to a model of the application: a `.tflite` that was checked against PyTorch, and its card."""

from __future__ import annotations

import copy
import hashlib
import math
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from engine.core.errors import UnderstudyError
from engine.core.faces import EyeLevels
from engine.core.files import free_bytes, replaced
from engine.core.geometry import crop_of_landmarks, roll_of_landmarks
from engine.evaluation.eyes import evaluate_eyes
from engine.evaluation.label_shift import SHIFT_DIGITS, measure_label_shift
from engine.formats.packs import Pack, is_pack, read_arrays, read_pack
from engine.inference.card import Card, CropRule, TrainingFacts, write_card
from engine.inference.landmarker import load_landmarker
from engine.inference.runtime import Runtime
from engine.sources.sample import SampleClip
from trainer.checkpoint import damage_named, read_checkpoint
from trainer.data.label_makers import MACHINE
from trainer.data.validation_faces import EYES, EYES_PACK, faces_of
from trainer.init.initialise import load_network
from trainer.init.origin import is_model, origin_name
from trainer.networks import LandmarkNetwork
from trainer.recipes import RECIPES
from trainer.recipes.packs import (
    AFW,
    FROM_TEST_LISTS,
    HELEN,
    LFPW,
    MACHINE_LABELLED,
    OWN,
    OWN_TEACHER,
    PARTLY_DERIVED,
    SAMPLE,
)
from trainer.recipes.schema import FRESH_WEIGHTS, PackChoice, is_file
from trainer.tflite.flatbuffer import halve_weights, minimum_runtime

LARGEST_DIFFERENCE = 5e-4  # of the crop side
ROOM = 2  # times the weights, for the file that the converter writes
TEST_FRAMES = range(0, 600, 50)
OF_300W: tuple[PackChoice, ...] = (LFPW, HELEN, AFW)
LICENCE = (
    "Research and non-commercial use only: the weights were learned from face pictures that are free for research only."
)
TOY_LICENCE = "Learned from the portrait of the sample alone, which is in the public domain; to do with as one likes."


class ExportError(UnderstudyError):
    """An exported model does not compute what the trained one does."""


@dataclass(frozen=True)
class Export:
    """A finished export.

    Attributes:
        model, card: the two files.
        difference: largest distance of a point from PyTorch's, in crop sides.
    """

    model: Path
    card: Path
    difference: float


class ExportedForm(nn.Module):
    """The network as the model contract wants it: points `[1, K, 2]` and confidence `[1, K]`."""

    def __init__(self, network: LandmarkNetwork) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        self.network.fold_constants()

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        output = self.network(image)
        return output.points, torch.sigmoid(output.confidence_logits)


def export(checkpoint: Path, target: Path, role: str = "student") -> Export:
    """Write `target` (a `.tflite` path) and the card beside it.

    Raises:
        UsageError: the checkpoint cannot be read.
        ExportError: a point of the exported model is further than `LARGEST_DIFFERENCE` from PyTorch's, or there is no
            room for temporary files.
    """
    network = load_network(checkpoint)
    content = halve_weights(to_tflite(network))
    difference = compare(network, content)
    if not difference <= LARGEST_DIFFERENCE:
        raise refuse_difference(difference)
    with damage_named(checkpoint):
        card = card_of(checkpoint, network, content, target.stem, role)
    return Export(target, write_model(target, content, card), difference)


def refuse_difference(difference: float) -> ExportError:
    """Return the error of an exported model whose points differ by so many crop sides."""
    return ExportError(
        f"The exported model differs from the trained one by {difference:.3%} of the crop side",
        f"at most {LARGEST_DIFFERENCE:.2%} is accepted; the weights may be beyond float16's range",
        "train on with a lower learning rate, or report this with the checkpoint",
    )


def manual_packs(checkpoint: Path, data: Path) -> list[Pack]:
    """Return what the label shift of a model of a checkpoint is measured on.

    These are the training faces of the packs below `data` that lend faces to validation, which have manual labels (of a
    model in place of a checkpoint: 300-W's); none where none of these packs is there.

    Raises:
        UsageError: the checkpoint cannot be read.
        PackError: a pack is damaged, or pictures of it are missing.
    """
    choices = list(OF_300W)
    if not is_model(checkpoint):
        with damage_named(checkpoint):
            choices = [PackChoice(**pack) for pack in read_checkpoint(checkpoint).recipe["packs"] if pack["validation"]]
    return [read_pack(data / choice.name, choice.split, choice.labels, True) for choice in choices
            if is_pack(data / choice.name)]  # fmt: skip


def note_label_shift(model: Path, packs: Sequence[Pack]) -> float | None:
    """Measure the label shift of an exported model on packs and put it on its card; None without any."""
    if not packs:
        return None
    landmarker = load_landmarker(model)
    shift = round(measure_label_shift(landmarker, packs).shift, SHIFT_DIGITS)
    write_card(model.with_suffix(".json"), replace(landmarker.card, label_shift=shift))
    return shift


def note_eyes(model: Path, data: Path) -> EyeLevels | None:
    """Measure the levels of an exported model's eyes and put them on its card.

    They are measured on the faces of the pack `eyes_state` below `data` that no training sees; None where they are not
    there, or the model hardly sees whether eyes are closed.
    """
    folder, landmarker = data / EYES_PACK, load_landmarker(model)
    listed = {name.partition("/")[2] for name in faces_of(EYES)}
    if not (is_pack(folder) and landmarker.card.markup.as_68 and listed.intersection(read_arrays(folder)["image"])):
        return None
    try:
        levels = evaluate_eyes(landmarker, folder, None, listed).levels
    except ValueError:
        return None
    write_card(model.with_suffix(".json"), replace(landmarker.card, eyes=levels))
    return levels


def write_model(target: Path, content: bytes, card: Card) -> Path:
    """Write a model and its card beside it; return the card's path."""
    card_path = target.with_suffix(".json")
    with replaced(target) as temporary:
        temporary.write_bytes(content)
        write_card(card_path, card)
    return card_path


def to_tflite(network: LandmarkNetwork) -> bytes:
    """Convert a network to TFLite with float32 weights, input `[1, S, S, 3]`.

    Raises:
        ExportError: the folder of temporary files has no room for it.
    """
    _refuse_full(Path(tempfile.gettempdir()), network)
    import litert_torch  # pulls in JAX: seconds that only an export should cost

    form = litert_torch.to_channel_last_io(ExportedForm(network).eval(), args=[0])
    side = network.shape.input_size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        with redirect_stdout(sys.stderr):  # its progress, which would spoil a report on standard output
            litert_torch.convert(form.eval(), (torch.zeros(1, side, side, 3),)).export(str(path))
        return path.read_bytes()


def _refuse_full(folder: Path, network: LandmarkNetwork) -> None:
    """Raise unless the converter can write there: where it cannot, it ends the whole program without a sentence."""
    weights = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if free_bytes(folder) < ROOM * weights:
        raise ExportError(
            f"There is no room in {folder}, the folder of temporary files, to convert the network in",
            f"its drive is full, or has less than {ROOM * weights / 1e6:.1f} MB left",
            "free some space there, or name a folder on another drive in the variable TMPDIR",
        )


@torch.inference_mode()
def compare(network: LandmarkNetwork, content: bytes) -> float:
    """Return the largest distance of a point of the TFLite model from PyTorch's on the sample's face, in crop sides."""

    def points(face: NDArray[np.uint8]) -> torch.Tensor:
        return network(torch.from_numpy(face).permute(2, 0, 1)[None].float()).points

    return largest_distance(points, content, network.shape.input_size)


def largest_distance(expected: Callable[[NDArray[np.uint8]], torch.Tensor], content: bytes, size: int) -> float:
    """Return the largest distance of a point of a model from where it is expected on the sample's face, in crop sides.

    `expected` returns the points `[1, K, 2]` of a crop `[size, size, 3]`.
    """
    runtime = Runtime(content, "The exported model")

    def found(face: NDArray[np.uint8]) -> NDArray[np.float32]:
        runtime.input_buffer()[0] = face
        return runtime.run()[0]

    return distance_on_sample(expected, found, size)


def distance_on_sample(
    expected: Callable[[NDArray[np.uint8]], torch.Tensor],
    found: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    size: int,
) -> float:
    """Return the largest distance of a point that was found from where it is expected, as `largest_distance` does.

    Both return the points `[1, K, 2]` of a crop `[size, size, 3]`.
    """
    largest = 0.0
    clip = SampleClip()
    for number in TEST_FRAMES:
        image, truth = clip.frame(number)
        crop = crop_of_landmarks(truth.points, roll_of_landmarks(truth.scheme, truth.points), 1.3)
        face = crop.sample(image, size)
        distance = float((torch.from_numpy(found(face)) - expected(face)).norm(dim=-1).max())
        largest = max(largest, distance) if math.isfinite(distance) else math.inf
    return largest


def card_of(
    checkpoint: Path, network: LandmarkNetwork, content: bytes, name: str, role: str, oldest_runtime: str = ""
) -> Card:
    """Return the card of a model with float16 weights, not measured yet; a `.tflite` file says its runtime itself."""
    state = read_checkpoint(checkpoint)
    exported = ExportedForm(network)
    packs = ", ".join(f"{pack['name']} (weight {pack['weight']:g})" for pack in state.recipe["packs"])
    facts = TrainingFacts(state.recipe["name"], state.step, state.recipe["batch"], tuple(state.notes["lineage"]))
    labels = describe_labels(state.recipe, state.notes.get("labels", {}))
    before = f"Before that: {'; '.join(facts.lineage)}."
    return Card(
        name=name,
        role=role,
        system=network.description,
        scheme=network.shape.points,
        input_size=network.shape.input_size,
        crop=CropRule(state.recipe["crop_scale"], 0.0, level=True),
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        params=sum(parameter.numel() for parameter in exported.parameters()),
        macs=count_macs(exported, network.shape.input_size),
        precision="float16 weights, float32 arithmetic",
        minimum_runtime=oldest_runtime or minimum_runtime(content),
        licence=TOY_LICENCE if _is_toy(state.recipe, facts) else LICENCE,
        data=" ".join(filter(None, (f"{state.notes['faces']} faces of {packs}.", labels, before))),
        recipe=f"{facts.recipe}, {facts.steps} steps of {facts.batch}",
        revision=str(state.notes["revision"]),
        training=facts,
    )


def _is_toy(recipe: Mapping[str, Any], facts: TrainingFacts) -> bool:
    """Tell whether a run has learned from nothing but the sample."""
    return {pack["name"] for pack in recipe["packs"]} == {SAMPLE.name} and facts.lineage == (FRESH_WEIGHTS["random"],)


def describe_labels(recipe: Mapping[str, Any], makers: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return what a card says of labels and teachers; older checkpoints know of neither soft labels nor teachers.

    Who made the labels of packs that no recipe knows is in `makers`, as `label_makers` returns it; where it is not,
    nothing is said.
    """
    names = {pack["name"] for pack in recipe["packs"]}
    in_recipes = {pack.name for known in RECIPES.values() for stage in known.stages for pack in stage.packs}
    machine_made = sorted(name for name in names if name in MACHINE_LABELLED or makers.get(name) == MACHINE)
    derived = sorted(names & PARTLY_DERIVED)
    unknown = names - in_recipes - makers.keys()
    manual = sorted(names - unknown - set(machine_made))
    if names == {SAMPLE.name}:
        return "Frames of the sample with exact landmarks. All show one face: the model knows no other."
    if names == {OWN.name}:
        return (
            f"Pictures of the user who trained it, labelled by {OWN_TEACHER}: the model knows best the faces in them."
        )
    text = f"Labels of {', '.join(manual)} are manual" if unknown else "Labels are manual"
    if machine_made:
        machines = ", ".join(machine_made)
        text = f"{text}, but those of {machines} machine-made" if manual else f"Labels of {machines} are machine-made"
    if derived:
        text += (
            f"; in {', '.join(derived)} the 68 shared points are manual, some moved to WFLW's places, and 30 derived"
            " from a proposal by PFLD-GhostOne that was bent to meet them"
        )
    text = f"{text}." if manual or machine_made else ""
    for pack in sorted(names & FROM_TEST_LISTS.keys()):
        text += (
            f" The faces of {pack} are of the test list of {FROM_TEST_LISTS[pack]}: no figure is a result on that set."
        )
    if soft := recipe.get("soft"):
        text += f" They were projected on a shape model of {100 * soft['variance_share']:g} % of the variance."
    if teachers := recipe.get("teachers"):
        names_of_teachers = (origin_name(teacher) if is_file(teacher) else teacher for teacher in teachers)
        text += f" Taught by {' and '.join(names_of_teachers)}."
    return text.strip()


def count_macs(network: nn.Module, side: int) -> int:
    """Return the multiply-adds of one run of a network that reads images `[1, 3, side, side]`."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    return int(counter.get_total_flops()) // 2
