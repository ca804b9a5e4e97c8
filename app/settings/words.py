"""Labels, hints and keys of the settings: controls, tool tips, the sheet of keys and docs/keys.md follow this table."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.translation import QT_TR_NOOP


@dataclass(frozen=True)
class Words:
    """The words for a setting, in English.

    Attributes:
        label: name of its control.
        hint: what it does.
        key: the key that changes it, in Qt's portable notation; "" for none.
        on_sheet: what the key does, as on the sheet of keys; "" for the label.
    """

    label: str
    hint: str
    key: str = ""
    on_sheet: str = ""


# By path, in the order of the controls.
WORDS = {
    "live.layout": Words(QT_TR_NOOP("Layout"), QT_TR_NOOP("How the models are shown"), "C", QT_TR_NOOP("Next layout")),
    "live.pace": Words(
        QT_TR_NOOP("Same frame in all"),
        QT_TR_NOOP("All models look at the same frame, as fast as the slowest; else each goes at its own pace"),
        "L",
        QT_TR_NOOP("Locked or live timing"),
    ),
    "live.pair": Words(
        QT_TR_NOOP("Compared"),
        QT_TR_NOOP("Which two of the models this layout shows"),
        "N",
        QT_TR_NOOP("Next two of the models"),
    ),
    "live.flip": Words(
        QT_TR_NOOP("Average with the mirror image"),
        QT_TR_NOOP("Teachers look at each face and at its mirror image: more exact landmarks, but twice the time"),
    ),
    "live.magnification": Words(
        QT_TR_NOOP("Magnification"), QT_TR_NOOP("How much longer than true the arrows are drawn")
    ),
    "live.overlay.points": Words(QT_TR_NOOP("Points"), QT_TR_NOOP("Show every landmark"), "1"),
    "live.overlay.contours": Words(
        QT_TR_NOOP("Contours"), QT_TR_NOOP("Join the landmarks to jaw, brows, nose, eyes and lips"), "2"
    ),
    "live.overlay.box": Words(QT_TR_NOOP("Face box"), QT_TR_NOOP("Show a box around each face"), "3"),
    "live.overlay.numbers": Words(QT_TR_NOOP("Numbers"), QT_TR_NOOP("Show speed, time per stage and accuracy"), "4"),
    "live.overlay.truth": Words(
        QT_TR_NOOP("Ground truth"),
        QT_TR_NOOP("Show where the landmarks really are; only the sample and labelled data know"),
        "5",
    ),
    "live.overlay.pose": Words(QT_TR_NOOP("Head pose"), QT_TR_NOOP("Show the axes of each head"), "6"),
    "live.overlay.indices": Words(
        QT_TR_NOOP("Indices"),
        QT_TR_NOOP("Show the index of each landmark next to it, counted from 0; .pts files count from 1"),
        "8",
    ),
    "live.mirrored": Words(
        QT_TR_NOOP("Mirrored"),
        QT_TR_NOOP("Show the picture as a mirror does; landmarks and clean recordings stay as they are"),
        "M",
        QT_TR_NOOP("Mirrored view"),
    ),
    "live.smoothing": Words(
        QT_TR_NOOP("Smoothing"), QT_TR_NOOP("More smoothing: calmer landmarks; less: quicker ones")
    ),
    "controls": Words(
        QT_TR_NOOP("Controls"),
        QT_TR_NOOP("Show the side panel and the chart, or leave the whole window to the picture"),
        "H",
        QT_TR_NOOP("Show or hide controls"),
    ),
    "signals": Words(QT_TR_NOOP("Signals"), QT_TR_NOOP("Show the signals of the largest face"), "7"),
}


def label_of(path: str) -> str:
    """Return the name of a setting's control, in the user's language."""
    return QCoreApplication.translate("", WORDS[path].label)


def hint_of(path: str) -> str:
    """Return what a setting does, in the user's language."""
    return QCoreApplication.translate("", WORDS[path].hint)
