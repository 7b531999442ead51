"""Keep the memory that a step frees for the next one.

A step through time fills a new state of a few megabytes and the one before is freed. The C library gives
blocks of that size back to the system at once, and the system has to clear every page again when the next
step asks for it: hundreds of page faults a step, up to a third of its time, in some runs and not in others.
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of ``mallopt`` (``malloc.h`` of the GNU C library)."""
KEPT_BYTES = 64 << 20
LARGEST_BLOCK_BYTES = 32 << 20
"""The largest the library allows."""


def keep_freed_memory(kept_bytes: int = KEPT_BYTES) -> bool:
    """Let this process hold up to ``kept_bytes`` of freed memory instead of giving it back.

    For a process that steps through time for long; to be called once at its start, by the process and not by
    the engine, since it concerns all of it.

    Returns
    -------
    False where the C library cannot (then a step costs what it cost before)
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    mallopt.argtypes, mallopt.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_int
    done = mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK_BYTES) and mallopt(M_TRIM_THRESHOLD, kept_bytes)
    return bool(done)
