"""Joins the section of the side panel that records and sends to what does so."""

from __future__ import annotations

from collections.abc import Callable

from app.live.outputs import Outputs
from app.live.panel.output import OutputSection
from engine.sources.discovery import Camera


def join_outputs(outputs: Outputs, section: OutputSection, camera: Callable[[], Camera | None]) -> None:
    """Let the switches do what they say and show what is the case; `camera` tells the camera on screen, if any."""
    for changed, box in (
        (outputs.recording_changed, section.record),
        (outputs.log_changed, section.log),
        (outputs.stream_changed, section.stream),
        (outputs.virtual_changed, section.virtual),
    ):
        changed.connect(lambda on, box=box: section.show_state(box, on))
    section.record_wanted.connect(lambda on: outputs.record(section.recording) if on else outputs.stop_recording())
    section.log_wanted.connect(lambda on: outputs.start_log(section.ending) if on else outputs.stop_log())
    section.stream_wanted.connect(
        lambda on: outputs.start_stream(section.address.text()) if on else outputs.stop_stream()
    )
    section.virtual_wanted.connect(
        lambda on: outputs.start_virtual_camera(camera()) if on else outputs.stop_virtual_camera()
    )
