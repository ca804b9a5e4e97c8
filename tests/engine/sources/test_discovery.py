from __future__ import annotations

import platform
from types import SimpleNamespace

import cv2
import pytest

from engine.errors import SourceError
from engine.sources.discovery import (
    BACKENDS,
    Camera,
    CameraAbsent,
    backends,
    find_camera,
    list_cameras,
    same_camera_elsewhere,
)


def listed(index: int, name: str, path: str | None = None, backend: int = 1) -> SimpleNamespace:
    return SimpleNamespace(index=index, name=name, path=path, backend=backend)


def system_with(*cameras: SimpleNamespace):
    return lambda backend: [camera for camera in cameras if camera.backend == backend]


TWINS = (listed(3, "HD Webcam", "/port/a"), listed(0, "Studio Display", "/port/d"), listed(1, "HD Webcam", "/port/b"))


def test_fault_37_cameras_of_the_same_model_are_told_apart_and_sorted_by_number():
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


def test_a_system_that_cannot_list_cameras_has_none():
    def broken(backend: int):
        raise OSError("no such framework")

    assert list_cameras(1, broken) == []


def test_this_system_answers():
    for camera in list_cameras():
        assert camera.backend == backends()[0]
        assert camera.name


def test_each_system_has_its_backend_and_unknown_ones_have_any():
    assert backends("Windows") == (cv2.CAP_DSHOW, cv2.CAP_MSMF)
    assert backends("Linux") == (cv2.CAP_V4L2,)
    assert backends("Plan 9") == (cv2.CAP_ANY,)
    assert backends() == BACKENDS.get(platform.system(), (cv2.CAP_ANY,))


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
