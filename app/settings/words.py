"""What the window says of its settings: controls, tool tips, the sheet of keys and docs/keys.md follow this table."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.translation import QT_TRANSLATE_NOOP

CONTEXT = "settings"  # under which translators find these words


@dataclass(frozen=True)
class Words:
    """What is said of a setting, in English.

    Attributes:
        label: name of its control.
        hint: what it does.
        key: what changes it, in Qt's portable words; "" for nothing.
        on_sheet: what the sheet says that the key does; "" for the label.
    """

    label: str
    hint: str
    key: str = ""
    on_sheet: str = ""


# By path, in the order of the controls.
WORDS = {
    "live.layout": Words(
        QT_TRANSLATE_NOOP("settings", "Layout"),
        QT_TRANSLATE_NOOP("settings", "How the models are shown"),
        "C",
        QT_TRANSLATE_NOOP("settings", "Next layout"),
    ),
    "live.pace": Words(
        QT_TRANSLATE_NOOP("settings", "Same frame in both"),
        QT_TRANSLATE_NOOP(
            "settings",
            "Both models look at the same frame, as fast as the slower one; else each goes at its own pace",
        ),
        "L",
        QT_TRANSLATE_NOOP("settings", "Locked or live timing"),
    ),
    "live.magnification": Words(
        QT_TRANSLATE_NOOP("settings", "Magnification"),
        QT_TRANSLATE_NOOP("settings", "How much longer than true the arrows are drawn"),
    ),
    "live.overlay.points": Words(
        QT_TRANSLATE_NOOP("settings", "Points"), QT_TRANSLATE_NOOP("settings", "Show every landmark"), "1"
    ),
    "live.overlay.contours": Words(
        QT_TRANSLATE_NOOP("settings", "Contours"),
        QT_TRANSLATE_NOOP("settings", "Join the landmarks to jaw, brows, nose, eyes and lips"),
        "2",
    ),
    "live.overlay.box": Words(
        QT_TRANSLATE_NOOP("settings", "Face box"), QT_TRANSLATE_NOOP("settings", "Show a box around each face"), "3"
    ),
    "live.overlay.numbers": Words(
        QT_TRANSLATE_NOOP("settings", "Numbers"),
        QT_TRANSLATE_NOOP("settings", "Show speed, time per stage and accuracy"),
        "4",
    ),
    "live.overlay.truth": Words(
        QT_TRANSLATE_NOOP("settings", "Ground truth"),
        QT_TRANSLATE_NOOP("settings", "Show where the landmarks really are; only the sample and labelled data know"),
        "5",
    ),
    "live.overlay.pose": Words(
        QT_TRANSLATE_NOOP("settings", "Head pose"), QT_TRANSLATE_NOOP("settings", "Show the axes of each head"), "6"
    ),
    "live.overlay.indices": Words(
        QT_TRANSLATE_NOOP("settings", "Indices"),
        QT_TRANSLATE_NOOP(
            "settings", "Show the index of each landmark beside it, counted from 0; .pts files count from 1"
        ),
        "8",
    ),
    "live.mirrored": Words(
        QT_TRANSLATE_NOOP("settings", "Mirrored"),
        QT_TRANSLATE_NOOP(
            "settings", "Show the picture as a mirror does; landmarks and clean recordings stay as they are"
        ),
        "M",
        QT_TRANSLATE_NOOP("settings", "Mirrored view"),
    ),
    "live.smoothing": Words(
        QT_TRANSLATE_NOOP("settings", "Smoothing"),
        QT_TRANSLATE_NOOP("settings", "More smoothing: calmer landmarks; less: quicker ones"),
    ),
    "signals": Words(
        QT_TRANSLATE_NOOP("settings", "Signals"),
        QT_TRANSLATE_NOOP("settings", "Show the signals of the largest face"),
        "7",
    ),
}


def label_of(path: str) -> str:
    """Return the name of a setting's control, in the user's language."""
    return QCoreApplication.translate(CONTEXT, WORDS[path].label)


def hint_of(path: str) -> str:
    """Return what a setting does, in the user's language."""
    return QCoreApplication.translate(CONTEXT, WORDS[path].hint)
