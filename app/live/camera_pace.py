"""What slows a camera's picture down: the camera or the model."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from engine.core.stats import Stats

translate = QCoreApplication.translate  # under the name that lupdate looks for

SLOW_CAMERA = 15.0  # pictures a second below which a camera is worth a word, if the model could do better
FEW = 30  # frames before which nothing is said


def pace_words(camera_rate: float | None, stats: Stats) -> str:
    """Return how fast the camera is, and which of both is the slower one if they do not fit; "" while nothing is known.

    Args:
        camera_rate: pictures per second that the camera sends.
        stats: the lane's numbers.
    """
    total = stats.latency_ms.get("total")
    if camera_rate is None or total is None or total.p50 <= 0 or stats.frames < FEW:
        return ""
    model_rate = 1000 / total.p50
    if camera_rate < SLOW_CAMERA and model_rate > 1.5 * camera_rate:
        words = translate(
            "camera_pace", "the camera sends {0:.0f} pictures a second, the model could do {1:.0f}; more light may help"
        )
    elif model_rate < 0.8 * camera_rate:
        words = translate("camera_pace", "the camera sends {0:.0f} pictures a second, the model manages {1:.0f}")
    else:
        words = translate("camera_pace", "{0:.0f} pictures a second")
    return words.format(camera_rate, model_rate)
