"""The colours of the overlay, BGR."""

from __future__ import annotations

Colour = tuple[int, int, int]


def _bgr(code: str) -> Colour:
    red, green, blue = (int(code[i : i + 2], 16) for i in (1, 3, 5))
    return blue, green, red


def code_of(colour: Colour) -> str:
    """Return a colour as `#rrggbb`."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return `one` with `share` in [0, 1] of `other`."""
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return blue, green, red


WHITE = _bgr("#ffffff")
PLATE = _bgr("#0d0f12")
PLATE_ALPHA = 0.8  # over white, even the muted text still has a contrast of 4.5 : 1
TEXT = _bgr("#e8eaed")
MUTED = _bgr("#a3acb8")

# The model's colours are cool, the ground truth is orange: a pair that every kind of colour blindness can
# distinguish; the parts of a face need not be distinguished by colour, so they differ softly.
PARTS = {
    "jaw": _bgr("#a9c1dd"),
    "brow": _bgr("#a9b4ff"),
    "nose": _bgr("#8fd0f5"),
    "eye": _bgr("#7ce6df"),
    "lip": _bgr("#d9aeff"),
    "pupil": _bgr("#7ce6df"),
}
TRUTH = _bgr("#ff8c1a")

# Lanes: cyan, yellow, rose, violet. Any two of them differ for every kind of colour blindness, and from the truth.
# On light backgrounds: blue, orange, dark red and violet, dark enough for lines (3 : 1), and as safe.
LANES = tuple(_bgr(code) for code in ("#4fd8f0", "#ffe14d", "#ff3d6e", "#aa66ff"))
LANES_ON_LIGHT = tuple(_bgr(code) for code in ("#0a84c4", "#c06a00", "#5e1030", "#7300e6"))
# Heat of a difference, from none to `HOTTEST` percent of the eye distance and more.
HEAT = (_bgr("#5aa9ff"), _bgr("#ffe14d"), _bgr("#ff5a4d"))
HOTTEST = 6.0


def heat_colour(percent: float) -> Colour:
    """Return the colour of a difference in percent of the eye distance."""
    place = min(max(percent / HOTTEST, 0.0), 1.0) * (len(HEAT) - 1)
    step = min(int(place), len(HEAT) - 2)
    return mixed(HEAT[step], HEAT[step + 1], place - step)
