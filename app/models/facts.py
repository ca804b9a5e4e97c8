"""What a model's card says, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QCoreApplication

from engine.inference.card import Card, TeacherGain
from engine.inference.library import ModelEntry

translate = QCoreApplication.translate  # under the name that lupdate looks for

MILLION, THOUSAND = 1e6, 1e3
MEGABYTE = 1e6  # bytes
NONE = "\u2013"  # in place of a number that is not known


def cards_of(entries: Iterable[ModelEntry]) -> dict[str, Card]:
    """Return the cards of the readable models and of their twins, by name."""
    both = (its for entry in entries for its in (entry, entry.twin))
    return {its.card.name: its.card for its in both if its is not None and its.card is not None}


def role_words(card: Card) -> str:
    """Return the role as people read it."""
    if card.is_teacher:
        return translate("model_facts", "Teacher")
    return translate("model_facts", "Other model") if card.is_foreign else translate("model_facts", "Student")


def points_words(card: Card) -> str:
    """Return the number of landmarks with its unit."""
    return translate("model_facts", "{0} points").format(card.scheme)


def size_words(card: Card) -> str:
    """Return the size of the file with its unit."""
    return translate("model_facts", "{0:.1f} MB").format(card.bytes / MEGABYTE)


def role_of(entry: ModelEntry) -> str:
    """Return the role of a model that can be used, or what is wrong with another."""
    if entry.card is not None and entry.error is None:
        return role_words(entry.card)
    if entry.error is not None and not entry.path.is_file():
        return translate("model_facts", "File missing")
    if not entry.path.with_suffix(".json").is_file():
        return translate("model_facts", "Card missing")
    return translate("model_facts", "Cannot be used")


def network_rows(card: Card) -> list[tuple[str, str]]:
    """Return what the network is: pairs of a label and its words."""
    return [
        (translate("model_facts", "Method"), card.system),
        (translate("model_facts", "Landmarks"), points_words(card)),
        (
            translate("model_facts", "Input"),
            translate("model_facts", "{0} \u00d7 {0} pixels, RGB").format(card.input_size),
        ),
        (translate("model_facts", "File size"), f"{card.bytes / MEGABYTE:.2f} MB"),
        (translate("model_facts", "Weights"), count_words(card.params) if card.params else NONE),
        (
            translate("model_facts", "Multiply-adds"),
            translate("model_facts", "{0} a face").format(count_words(card.macs)) if card.macs else NONE,
        ),
        (translate("model_facts", "Precision"), card.precision),
        (
            translate("model_facts", "Label shift"),
            translate("model_facts", "{0:+.2f} % of the crop's side to the right, taken off live").format(
                100 * card.label_shift
            ),
        ),
        (
            translate("model_facts", "Oldest runtime"),
            f"TensorFlow Lite {card.minimum_runtime}" if card.minimum_runtime else NONE,
        ),
    ]


def origin_rows(card: Card) -> list[tuple[str, str]]:
    """Return where the model comes from: pairs of a label and its words."""
    return [
        (translate("model_facts", "Licence"), card.licence),
        (translate("model_facts", "Training data"), card.data),
        (translate("model_facts", "Recipe"), card.recipe),
        *((translate("model_facts", "Teacher\u2019s gain"), _gain_words(gain)) for gain in card.gains),
        (translate("model_facts", "Revision"), card.revision),
    ]


def accuracy_headings() -> tuple[str, ...]:
    """Return the headings of the columns of `accuracy_rows`."""
    return (
        translate("model_facts", "Data"),
        translate("model_facts", "Split"),
        translate("model_facts", "Faces"),
        translate("model_facts", "NME %"),
        translate("model_facts", "NME box %"),
        translate("model_facts", "FR10 %"),
        translate("model_facts", "AUC10"),
        translate("model_facts", "Confidence AUC"),
        translate("model_facts", "Eyes AUC"),
    )


def accuracy_rows(card: Card) -> list[tuple[str, ...]]:
    """Return a row for each measured result of the card; a dash where a number was not measured."""
    return [_accuracy_row(metric) for metric in card.metrics]


def accuracy_legend() -> str:
    """Return what the columns of `accuracy_rows` mean where no protocol says it."""
    return translate(
        "model_facts",
        "FR10: percent of the faces with an NME over 10 %. AUC10: area under the curve of errors up to 10 %. "
        "Confidence AUC: how well the confidence tells hidden from visible points; Eyes AUC: the opening, closed from "
        "open eyes. 1 is perfect.",
    )


def protocols(card: Card) -> list[str]:
    """Return how the results were measured, each protocol once."""
    return list(dict.fromkeys(str(metric["protocol"]) for metric in card.metrics if metric.get("protocol")))


def count_words(count: int) -> str:
    """Return a large number as people say it."""
    if count >= MILLION:
        return translate("model_facts", "{0} million").format(f"{count / MILLION:.3g}")
    return (
        translate("model_facts", "{0} thousand").format(f"{count / THOUSAND:.3g}") if count >= THOUSAND else str(count)
    )


def _accuracy_row(metric: Mapping[str, Any]) -> tuple[str, ...]:
    faces, all_faces = metric.get("nme_faces"), metric.get("n")
    counted = str(faces if faces is not None else all_faces or NONE)
    if faces is not None and all_faces is not None and faces != all_faces:
        counted = translate("model_facts", "{0} of {1}").format(faces, all_faces)
    numbers = (("nme", 2), ("nme_box", 2), ("fr10", 2), ("auc10", 3), ("visibility_auc", 3), ("eyes_auc", 3))
    return (
        str(metric.get("data", NONE)),
        str(metric.get("split") or translate("model_facts", "all")),
        counted,
        *(_number(metric.get(key), digits) for key, digits in numbers),
    )


def _gain_words(gain: TeacherGain) -> str:
    return translate(
        "model_facts",
        "NME {0} % with a teacher, {1} % without ({2} {3}, {4} faces): runs of {5} steps from the same weights, "
        "seeds: {6}; difference {7} to {8}",
    ).format(
        f"{gain.taught:.2f}",
        f"{gain.alone:.2f}",
        gain.data,
        gain.split,
        gain.faces,
        gain.steps,
        gain.seeds,
        f"{gain.low:+.3f}",
        f"{gain.high:+.3f}",
    )


def _number(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, (int, float)) else NONE
