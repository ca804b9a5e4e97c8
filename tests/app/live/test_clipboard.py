"""What can be opened of the clipboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QColor, QImage

from app.live.clipboard import PastedPictures, copied_file, copied_picture
from engine.core.errors import SourceError
from engine.sources.opening import open_source


def red(width: int = 20, height: int = 10) -> QImage:
    image = QImage(width, height, QImage.Format.Format_ARGB32)
    image.fill(QColor(200, 0, 0))
    return image


def mime(text: str = "", urls=(), image: QImage | None = None) -> QMimeData:
    data = QMimeData()
    if text:
        data.setText(text)
    if urls:
        data.setUrls(list(urls))
    if image is not None:
        data.setImageData(image)
    return data


def test_a_pasted_picture_plays_under_its_name():
    pasted = PastedPictures("Pasted picture")
    spec = pasted.keep(copied_picture(mime(image=red())))
    source = open_source(spec)
    frame = source.read()
    assert (source.name, source.frame_count) == ("Pasted picture", 1)
    assert frame.image.shape == (10, 20, 3)
    assert frame.image[0, 0].tolist() == [200, 0, 0]
    assert pasted.owns(spec)
    assert not pasted.owns("clip.mp4")
    assert not pasted.owns(None)


def test_two_pasted_pictures_are_two_sources():
    pasted = PastedPictures("Pasted picture")
    first, second = pasted.keep(red()), pasted.keep(red(30, 30))
    assert first != second
    assert open_source(first).read().image.shape == (10, 20, 3)
    assert open_source(second).read().image.shape == (30, 30, 3)


def test_pasted_pictures_do_not_stay_on_the_disk():
    pasted = PastedPictures("Pasted picture")
    spec = Path(pasted.keep(red()))
    assert spec.is_dir()
    del pasted
    assert not spec.exists()


def test_fault_55_a_picture_that_cannot_be_kept_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="pasted picture"):
        PastedPictures("Pasted picture").keep(red())


def test_copied_files_and_paths_are_found(tmp_path):
    path = tmp_path / "größe clip.mp4"
    path.write_bytes(b"x")
    url = QUrl.fromLocalFile(str(path))
    assert copied_file(mime(urls=[url])) == str(path)
    for text in (str(path), f"  {path}\n", f'"{path}"', url.toString(), f"{path}\n/other/file"):
        assert copied_file(mime(text)) == str(path)


@pytest.mark.parametrize(
    "text", ["", "hello", "https://example.org/a.mp4", "/no/such/file", "clip.mp4", "a" * 5000, "\0"]
)
def test_fault_46_other_text_is_no_file(text):
    assert copied_file(mime(text)) is None
    assert copied_picture(mime(text)) is None
