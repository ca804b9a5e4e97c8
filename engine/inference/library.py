"""The available models: those shipped with the program and those in the user's folder."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from platformdirs import user_data_path

from engine.core.errors import ModelError
from engine.core.files import replaced
from engine.core.paths import asset_path
from engine.core.platforms import unfit_part
from engine.core.records import suggestion
from engine.core.texts import reason
from engine.inference.card import Card, read_card, write_card
from engine.inference.landmarker import Landmarker, load_landmarker, model_file, read_model
from engine.inference.runtime import is_fast_in_int8
from engine.inference.runtimes import MODEL_SUFFIXES, is_model_file, model_files

log = logging.getLogger(__name__)

DEFAULT_MODEL = "student-68"
LONGEST_NAME = 100  # letters; systems allow 255 bytes with the ending
INT8_MARK = "-int8"  # ends the name of a model's twin that computes in int8


@dataclass(frozen=True)
class ModelEntry:
    """A model found in a folder.

    Attributes:
        path: of its `.tflite` or `.onnx` file.
        card: None if it cannot be read.
        error: why the model cannot be used; None if it can.
        twin: the same model in int8, beside it, which runs in its place live; None where there is none, or the runtime
            has no fast kernels for it.
    """

    name: str
    path: Path
    card: Card | None
    error: ModelError | None
    twin: ModelEntry | None = None


class ModelLibrary:
    """Landmark models by name.

    Args:
        folders: where to look; the first folder that has a name wins.
    """

    def __init__(self, folders: tuple[Path, ...] | None = None) -> None:
        self.folders = folders or (asset_path("models"), user_data_path("understudy", appauthor=False) / "models")

    def entries(self) -> list[ModelEntry]:
        """Return every model, by name; damaged ones, and the user's own files without a card, with the reason."""
        cards = {}
        for folder in reversed(self.folders):
            cards.update({card.stem: card for card in sorted(folder.glob("*.json"))})
        bare = {file.stem: _bare(file) for folder in self.folders[1:] for file in _model_files_of(folder)}
        entries = bare | {name: _entry(card) for name, card in cards.items()}
        return [entries[name] for name in sorted(entries)]

    def live_entries(self) -> list[ModelEntry]:
        """Return every model for live use, by name, each with its twin, which is not listed beside it."""
        entries = {entry.name: entry for entry in self.entries()}
        twins = {name: entries[card.stem] for name in entries if (card := self._twin_card(name)) is not None}
        hidden = {twin.name for twin in twins.values()}
        fast = is_fast_in_int8()
        usable = {name: twin for name, twin in twins.items() if fast and twin.error is None}
        return [replace(entry, twin=usable.get(name)) for name, entry in entries.items() if name not in hidden]

    def find(self, model: str) -> Path:
        """Return the file of a model given by name or by path.

        Raises:
            ModelError: there is no such model.
        """
        if is_model_file(model):
            return Path(model)
        if (card := self._card(model)) is not None:
            return model_file(card)
        entries = self.entries()
        for entry in entries:
            if entry.name == model and entry.error is not None:  # it has no card
                raise entry.error
        names = [entry.name for entry in entries]
        raise ModelError(
            f"There is no model “{model}”",
            f"the models here are: {', '.join(names) or 'none'}",
            suggestion(model, names, "choose one of these, or give the path of a .tflite or .onnx file"),
        )

    def place_for(self, name: str, suffix: str) -> Path:
        """Return the file of a model of the user's own; `suffix` is one of `MODEL_SUFFIXES`.

        Raises:
            ModelError: no model of the user's can have this name.
        """
        path = self.folders[-1] / f"{name}{suffix}"
        is_word = name == Path(name).name and name.strip() and name.isprintable() and len(name) <= LONGEST_NAME
        if not is_word or name.startswith(".") or is_model_file(name):
            raise ModelError(
                f"“{name}” is no name of a model",
                "it is empty or very long, names a folder or a file, or begins with a dot",
                "give a name without slashes and without an ending",
            )
        if (unfit := unfit_part(path)) is not None:
            raise ModelError(f"No file can be called “{unfit[0]}”", unfit[1], "give another name")
        if any((folder / f"{name}.json").exists() for folder in self.folders[:-1]):
            raise ModelError(f"There is a model “{name}” already", "it is part of the program", "give another name")
        ensure_own_card(path)
        return path

    def add(self, content: bytes, card: Card, suffix: str) -> Path:
        """Save the bytes of a model, and its card, under the name on the card; return the model's file.

        Raises:
            ModelError: the name is taken, or none that a model can have; or the files cannot be written.
        """
        path = self.place_for(card.name, suffix)
        if path.with_suffix(".json").exists() or path.exists():
            raise ModelError(f"There is a model “{card.name}” already", "it was added before", "give another name")
        write_model(path, content, card)
        return path

    def correct(self, path: Path, card: Card) -> Card:
        """Write and return another card of a model; what was measured with the one before is left out.

        Raises:
            ModelError: it cannot be written.
        """
        unmeasured = replace(card, metrics=(), label_shift=0.0, eyes=None)
        try:
            write_card(path.with_suffix(".json"), unmeasured)
        except OSError as error:
            raise _unsaved(path.with_suffix(".json"), error) from error
        return unmeasured

    def free_name(self, wanted: str) -> str:
        """Return a name that no model has: the wanted one, or with a number after it."""
        numbers = (f"{wanted}-{number}" for number in count(2))
        endings = (".json", *MODEL_SUFFIXES)
        taken = {file.stem for folder in self.folders for end in endings for file in folder.glob(f"*{end}")}
        return next(name for name in chain([wanted], numbers) if name not in taken)

    def load(self, model: str, threads: int = 1) -> Landmarker:
        """Load a model given by name or by path.

        Raises:
            ModelError: there is no such model, or it cannot be used.
        """
        return load_landmarker(self.find(model), threads)

    def load_live(self, model: str) -> Landmarker:
        """Load a model given by name or by path for live use: its int8 twin where there is one and the runtime is fast.

        Raises:
            ModelError: there is no such model, or it cannot be used.
        """
        path = self.find(model)
        twin = None if is_model_file(model) else self._twin_card(model)
        if twin is not None and is_fast_in_int8():
            try:
                return load_landmarker(model_file(twin))
            except ModelError as error:
                log.warning("%s runs in place of its twin: %s", model, error)
        return load_landmarker(path)

    def _card(self, name: str) -> Path | None:
        cards = (folder / f"{name}.json" for folder in self.folders)
        return next((card for card in cards if card.is_file()), None)

    def _twin_card(self, name: str) -> Path | None:
        """Return the card of a model's twin in int8; None without one beside it: one elsewhere is another model's."""
        card, twin = self._card(name), self._card(name + INT8_MARK)
        return twin if card is not None and twin is not None and twin.parent == card.parent else None


def ensure_own_card(model: Path) -> None:
    """Refuse the place of a model that is to be written where it would take the card of another one.

    Raises:
        ModelError: a model file of the other format has its name.
    """
    others = [file for file in model_files(model.with_suffix(".json")) if file.suffix != model.suffix]
    if others:
        raise ModelError(
            f"{others[0]} has the name “{model.stem}” already",
            "a card describes one file only",
            f"give another name, such as {model.stem}-{model.suffix[1:]}",
        )


def write_model(path: Path, content: bytes, card: Card) -> None:
    """Write a model file, and its card beside it.

    Raises:
        ModelError: they cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as temporary:
            temporary.write_bytes(content)
        write_card(path.with_suffix(".json"), card)
    except OSError as error:
        raise _unsaved(path, error) from error


def _unsaved(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"The model cannot be saved as {path} ({error.strerror})",
        "the disk is full, or the folder must not be written",
        "free some space, or change the permissions of the folder",
    )


def _entry(card_path: Path) -> ModelEntry:
    path, card, error = model_file(card_path), None, None
    try:
        card = read_card(card_path)
        read_model(path, card)
    except ModelError as failure:
        error = failure
    except Exception as failure:  # noqa: BLE001  whatever is wrong with one model, the others are there
        error = ModelError(f"The model {path} cannot be used ({reason(failure)})", "it is damaged", "copy it again")
    return ModelEntry(card_path.stem, path, card, error)


def _model_files_of(folder: Path) -> list[Path]:
    """Return the model files in a folder, but hidden ones, as a Mac puts beside others on foreign disks."""
    return [file for suffix in MODEL_SUFFIXES for file in sorted(folder.glob(f"[!.]*{suffix}"))]


def _bare(path: Path) -> ModelEntry:
    error = ModelError(
        f"The model {path} has no card",
        f"no {path.stem}.json, which says how it is run, is beside it",
        "move it to another folder and add it from there, on the page Models or with “understudy models add”",
    )
    return ModelEntry(path.stem, path, None, error)


def default_teacher(entries: list[ModelEntry], first: str) -> str:
    """Return what the first model is compared with unless the user chose: the best teacher, else another model."""
    others = [entry for entry in entries if entry.error is None and entry.name != first]
    return min(others, key=_rank).name if others else first


def _rank(entry: ModelEntry) -> tuple[bool, float]:
    card = entry.card
    if card is None:
        return True, math.inf
    errors = [float(metric["nme"]) for metric in card.metrics if metric.get("nme") is not None]
    return not card.is_teacher, min(errors, default=math.inf)
