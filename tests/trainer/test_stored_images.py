"""Pictures in several places: the right ones in any order, none copied before it is asked for."""

import os

import pytest
import torch

from engine.core.errors import PackError
from trainer.stored_images import ImageFile, StoredImages

PLAIN = torch.randint(0, 256, (7, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def file(tmp_path):
    """The last four of the pictures, behind five other bytes."""
    path = tmp_path / "pictures.bin"
    path.write_bytes(b"head:" + PLAIN[3:].numpy().tobytes())
    return ImageFile(path, 5, 4, 4, path.stat().st_mtime_ns)


@pytest.fixture
def images(file):
    return StoredImages([PLAIN[:1], PLAIN[1:3], file])


def test_they_are_counted_through_all_places(images):
    assert (len(images), images.shape, images.nbytes) == (7, PLAIN.shape, PLAIN.nbytes)
    assert torch.equal(images[:], PLAIN)
    rows = torch.tensor([6, 0, 3, 3, 2, 5])
    assert torch.equal(images[rows], PLAIN[rows])
    assert images[rows[:0]].shape == (0, 3, 4, 4)


def test_a_subset_of_a_subset_reads_nothing_before_it_is_asked(images, file):
    some = images.subset(torch.tensor([6, 4, 1])).subset(torch.tensor([2, 0]))
    assert torch.equal(some[:], PLAIN[[1, 6]])
    file.path.unlink()
    again = images.subset(torch.tensor([0, 2, 5]))
    assert torch.equal(again[:2], PLAIN[[0, 2]])
    with pytest.raises(PackError, match="cannot be read any more"):
        again[:]


def test_a_file_that_another_one_replaced_is_not_read(images, file, tmp_path):
    other = tmp_path / "other.bin"
    other.write_bytes(file.path.read_bytes())
    os.utime(other, ns=(file.changed + 1, file.changed + 1))
    other.replace(file.path)
    assert torch.equal(images[:3], PLAIN[:3])
    with pytest.raises(PackError, match="it is not the file that it was.*start the same command again"):
        images[:]


def test_a_file_that_is_shorter_than_it_was_is_not_read(images, file):
    file.path.write_bytes(file.path.read_bytes()[:-1])
    os.utime(file.path, ns=(file.changed, file.changed))
    with pytest.raises(PackError, match="it is shorter than it was"):
        images[:]


def test_on_a_cpu_they_stay_where_they_are_and_elsewhere_they_are_one_tensor(images):
    assert images.to(torch.device("cpu")) is images
    assert images.to(torch.device("meta")).shape == PLAIN.shape
