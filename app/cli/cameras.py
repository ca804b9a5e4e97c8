"""`understudy cameras`: the cameras by name."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from app.cli.options import add_json
from app.cli.terminal import report, table
from engine.sources.discovery import list_cameras

add_arguments = add_json  # its only argument


def main(options: argparse.Namespace) -> int:
    """List the cameras."""
    cameras = list_cameras()
    text = "No camera was found. Without one, “understudy run” plays the sample."
    if cameras:
        rows = [(camera.index, camera.name, camera.path) for camera in cameras]
        text = table([("number", "name", "path"), *rows])
    report({"cameras": [asdict(camera) for camera in cameras]}, text, options.json)
    return 0
