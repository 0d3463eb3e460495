"""What becomes of the garbage in a process that runs a night."""

from __future__ import annotations

import atexit
import ctypes
import gc

import pyarrow as pa

_M_MMAP_THRESHOLD = -3


def collect_rarely() -> None:
    """Millions of objects are made at the start and live to the end: walking over them again and
    again, and twice more at the end, was a sixth of a night's CPU. Reference counts free nearly all
    others.
    """
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)


def give_back_memory() -> None:
    """Memory of a large answer goes back to the system with it, not into the stock of a thread.

    Arrow's allocator and the C library's keep what was freed, for each thread: 350 MB, where no
    more than 150 were in use at once. Blocks from a megabyte on are now the system's own.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    # Other C libraries than glibc have no such setting.
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_MMAP_THRESHOLD, 1_000_000)
