"""The packs that a training makes by itself: of the user's own pictures, and of the sample."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, count
from pathlib import Path

from engine.core.errors import RecordingError, UsageError
from engine.core.texts import reason
from engine.formats.packs import is_pack
from engine.inference.card import Card, read_card
from engine.inference.library import ModelLibrary
from trainer.checkpoint import LAST
from trainer.data.crop_cache import cached_sizes
from trainer.data.label_parts import LARGEST_SPREAD, PICTURES, LabelSettings, Part, plain_object
from trainer.data.picture_labels import label_pictures
from trainer.data.picture_sources import SETTINGS, find_pictures
from trainer.data.rendered import render_pack
from trainer.devices import first_alone
from trainer.recipes.packs import OWN, OWN_TEACHER, SAMPLE
from trainer.recipes.schema import PackChoice, Training
from trainer.run import Place
from trainer.run_folder import finished, stage_folder
from trainer.run_lock import refuse_trained

PART = 40  # pictures: about ten seconds' work, after which the page hears of it


def make_packs(trainings: Sequence[Training], folder: Path, place: Place, pictures: Path | None = None) -> None:
    """Make what is missing of `OWN` and `SAMPLE` in the data folder, if the trainings name them.

    With `pictures`, a folder of pictures or what else `find_pictures` takes, those of them that are not in `OWN` yet
    are labelled; what was done stays, under another name if another model did it. Once the run in `folder` has begun,
    `OWN` stays as it is: the run goes on with the faces that it began with.

    Raises:
        UsageError: `OWN` is not there and no pictures are given, or pictures are given and no training names `OWN`,
            there are crops of it in its stead, or another command trains in `folder`.
        SourceError: there is no picture.
        PackError: `OWN` was made of other pictures, or no face is found.
        RecordingError: a pack cannot be written or renamed; nothing half is left.
    """
    packs = {pack.name: pack for training in trainings for pack in (*training.validation, *training.packs)}
    say = partial(place.fabric.print, file=sys.stderr)
    if pictures is not None and OWN.name not in packs:
        raise UsageError(
            "--pictures does not apply here",
            f"only trainings on the pack {OWN.name} label pictures",
            "leave it out, or choose the recipe own-68",
        )
    if OWN.name in packs:
        if pictures is not None:
            _refuse_crops(packs[OWN.name], place.data)
            first_alone(place.fabric, partial(_take_in, pictures, trainings, folder, place, say))
        elif not _has_faces(packs[OWN.name], place):
            raise UsageError(
                f"The pack {OWN.name} is not in {place.data}",
                f"it is made of your own pictures, which {OWN_TEACHER} labels",
                "name their folder with --pictures",
            )
    if SAMPLE.name in packs and not _has_faces(packs[SAMPLE.name], place):
        first_alone(place.fabric, partial(_render, place.data / SAMPLE.name, say))


def _refuse_crops(pack: PackChoice, data: Path) -> None:
    """Raise `UsageError` if a training would read crops that were kept of a pack, and never see its new labels."""
    if cached_sizes(data, pack):
        raise UsageError(
            f"The folder {data} has crops of {pack.name}, which a training takes instead of pictures",
            "“understudy data pack” wrote them; faces that are labelled now would not be learned from",
            "leave out --pictures to learn from the crops, or name another folder with --data",
        )


def _has_faces(pack: PackChoice, place: Place) -> bool:
    return is_pack(place.data / pack.name) or bool(cached_sizes(place.data, pack))


def _render(out: Path, say: Callable[[str], None]) -> None:
    say(f"Rendering frames of the sample to {out} ...")
    say(f"{render_pack(out)} frames of one face are rendered.")


def _take_in(
    pictures: Path, trainings: Sequence[Training], folder: Path, place: Place, say: Callable[[str], None]
) -> None:
    """Label what is new among the pictures, unless the run has begun already: then say how many wait for another."""
    stages = [stage_folder(folder, trainings, training) for training in trainings]
    for stage in stages:
        refuse_trained(stage)
    out = place.data / OWN.name
    if not (is_pack(out) and any((stage / LAST).exists() for stage in stages)):
        _label(pictures, out, say)
        return
    known = {name for part in out.glob("part-*") for name in plain_object(part / PICTURES).get("pictures", ())}
    waiting = sum(name not in known for name, _ in find_pictures(pictures, out))
    if waiting:
        ended = all(finished(stage / LAST) for stage in stages)
        state = "is finished" if ended else "goes on with the faces that it began with"
        when = "" if ended else ", once this one is finished"
        say(
            f"Pictures that are not labelled and stay so: {waiting}. The run in {folder} {state}; another one learns "
            f"from them{when}: --out NEW."
        )


def _set_aside_others(out: Path, card: Card, say: Callable[[str], None]) -> None:
    """Give labels by another model than that of the card a name of their own: labels are not mixed, nor are they lost.

    Raises:
        RecordingError: the folder cannot be renamed.
    """
    by = plain_object(out / SETTINGS)
    if not any(out.glob("part-*")) or by.get("sha256", card.sha256) == card.sha256:
        return
    name = f"{out.name}.{Path(str(by.get('model'))).name}"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    aside = next(place for place in map(out.with_name, names) if not place.exists())
    try:
        out.rename(aside)
    except OSError as error:
        raise RecordingError(
            f"The pack {out}, which {by.get('model')} labelled, cannot be renamed to {aside.name} ({reason(error)})",
            f"{OWN_TEACHER} labels pictures now, and labels of two models are not mixed",
            "close what uses the folder or rename it, or give another folder with --data",
        ) from error
    say(f"{out} was labelled by {by.get('model')} and is {aside.name} now; {card.name} labels all pictures again.")


def _label(pictures: Path, out: Path, say: Callable[[str], None]) -> None:
    total = len(find_pictures(pictures, out))
    model = ModelLibrary().find(OWN_TEACHER)
    _set_aside_others(out, read_card(model.with_suffix(".json")), say)
    say(f"{OWN_TEACHER} labels the faces of {total} pictures ...")

    def one_by_one(label_part: Callable[[Part], int], parts: Sequence[Part]) -> Iterable[int]:
        done = total - sum(len(part.pictures) for part in parts)
        for part in parts:
            labelled = label_part(part)
            done += labelled
            say(f"labelled {done} of {total} pictures")
            yield labelled

    settings = LabelSettings(LARGEST_SPREAD)
    done = label_pictures(pictures, model, out, settings, PART, one_by_one)
    say(
        f"{done.kept} of {done.faces} faces in {done.pictures} pictures are labelled; left out: {done.uncertain} of "
        f"which the teacher is not sure. Pictures without a face: {done.without_face}, unreadable: {done.unreadable}."
    )
