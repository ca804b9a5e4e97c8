"""The colours that stand for the two lanes, on the picture and beside it."""

from __future__ import annotations

from app.theme.theme import DARK, colours
from engine.render.palette import FIRST_LANE, SECOND_LANE, Colour


def _code(colour: Colour) -> str:
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


# On the picture and on dark panels: those of the overlay. On light ones blue against orange, dark enough for lines
# (3 : 1), and as safe for every kind of colour blindness.
ON_DARK = (_code(FIRST_LANE), _code(SECOND_LANE))
ON_LIGHT = ("#0a84c4", "#c06a00")


def lane_colour(lane: int) -> str:
    """Return the colour of lane 0 or 1 on a panel of the theme on screen, as `#rrggbb`."""
    return (ON_DARK if colours() is DARK else ON_LIGHT)[lane]
