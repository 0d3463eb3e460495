"""`make bench`: runs every comparison, prints them and writes docs/benchmarks.md, down to its first
section: what is below is written by hand.

`python -m tests.perf history nightly` runs only those, and writes nothing.
"""

import os
import platform
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from tests.perf.decode import decode_against_proto_plus
from tests.perf.demo import demo
from tests.perf.export import export_comparisons
from tests.perf.history import history
from tests.perf.ingest import ingest_comparisons
from tests.perf.nightly import tiny_night

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench`. Seconds are one machine's; what counts are the ratios, measured in turns.

"""


class Result(Protocol):
    """What a comparison found."""

    def line(self) -> str:
        """For people."""


COMPARISONS: dict[str, Callable[[], Iterable[Result]]] = {
    "nightly": lambda: [tiny_night()],
    "history": lambda: [history()],
    "demo": demo,
    "decode": lambda: [decode_against_proto_plus()],
    "ingest": ingest_comparisons,
    "export": export_comparisons,
}


def machine() -> str:
    """What it ran on, in a line."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"model name\s*: (.*)", facts)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
        f"{memory:.0f} GiB, Python {platform.python_version()}"
    )


def main() -> None:
    """Run the comparisons named on the command line, or all of them."""
    lines = [f"{machine()}."]
    print(lines[0], flush=True)
    for name in sys.argv[1:] or COMPARISONS:
        for one in COMPARISONS[name]():
            lines.append(f"- {one.line()}")
            print(lines[-1], flush=True)
    text = "\n".join([lines[0], "", *lines[1:]])
    if not sys.argv[1:]:
        _, section, kept = PAGE.read_text(encoding="utf-8").partition("\n## ")
        PAGE.write_text(f"{HEAD}{text}\n{section}{kept}", encoding="utf-8")


if __name__ == "__main__":
    main()
