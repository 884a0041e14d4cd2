"""Keep freed memory between steps instead of returning it to the system and faulting it in again."""

import ctypes
import functools

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER = -1
"""Options of glibc's `mallopt`, and what switches trimming off; see mallopt(3). A threshold could be 2 GiB at most."""


@functools.cache
def keep_memory() -> bool:
    """Tell glibc to serve large blocks from a heap that it does not shrink; True where that took effect.

    By default glibc takes every block above 32 MiB straight from the kernel and gives it back when freed, and trims
    its heap as well: a training step then pays for zeroed pages again and again. The setting holds for the process;
    where the C library is another one, nothing is changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))
