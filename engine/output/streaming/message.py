"""The message of a stream about a frame, as JSON and as OSC; docs/streaming.md describes it for receivers."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import OutputError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Face, Result
from engine.formats.landmark_writers import ODD_NAMES

# Grows when a receiver written for an older message would misread a new one; fields may be added without that.
VERSION = 2
# macOS sends no datagram of more than 9216 bytes by default.
LARGEST_DATAGRAM = 8192
# Of Open Sound Control.
ROOT = "/understudy"
IMMEDIATELY = struct.pack(">Q", 1)

Message = dict[str, Any]


def landmark_message(
    result: Result, signals: Sequence[FaceSignals | None], captured: float, latency_ms: float
) -> Message:
    """Return a result, and the signals of its faces if they are read, as plain values.

    Its picture was taken at `captured`, in seconds since 1970, which is `latency_ms` milliseconds ago.
    """
    frame = result.frame
    return {
        "version": VERSION,
        "frame": frame.number,
        "count": frame.id,
        "captured": round(captured, 4),
        "latency_ms": round(latency_ms, 2),
        "position": None if frame.time is None else round(frame.time, 4),
        "source": frame.source,
        "picture": frame.name,
        "model": result.model,
        "width": frame.width,
        "height": frame.height,
        "part": 1,
        "parts": 1,
        "faces": [
            _face(face, frame.width, frame.height, known)
            for face, known in zip_longest(result.faces, signals[: len(result.faces)])
        ],
    }


def as_line(message: Message) -> bytes:
    """Return a message as one line of JSON, UTF-8."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors=ODD_NAMES) + b"\n"


def as_bundle(message: Message) -> bytes:
    """Return a message as one OSC bundle: first `/understudy/frame`, then what belongs to each face.

    Source: Open Sound Control 1.0, https://opensoundcontrol.stanford.edu/spec-1_0.html.
    """
    names = ("version", "frame", "captured", "latency_ms", "model", "width", "height", "part", "parts")
    values = {name: message[name] for name in names} | {"frame": message["frame"] & 0x7FFFFFFF}
    counts = len(message["faces"]), message["count"] & 0x7FFFFFFF
    elements = [osc_message(f"{ROOT}/frame", "iidfsiiiiii", *values.values(), *counts)]
    for face in message["faces"]:
        lists = {
            "points": [value for point in face["points"] for value in point],
            "normalised": [value for point in face["normalised"] for value in point],
            "confidence": face["confidence"],
            "score": [face["score"]],
            "box": face["box"],
            **{f"signal/{name}": [value] for name, value in face["signals"].items() if value is not None},
        }
        place = f"{ROOT}/face/{face['id']}"
        elements += [osc_message(f"{place}/{name}", "f" * len(some), *some) for name, some in lists.items()]
    return b"#bundle\0" + IMMEDIATELY + b"".join(struct.pack(">i", len(element)) + element for element in elements)


def datagrams(message: Message, encode: Callable[[Message], bytes]) -> list[bytes]:
    """Return a message as few datagrams as can carry it; each is complete in itself and carries whole faces.

    Raises:
        OutputError: a single face is larger than a datagram.
    """
    faces = message["faces"]
    for parts in range(1, len(faces) + 1 if faces else 2):
        cuts = [len(faces) * part // parts for part in range(parts + 1)]
        made = [
            encode({**message, "part": part + 1, "parts": parts, "faces": faces[cuts[part] : cuts[part + 1]]})
            for part in range(parts)
        ]
        if max(map(len, made)) <= LARGEST_DATAGRAM:
            return made
    raise OutputError(
        f"A face is larger than a datagram, which has {LARGEST_DATAGRAM} bytes at most",
        "it carries very many signals",
        "stream by ws:// instead",
    )


def osc_message(address: str, types: str, *arguments: Any) -> bytes:
    """Return one OSC message; `types` has a letter for each argument: i int32, f float32, d float64, s string."""
    parts = [_osc_text(address), _osc_text(f",{types}")]
    for letter, value in zip(types, arguments, strict=True):
        parts.append(_osc_text(value) if letter == "s" else struct.pack(f">{letter}", value))
    return b"".join(parts)


def _osc_text(text: str) -> bytes:
    """Return a string as OSC writes it: with one to four zero bytes, so that its length divides by four."""
    data = text.encode(errors=ODD_NAMES)
    return data + b"\0" * (4 - len(data) % 4)


def _face(face: Face, width: int, height: int, signals: FaceSignals | None) -> Message:
    # As in crops, 0 and 1 are the edges of the picture, and pixel centres are half a pixel inside.
    normalised = (face.landmarks + 0.5) / (width, height)
    return {
        "id": face.id,
        "score": round(face.score, 4),
        "box": face.box.as_list(),
        "scheme": face.scheme.points,
        "points": _rounded(face.landmarks, 2),
        "normalised": _rounded(normalised, 5),
        "confidence": _rounded(face.confidence, 3),
        "signals": {} if signals is None else signals.as_record(),
    }


def _rounded(values: NDArray[np.floating], digits: int) -> list[Any]:
    return np.round(values.astype(np.float64), digits).tolist()
