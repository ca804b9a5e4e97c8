"""Keeping the memory of a process small where its C library does not: glibc's, on Linux."""

from __future__ import annotations

from functools import cache

from engine.core.platforms import c_library

M_ARENA_MAX = -8  # of malloc.h
_glibc = cache(c_library)


@cache
def share_arena() -> None:
    """Let all threads allocate from one arena, from now on.

    Else glibc has an arena for each of many threads, and what one of them freed no other finds, nor does `give_back`.
    """
    if (glibc := _glibc()) is not None:
        glibc.mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the system what was freed: it takes milliseconds, for which other threads of Python go on."""
    if (glibc := _glibc()) is not None:
        glibc.malloc_trim(0)
