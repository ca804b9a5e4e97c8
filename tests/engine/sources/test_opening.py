from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from PIL import Image

from engine.core.errors import SourceError
from engine.formats.images import write_picture
from engine.sources.base import CameraFormat, SourceKind
from engine.sources.camera import DEFAULT_FORMAT
from engine.sources.discovery import Camera, CameraAbsent
from engine.sources.opening import open_source
from tests.fakes.clips import write_clip

WEBCAM = Camera(0, 1, "HD Webcam", "/dev/video0")
SECOND = Camera(2, 1, "C920.HD", r"\\?\usb#vid_046d#7&2d0e")


def opened(spec, cameras=()):
    """Return what is opened: a camera, or the source itself."""
    return open_source(spec, lambda: list(cameras), lambda camera, wanted: camera)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the working folder: a clip, a picture and a folder of pictures."""
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "holiday 日本.mp4", frames=2)
    write_picture(tmp_path / "portrait ö.JPG", np.zeros((8, 8, 3), np.uint8))
    write_picture(tmp_path / "album" / "a.png", np.zeros((8, 8, 3), np.uint8))
    return tmp_path


def test_no_argument_takes_the_first_camera():
    assert opened(None, [WEBCAM, SECOND]) == WEBCAM


@pytest.mark.parametrize("spec", [None, "sample", " Sample "])
def test_without_a_camera_and_by_name_there_is_the_sample(spec):
    source = opened(spec)
    assert source.kind is SourceKind.SAMPLE
    assert source.read() is not None
    source.close()


@pytest.mark.parametrize(
    ("spec", "camera"),
    [
        ("0", WEBCAM),
        ("2", SECOND),
        ("webcam", WEBCAM),
        ("c920.hd", SECOND),
        (SECOND.path, SECOND),
        ("/dev/video0", WEBCAM),
    ],
)
def test_cameras_are_opened_by_number_name_and_path(spec, camera):
    assert opened(spec, [WEBCAM, SECOND]) == camera


@pytest.mark.parametrize(
    ("spec", "kind", "name"),
    [
        ("holiday 日本.mp4", SourceKind.VIDEO, "holiday 日本.mp4"),
        ("./portrait ö.JPG", SourceKind.PICTURES, "portrait ö.JPG"),
        ("album", SourceKind.PICTURES, "album"),
        ("  album  ", SourceKind.PICTURES, "album"),
    ],
)
def test_paths_are_opened_as_what_they_hold(folder, spec, kind, name):
    source = opened(spec, [WEBCAM])
    assert (source.kind, source.name) == (kind, name)
    assert source.read() is not None
    source.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows drops spaces at the end of names")
@pytest.mark.parametrize("name", [" clip.mp4", "clip.mp4 ", " both "])
def test_spaces_at_the_ends_of_a_file_name_count(folder, name):
    (folder / "holiday 日本.mp4").rename(folder / name)
    source = opened(name)
    assert (source.kind, source.name) == (SourceKind.VIDEO, name)
    source.close()


@pytest.mark.parametrize("name", ["Lenovo EasyCamera v1.0", "Integrated Camera IR/RGB", "C920.HD"])
def test_camera_names_with_dots_and_slashes_are_no_paths(folder, name):
    camera = Camera(4, 1, name, "")
    assert opened(name, [WEBCAM, camera]) == camera
    with pytest.raises(CameraAbsent, match="There is no file and no camera"):
        opened(name, [WEBCAM])


def test_a_home_folder_is_found(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert opened("~/album").kind is SourceKind.PICTURES


def test_a_file_called_like_a_camera_number_is_a_file(folder):
    (folder / "0").mkdir()
    write_picture(folder / "0" / "a.png", np.zeros((8, 8, 3), np.uint8))
    assert opened("0", [WEBCAM]).kind is SourceKind.PICTURES


def test_a_mistyped_file_hints_at_the_nearest(folder):
    with pytest.raises(SourceError, match=r"There is no file holidy 日本.mp4.*holiday 日本.mp4"):
        opened("holidy 日本.mp4", [WEBCAM])


def test_a_mistyped_name_hints_at_file_and_cameras(folder):
    with pytest.raises(SourceError, match=r"no file and no camera “albun”.*HD Webcam.*album"):
        opened("albun", [WEBCAM])


def test_a_missing_folder_is_named(folder):
    with pytest.raises(SourceError, match="(?i)its folder .*nowhere does not exist"):
        opened(str(folder / "nowhere" / "a.mp4"))


@pytest.mark.parametrize("spec", ["1", "Brio"])
def test_an_unknown_camera_is_absent_so_that_it_is_waited_for(spec):
    with pytest.raises(CameraAbsent, match="HD Webcam"):
        opened(spec, [WEBCAM])


@pytest.mark.parametrize("spec", ["0", "Brio"])
def test_fault_06_without_any_camera_it_says_so(spec):
    with pytest.raises(CameraAbsent, match="No camera was found"):
        opened(spec)


@pytest.mark.parametrize("spec", ["", "   "])
def test_an_empty_name_is_refused(spec):
    with pytest.raises(SourceError, match="No source was named"):
        opened(spec, [WEBCAM])


@pytest.mark.parametrize("spec", ["x" * 400 + ".mp4", "a\0b.mp4", "ftp://example.org/clip.mp4", "/proc/none/x.png"])
def test_fault_45_strange_paths_get_a_sentence(spec):
    with pytest.raises(SourceError, match="There is no file"):
        opened(spec, [WEBCAM])


@pytest.mark.skipif(sys.platform == "win32", reason="links need special rights on Windows")
def test_fault_45_a_dangling_link_says_so(folder):
    (folder / "link.mp4").symlink_to(folder / "gone.mp4")
    with pytest.raises(SourceError, match="link to a file that is gone"):
        opened("link.mp4")


def test_an_unreadable_file_is_refused_at_once(folder):
    (folder / "broken.mov").write_bytes(b"\0\0\0 nothing")
    with pytest.raises(SourceError, match="cannot be played"):
        opened("broken.mov")


@pytest.mark.parametrize("name", ["photo.heic", "drawing.SVG", "camera.cr2"])
def test_fault_44_pictures_of_other_kinds_are_refused_by_name(folder, name):
    (folder / name).write_bytes(b"\0\0\0\x18ftypheic" * 20)
    with pytest.raises(SourceError, match=rf"{name} cannot be shown.*{name.split('.')[1].upper()} files need"):
        opened(name)


def test_fault_44_an_animated_gif_plays_as_a_video(folder):
    pictures = [Image.new("RGB", (32, 24), (60 * level, 0, 0)) for level in range(4)]
    pictures[0].save(folder / "a.gif", save_all=True, append_images=pictures[1:], duration=100)
    source = opened("a.gif")
    levels = [int(frame.image[0, 0, 0]) for frame in iter(source.read, None)]
    source.close()
    assert levels == pytest.approx([0, 60, 120, 180], abs=8)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows such paths only where it was told to")
def test_fault_45_very_long_paths_open(folder):
    deep = folder
    for _ in range(4):
        deep = deep / ("Ordner 📁 " + "x" * 70)
    deep.mkdir(parents=True)
    assert len(str(deep)) > 300
    write_picture(deep / "a.png", np.zeros((8, 8, 3), np.uint8))
    for path in (deep, deep / "a.png", write_clip(deep / "clip.mp4", frames=2)):
        source = opened(str(path))
        assert source.read() is not None
        source.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_fault_45_what_may_only_be_read_is_opened(folder):
    for path in (folder / "holiday 日本.mp4", folder / "album" / "a.png", folder / "album", folder):
        path.chmod(0o555)
    try:
        for spec in ("holiday 日本.mp4", "album"):
            source = opened(spec)
            assert source.read() is not None
            source.close()
    finally:
        folder.chmod(0o755)
        (folder / "album").chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="links need special rights on Windows")
def test_fault_45_a_link_opens_what_it_points_to_and_a_circle_of_links_says_so(folder):
    (folder / "link 🔗").symlink_to(folder / "album")
    assert opened("link 🔗").read() is not None
    (folder / "two.mp4").symlink_to(folder / "one.mp4")
    (folder / "one.mp4").symlink_to(folder / "two.mp4")
    with pytest.raises(SourceError, match="link to a file that is gone"):
        opened("one.mp4")


def test_each_camera_is_asked_for_what_is_wanted_of_it():
    wanted = {"C920.HD": CameraFormat(1280, 720, 30)}

    def format_of(name):
        return wanted.get(name, DEFAULT_FORMAT)

    asked = []
    for spec in (None, "2"):
        open_source(spec, lambda: [WEBCAM, SECOND], lambda camera, how: asked.append((camera, how)), format_of)
    assert asked == [(WEBCAM, DEFAULT_FORMAT), (SECOND, CameraFormat(1280, 720, 30))]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="such files are Unix's")
def test_a_pipe_is_called_one_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(SourceError, match="It is a pipe, a device or a socket") as refused:
            open_source(path, list)
        assert "was meant" not in str(refused.value).lower()


@pytest.mark.parametrize(
    ("spec", "what", "fix"),
    [
        ("-", "Standard input cannot be shown", "write it into a file first"),
        ("ftp://192.168.1.9/live", "only cameras are read from a network", "save the video into a file first"),
        ("shots/%04d.png", "The folder shots cannot be read", "Check the path"),
        ("shots/%x.png", "only %d or %04d for one number is read", "a folder of their own"),
        ("shots/*.png", "only %d or %04d for one number is read", "such as shots"),
    ],
)
def test_what_other_programs_read_gets_true_advice(spec, what, fix):
    with pytest.raises(SourceError) as refused:
        open_source(spec, cameras=list)
    assert what in str(refused.value)
    assert fix in str(refused.value).replace("Put them into ", "").replace("Write", "write").replace("Save", "save")


@pytest.mark.parametrize(
    ("name", "kind", "opened_as"),
    [
        ("a.jfif", "JPEG", "PICTURES"),
        ("a.mp4", "PNG", "PICTURES"),
        ("a.heic", "JPEG", "PICTURES"),
        ("a", "TIFF", "PICTURES"),
    ],
)
def test_fault_44_a_picture_is_one_by_its_first_bytes_and_turned(folder, name, kind, opened_as):
    flag = Image.Exif()
    flag[274] = 6
    Image.new("RGB", (60, 40)).save(folder / name, kind, exif=flag)
    source = opened(name)
    assert source.kind is SourceKind[opened_as]
    assert source.read().image.shape == (60, 40, 3)


def test_fault_41_a_video_named_like_a_picture_plays(folder):
    (folder / "holiday 日本.mp4").rename(folder / "a.jpg")
    assert opened("a.jpg").kind is SourceKind.VIDEO


def test_an_animated_png_plays_as_a_video(folder):
    frames = [Image.new("RGB", (60, 40), (level, 0, 0)) for level in (0, 100, 200)]
    frames[0].save(folder / "a.png", save_all=True, append_images=frames[1:], duration=80)
    source = opened("a.png")
    assert source.kind is SourceKind.VIDEO
    times = []
    while (frame := source.read()) is not None:
        times.append(frame.time)
    assert times == pytest.approx([0, 0.08, 0.16], abs=1e-3)
