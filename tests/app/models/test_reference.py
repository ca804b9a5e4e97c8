"""Errors stand side by side only where they were measured in the same way."""

from dataclasses import replace

import numpy as np

from app.models.reference import Reference, common_reference
from engine.core.metrics import noted_ced
from tests.fakes.models import FAKE_CARD


def card(*metrics):
    return replace(FAKE_CARD, metrics=metrics)


def metric(data, nme, box="truth", points=68):
    return {"data": data, "split": "test", "box": box, "points": points, "nme": nme}


def test_the_most_common_reference_counts():
    cards = [card(metric("a", 1.0), metric("b", 2.0)), card(metric("b", 3.0)), card(metric("c", None))]
    reference = common_reference(cards)
    assert reference == Reference("b", "test", "truth", "68")
    assert [reference.error_of(each) for each in cards] == [2.0, 3.0, None]
    assert reference.words == "b test"


def test_boxes_and_numbers_of_points_are_not_mixed():
    cards = [
        card(metric("a", 1.0)),
        card(metric("a", 2.0)),
        card(metric("a", 3.0, "detector"), metric("a", 4.0, points=98)),
    ]
    reference = common_reference(cards)
    assert reference.error_of(cards[2]) is None


def test_without_errors_there_is_none():
    assert common_reference([card(), card(metric("a", None))]) is None


def test_a_curve_is_what_evaluate_notes_and_nothing_else():
    curve = noted_ced(np.array([0.5, 3.0, 12.0, np.inf, np.nan]))
    assert len(curve) == 41
    assert (curve[0], curve[2], curve[12], curve[-1]) == (0.0, 0.25, 0.5, 0.5)
    for note, expected in ((curve, tuple(curve)), (curve[:-1], None), ([2.0] * 41, None), ("no", None)):
        each = card({**metric("a", 1.0), "ced": note})
        assert common_reference([each]).curve_of(each) == expected
