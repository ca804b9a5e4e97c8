"""Who made the labels of packs, as these say themselves."""

from __future__ import annotations

import json

from trainer.data.label_makers import label_makers
from trainer.recipes.schema import PackChoice


def test_packs_say_who_made_their_labels_or_nothing(tmp_path):
    texts = {
        "asked": {"labels": "machine-made by the model teacher-68"},
        "drawn": {"labels": "manual (300-W)"},
        "rendered": {"labels": "exact, by the renderer of the sample"},
        "many": {"labels": {"a": "manual"}},
        "silent": {},
        "list": [],
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "meta.json").write_text(json.dumps(text), encoding="utf-8")
    (tmp_path / "list" / "meta.json").write_text("{cut off", encoding="utf-8")
    packs = [PackChoice(name) for name in (*texts, "crops")]
    assert label_makers(tmp_path, packs) == {"asked": "machine-made", "drawn": "manual"}
