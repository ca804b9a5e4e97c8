"""Pictures that look alike are found in packs of any size."""

import tracemalloc

import numpy as np

from trainer.data import leaks
from trainer.data.leaks import PictureFacts, similar_pictures


def facts(appearances):
    return [PictureFacts(True, (9, 9), f"picture {index}", value) for index, value in enumerate(appearances)]


def test_however_many_pairs_are_compared_at_once_the_same_are_found(monkeypatch):
    drawn = np.random.default_rng(0).integers(0, 1 << 62, 12).tolist()
    splits = np.array((["train"] * 3 + ["test"]) * 6)
    some = facts([*drawn, *drawn[::-1]])
    whole = similar_pictures(some, splits)
    assert len(whole) >= 2
    monkeypatch.setattr(leaks, "PAIRS_AT_ONCE", 5)
    assert similar_pictures(some, splits) == whole
    assert similar_pictures(some, np.array(["train"] * 24)) == []


def test_a_large_pack_is_compared_in_little_memory(monkeypatch):
    monkeypatch.setattr(leaks, "PAIRS_AT_ONCE", 10_000)
    some = facts(np.random.default_rng(0).integers(0, 1 << 62, 4_000).tolist())
    tracemalloc.start()
    try:
        similar_pictures(some, np.array(["train", "test"] * 2_000))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000, "4 million pairs are 36 MB"
    finally:
        tracemalloc.stop()
