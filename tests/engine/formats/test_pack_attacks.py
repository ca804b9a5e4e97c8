"""Packs that somebody made to do harm: nothing in them is run, nothing is written, and memory stays bounded."""

import io
import os
import pickle
import sys
import tracemalloc
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from engine.core.errors import PackError
from engine.formats.packs import read_arrays, read_pack
from tests.fakes.packs import make_pack, rewrite


class Code:
    """Unpickled, it makes a folder."""

    def __init__(self, canary) -> None:
        self.canary = canary

    def __reduce__(self):
        return (os.mkdir, (str(self.canary),))


def test_fault_74_code_in_an_array_or_beside_it_is_not_run(tmp_path):
    canary = tmp_path / "canary"
    pickle.loads(pickle.dumps(Code(canary)))
    canary.rmdir()
    folder = make_pack(tmp_path / "array")
    rewrite(folder, image=np.array([Code(canary), None, "x"], dtype=object))
    with pytest.raises(PackError, match="cannot be read"):
        read_pack(folder)
    folder = make_pack(tmp_path / "polyglot")
    file = folder / "annotations.npz"
    file.write_bytes(pickle.dumps(Code(canary)) + file.read_bytes())  # a pickle in front, an archive behind
    with suppress(PackError):
        read_pack(folder)
    folder = make_pack(tmp_path / "pickle")
    (folder / "annotations.npz").write_bytes(pickle.dumps(Code(canary)))
    with pytest.raises(PackError, match="cannot be read"):
        read_pack(folder)
    assert not canary.exists()


def add_to(folder, name, content, mode=0o644):
    """Add a member to the archive of a pack."""
    with zipfile.ZipFile(folder / "annotations.npz", "a") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        archive.writestr(member, content)


@pytest.mark.parametrize("name", ["../../out.npy", "/tmp/out.npy", "..\\out.npy", "image/../../out.npy", "out.npy/"])
def test_fault_77_no_member_of_an_archive_is_written_anywhere(tmp_path, name):
    folder = make_pack(tmp_path / "in" / "p")
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    add_to(folder, name, array.getvalue())
    before = sorted(tmp_path.rglob("*"))
    with suppress(PackError):
        read_pack(folder)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
def test_fault_74_a_link_in_an_archive_is_not_followed(tmp_path):
    (tmp_path / "secret.npy").write_bytes(b"secret")
    folder = make_pack(tmp_path / "p")
    add_to(folder, "extra.npy", str(tmp_path / "secret.npy"), mode=0o120777)
    with pytest.raises(PackError):  # its content, a path, is no array
        read_arrays(folder)


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.png", "images/../../a.png"])
def test_fault_77_pictures_outside_the_folder_of_a_pack_are_refused(tmp_path, name):
    folder = make_pack(tmp_path / "p")
    rewrite(folder, image=np.array([name, "b", "c"]))
    with pytest.raises(PackError, match="outside its folder"):
        read_pack(folder)


def test_fault_74_an_array_that_nobody_asked_for_and_that_fills_the_memory_is_not_read(tmp_path):
    """In the archive, 400 MB of zeros take as many kB."""
    folder = make_pack(tmp_path / "p")
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "<f8", "fortran_order": False, "shape": (50_000_000,)})
    with (
        zipfile.ZipFile(folder / "annotations.npz", "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bomb.npy", "w") as member,
    ):
        member.write(array.getvalue())
        for _ in range(400):
            member.write(bytes(1_000_000))
    tracemalloc.start()
    try:
        with suppress(PackError):
            read_pack(folder)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
