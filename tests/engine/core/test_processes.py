"""Children of ours and programs of the user's, in a checkout and in the bundle."""

from __future__ import annotations

import sys

from engine.core.processes import foreign_environment, is_bundled, own_module

OURS = {
    "PYTHONHOME": "bundle",
    "LD_LIBRARY_PATH": "bundle",
    "LD_LIBRARY_PATH_ORIG": "theirs",
    "DYLD_LIBRARY_PATH": "bundle",
    "_PYI_APPLICATION_HOME_DIR": "bundle",
    "HOME": "h",
}


def test_a_child_is_python_with_the_module_s_name():
    assert own_module("engine.inference.trial") == [sys.executable, "-m", "engine.inference.trial"]


def test_the_bundle_lends_its_libraries_to_no_other_program(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert is_bundled()
    assert foreign_environment(OURS) == {"LD_LIBRARY_PATH": "theirs", "HOME": "h"}


def test_elsewhere_the_user_s_libraries_stay(monkeypatch):
    monkeypatch.delattr(sys, "frozen", raising=False)
    assert foreign_environment({"LD_LIBRARY_PATH": "theirs", "HOME": "h"}) == {"LD_LIBRARY_PATH": "theirs", "HOME": "h"}
