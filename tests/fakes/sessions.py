"""Results of several models on the same frames, drawn by chance, with ground truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.core.faces import Face, Result
from engine.core.frame import Frame, Truth
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.evaluation.session_report.meter import SessionMeter
from tests.fakes.models import face_points

RATE = 30.0
STILL = slice(10, 20)  # frames on which the true face stands still


def random_session(lanes: int = 3, frames: int = 40, seed: int = 0) -> list[tuple[Frame, list[Result]]]:
    """Return each frame with the results of all lanes: one face that moves, and stands still for a while."""
    random = np.random.default_rng(seed)
    moments = np.arange(frames) / RATE
    moments[STILL.stop :] -= (STILL.stop - 1 - STILL.start) / RATE
    moments[STILL] = STILL.start / RATE
    centres = np.stack([110 + 20 * np.sin(5 * moments), 95 + 10 * np.sin(8 * moments)], 1)
    picture = np.full((200, 240, 3), 90, np.uint8)
    session = []
    for number, centre in enumerate(centres):
        points = face_points(*centre, 80)
        frame = Frame(number, 0.0, picture, "clip.mp4", time=number / RATE, truth=Truth(IBUG_68, points))
        session.append((frame, [_result(frame, points, lane, random) for lane in range(lanes)]))
    return session


def measured(session: list[tuple[Frame, list[Result]]], continuous: bool = True) -> SessionMeter:
    """Return the meter after all frames."""
    meter = SessionMeter(len(session[0][1]), continuous)
    for frame, results in session:
        meter.add(frame, results)
    return meter


def without_faces(result: Result) -> Result:
    """Return a result in which no face was found."""
    return replace(result, faces=(), nme=None)


def _result(frame: Frame, truth: np.ndarray, lane: int, random: np.random.Generator) -> Result:
    points = (truth + random.normal(0, 1 + lane / 2, truth.shape)).astype(np.float32)
    confidence = random.uniform(0.5, 1, 68).astype(np.float32)
    face = Face(1, landmark_box(points), 0.9, IBUG_68, points, confidence, 0.0)
    stages = {"capture": 50.0, "detect": 4.0 if frame.id % 10 == 0 else 0.0, "landmark": 2.0 + lane, "smooth": 0.5}
    error = np.linalg.norm(points - truth, axis=1).mean() / np.linalg.norm(truth[36] - truth[45]) * 100
    return Result(frame, (face,), f"model-{lane}", stages, detected=frame.id % 10 == 0, nme=float(error))
