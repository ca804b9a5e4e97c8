"""What the shapes of networks ask of their fields."""

from __future__ import annotations

from engine.errors import UsageError


def check_choice(what: str, value: str | int, choices: tuple[str | int, ...]) -> None:
    """Raise `UsageError` unless `value` is one of `choices`."""
    if value not in choices:
        there_are = ", ".join(str(choice) for choice in choices)
        raise UsageError(f"There is no {what} “{value}”", f"there are: {there_are}", "choose one of these")


def check_positive(what: str, value: int) -> None:
    """Raise `UsageError` unless `value` is above 0."""
    if value <= 0:
        raise UsageError(f"There cannot be {value} {what}", "a network needs at least one", "choose a number above 0")


def check_input_size(encoder: str, size: int, multiple: int) -> None:
    """Raise `UsageError` unless an input of `size` pixels can be halved as often as the encoder does."""
    if size <= 0 or size % multiple:
        raise UsageError(
            f"The encoder {encoder} cannot read pictures of {size} pixels",
            f"it halves them again and again, so their side has to be a multiple of {multiple}",
            f"choose shape.input_size={max(1, round(size / multiple)) * multiple}",
        )
