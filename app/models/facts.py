"""What a model's card says, as rows of words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QCoreApplication

from app.models.model_facts import ModelFacts
from engine.inference.card import Card

translate = QCoreApplication.translate  # under the name that lupdate looks for
MILLION, THOUSAND = 1e6, 1e3
NONE = "\u2013"


def network_rows(card: Card) -> list[tuple[str, str]]:
    """Return what the network is: pairs of a label and its words."""
    facts = ModelFacts.of(card)
    return [
        (translate("model_facts_table", "Method"), card.system),
        (translate("model_facts_table", "Landmarks"), facts.points_words),
        (
            translate("model_facts_table", "Input"),
            translate("model_facts_table", "{0} \u00d7 {0} pixels, RGB").format(card.input_size),
        ),
        (translate("model_facts_table", "File size"), f"{facts.megabytes:.2f} MB"),
        (translate("model_facts_table", "Weights"), count_words(card.params)),
        (
            translate("model_facts_table", "Multiply-adds"),
            translate("model_facts_table", "{0} a face").format(count_words(card.macs)),
        ),
        (translate("model_facts_table", "Precision"), card.precision),
        (
            translate("model_facts_table", "Oldest runtime"),
            f"TensorFlow Lite {card.minimum_runtime}" if card.minimum_runtime else NONE,
        ),
    ]


def origin_rows(card: Card) -> list[tuple[str, str]]:
    """Return where the model comes from: pairs of a label and its words."""
    return [
        (translate("model_facts_table", "Licence"), card.licence),
        (translate("model_facts_table", "Training data"), card.data),
        (translate("model_facts_table", "Recipe"), card.recipe),
        (translate("model_facts_table", "Revision"), card.revision),
    ]


def accuracy_headings() -> tuple[str, ...]:
    """Return the headings of the columns of `accuracy_rows`."""
    return (
        translate("model_facts_table", "Data"),
        translate("model_facts_table", "Split"),
        translate("model_facts_table", "Faces"),
        translate("model_facts_table", "NME %"),
        translate("model_facts_table", "FR10 %"),
        translate("model_facts_table", "AUC10"),
        translate("model_facts_table", "Confidence AUC"),
    )


def accuracy_rows(card: Card) -> list[tuple[str, ...]]:
    """Return a row for each measured result of the card; a dash where a number was not measured."""
    return [_accuracy_row(metric) for metric in card.metrics]


def protocols(card: Card) -> list[str]:
    """Return how the results were measured, each way once."""
    return list(dict.fromkeys(str(metric["protocol"]) for metric in card.metrics if metric.get("protocol")))


def count_words(count: int) -> str:
    """Return a large number as people say it."""
    if count >= MILLION:
        return translate("model_facts_table", "{0} million").format(f"{count / MILLION:.3g}")
    return (
        translate("model_facts_table", "{0} thousand").format(f"{count / THOUSAND:.3g}")
        if count >= THOUSAND
        else str(count)
    )


def _accuracy_row(metric: Mapping[str, Any]) -> tuple[str, ...]:
    faces, all_faces = metric.get("nme_faces"), metric.get("n")
    counted = str(faces if faces is not None else all_faces or NONE)
    if faces is not None and all_faces is not None and faces != all_faces:
        counted = translate("model_facts_table", "{0} of {1}").format(faces, all_faces)
    numbers = (("nme", 2), ("fr10", 2), ("auc10", 3), ("visibility_auc", 3))
    return (
        str(metric.get("data", NONE)),
        str(metric.get("split") or translate("model_facts_table", "all")),
        counted,
        *(_number(metric.get(key), digits) for key, digits in numbers),
    )


def _number(value: Any, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, (int, float)) else NONE
