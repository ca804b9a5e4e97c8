from __future__ import annotations

import platform
from types import SimpleNamespace

import cv2
import pytest

from engine.core.errors import SourceError
from engine.core.platforms import camera_backends
from engine.sources.discovery import (
    Camera,
    CameraAbsent,
    CameraList,
    find_camera,
    list_cameras,
    same_camera_elsewhere,
)


def listed(index: int, name: str, path: str | None = None, backend: int = 1) -> SimpleNamespace:
    return SimpleNamespace(index=index, name=name, path=path, backend=backend)


def system_with(*cameras: SimpleNamespace):
    return lambda backend: [camera for camera in cameras if camera.backend == backend]


TWINS = (listed(3, "HD Webcam", "/port/a"), listed(0, "Studio Display", "/port/d"), listed(1, "HD Webcam", "/port/b"))


def test_fault_37_cameras_of_the_same_model_are_distinguished_and_sorted_by_number():
    cameras = list_cameras(1, system_with(*TWINS))
    assert [(camera.index, camera.name) for camera in cameras] == [
        (0, "Studio Display"),
        (1, "HD Webcam (2)"),
        (3, "HD Webcam (1)"),
    ]


def test_fault_36_numbers_of_twins_follow_the_port_and_not_the_index():
    swapped = (listed(1, "HD Webcam", "/port/a"), listed(3, "HD Webcam", "/port/b"))
    by_path = {camera.path: camera.name for camera in list_cameras(1, system_with(*swapped))}
    assert by_path == {"/port/a": "HD Webcam (1)", "/port/b": "HD Webcam (2)"}


def test_a_camera_without_name_or_path_has_a_name_all_the_same():
    assert list_cameras(1, system_with(listed(2, " ", None))) == [Camera(2, 1, "Camera 2", "")]


def test_a_system_that_cannot_list_cameras_has_none_and_that_is_logged(caplog):
    def broken(backend: int):
        raise OSError("no such framework")

    assert list_cameras(1, broken) == []
    assert "cannot be listed: no such framework" in caplog.text


def test_this_system_answers_whether_or_not_it_has_cameras(caplog):
    cameras = list_cameras()
    assert not caplog.records, "its failure would be an empty list with a warning"
    assert {camera.backend for camera in cameras} <= {camera_backends()[0]}
    assert all(camera.name for camera in cameras)


CAMERAS = [
    Camera(0, 1, "FaceTime HD", "id-0"),
    Camera(1, 1, "HD Webcam (1)", "id-1"),
    Camera(2, 1, "HD Webcam (2)", "id-2"),
    Camera(4, 1, "Übersicht", "0"),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (1, 1),
        ("2", 2),
        (" 4 ", 4),
        ("facetime hd", 0),
        ("time", 0),
        ("HD Webcam (2)", 2),
        ("(1)", 1),
        ("ÜBERSICHT", 4),
        ("id-2", 2),
        ("0", 4),  # a path beats a number
    ],
)
def test_cameras_are_found_by_number_name_part_of_the_name_and_path(wanted, index):
    assert find_camera(CAMERAS, wanted).index == index


def test_a_name_that_means_several_cameras_lists_them():
    with pytest.raises(SourceError, match="more than one") as caught:
        find_camera(CAMERAS, "webcam")
    assert not isinstance(caught.value, CameraAbsent)
    assert "HD Webcam (1)" in str(caught.value)
    assert "HD Webcam (2)" in str(caught.value)
    assert "FaceTime" not in str(caught.value)


@pytest.mark.parametrize("wanted", ["Brio", "7", 7, ""])
def test_an_unknown_camera_names_those_that_there_are(wanted):
    with pytest.raises(CameraAbsent, match="FaceTime HD"):
        find_camera(CAMERAS, wanted)


def test_fault_06_without_any_camera_the_sentence_says_so():
    with pytest.raises(CameraAbsent, match="No camera was found"):
        find_camera([], "0")


def test_the_same_camera_is_found_on_another_backend_by_its_name(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    system = system_with(
        listed(0, "Brio", "dshow-0", cv2.CAP_DSHOW),
        listed(0, "Other", "msmf-0", cv2.CAP_MSMF),
        listed(1, "Brio", "msmf-1", cv2.CAP_MSMF),
    )
    (camera,) = list_cameras(enumerate_cameras=system)
    assert camera.backend == cv2.CAP_DSHOW
    assert same_camera_elsewhere(camera, system) == [Camera(1, cv2.CAP_MSMF, "Brio", "msmf-1")]


def test_a_system_of_one_backend_has_nowhere_else_to_look(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    camera = Camera(0, cv2.CAP_V4L2, "Brio", "/dev/video0")
    assert same_camera_elsewhere(camera, system_with(*TWINS)) == []


class Ports:
    """Cameras that tests plug in and out; looked at by a `CameraList`."""

    def __init__(self, *cameras: SimpleNamespace) -> None:
        self.plugged = list(cameras)
        self.look = CameraList(lambda: list_cameras(1, lambda backend: self.plugged))

    def names(self) -> dict[str, str]:
        return {camera.path: camera.name for camera in self.look()}


def test_fault_37_a_second_camera_of_the_model_does_not_rename_the_one_that_plays():
    ports = Ports(listed(0, "HD Webcam", "/port/b"))
    assert ports.names() == {"/port/b": "HD Webcam"}
    ports.plugged.append(listed(2, "HD Webcam", "/port/a"))
    assert ports.names() == {"/port/b": "HD Webcam", "/port/a": "HD Webcam (2)"}
    assert find_camera(ports.look(), "HD Webcam").path == "/port/b"
    ports.plugged.append(listed(4, "HD Webcam", "/port/0"))
    assert ports.names()["/port/0"] == "HD Webcam (3)"


def test_fault_37_twins_keep_their_names_when_one_is_unplugged():
    ports = Ports(*TWINS)
    assert ports.names()["/port/b"] == "HD Webcam (2)"
    ports.plugged = [camera for camera in TWINS if camera.path != "/port/a"]
    assert ports.names()["/port/b"] == "HD Webcam (2)"
    ports.plugged = list(TWINS)
    assert ports.names() == {"/port/d": "Studio Display", "/port/b": "HD Webcam (2)", "/port/a": "HD Webcam (1)"}


def test_fault_36_names_follow_the_device_when_the_order_changes():
    ports = Ports(listed(0, "HD Webcam", "/port/a"), listed(1, "HD Webcam", "/port/b"))
    before = ports.names()
    ports.plugged = [listed(0, "Brio", "/port/0"), listed(1, "HD Webcam", "/port/b"), listed(2, "HD Webcam", "/port/a")]
    assert {path: name for path, name in ports.names().items() if path in before} == before
    assert find_camera(ports.look(), before["/port/a"]).index == 2


def test_fault_36_another_camera_in_the_same_place_does_not_inherit_the_name():
    ports = Ports(listed(0, "Brio", "/dev/video0"))
    ports.names()
    ports.plugged = [listed(0, "HD Webcam", "/dev/video0"), listed(2, "Brio", "/dev/video2")]
    assert ports.names() == {"/dev/video0": "HD Webcam", "/dev/video2": "Brio"}


def test_a_camera_that_comes_back_at_another_port_has_its_name_again():
    ports = Ports(listed(0, "HD Webcam", "/port/a"))
    ports.names()
    ports.plugged = []
    assert ports.names() == {}
    ports.plugged = [listed(3, "HD Webcam", "/port/c")]
    assert ports.names() == {"/port/c": "HD Webcam"}
