"""Advice on what is missing or damaged: nobody can install into the bundle."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.core import installation
from engine.core.errors import ModelError
from engine.inference.runtime import FILE_MARK, Runtime

PYTHON = f'"{sys.executable}"'
ADVICE = (
    installation.renew,
    installation.newer_runtime,
    lambda: installation.add("numpy"),
)


@pytest.fixture
def bundle(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)


@pytest.mark.parametrize("advice", ADVICE)
def test_in_the_bundle_the_advice_is_to_download_it_again(bundle, advice):
    assert advice() == "download the bundle again"


def test_an_extra_needs_the_source_where_there_is_only_the_bundle(bundle):
    assert installation.add_extra("report").startswith("get the source of Understudy")


def test_elsewhere_pip_installs_what_is_missing():
    assert installation.renew() == "install the program again"
    assert installation.newer_runtime() == "update ai-edge-litert"
    assert installation.add("numpy") == f"run “{PYTHON} -m pip install numpy”"


def test_the_line_for_an_extra_can_be_pasted_in_any_folder():
    root = Path(__file__).resolve().parents[3]
    pins = root / "packaging" / "constraints.txt"
    assert installation.add_extra("report") == f'run “{PYTHON} -m pip install -e "{root}[report]" -c "{pins}"”'


def test_from_a_wheel_the_package_is_named_in_place_of_files_that_are_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    assert installation.add_extra("report") == f'run “{PYTHON} -m pip install "understudy[report]"”'


def test_a_damaged_model_sends_nobody_with_the_bundle_to_pip(bundle):
    with pytest.raises(ModelError) as refused:
        Runtime(b"\x1c\0\0\0" + FILE_MARK + b"rubbish" * 20, "a.tflite")
    assert refused.value.fix == "copy the model file again, or download the bundle again"
