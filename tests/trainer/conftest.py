"""A small pack of real pictures with exact labels, made from the sample, and a recipe small enough for tests."""

import pytest

from tests.fakes.tiny_training import tiny_recipe, write_sample_pack


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder with the pack `faces`: 24 frames of the sample."""
    folder = tmp_path_factory.mktemp("data")
    write_sample_pack(folder / "faces")
    return folder


@pytest.fixture
def recipe():
    """A run of 6 steps of a tiny network."""
    return tiny_recipe()
