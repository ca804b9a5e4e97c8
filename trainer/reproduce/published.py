"""The published figures: NME in percent of the distance of the outer eye corners, by set, network and part."""

from __future__ import annotations

# Fard & Mahoor, CVIU 2022, and for networks without a teacher Fard et al., ASMNet, CVPR Workshops 2021.
# Hong & Lin (arXiv 2404.06029) give a score of another set and no such figure.
PUBLISHED: dict[str, dict[tuple[str, str, str], float]] = {
    "fard-mahoor": {
        ("300w", "student-kd", "full"): 4.06,
        ("300w", "student-kd", "common"): 3.56,
        ("300w", "student-kd", "challenging"): 6.13,
        ("300w", "student", "full"): 4.70,
        ("300w", "student", "common"): 3.93,
        ("300w", "student", "challenging"): 7.52,
        ("cofw", "student-kd", "full"): 4.11,
        ("cofw", "tough", "full"): 3.81,
        ("wflw", "student-kd", "full"): 8.57,
        ("wflw", "student-kd", "pose"): 15.06,
        ("wflw", "student", "full"): 9.57,
        ("wflw", "student", "pose"): 18.18,
    },
    "hong-lin": {},
}
