"""What a card says, in words."""

from dataclasses import replace

from app.models.facts import origin_rows
from engine.core.paths import asset_path
from engine.inference.card import TeacherGain, read_card


def test_what_a_teacher_brought_stands_with_the_recipe():
    card = replace(read_card(asset_path("models", "student-68.json")), gains=())
    gain = TeacherGain("lfpw68", "test", 224, 2400, 2, alone=3.2211, taught=3.1725, low=-0.0691, high=-0.0292)
    said = [
        "NME 3.17 % with a teacher, 3.22 % without (lfpw68 test, 224 faces): runs of 2400 steps from the same weights, "
        "seeds: 2; difference -0.069 to -0.029"
    ]
    assert [
        words for label, words in origin_rows(replace(card, gains=(gain,))) if label == "Teacher\u2019s gain"
    ] == said
    assert not any(label == "Teacher\u2019s gain" for label, _ in origin_rows(card))
