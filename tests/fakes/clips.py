"""Small video files, whole and damaged."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 64, 48


def write_clip(path: Path, frames: int = 30, rate: float = 25.0) -> Path:
    """Write a video, left half red, upper edge bright; each of 50 frames is lighter than the one before."""
    codec = {".mp4": "mp4v", ".avi": "MJPG"}[path.suffix]
    # The writer is not what is tested here, and on some systems it takes plain names only.
    plain = path.with_name(f"plain{path.suffix}")
    writer = cv2.VideoWriter(str(plain), cv2.VideoWriter.fourcc(*codec), rate, (WIDTH, HEIGHT))
    for number in range(frames):
        picture = np.full((HEIGHT, WIDTH, 3), min(40 + 4 * number, 255), np.uint8)
        picture[:, : WIDTH // 2] = (0, 0, 200)
        picture[: HEIGHT // 4] = 250
        writer.write(picture)
    writer.release()
    plain.replace(path)
    return path


def cut(path: Path, share: float) -> Path:
    """Cut a file off after a share of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def turn_half(path: Path) -> Path:
    """Set the orientation flag of an MP4 to half a turn, as of a phone held upside down; its pictures stay."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40  # version, flags, times, ids, layer, volume come before
    one, minus = 0x00010000, 0xFFFF0000
    values = (minus, 0, 0, 0, minus, 0, WIDTH << 16, HEIGHT << 16, 0x40000000)
    assert int.from_bytes(data[matrix : matrix + 4], "big") == one
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big") for value in values)
    path.write_bytes(data)
    return path


def vary_rate(path: Path, change_at: int, shorter: int) -> Path:
    """Let the frames of an MP4 from `change_at` on follow each other `shorter` times as fast: a variable frame rate."""
    data = bytearray(path.read_bytes())
    table = data.index(b"stts")
    entries, count, period = (int.from_bytes(data[table + at : table + at + 4], "big") for at in (8, 12, 16))
    assert entries == 1
    values = (2, change_at, period, count - change_at, period // shorter)
    data[table + 8 : table + 20] = b"".join(value.to_bytes(4, "big") for value in values)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):  # each holds the next one
        size = data.rindex(box, 0, table + 4) - 4
        data[size : size + 4] = (int.from_bytes(data[size : size + 4], "big") + 8).to_bytes(4, "big")
    path.write_bytes(data)
    return path
