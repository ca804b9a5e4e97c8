"""A bounded part of what `python -m tests.measure.mutations` does, and whether it sees what it looks for."""

from __future__ import annotations

import sys

import pytest

from tests.fakes.mutations import KINDS
from tests.measure import mutations

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory and waits are read from /proc")


def test_faults_12_58_models_whose_tables_were_changed_bring_nothing_down(tmp_path, monkeypatch):
    """Types, counts, shapes, indices, and the offsets and sizes of buffers, with cards that agree."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # where models that passed are noted
    assert mutations.run(20, 1, ["model"]) == []


def test_no_changed_input_ends_in_a_traceback_a_crash_a_wait_or_a_flood_of_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert mutations.run(8 * len(KINDS), 1) == []


def answer(**changes):
    return {"code": 1, "words": "It is damaged.", "trace": "", "seconds": 0.1, "memory": 90.0, **changes}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"hangs": True}, "it hangs"),
        ({"died": -11}, "died with -11"),
        (answer(trace="Traceback\n  File “x”\nValueError: no"), "a traceback"),
        (answer(seconds=6.0), "too long"),
        (answer(memory=1500.0), "too much memory"),
        (answer(words=""), "without a sentence"),
    ],
)
def test_what_must_not_happen_is_seen(given, what):
    assert what in mutations.judged(given)[0]


def test_a_sentence_and_a_result_are_both_right():
    assert mutations.judged(answer()) is None
    assert mutations.judged(answer(code=0, words="")) is None


def test_a_child_that_dies_or_hangs_is_replaced(monkeypatch, tmp_path):
    """In place of the readers, some Python that kills the process, waits for ever or works."""
    monkeypatch.setattr(mutations, "HANGS", 1.0)
    lines = (
        "import json, os, sys, time\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin:\n"
        "    kind, path = json.loads(line)\n"
        "    if kind == 'dies': os.kill(os.getpid(), 11)\n"
        "    if kind == 'hangs': time.sleep(60)\n"
        "    print(json.dumps({'code': 0}), flush=True)\n"
    )
    child = mutations.Child([sys.executable, "-c", lines])
    assert [child.use(kind, tmp_path) for kind in ("works", "dies", "works", "hangs", "works")] == [
        {"code": 0}, {"died": -11}, {"code": 0}, {"hangs": True}, {"code": 0},
    ]  # fmt: skip
    child.close()
