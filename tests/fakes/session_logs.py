"""Logs of sessions as the window writes them, and the clips that they belong to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.core.faces import Face, Result
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.output.landmark_log import LandmarkLog
from engine.sources.video import VideoSource
from tests.fakes.clips import write_clip
from tests.fakes.models import face_points

WORST = 30  # number of the frame on which the lanes are furthest apart
MODELS = ("student-68", "teacher-68", "lite-68")


def logged_clip(folder: Path, lanes: int = 2, frames: int = 50, ending: str = ".jsonl", errors: bool = False) -> Path:
    """Write `clip.avi` and the log of a session in which each lane after the first is a little further off."""
    clip = write_clip(folder / "clip.avi", frames=frames)
    log, source = LandmarkLog(folder / f"clip landmarks{ending}"), VideoSource(clip)
    while (frame := source.read()) is not None:
        for lane in range(lanes):
            off = 0.2 * lane * (8 if frame.number == WORST else 1)
            points = (face_points(30, 24, 12) + off).astype(np.float32)
            seen = np.full(68, 0.9 - 0.1 * lane, np.float32)
            face = Face(1, landmark_box(points), 0.9, IBUG_68, points, seen, 0.0)
            stages = {"capture": 1.0, "detect": 0.0, "landmark": 3.0 + lane}
            result = Result(frame, (face,), MODELS[lane], stages, detected=False)
            log.add(replace(result, nme=1.0 + off) if errors else result, lane=lane)
    source.close()
    log.stop()
    return log.path
