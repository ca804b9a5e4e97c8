"""Errors stand side by side only where they were measured in the same way."""

from dataclasses import replace

from app.models.reference import Reference, common_reference
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
