"""What all tests share: no window, one thread, and the data sets where they are."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything imports Qt: tests need no display and open no window on one.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Before anything imports numpy or torch, here and in the programs that tests start: each core has tests of its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import pytest

from engine.inference import trial

ROOT = Path(__file__).resolve().parents[1]
TRAINER = ROOT / "tests" / "trainer"

cv2.setNumThreads(1)


def has_tests_alone(file: Path) -> bool:
    """Return whether a test file names the mark `alone`, or the fixture that gives it."""
    text = file.read_text(encoding="utf-8")
    return "mark.alone" in text or "heartbeat" in text


def pytest_ignore_collect(collection_path, config):
    """Of a run of the tests marked `alone`, import no other files: these are hundreds."""
    if config.option.markexpr == "alone" and collection_path.name.startswith("test_"):
        return None if has_tests_alone(collection_path) else True
    return None


def pytest_collection_modifyitems(items):
    """Begin with the trainer, some of whose tests take half a minute: at the end no process waits for another's.

    Raises:
        UsageError: a test is marked `alone` in a way that `has_tests_alone` does not see, so that it would never run.
    """
    for file in {item.path for item in items if item.get_closest_marker("alone")}:
        if not has_tests_alone(file):
            raise pytest.UsageError(f"{file} has to name the mark of its tests: pytest.mark.alone")
    items.sort(key=lambda item: not item.path.is_relative_to(TRAINER))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of the packs: that in UNDERSTUDY_DATA, else `../shared/data` beside the repository."""
    folder = Path(os.environ.get("UNDERSTUDY_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"needs the data sets; there is no folder {folder} (UNDERSTUDY_DATA names another)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Note the models that passed their trial in a folder of the tests'."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setattr(trial, "user_cache_path", lambda *_, **__: folder)
        yield
