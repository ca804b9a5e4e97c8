"""Messages as Open Sound Control 1.0 bundles (https://opensoundcontrol.stanford.edu/spec-1_0.html)."""

from __future__ import annotations

import struct
from typing import Any

from engine.output.streaming.message import Message

ROOT = "/understudy"
IMMEDIATELY = struct.pack(">Q", 1)


def as_bundle(message: Message) -> bytes:
    """Return a message as one OSC bundle: first `/understudy/frame`, then what belongs to each face."""
    elements = [_frame(message)]
    for face in message["faces"]:
        elements += _face(face)
    return b"#bundle\0" + IMMEDIATELY + b"".join(struct.pack(">i", len(element)) + element for element in elements)


def osc_message(address: str, types: str, *arguments: Any) -> bytes:
    """Return one OSC message; `types` has a letter for each argument: i int32, f float32, d float64, s string."""
    parts = [_text(address), _text(f",{types}")]
    for letter, value in zip(types, arguments, strict=True):
        parts.append(_text(value) if letter == "s" else struct.pack(f">{letter}", value))
    return b"".join(parts)


def _frame(message: Message) -> bytes:
    names = ("version", "frame", "captured", "latency_ms", "model", "width", "height", "part", "parts")
    values = {name: message[name] for name in names} | {"frame": message["frame"] & 0x7FFFFFFF}
    return osc_message(f"{ROOT}/frame", "iidfsiiiii", *values.values(), len(message["faces"]))


def _face(face: dict[str, Any]) -> list[bytes]:
    place = f"{ROOT}/face/{face['id']}"
    values = {
        "points": [value for point in face["points"] for value in point],
        "normalised": [value for point in face["normalised"] for value in point],
        "confidence": face["confidence"],
        "score": [face["score"]],
        "box": face["box"],
        **{f"signal/{name}": [value] for name, value in face["signals"].items() if value is not None},
    }
    return [osc_message(f"{place}/{name}", "f" * len(numbers), *numbers) for name, numbers in values.items()]


def _text(text: str) -> bytes:
    """Return a string as OSC writes it: with one to four zero bytes, so that its length divides by four."""
    data = text.encode()
    return data + b"\0" * (4 - len(data) % 4)
