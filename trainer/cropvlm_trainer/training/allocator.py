"""Has the C library keep the memory that torch frees, instead of giving it back to the system after each step.

A training step on a CPU frees and takes the same blocks again and again, of `full-sft` gigabytes. With glibc's defaults
every large block is mapped and unmapped, and the page faults of new blocks take up to half of a step
(`results/allocator.md`).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Of glibc's <malloc.h>, for `mallopt`."""
KEPT = 2**31 - 1
"""bytes at the heap's end that are kept: the most that `mallopt` takes"""
PAD = 256 * 2**20
"""bytes that the heap grows by beyond what is asked for"""


def keep_freed_memory() -> bool:
    """Sets glibc's allocator for this process. Returns whether it was set: other C libraries have no `mallopt`."""
    mallopt = _of_glibc("mallopt")
    if mallopt is None:
        return False
    return all(
        mallopt(option, value) == 1 for option, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, KEPT), (M_TOP_PAD, PAD))
    )


def give_back_freed_memory() -> None:
    """Gives what lies free in the heap back to the system, between blocks in use too (malloc_trim(3), of glibc alone).

    With what is freed kept, batches of many sizes leave holes that fit no other block, and a process grows for hours.
    The next step pays for new pages: this is for now and then, as when a run is saved.
    """
    if trim := _of_glibc("malloc_trim"):
        trim(ctypes.c_size_t(0))


def _of_glibc(name: str) -> Callable[..., int] | None:
    """The C library's function of this name; None where it has none, or is not Linux's."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
