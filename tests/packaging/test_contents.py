"""What the bundle says of its parts: packages, licences, the list in the form of CycloneDX."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def contents(load):
    """Return `packaging/contents.py`."""
    pytest.importorskip("cyclonedx", reason="needs cyclonedx-python-lib, of the extra [bundle]")
    pytest.importorskip("PyInstaller", reason="needs PyInstaller, of the extra [bundle]")
    return load("contents")


@pytest.fixture
def found(contents):
    """The parts of a bundle that holds a module of numpy, one of Python and one of ours."""
    files = [Path(numpy.__file__), Path(sysconfig.get_path("stdlib"), "os.py"), ROOT / "engine" / "core" / "paths.py"]
    return contents.parts(files, ROOT)


def test_packages_are_known_by_their_files_and_our_own_are_left_out(found):
    assert [part.name for part in found] == ["numpy", "pyinstaller", "Python"]
    assert found[0].version == numpy.__version__
    assert found[0].licence.startswith("BSD-3-Clause")
    assert all(part.texts for part in found)


def test_a_file_of_nobody_is_refused(contents):
    stray = Path(sysconfig.get_path("purelib"), "nobody", "knows.py")
    with pytest.raises(ValueError, match=r"No package is known for .*knows\.py"):
        contents.parts([stray], ROOT)


def test_a_package_without_a_licence_is_refused(contents, monkeypatch):
    monkeypatch.setattr(contents, "LICENCE_FILE", contents.re.compile("no such file"))
    with pytest.raises(ValueError, match="No text of a licence was found for numpy"):
        contents.parts([Path(numpy.__file__)], ROOT)


def test_each_package_has_its_licence_in_a_folder_of_its_name(contents, found, tmp_path):
    contents.copy_licences(found, tmp_path)
    listed = (tmp_path / "README.txt").read_text(encoding="utf-8")
    for part in found:
        assert f"{part.name} {part.version}: " in listed
        assert any(file.stat().st_size for file in (tmp_path / part.name).iterdir())
    assert "you may replace them" in listed


def test_qt_has_the_texts_of_the_lgpl_and_of_the_gpl_to_which_it_refers(contents):
    texts = {file.name: file.read_text() for file in contents.TEXTS.iterdir()}
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in texts["LGPL-3.0.txt"]
    assert "GNU GENERAL PUBLIC LICENSE" in texts["GPL-3.0.txt"]
    assert set(contents.ADDED["PySide6-Essentials"]) == set(texts)


def test_the_list_names_packages_models_and_their_licences(contents, found, tmp_path):
    models = sorted((ROOT / "assets" / "models").glob("[fs]*.tflite"))
    contents.write_sbom(found, "1.2.3", models, tmp_path / "sbom.cdx.json")
    values = json.loads((tmp_path / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert (values["bomFormat"], values["specVersion"]) == ("CycloneDX", "1.6")
    assert values["metadata"]["component"]["version"] == "1.2.3"
    components = {component["name"]: component for component in values["components"]}
    assert components["numpy"]["purl"] == f"pkg:pypi/numpy@{numpy.__version__}"
    assert "non-commercial" in components["student-68"]["licenses"][0]["license"]["name"]
    assert components["face_detection_short_range"]["licenses"][0]["license"]["id"] == "Apache-2.0"
    card = json.loads((ROOT / "assets/models/student-68.json").read_text(encoding="utf-8"))
    assert components["student-68"]["hashes"][0]["content"] in json.dumps(card)
