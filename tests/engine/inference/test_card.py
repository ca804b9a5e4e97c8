"""Cards: what is written is what is known, and what is missing has its usual meaning."""

import json
from dataclasses import replace

from engine.core.faces import EyeLevels
from engine.inference.card import read_card, write_card
from tests.fakes.models import FAKE_CARD


def test_levels_of_eyes_that_nobody_measured_are_not_on_the_card_but_signals_have_some(tmp_path):
    write_card(tmp_path / "own.json", FAKE_CARD)
    assert "eyes" not in json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))
    card = read_card(tmp_path / "own.json")
    assert card == FAKE_CARD
    assert (card.eyes, card.eye_levels) == (None, EyeLevels())


def test_measured_levels_of_eyes_are_kept(tmp_path):
    measured = replace(FAKE_CARD, eyes=EyeLevels(0.18, 0.3, 0.23))
    write_card(tmp_path / "own.json", measured)
    assert read_card(tmp_path / "own.json").eye_levels == measured.eyes
