"""What recipes and their parts ask of their fields."""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.core.errors import UsageError

SMALLEST_WIDTH = 0.0625  # two channels where MobileViT-v2 has 32, half of which its attention looks at


def check_choice(what: str, value: str | int, choices: tuple[str | int, ...]) -> None:
    """Raise `UsageError` unless `value` is one of `choices`."""
    if value not in choices:
        there_are = ", ".join(str(choice) for choice in choices)
        raise UsageError(f"There is no {what} “{value}”", f"there are: {there_are}", "choose one of these")


def check_positive(**values: float) -> None:
    """Raise `UsageError` unless each value, by the name of its field, is a number above 0."""
    _check(values, lambda value: 0 < value < math.inf, "a number above 0")


def check_not_negative(**values: float) -> None:
    """Raise `UsageError` unless each value, by the name of its field, is 0 or a number above it."""
    _check(values, lambda value: 0 <= value < math.inf, "0 or a number above it")


def check_below_one(**values: float) -> None:
    """Raise `UsageError` unless each value, by the name of its field, is 0 or a number between 0 and 1."""
    _check(values, lambda value: 0 <= value < 1, "a number from 0 on and below 1")


def check_encoder_width(width: float) -> None:
    """Raise `UsageError` unless an encoder `width` times as wide as the published one has channels in every layer."""
    if not SMALLEST_WIDTH <= width < math.inf:
        raise UsageError(
            f"An encoder cannot be {width} times as wide as the published one",
            "its first layers would have no channel left, or there is no such number",
            f"choose shape.encoder_width={SMALLEST_WIDTH} or more",
        )


def check_input_size(encoder: str, size: int, multiple: int) -> None:
    """Raise `UsageError` unless an input of `size` pixels can be halved as often as the encoder does."""
    if size <= 0 or size % multiple:
        raise UsageError(
            f"The encoder {encoder} cannot read pictures of {size} pixels",
            f"it halves them again and again, so their side has to be a multiple of {multiple}",
            f"choose shape.input_size={max(1, round(size / multiple)) * multiple}",
        )


def _check(values: dict[str, float], holds: Callable[[float], bool], wanted: str) -> None:
    for field, value in values.items():
        if not holds(value):
            raise UsageError(f"The field {field} cannot be {value}", f"it has to be {wanted}", "choose such a number")
