"""Memory of a process that trains or judges with torch: what a step frees, the next one takes again."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Parameters of glibc's ``mallopt``, from its ``malloc.h``."""
_NEVER = 2**31 - 1
_PAD = 256 * 2**20


def keep_freed_memory() -> bool:
    """Have glibc keep freed memory in the process; whether it does.

    By default every large activation is mapped anew and given back in every step, and the kernel zeroes its pages
    each time. Kept, a step on two cores is 1.1 to 2.3 times as fast (docs/performance.md). The process stays as large
    as it once was. Elsewhere than on glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # another C library, such as musl
        return False
    return all(mallopt(name, value) for name, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _PAD)))
