"""How often Python looks for garbage in a process that runs a night."""

from __future__ import annotations

import atexit
import gc


def collect_rarely() -> None:
    """Millions of objects are made at the start and live to the end: walking over them again and
    again, and twice more at the end, was a sixth of a night's CPU. Reference counts free nearly all
    others.
    """
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)
