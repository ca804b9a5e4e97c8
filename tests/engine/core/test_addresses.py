from __future__ import annotations

import pytest

from engine.core.addresses import has_secret, is_address, redacted


@pytest.mark.parametrize("text", ["http://cam/x", "https://cam", "rtsp://1.2.3.4:554/live", " RTSPS://cam/x"])
def test_cameras_in_the_network_have_addresses(text):
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["", "0", "http", "http://", "ftp://cam/x", "file:///x", "C:\\x", "HD Webcam", "a/http://x"]
)
def test_other_texts_are_none(text):
    assert not is_address(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://192.168.1.9:8080/video", "http://192.168.1.9:8080/video"),
        ("http://cam:8080/?action=stream", "http://cam:8080/?action=stream"),
        ("rtsp://cam/cam/realmonitor?channel=1&subtype=0", "rtsp://cam/cam/realmonitor?channel=1&subtype=0"),
        ("HD Webcam", "HD Webcam"),
        ("shots/a@b.png", "shots/a@b.png"),
        ("C:\\videos\\a.mp4", "C:\\videos\\a.mp4"),
    ],
)
def test_what_holds_no_secret_stays(text, shown):
    assert redacted(text) == shown
    assert not has_secret(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://anna:S3cret@cam:554/live", "rtsp://…@cam:554/live"),
        ("http://anna:S3cret@cam", "http://…@cam"),
        ("http://S3cret@cam/x", "http://…@cam/x"),
        ("rtsp://anna:S3@cr/et#S3cret@cam/x", "rtsp://…@cam/x"),
        ("http://anna:S3 cret@cam/x", "http://…@cam/x"),
        ("http://anna:S3cret@cam/x@y", "http://…@y"),
        ("http://cam/video.cgi?user=anna&pwd=S3cret&resolution=640x480", "http://cam/video.cgi?…&…&resolution=640x480"),
        ("http://cam/x?S3cret", "http://cam/x?…"),
        ("http://cam/x?channel=S3 cret", "http://cam/x?…"),
        ("http://cam/x?channel=1#S3cret", "http://cam/x?channel=1"),
        ("rtsp://cam:554/user=admin_password=S3cret_channel=1_stream=0.sdp", "rtsp://cam:554/…"),
        ("rtsp://cam/x;password=S3cret/live", "rtsp://cam/…/live"),
        ("ftp://anna:S3cret@cam/x", "ftp://…@cam/x"),
    ],
)
def test_passwords_are_hidden_wherever_cameras_take_them(text, shown):
    assert redacted(text) == shown
    assert has_secret(text)
    assert redacted(shown) == shown
