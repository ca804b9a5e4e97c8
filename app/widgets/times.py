"""How times are written."""

from __future__ import annotations


def clock_words(seconds: float) -> str:
    """Return a time as hours, minutes, seconds and tenths, as in “1:02:03.4” or “2:03.4”."""
    tenths = int(max(0.0, seconds) * 10 + 1e-6)
    minutes, rest = divmod(tenths, 600)
    end = f"{rest // 10:02d}.{rest % 10}"
    return f"{minutes // 60}:{minutes % 60:02d}:{end}" if minutes >= 60 else f"{minutes}:{end}"
