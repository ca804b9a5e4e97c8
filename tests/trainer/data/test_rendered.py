"""The pack of the sample: exact, split by seconds, and on the disk whole or not at all."""

import errno
import json
import os

import numpy as np
import pytest

from engine.core.errors import RecordingError
from engine.core.schemes import IBUG_68
from engine.formats.images import read_picture
from engine.formats.packs import read_pack
from engine.sources.sample import RATE, SampleClip
from trainer.data import rendered
from trainer.data.checking import check_pack
from trainer.data.rendered import render_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "sample68"
    assert render_pack(folder) == 360
    return folder


@pytest.fixture
def short(monkeypatch):
    """Only the first six seconds are rendered."""
    monkeypatch.setattr(rendered, "LOOP_SECONDS", 6.0)


def number_of(face):
    return int(face.image.stem)


def test_the_pack_is_sound_and_its_labels_are_those_of_the_renderer(pack):
    assert check_pack(pack).sound
    faces = read_pack(pack).faces
    assert len(faces) == 360
    clip = SampleClip()
    for face in faces[::60]:
        picture, truth = clip.frame(number_of(face))
        np.testing.assert_allclose(face.landmarks, truth.points, atol=1e-3)
        assert np.abs(read_picture(face.image).astype(int) - picture).mean() < 3, "what JPEG changes"
        assert truth.scheme is IBUG_68
    assert "one" in json.loads((pack / "meta.json").read_text())["faces"]


def test_frames_of_the_test_are_whole_seconds_that_no_training_sees(pack):
    seconds = {
        split: {number_of(face) // int(RATE) for face in read_pack(pack, split=split).faces}
        for split in ("train", "test")
    }
    assert seconds["test"] == {4, 10, 16, 22}
    assert seconds["train"] == set(range(24)) - seconds["test"]


def test_a_pack_that_is_there_stays(pack):
    before = (pack / "annotations.npz").stat().st_mtime_ns
    assert render_pack(pack) == 360
    assert (pack / "annotations.npz").stat().st_mtime_ns == before


@pytest.mark.parametrize("full_at", ["annotations.npz", "030.jpg"])
def test_fault_55_a_full_disk_while_rendering_gets_a_sentence_and_leaves_nothing_half(
    short, tmp_path, monkeypatch, full_at
):
    if full_at == "annotations.npz":

        def full(folder, arrays, meta):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(rendered, "write_annotations", full)
    else:
        write = rendered.write_picture

        def fill(path, picture):
            if path.name == full_at:
                monkeypatch.setattr("pathlib.Path.write_bytes", no_room)
            write(path, picture)

        def no_room(path, content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(rendered, "write_picture", fill)
    with pytest.raises(RecordingError) as caught:
        render_pack(tmp_path / "data" / "sample68")
    assert "cannot be written" in caught.value.what
    assert "No space left on device" in caught.value.what
    assert "disk is full" in caught.value.why
    assert list((tmp_path / "data").iterdir()) == []


def test_two_trainings_that_render_at_once_end_with_one_whole_pack(short, tmp_path, monkeypatch):
    write = rendered.write_annotations

    def other_is_first(folder, arrays, meta):
        write(folder, arrays, meta)
        monkeypatch.setattr(rendered, "write_annotations", write)
        render_pack(tmp_path / "sample68")

    monkeypatch.setattr(rendered, "write_annotations", other_is_first)
    assert render_pack(tmp_path / "sample68") == 90
    assert [path.name for path in tmp_path.iterdir()] == ["sample68"]
    assert check_pack(tmp_path / "sample68").sound
